"""The facts of an endpoint's report that the wire also shows: one row each."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

from harness.agent.library import EXPORTER_LABEL, EXPORTER_LENGTH
from harness.agent.vocabulary import CacheMode, CertCompression, release
from harness.explain.finding import ALERT_RECEIVED, ALERTS_END, LIB_SSL, entries, release_of
from harness.model.connection import HANDLE
from harness.model.errors import WireFormatError
from harness.model.tls import Ending, Role, TLSVersion
from harness.model.transcript import CONNECTION_CLOSE, EARLY_DATA
from harness.model.view import Saw
from harness.pair.audit.key_logs import key_log
from harness.pair.audit.shown import Shown, either, exactly, once, readable
from harness.wire.exporter import exported
from harness.wire.hellos import COMPRESS_CERTIFICATE, numbers_of
from harness.wire.messages import ZLIB, chosen_protocol
from harness.wire.names import GROUPS, group_named, name_of
from harness.wire.suites import openssl_names

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Container

    from harness.model.tls import Alert
    from harness.pair.audit.shown import Wire

BOTH = frozenset(Role)
KEEPS_METHOD = (1, 1)
"""The first OpenSSL whose SSL_set_session leaves the method as it is."""
PREFERS_SENT_NAME = release("1.1.1e")
"""The first OpenSSL that reports the name of this handshake, not the session's, where TLS 1.3 resumed."""
SENDS_EACH_ALERT = release("1.1.1o")
"""The first OpenSSL that sends an alert for each of its errors: before, tls1_alert_code knew no missing_extension."""
READS_DATA_TWICE = (("3.2", "3.2.5"), ("3.3", "3.3.4"), ("3.4", "3.4.2"), ("3.5", "3.5.1"))
"""The releases with openssl/openssl#27316, up to those of May 2025 with openssl/openssl#27543."""
KEY_NAME = 16
"""Bytes at the head of an OpenSSL ticket that name its key (TLSEXT_KEYNAME_LENGTH)."""
KEY_LOG = "key log"
"""The one fact that an endpoint can report which the harness does not drive."""


@dataclass(frozen=True)
class Fact:
    """One row of the table."""

    name: str
    reports: Callable[[Wire, Role], object]
    """What an end reports; None for nothing."""
    shows: Callable[[Wire, Role], Shown | None]
    """What the wire shows of it; None where it cannot."""
    roles: frozenset[Role] = BOTH
    before: Callable[[Wire, Role], Container[object] | None] | None = None
    """What an end may report that has not come so far in a handshake which was not completed.

    None where the fact is not of a completed handshake, or, of the call, where nothing can be said.
    """
    printed: bool = False
    """Whether s_client and s_server print it when the first handshake is complete, and not again."""

    def shown(self, wire: Wire, role: Role) -> Shown | None:
        """What the wire shows of it, also where the last handshake was not completed."""
        found = self.shows(wire, role)
        if self.printed and len(wire.handshakes) > 1 and wire.report(role).view.name.startswith("openssl@"):
            found = either([self.shows(wire.after_first, role), found])
        if self.before is None or (found is not None and not wire.unfinished):
            return found
        before = self.before(wire, role)
        if before is None:
            return None
        if found is not None:
            return either([found], before)
        if wire.unanswered:
            return Shown(before, "no ServerHello") if before != () else None
        if role is Role.CLIENT and wire.finished(role):
            before = ()
        return either([self.shows(stage, role) for stage in wire.stages], before)


def _reported(name: str) -> Callable[[Wire, Role], object]:
    return lambda wire, role: getattr(wire.report(role), name)


@once
def _version(wire: Wire, _role: Role) -> Shown | None:
    if not wire.answers:
        return None
    where = "ServerHello in packets of QUIC" if wire.transcript.quic else "ServerHello"
    return exactly(_carried(wire, wire.answers[-1].version), where)


def _carried(wire: Wire, version: TLSVersion | None) -> TLSVersion | None:
    """The version that an end speaks where the wire shows this one: QUIC has the messages of TLS 1.3."""
    of_quic = wire.transcript.quic and version is TLSVersion.QUICv1.handshake
    return TLSVersion.QUICv1 if of_quic else version


def _enabled(wire: Wire, role: Role) -> object:
    """The versions that an end was configured to enable, where they are not those of the wire.

    Before OpenSSL 1.1.0 a client that offers a session enables the session's version alone (SSL_set_session), be it
    disabled or not.
    """
    setup, version = wire.connection.setup, release_of(wire.connection, role)
    old = version[:1].isdigit() and release(version) < KEEPS_METHOD
    of_session = old and role is Role.CLIENT and wire.connection.offered is not None
    return None if setup is None or of_session or wire.mutated(role) else setup.config(role).versions


class _Including:
    """Every value that has all of these."""

    def __init__(self, wanted: set[TLSVersion | None]) -> None:
        self._wanted = wanted

    def __contains__(self, reported: object) -> bool:
        return isinstance(reported, tuple) and self._wanted <= set(reported)


def _used_versions(wire: Wire, role: Role) -> Shown | None:
    """A client uses the versions that its ClientHello offers, a server the one that it answers with."""
    hellos = wire.transcript.client_hellos
    if role is Role.SERVER:
        used = {_carried(wire, h.version) for h in wire.transcript.server_hellos if h.version is not None}
    elif hellos:
        numbers = hellos[0].supported_versions or (hellos[0].legacy_version,)
        used = {_carried(wire, version) for version in TLSVersion if version.wire in numbers}
    else:
        return None
    words = "ClientHello" if role is Role.CLIENT else "ServerHello"
    return Shown(_Including(used), lambda: f"{readable(tuple(sorted(filter(None, used))))} ({words})")


@once
def _cipher(wire: Wire, _role: Role) -> Shown | None:
    """That of the last handshake."""
    names = openssl_names(wire.answers[-1].cipher_suite) if wire.answers else ()
    return Shown(names, f"{names[0]} (ServerHello)") if names else None


@once
def _external_psk(wire: Wire, _role: Role) -> Shown | None:
    """In TLS 1.3 a selected identity whose binder proves it, before it the identity in the ClientKeyExchange."""
    if not wire.answers:
        return None
    if wire.answers[0].version is TLSVersion.TLSv1_3:
        psk = wire.selected_psk
        where = "the binder of the selected identity" if psk else "no external PSK is selected in ServerHello"
        return exactly(psk.identity if psk else b"", where)
    return exactly(wire.transcript.psk_identity or b"", "ClientKeyExchange")


def _configured_psk(wire: Wire, _role: Role) -> object:
    """The identity that the client is to offer, where TLS 1.3 shows it."""
    setup, hellos = wire.connection.setup, wire.transcript.client_hellos
    if setup is None or not setup.client.psk_identities or not hellos or not hellos[0].external_psks:
        return None
    return setup.client.psk_identities[0].encode()


@once
def _sent_psk(wire: Wire, _role: Role) -> Shown | None:
    sent = [psk.identity for hello in wire.transcript.client_hellos[:1] for psk in hello.external_psks]
    return Shown(sent, lambda: f"{readable(tuple(sent))} (ClientHello)")


@once
def _alpn(wire: Wire, _role: Role) -> Shown | None:
    if not wire.answers:
        return None
    last = wire.answers[-1]
    extensions = wire.agreed(last)
    if extensions is None:
        return None
    try:
        chosen = chosen_protocol(extensions)
    except WireFormatError:
        return None
    return exactly(chosen, "EncryptedExtensions" if last.version is TLSVersion.TLSv1_3 else "ServerHello")


def _reported_alpn(wire: Wire, role: Role) -> object:
    """No protocol is reported as None, which is known as soon as the handshake is complete."""
    report = wire.report(role)
    return report.alpn or ("" if report.version is not None else None)


def _server_name(wire: Wire, role: Role) -> Shown | None:
    """Before TLS 1.3 a resumed connection has the session's name (SSL_get_servername(3)).

    In TLS 1.3 it has it before OpenSSL 1.1.1e, which prefers the session's (openssl/openssl#10018).
    """
    if len(wire.answers) > 1:
        return _one_of_names(wire)
    if wire.first is None or not wire.handshakes[0].hellos:
        return None
    name = wire.handshakes[0].hellos[-1].server_name or ""
    version = release_of(wire.connection, role)
    prefers = version[:1].isdigit() and release(version) < PREFERS_SENT_NAME
    if wire.resumed and (prefers or wire.first.version is not TLSVersion.TLSv1_3):
        offered = wire.connection.offered
        session = offered.get("server_name") if offered else None
        if session is None:
            return None
        return Shown((name, session), f"{readable(name)} (ClientHello), and the session has {readable(session)}")
    return exactly(name, "ClientHello")


def _one_of_names(wire: Wire) -> Shown | None:
    """Of several handshakes an end has the name of one of them, or that of a session."""
    offered = wire.connection.offered
    held = offered.get("server_name") if offered else None
    asked = {hello.server_name or "" for hello in wire.transcript.client_hellos}
    if offered and held is None:
        return None
    return Shown({*asked, held}, f"{readable(tuple(sorted(asked)))} (each ClientHello)")


def _configured_name(wire: Wire, _role: Role) -> object:
    setup = wire.connection.setup
    return setup.client.server_name if setup is not None else None


@once
def _sent_name(wire: Wire, _role: Role) -> Shown | None:
    hellos = wire.transcript.client_hellos
    return exactly(hellos[0].server_name or "", "ClientHello") if hellos else None


def _configured_alpn(wire: Wire, _role: Role) -> object:
    setup = wire.connection.setup
    return setup.client.alpn if setup is not None else None


@once
def _sent_alpn(wire: Wire, _role: Role) -> Shown | None:
    hellos = wire.transcript.client_hellos
    return exactly(hellos[0].alpn, "ClientHello") if hellos else None


def _configured(client: str, server: str) -> Callable[[Wire, Role], object]:
    """The value of the knob that each role's fact has, where an end keeps the rules."""

    def reports(wire: Wire, role: Role) -> object:
        setup = wire.connection.setup
        if setup is None or wire.mutated(role):
            return None
        return setup.config(role).given().get(client if role is Role.CLIENT else server)

    return reports


@once
def _asks_to_compress(wire: Wire, _role: Role) -> Shown | None:
    """An OpenSSL asks for it where it offers TLS 1.3 (RFC 8879, 3)."""
    hellos = wire.transcript.client_hellos
    if not hellos or TLSVersion.TLSv1_3.wire not in hellos[0].supported_versions:
        return None
    return exactly(COMPRESS_CERTIFICATE in hellos[0].extensions, "compress_certificate in ClientHello")


def _compresses(wire: Wire, role: Role) -> Shown | None:
    """A plain certificate means nothing where the peer may take it in no algorithm that this end has."""
    if "CompressedCertificate" in wire.types(role):
        return exactly(value=True, where=f"CompressedCertificate of the {role}")
    hellos, setup = wire.transcript.client_hellos, wire.connection.setup
    if role is Role.CLIENT or not wire.transcript.certificates.get(role) or not hellos or setup is None:
        return None
    asked = hellos[-1].extensions.get(COMPRESS_CERTIFICATE, b"")
    own = setup.server.cert_compressions
    if wire.first is None or wire.first.version is not TLSVersion.TLSv1_3 or (own and CertCompression.ZLIB not in own):
        return None
    return exactly(value=False, where=f"Certificate of the {role}") if ZLIB in numbers_of(asked[1:]) else None


@once
def _stapled(wire: Wire, _role: Role) -> Shown | None:
    """A resumption has none: the response is of the connection, and not of the session (tls_process_cert_status).

    After a renegotiation it is that of the last handshake, where OpenSSL forgets the earlier one (init_status_request).
    """
    if not wire.handshakes or wire.unread_chain(Role.SERVER):
        return None
    if wire.handshakes[-1].tls13 and wire.transcript.encrypted_extensions is None:
        return None
    responses = [each.stapled for each in wire.handshakes]
    where = f"{'a' if responses[-1] else 'no'} stapled response of the server"
    return Shown(set(responses) if responses[-1] else {*responses, b""}, where)


def _agreed_raw_key(wire: Wire, role: Role) -> object:
    """Whether both ends take a raw public key in place of this one's certificate, and prefer it (RFC 7250, 4)."""
    setup = wire.connection.setup
    if setup is None or wire.mutated(Role.CLIENT) or wire.mutated(Role.SERVER):
        return None
    both = [config.given().get(f"{role}_rpk") for config in (setup.client, setup.server)]
    return None if both == [None, None] else all(both)


def _raw_key(wire: Wire, role: Role) -> Shown | None:
    if wire.first is None or role not in wire.transcript.certificates:
        return None
    key = wire.transcript.raw_public_keys.get(role)
    if key is None and not wire.transcript.certificates[role]:
        return None  # neither: an end without a certificate
    return exactly(key is not None, f"{'a raw public key' if key is not None else 'certificates'} of the {role}")


def _peer_certificate(wire: Wire, role: Role) -> Shown | None:
    """A resumed end has the certificate of the session, which this connection's wire does not show."""
    if not wire.handshakes:
        return None
    last = wire.handshakes[-1]
    if last.resumed and last.chain(role.peer) is None:
        held = _held_certificates(wire, role)
        return None if held is None else Shown({bool(each) for each in held}, "it resumes, and the session says so")
    if not _shows_certificates(wire, role.peer):
        return None
    chain = last.chain(role.peer)
    shown = bool(chain) if chain is not None else wire.unread_chain(role.peer)
    return exactly(shown, f"{'a' if shown else 'no'} Certificate of the {role.peer}")


def _held_certificates(wire: Wire, role: Role) -> set[bytes] | None:
    """The peer's certificate in each session that the last handshake can resume; None where one is unknown.

    A renegotiation resumes a session of an earlier handshake of its connection, or the one that the client offered.
    """
    found = set()
    if wire.handshakes[0].resumed:
        offered = wire.connection.offered
        session = offered.get("peer_certificate") if offered and role is Role.CLIENT else None
        if not isinstance(session, bytes):
            return None
        found.add(session)
    if wire.unread_chain(role.peer):
        return None
    chains = [each.chain(role.peer) for each in wire.handshakes if not each.resumed or each.chain(role.peer)]
    return found | {chain[0] if chain else b"" for chain in chains}


def _shows_certificates(wire: Wire, role: Role) -> bool:
    """Whether the wire shows all that an end sent in the last handshake, be it sealed or not."""
    last = wire.handshakes[-1]
    finished = any(m.type == "Finished" and m.sender is role for m in last.messages)
    return not last.tls13 or (wire.transcript.encrypted_extensions is not None and finished)


@once
def _early_data(wire: Wire, _role: Role) -> Shown | None:
    if wire.transcript.client_hellos and not any(hello.early_data for hello in wire.transcript.client_hellos):
        return exactly("not_sent", "no early_data in ClientHello")
    if not wire.answers:
        return None
    extensions = wire.transcript.encrypted_extensions
    if extensions is None:
        return None
    accepted = EARLY_DATA in extensions
    return exactly(
        "accepted" if accepted else "rejected",
        f"{'early_data' if accepted else 'no early_data'} in EncryptedExtensions",
    )


def _early_bytes(wire: Wire, role: Role) -> Shown | None:
    """What a client wrote is what the wire carries; a server has read all of it, or nothing if it rejected it."""
    sent, hellos = wire.transcript.early_data, wire.transcript.client_hellos
    if hellos and not any(hello.early_data for hello in hellos):
        return exactly(b"", "no early_data in ClientHello")
    if not wire.answers or (sent is None and any(hello.early_data for hello in hellos)):
        return None
    sent = sent or b""
    extensions = wire.transcript.encrypted_extensions
    if role is Role.SERVER and sent and extensions is None:
        return None
    read = sent if role is Role.CLIENT or EARLY_DATA in (extensions or {}) else b""
    return exactly(read, "early data")


@once
def _new_sessions(wire: Wire, role: Role) -> Shown | None:
    """One of each ticket that was read, and before TLS 1.3 one of each full handshake.

    OpenSSL calls its callback before TLS 1.3 for a full handshake alone, also where a ticket comes in a resumption, and
    if the session has an id, its own beside a ticket (ssl_update_cache).
    """
    on_wire = wire.transcript.tickets
    if on_wire is None or not wire.handshakes:
        return None
    setup, tls13 = wire.connection.setup, wire.handshakes[-1].tls13
    many = f" in {len(wire.handshakes)} handshakes" * (len(wire.handshakes) > 1)
    shown = f"{len(on_wire)} NewSessionTicket{many}, {wire.connection.wire.evidence[0]}"
    if setup is None or not setup.library(role).is_openssl:
        return Shown(_UpTo(0, len(on_wire) + (0 if tls13 else len(wire.handshakes))), shown)
    full = [each for each in wire.handshakes if not each.resumed]
    named = sum(bool(each.answer.session_id) or any(each.tickets) for each in full)
    most = len(on_wire) if tls13 else named
    finished = wire.report(role).view.saw in {Saw.FULL, Saw.RESUMED}
    read = finished and (not tls13 or _reads_all(wire))
    return Shown(_UpTo(most if read and _calls_back(wire) else 0, most), shown)


def _calls_back(wire: Wire) -> bool:
    """Whether a client's cache mode lets OpenSSL call its new-session callback; it does by default."""
    setup = wire.connection.setup
    mode = setup.client.cache_mode if setup is not None else None
    return mode is None or bool(mode & {CacheMode.CLIENT, CacheMode.BOTH})


def _reads_all(wire: Wire) -> bool:
    """Whether a client has read a line of application data after the tickets."""
    setup = wire.connection.setup
    return wire.connection.exchanged and setup is not None and any(a.name == "exchange" for a in setup.during)


def _reported_tickets(wire: Wire, role: Role) -> object:
    return wire.report(role).view.tickets


class _UpTo:
    """Every number from ``low`` to ``high``."""

    def __init__(self, low: int, high: int) -> None:
        self._range = range(low, high + 1)

    def __contains__(self, reported: object) -> bool:
        return isinstance(reported, int) and reported in self._range


def _tickets(wire: Wire, role: Role) -> Shown | None:
    """A client that was closed before it read them may have counted fewer than were sent, and any a malformed one."""
    on_wire = wire.transcript.tickets
    if on_wire is None or wire.transcript.problem:
        return None
    count = len(on_wire)
    most = wire.transcript.types(Role.SERVER).count("NewSessionTicket")
    if role is Role.SERVER and wire.cut:
        return Shown(_UpTo(count, sys.maxsize - 1), f"at least {count} NewSessionTicket")
    low = count if role is Role.SERVER or _reads_all(wire) else 0
    return Shown(_UpTo(low, most), f"{most} NewSessionTicket" + (f", {most - count} malformed" * (most > count)))


def _numbers(alerts: tuple[Alert, ...]) -> tuple[str, ...]:
    return tuple(f"{alert.name} ({alert.number}) of level {alert.level}" for alert in alerts)


def _reported_alerts(*, own: bool) -> Callable[[Wire, Role], object]:
    def reports(wire: Wire, role: Role) -> object:
        reported = wire.report(role).alerts
        sender = role if own else role.peer
        return None if reported is None else _numbers(tuple(alert for alert in reported if alert.sender is sender))

    return reports


class _Extending:
    """Every tuple that begins with ``least`` and goes on as ``most`` does, or as it likes if ``most`` is None."""

    def __init__(self, least: tuple[str, ...], most: tuple[str, ...] | None) -> None:
        self._least, self._most = least, most

    def __contains__(self, reported: object) -> bool:
        if not isinstance(reported, tuple) or reported[: len(self._least)] != self._least:
            return False
        return self._most is None or reported == self._most[: len(reported)]


def _sent_alerts(wire: Wire, role: Role) -> Shown | None:
    """What an end sends into a connection that is cut may be missing on the wire."""
    alerts = wire.alerts(role)
    if alerts is None:
        return None
    sent = _numbers(alerts)
    most = None if wire.cut or _unsent(wire) else sent
    return Shown(_Extending(sent, most), lambda: f"{readable(sent)} from the {role}")


def _unsent(wire: Wire) -> bool:
    """Whether an end may have made an alert without sending it.

    A server of QUIC that refuses the first packet reports one to its application, and sends no CONNECTION_CLOSE.
    """
    return wire.transcript.quic and wire.connection.wire.saw is Saw.ABORTED and not wire.transcript.alerts


def _ignores_eof(wire: Wire, role: Role) -> bool:
    """Whether this end takes the end of TCP for a close_notify (SSL_OP_IGNORE_UNEXPECTED_EOF)."""
    setup = wire.connection.setup
    return setup is not None and bool(setup.config(role).ignore_unexpected_eof)


def _shuts_down_quietly(wire: Wire, role: Role) -> bool:
    """Whether SSL_shutdown takes a close_notify for received, and reads none (SSL_set_quiet_shutdown(3))."""
    setup = wire.connection.setup
    return setup is not None and bool(setup.config(role).quiet_shutdown)


def _received_alerts(wire: Wire, role: Role) -> Shown | None:
    """An end that stopped reading may not have met all of them; one that met the end of its input has."""
    alerts = wire.alerts(role.peer)
    if alerts is None:
        return None
    sent = _numbers(alerts)
    numbers = [alert.number for alert in alerts]
    assumed = _ignores_eof(wire, role) or _shuts_down_quietly(wire, role)
    met = wire.report(role).ending is Ending.CLOSE_NOTIFY and not assumed
    read = numbers.index(0) + 1 if met and 0 in numbers else 0
    named = _errors_received(wire, role) or ()
    read = max([read, *(place + 1 for place, number in enumerate(numbers) if number and str(number) in named)])
    if _reads_to_the_end(wire, role):
        fatal = [place for place, alert in enumerate(alerts) if alert.fatal]
        read = max(read, fatal[0] + 1 if fatal else len(sent))  # behind a fatal alert nothing is read
    return Shown(_Extending(sent[:read], sent), lambda: f"{readable(sent)} from the {role.peer}")


def _reads_to_the_end(wire: Wire, role: Role) -> bool:
    """Whether an end whose input is over has read all of it: TCP carried it whole, and it did not fail itself.

    A client that sent no ClientHello, as it cannot read the session that it is to offer, has read nothing.
    """
    report = wire.report(role)
    if role is Role.CLIENT and not wire.transcript.client_hellos:
        return False
    own = wire.alerts(role)
    failed = own is None or any(alert.fatal for alert in own)
    failed = failed or any(library == LIB_SSL and reason < ALERT_RECEIVED for library, reason in entries(report.errors))
    stream = not wire.cut and not wire.connection.tls.datagrams
    return stream and not failed and report.ending in {Ending.EOF, Ending.ALERT}


def _errors_received(wire: Wire, role: Role) -> tuple[str, ...] | None:
    """The alerts that the reason codes of an end name as received (SSL_AD_REASON_OFFSET)."""
    found = entries(wire.report(role).errors)
    numbers = {reason - ALERT_RECEIVED for library, reason in found if library == LIB_SSL}
    return tuple(str(number) for number in sorted(numbers) if 0 <= number < ALERTS_END - ALERT_RECEIVED) or None


def _alerts_in_errors(wire: Wire, role: Role) -> Shown | None:
    alerts = wire.alerts(role.peer)
    if alerts is None:
        return None
    sent = {str(alert.number) for alert in alerts}
    return Shown(_Among(sent), lambda: f"{readable(_numbers(alerts))} from the {role.peer}")


def _reported_fatal(wire: Wire, role: Role) -> object:
    alert = wire.report(role).view.alert
    return None if alert is None else (alert.number, alert.sender)


def _fatal_shown(wire: Wire, role: Role) -> Shown | None:
    """What an end received is on the wire, and what it sent into a connection that was cut may be missing there."""
    shown = [wire.alerts(sender) for sender in Role]
    if None in shown:
        return None
    alerts = [alert for of in shown for alert in of or ()]
    known = {(alert.number, sender) for alert in alerts for sender in (alert.sender, None)}
    where = ", ".join(map(str, alerts)) or "no alert"
    return Shown(_SentBy(role, known) if wire.cut or _unsent(wire) else known, where)


class _SentBy:
    """These alerts, and every one that this end says it sent, or whose sender it does not know."""

    def __init__(self, role: Role, known: Collection[object]) -> None:
        self._role, self._known = role, known

    def __contains__(self, reported: object) -> bool:
        own = isinstance(reported, tuple) and reported[1] in {self._role, None}
        return own or reported in self._known


def _ending(wire: Wire, role: Role) -> object:
    """Of the ways to end, those that leave a trace; an end that met EOF may have stopped decoding before."""
    report = wire.report(role)
    every = report.alerts is not None
    return report.ending if report.ending in {Ending.CLOSE_NOTIFY, Ending.ALERT} or every else None


def _endings(wire: Wire, role: Role) -> Shown | None:
    """An end that sends an alert has met one in that sense: its input is over.

    A client that fails before its ClientHello, as it cannot read a session, has ended without any.
    """
    received, sent = wire.alerts(role.peer), wire.alerts(role)
    if received is None or sent is None or not wire.transcript.client_hellos:
        return None
    allowed: set[Ending] = {Ending.EOF, Ending.RESET, Ending.ALERT} if wire.cut else set()
    assumed = _ignores_eof(wire, role) or _shuts_down_quietly(wire, role)
    if any(alert.number == 0 for alert in received) or assumed or wire.transcript.closed:
        allowed.add(Ending.CLOSE_NOTIFY)
    if not any(alert.number == 0 for alert in received) and not wire.transcript.closed:
        allowed.add(Ending.EOF)
    if any(alert.number for alert in (*received, *sent)):
        allowed |= {Ending.ALERT, Ending.EOF}
    if _fails_without_alert(wire, role) or _unsent(wire):
        allowed.add(Ending.ALERT)
    if _reads_data_twice(wire, role):
        allowed.add(Ending.EOF)
    closed = CONNECTION_CLOSE if wire.transcript.closed else "no reset"
    return Shown(allowed, lambda: f"{readable(_numbers(received))} from the {role.peer}, and {closed}")


def _reads_data_twice(wire: Wire, role: Role) -> bool:
    """Whether SSL_read returned 0 after data of DTLS that had come before the peer's Finished (openssl/openssl#27316).

    From 3.2 to 3.2.4, 3.3.3, 3.4.1 and 3.5.0 OpenSSL keeps the record that it has read, and reads it again, empty.
    """
    version = release_of(wire.connection, role)
    number = release(version) if version[:1].isdigit() else ()
    if not any(release(since) <= number < release(mended) for since, mended in READS_DATA_TWICE):
        return False
    sent = [message.type for message in wire.transcript.messages if message.sender is role.peer]
    early = sent[: sent.index("Finished")] if "Finished" in sent else []
    version_of = wire.answers[-1].version if wire.answers else None
    return version_of is not None and version_of.datagrams and "ApplicationData" in early


def _fails_without_alert(wire: Wire, role: Role) -> bool:
    """Whether an end aborted with an error of its own, and is an OpenSSL before 1.1.1o or does not report its alerts.

    It sends no alert in some places: SSLfatal, which makes an alert of each error in a handshake, came with 1.1.1, and
    up to 1.1.1n dropped the alerts that TLS 1.3 brought where the version is an earlier one.
    """
    report, version = wire.report(role), release_of(wire.connection, role)
    setup = wire.connection.setup
    if setup is not None and not setup.library(role).is_openssl:
        return report.view.saw is Saw.ABORTED and report.alerts is None
    own = any(library == LIB_SSL and reason < ALERT_RECEIVED for library, reason in entries(report.errors))
    return report.view.saw is Saw.ABORTED and own and version[:1].isdigit() and release(version) < SENDS_EACH_ALERT


def _resumed_last(wire: Wire, role: Role) -> Shown | None:
    """Whether the last handshake resumed: in a renegotiation nothing that only a full one has comes from the server.

    What an end says after one that failed is not of the last that was completed: a server notes the session first.
    """
    if not wire.handshakes:
        return None
    if len(wire.answers) == 1 and wire.selected_psk is not None:
        setup = wire.connection.setup
        said = {True} if setup is not None and setup.library(role).is_openssl else {True, False}
        return Shown(said, "an external PSK, of which OpenSSL says SSL_session_reused")
    last = wire.handshakes[-1]
    if len(wire.answers) == 1:
        return exactly(last.resumed, wire.connection.wire.evidence[0])
    return exactly(last.resumed, f"{'no ' if last.resumed else ''}message of a full one in the last handshake")


@once
def _group(wire: Wire, _role: Role) -> Shown | None:
    """In TLS 1.3 the server's key_share, before it the ServerKeyExchange; a resumption of TLS 1.2 has no exchange.

    With DHE a ServerKeyExchange has a prime and no name: a server of OpenSSL 4.0 says the group of RFC 7919 that it
    chose, and its client says none.
    """
    if not wire.handshakes or wire.handshakes[-1].unread_exchange:
        return None
    last = wire.handshakes[-1]
    where = "key_share in ServerHello" if last.tls13 else "ServerKeyExchange"
    if last.dh_group is not None:
        name = name_of(GROUPS, last.dh_group)
        return Shown({"", name}, "(the prime in ServerKeyExchange)", (name,))
    return exactly("", f"no group in a {where}") if last.group is None else exactly(name_of(GROUPS, last.group), where)


def _reported_temp_key(wire: Wire, role: Role) -> object:
    """The kind of the peer's ephemeral key; none where there must be one.

    Before TLS 1.3 a server reports none; of a KEM there is none.
    """
    reported = wire.report(role).peer_temp_key
    if reported == "":
        known = (wire, *wire.stages)[-1].handshakes
        last = known[-1] if known else None
        kept = last is not None and last.temp_key and "MLKEM" not in last.temp_key
        return "" if kept and last and (last.tls13 or role is Role.CLIENT) else None
    if reported is None:
        return None
    words = reported.split(", ")
    if words[0] == "DH":
        return reported
    return group_named(words[1] if words[0] == "ECDH" and len(words) > 1 else words[0])


@once
def _temp_key(wire: Wire, _role: Role) -> Shown | None:
    """The key of the last handshake that had one: OpenSSL keeps it while a renegotiation makes no other.

    It names a key of TLS 1.3 in a finite field by its length.
    """
    if not wire.handshakes or any(each.unread_exchange for each in wire.handshakes):
        return None
    last = next((each.temp_key for each in reversed(wire.handshakes) if each.temp_key), "")
    where = "key_share in ServerHello" if wire.handshakes[-1].tls13 else "ServerKeyExchange"
    if not last:
        return exactly("", f"no key in a {where}")
    of_field = f"DH, {last.removeprefix('ffdhe')} bits" if last.startswith("ffdhe") else last
    return Shown({last, of_field}, f"({where})", (last,))


class _LedBy:
    """No chain, and every chain whose first certificate has one of these digests."""

    def __init__(self, digests: set[str]) -> None:
        self._first = {(), *((digest,) for digest in digests)}

    def __contains__(self, reported: object) -> bool:
        return isinstance(reported, tuple) and reported[:1] in self._first


def _peer_chain(wire: Wire, role: Role) -> Shown | None:
    """A resumption sends no certificates; what an end then has is its session's."""
    if not wire.handshakes:
        return None
    last = wire.handshakes[-1]
    chain = last.chain(role.peer)
    if last.resumed and chain is None:
        held = _held_certificates(wire, role)
        if held is None:
            return None
        digests = {sha256(each).hexdigest() for each in held if each}
        said = readable(tuple(sorted(digests)))
        return Shown(_LedBy(digests), f"no Certificate, and the session has {said}")
    if chain is None and not wire.unread_chain(role.peer) and _shows_certificates(wire, role.peer):
        return exactly((), f"no Certificate of the {role.peer}")
    if chain is None:
        return None
    return exactly(tuple(sha256(der).hexdigest() for der in chain), f"Certificate of the {role.peer}")


@once
def _exporter(wire: Wire, _role: Role) -> Shown | None:
    """It follows from the secrets in the key logs, of which only a digest is reported and shown."""
    if not wire.answers:
        return None
    keylog = (*wire.connection.client.keylog, *wire.connection.server.keylog)
    hellos = wire.transcript.client_hellos[-1], wire.answers[-1]
    material = exported(hellos, keylog, EXPORTER_LABEL, EXPORTER_LENGTH)
    return None if material is None else exactly(sha256(material).hexdigest(), "computed with the key log")


def _calls(wire: Wire, role: Role) -> object:
    """The calls whose subject the wire can show.

    A TLS 1.3 ticket that holds its session has no id, and what is not encrypted is not sent; application data (put,
    take) are encrypted in the ticket.
    """
    calls = wire.report(role).callback_calls
    shown = {"get", "wait", "decrypt", "choose", "ticket", "psk"} | ({"new"} if _ids_are_sent(wire) else set())
    if calls is None:
        return None
    seen = [call for call in calls if call.call in shown or (call.call == "encrypt" and call.result in {"ok", "renew"})]
    return tuple(f"{call.call} {call.subject.hex()}" for call in seen)


def _ids_are_sent(wire: Wire) -> bool:
    """Whether each session that the server makes has an id that it sends: before TLS 1.3, or in a stateful ticket."""
    hello = wire.first
    if hello is None or hello.version is not TLSVersion.TLSv1_3:
        return hello is not None
    return bool(wire.tickets) and wire.ticket_lengths == {HANDLE}


class _Among:
    """Every tuple of these."""

    def __init__(self, allowed: set[str]) -> None:
        self._allowed = allowed

    def __contains__(self, reported: object) -> bool:
        return isinstance(reported, tuple) and self._allowed.issuperset(reported)


@once
def _subjects(wire: Wire, _role: Role) -> Shown | None:
    """What is looked up or decrypted is what the client offers, and what is stored or encrypted what it is given."""
    if not wire.answers or (wire.answers[0].version is TLSVersion.TLSv1_3 and wire.transcript.tickets is None):
        return None
    hellos = wire.transcript.client_hellos
    sent = {hello.session_id for hello in hellos}
    offered = sent.union(*(hello.psk_identities for hello in hellos))
    made = {hello.session_id for hello in wire.answers} | wire.tickets
    allowed = {f"get {each.hex()}" for each in offered} | {f"wait {each.hex()}" for each in sent}
    allowed |= {f"new {each.hex()}" for each in made if isinstance(each, bytes)}
    tickets = offered.union(hello.session_ticket or b"" for hello in hellos)
    allowed |= {f"{call} {each[:KEY_NAME].hex()}" for call in ("decrypt", "ticket") for each in tickets} | {"ticket "}
    allowed |= {f"encrypt {each[:KEY_NAME].hex()}" for each in wire.tickets if isinstance(each, bytes)}
    named = {each for hello in hellos for each in hello.psk_identities} | {wire.transcript.psk_identity or b""}
    allowed |= {f"psk {each.hex()}" for name in named for each in (name, name.partition(b"\0")[0])}  # a string in C
    allowed |= {f"choose {name.encode().hex()}" for name in _names(wire)}
    return Shown(_Among(allowed), "other sessions or names", ())


class _Holding:
    """Every tuple that has one of each of these."""

    def __init__(self, needed: Collection[Collection[str]]) -> None:
        self._needed = needed

    def __contains__(self, reported: object) -> bool:
        return isinstance(reported, tuple) and all(any(each in reported for each in some) for some in self._needed)


def _all_calls(wire: Wire, role: Role) -> object:
    calls = wire.report(role).callback_calls
    return None if calls is None else tuple(f"{call.call} {call.subject.hex()} {call.result}" for call in calls)


@once
def _needed(wire: Wire, _role: Role) -> Shown | None:
    """The calls without which the server could not have sent what it sent: of its ticket keys, and of an external PSK.

    Another context that it goes over to may have no such callback.
    """
    setup = wire.connection.setup
    if setup is None or not wire.answers or setup.chosen is not None or not setup.server_library.is_openssl:
        return None
    needed: list[list[str]] = []
    if setup.server.ticket_ring is not None and not _goes_over(wire):
        taken = {ticket[:KEY_NAME] for ticket in wire.tickets if isinstance(ticket, bytes) and len(ticket) > HANDLE}
        needed += [[f"encrypt {name.hex()} {result}" for result in ("ok", "renew")] for name in taken]
        used = _resumed_ticket(wire)
        needed += [[f"decrypt {used[:KEY_NAME].hex()} {result}" for result in ("ok", "renew")]] if used else []
    psk = wire.selected_psk.identity if wire.selected_psk else wire.transcript.psk_identity
    if psk is not None and setup.server.psk_key is not None and not _goes_over(wire):
        names = {psk.hex(), psk.partition(b"\0")[0].hex()}
        needed += [[f"psk {name} {result}" for name in names for result in ("key", "session")]]
    return Shown(_Holding(needed), "what the callbacks of the server made", ())


def _goes_over(wire: Wire) -> bool:
    """Whether the server went over to another context (SSL_set_SSL_CTX)."""
    calls = wire.connection.server.callback_calls or ()
    return any(call.call == "choose" and call.result == "chosen" for call in calls)


def _resumed_ticket(wire: Wire) -> bytes | None:
    """The ticket that the first handshake resumed, if it holds its session."""
    first = wire.handshakes[0]
    if not first.resumed or not first.hellos:
        return None
    tickets = first.hellos[-1].psk_tickets if first.tls13 else (first.hellos[-1].session_ticket or b"",)
    chosen = first.answer.selected_psk or 0 if first.tls13 else 0
    ticket = tickets[chosen] if chosen < len(tickets) else b""
    return ticket if len(ticket) > HANDLE else None


def _names(wire: Wire) -> set[str]:
    """The server names that a server can see: the client's, and before TLS 1.3 that of the session."""
    names = {hello.server_name for hello in wire.transcript.client_hellos}
    offered = wire.connection.offered
    return {str(name) for name in (*names, offered.get("server_name") if offered else None) if name}


def _always(*values: object) -> Callable[[Wire, Role], Collection[object]]:
    return lambda _wire, _role: values


def _names_before(wire: Wire, _role: Role) -> Collection[object] | None:
    """None, the client's own, or that of the offered session; None if that is unknown."""
    offered = wire.connection.offered
    held = offered.get("server_name") if offered else ""
    return None if held is None else {"", held, *(hello.server_name or "" for hello in wire.transcript.client_hellos)}


def _versions_before(wire: Wire, role: Role) -> Collection[object] | None:
    """A client that has not read the ServerHello speaks one of those that it enables.

    A server that has sent none says the latest that its OpenSSL has, or what it took from the ClientHello.
    """
    setup = wire.connection.setup
    if setup is None:
        return None
    if role is Role.SERVER and not wire.unanswered:
        return ()
    latest = {
        version for version in TLSVersion if role is Role.SERVER and version.datagrams is wire.connection.tls.datagrams
    }
    return {*latest, *(setup.config(role).versions or ())}


def _ciphers_before(wire: Wire, _role: Role) -> Collection[object] | None:
    """Those of the session that is offered; None if they are unknown."""
    offered = wire.connection.offered
    if offered is None:
        return ()
    suite = offered.get("cipher")
    return openssl_names(suite) if isinstance(suite, int) else None


def _certificates_before(wire: Wire, role: Role) -> Collection[object]:
    """None, or that of the offered session, which a server may have found."""
    offered = wire.connection.offered
    if offered is None:
        return (False,)
    held = offered.get("peer_certificate")
    if role is Role.SERVER:
        return (False, True) if wire.unanswered or any(stage.resumed for stage in wire.stages) else (False,)
    return (False, True) if held is None else (False, bool(held))


def _reused_before(wire: Wire, role: Role) -> Collection[object] | None:
    """Of a renegotiation that was not completed nothing is known: an end notes the session first.

    A server notes it before it answers, a client where the ServerHello has the session id that it sent.
    """
    hellos = wire.transcript.client_hellos
    sent = hellos[-1].session_id if hellos else b""
    echoed = bool(sent) and any(hello.session_id == sent for stage in wire.stages for hello in stage.answers)
    noted = wire.unanswered if role is Role.SERVER else echoed and wire.connection.offered is not None
    return None if wire.unfinished or len(wire.stages) > 1 or noted else (False,)


class _Beginning:
    """Every beginning of these bytes."""

    def __init__(self, whole: bytes) -> None:
        self._whole = whole

    def __contains__(self, reported: object) -> bool:
        return isinstance(reported, bytes) and self._whole.startswith(reported)


def _early_bytes_before(wire: Wire, _role: Role) -> Container[object]:
    """An end may be stopped anywhere in them."""
    return _Beginning(wire.transcript.early_data or b"")


def _alpn_before(wire: Wire, role: Role) -> Collection[object]:
    """A server chooses one before it answers."""
    offered = wire.transcript.client_hellos[-1].alpn if role is Role.SERVER and wire.unanswered else ()
    return ("", *offered)


FACTS = (
    Fact("callback_calls", _calls, _subjects, frozenset({Role.SERVER}), _always()),
    Fact("callback_calls", _all_calls, _needed, frozenset({Role.SERVER})),
    Fact("group", _reported("group"), _group, BOTH, _always(""), printed=True),
    Fact("peer_temp_key", _reported_temp_key, _temp_key, BOTH, _always(""), printed=True),
    Fact("peer_chain", _reported("peer_chain"), _peer_chain, BOTH, _always(()), printed=True),
    Fact("ocsp_response", _reported("ocsp_response"), _stapled, frozenset({Role.CLIENT}), _always(b"")),
    Fact("exporter", _reported("exporter"), _exporter, BOTH, _always()),
    Fact("version", _reported("version"), _version, BOTH, _versions_before),
    Fact("enabled versions", _enabled, _used_versions),
    Fact("cipher", _reported("cipher"), _cipher, BOTH, _ciphers_before, printed=True),
    Fact("external_psk", _reported("external_psk"), _external_psk, BOTH, _always(b"")),
    Fact("external PSK of the client", _configured_psk, _sent_psk, frozenset({Role.CLIENT})),
    Fact("alpn", _reported_alpn, _alpn, BOTH, _alpn_before),
    Fact("offered alpn", _configured_alpn, _sent_alpn, frozenset({Role.CLIENT})),
    Fact("server_name", _reported("server_name"), _server_name, BOTH, _names_before),
    Fact("requested server_name", _configured_name, _sent_name, frozenset({Role.CLIENT})),
    Fact("certificate compression", _configured("cert_decompression", ""), _asks_to_compress, frozenset({Role.CLIENT})),
    Fact("compressed certificate", _configured("cert_compression", "cert_compression"), _compresses),
    Fact("raw public key", _agreed_raw_key, _raw_key),
    Fact(
        "peer_certificate", _reported("peer_certificate"), _peer_certificate, BOTH, _certificates_before, printed=True
    ),
    Fact("early_data", _reported("early_data"), _early_data, BOTH, _always("not_sent", "rejected")),
    Fact("early_bytes", _reported("early_bytes"), _early_bytes, BOTH, _early_bytes_before),
    Fact("new_sessions", _reported("new_sessions"), _new_sessions, frozenset({Role.CLIENT}), _always(0)),
    Fact("tickets", _reported_tickets, _tickets),
    Fact("alerts sent", _reported_alerts(own=True), _sent_alerts),
    Fact("alerts received", _reported_alerts(own=False), _received_alerts),
    Fact("alerts in its errors", _errors_received, _alerts_in_errors),
    Fact("fatal alert", _reported_fatal, _fatal_shown),
    Fact("ending", _ending, _endings),
    Fact("reused_at_end", _reported("reused_at_end"), _resumed_last, BOTH, _reused_before),
    Fact(KEY_LOG, *key_log),
)
"""Every fact of a report that the wire also shows."""
