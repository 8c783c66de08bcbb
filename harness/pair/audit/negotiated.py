"""What the handshakes of a connection agreed on: versions, suites, groups, names, PSKs, early data, resumption."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

from harness.agent.library import EXPORTER_LABEL, EXPORTER_LENGTH
from harness.agent.vocabulary import release
from harness.explain.finding import release_of
from harness.model.errors import WireFormatError
from harness.model.tls import Role, TLSVersion
from harness.model.transcript import EARLY_DATA
from harness.pair.audit.shown import Shown, exactly, once, readable
from harness.wire.exporter import exported
from harness.wire.messages import chosen_protocol
from harness.wire.names import GROUPS, group_named, name_of
from harness.wire.suites import openssl_names

if TYPE_CHECKING:
    from collections.abc import Collection, Container

    from harness.pair.audit.shown import Wire

KEEPS_METHOD = (1, 1)
"""The first OpenSSL whose SSL_set_session leaves the method as it is."""
PREFERS_SENT_NAME = release("1.1.1e")
"""The first OpenSSL that reports the name of this handshake, not the session's, where TLS 1.3 resumed."""


@once
def version(wire: Wire, _role: Role) -> Shown | None:
    """That of the last ServerHello."""
    if not wire.answers:
        return None
    where = "ServerHello in packets of QUIC" if wire.transcript.quic else "ServerHello"
    return exactly(_carried(wire, wire.answers[-1].version), where)


def _carried(wire: Wire, version: TLSVersion | None) -> TLSVersion | None:
    """The version that an end speaks where the wire shows this one: QUIC has the messages of TLS 1.3."""
    of_quic = wire.transcript.quic and version is TLSVersion.QUICv1.handshake
    return TLSVersion.QUICv1 if of_quic else version


def enabled(wire: Wire, role: Role) -> object:
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


def used_versions(wire: Wire, role: Role) -> Shown | None:
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


def reported_cipher(wire: Wire, role: Role) -> object:
    """None of an end whose ServerHello may be changed after it was made (docs/mutations.md)."""
    return None if wire.mutated(role) else wire.report(role).cipher


@once
def cipher(wire: Wire, _role: Role) -> Shown | None:
    """That of the last handshake."""
    names = openssl_names(wire.answers[-1].cipher_suite) if wire.answers else ()
    return Shown(names, f"{names[0]} (ServerHello)") if names else None


@once
def external_psk(wire: Wire, _role: Role) -> Shown | None:
    """In TLS 1.3 a selected identity whose binder proves it, before it the identity in the ClientKeyExchange."""
    if not wire.answers:
        return None
    if wire.answers[0].version is TLSVersion.TLSv1_3:
        psk = wire.selected_psk
        where = "the binder of the selected identity" if psk else "no external PSK is selected in ServerHello"
        return exactly(psk.identity if psk else b"", where)
    return exactly(wire.transcript.psk_identity or b"", "ClientKeyExchange")


def configured_psk(wire: Wire, _role: Role) -> object:
    """The identity that the client is to offer, where TLS 1.3 shows it."""
    setup, hellos = wire.connection.setup, wire.transcript.client_hellos
    if setup is None or not setup.client.psk_identities or not hellos or not hellos[0].external_psks:
        return None
    return setup.client.psk_identities[0].encode()


@once
def sent_psk(wire: Wire, _role: Role) -> Shown | None:
    """The identities of the external PSKs in the first ClientHello."""
    sent = [psk.identity for hello in wire.transcript.client_hellos[:1] for psk in hello.external_psks]
    return Shown(sent, lambda: f"{readable(tuple(sent))} (ClientHello)")


@once
def alpn(wire: Wire, _role: Role) -> Shown | None:
    """The protocol that the server chose in the last handshake."""
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


def reported_alpn(wire: Wire, role: Role) -> object:
    """No protocol is reported as None, which is known as soon as the handshake is complete."""
    report = wire.report(role)
    return report.alpn or ("" if report.version is not None else None)


def server_name(wire: Wire, role: Role) -> Shown | None:
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


def configured_name(wire: Wire, _role: Role) -> object:
    """The server name of the client's configuration."""
    setup = wire.connection.setup
    return setup.client.server_name if setup is not None else None


@once
def sent_name(wire: Wire, _role: Role) -> Shown | None:
    """The server name of the first ClientHello."""
    hellos = wire.transcript.client_hellos
    return exactly(hellos[0].server_name or "", "ClientHello") if hellos else None


def configured_alpn(wire: Wire, _role: Role) -> object:
    """The protocols of the client's configuration."""
    setup = wire.connection.setup
    return setup.client.alpn if setup is not None else None


@once
def sent_alpn(wire: Wire, _role: Role) -> Shown | None:
    """The protocols of the first ClientHello."""
    hellos = wire.transcript.client_hellos
    return exactly(hellos[0].alpn, "ClientHello") if hellos else None


@once
def early_data(wire: Wire, _role: Role) -> Shown | None:
    """Whether a ClientHello announces early data, and EncryptedExtensions accepts them."""
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


def early_bytes(wire: Wire, role: Role) -> Shown | None:
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


def resumed_last(wire: Wire, role: Role) -> Shown | None:
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
def group(wire: Wire, _role: Role) -> Shown | None:
    """In TLS 1.3 the server's key_share, before it the ServerKeyExchange; a resumption of TLS 1.2 has no exchange.

    With DHE a ServerKeyExchange has a prime and no name: a server of OpenSSL 4.0 says the group of RFC 7919 that it
    chose, and its client says none. s_client prints the curve of the key, which is the same before TLS 1.3 and in it.
    """
    if not wire.handshakes or wire.handshakes[-1].unread_exchange:
        return None
    last = wire.handshakes[-1]
    where = "key_share in ServerHello" if last.tls13 else "ServerKeyExchange"
    if last.dh_group is not None:
        name = name_of(GROUPS, last.dh_group)
        return Shown({"", name}, "(the prime in ServerKeyExchange)", (name,))
    if last.group is None:
        return exactly("", f"no group in a {where}")
    name = name_of(GROUPS, last.group)
    return Shown({name, name.removesuffix("tls13")}, f"({where})", (name,))


def reported_temp_key(wire: Wire, role: Role) -> object:
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
def temp_key(wire: Wire, _role: Role) -> Shown | None:
    """The key of the last handshake that had one: OpenSSL keeps it while a renegotiation makes no other.

    It names a key of TLS 1.3 in a finite field by its length, and one on a Brainpool curve as before TLS 1.3.
    """
    if not wire.handshakes or any(each.unread_exchange for each in wire.handshakes):
        return None
    last = next((each.temp_key for each in reversed(wire.handshakes) if each.temp_key), "")
    where = "key_share in ServerHello" if wire.handshakes[-1].tls13 else "ServerKeyExchange"
    if not last:
        return exactly("", f"no key in a {where}")
    of_field = f"DH, {last.removeprefix('ffdhe')} bits" if last.startswith("ffdhe") else last
    return Shown({last, of_field, last.removesuffix("tls13")}, f"({where})", (last,))


@once
def exporter(wire: Wire, _role: Role) -> Shown | None:
    """It follows from the secrets in the key logs, of which only a digest is reported and shown."""
    if not wire.answers:
        return None
    keylog = (*wire.connection.client.keylog, *wire.connection.server.keylog)
    hellos = wire.transcript.client_hellos[-1], wire.answers[-1]
    material = exported(hellos, keylog, EXPORTER_LABEL, EXPORTER_LENGTH)
    return None if material is None else exactly(sha256(material).hexdigest(), "computed with the key log")


def _has_read_hello(wire: Wire, role: Role) -> bool:
    """Whether the end is a server of OpenSSL that has answered the last ClientHello, so that it knows what is in it."""
    setup = wire.connection.setup
    openssl = setup is not None and setup.server_library.is_openssl
    return role is Role.SERVER and openssl and not wire.unanswered and not wire.unfinished


def names_before(wire: Wire, role: Role) -> Collection[object] | None:
    """None, the client's own, or that of the offered session; None if that is unknown."""
    if _has_read_hello(wire, role):
        return ()
    offered = wire.connection.offered
    held = offered.get("server_name") if offered else ""
    return None if held is None else {"", held, *(hello.server_name or "" for hello in wire.transcript.client_hellos)}


def versions_before(wire: Wire, role: Role) -> Collection[object] | None:
    """A client that has not read the ServerHello speaks one of those that it enables: all, if it was given none.

    A server that has sent none says the latest that its OpenSSL has, or what it took from the ClientHello.
    """
    setup = wire.connection.setup
    if setup is None:
        return None
    if role is Role.SERVER and not wire.unanswered:
        return ()
    enabled = setup.config(role).versions
    if role is Role.CLIENT and isinstance(enabled, tuple):
        return enabled
    return {version for version in TLSVersion if version.datagrams is wire.connection.tls.datagrams}


def ciphers_before(wire: Wire, _role: Role) -> Collection[object] | None:
    """Those of the session that is offered; None if they are unknown."""
    offered = wire.connection.offered
    if offered is None:
        return ()
    suite = offered.get("cipher")
    return openssl_names(suite) if isinstance(suite, int) else None


def reused_before(wire: Wire, role: Role) -> Collection[object] | None:
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


def early_bytes_before(wire: Wire, _role: Role) -> Container[object]:
    """An end may be stopped anywhere in them."""
    return _Beginning(wire.transcript.early_data or b"")


def alpn_before(wire: Wire, role: Role) -> Collection[object]:
    """A server chooses one before it answers."""
    if _has_read_hello(wire, role):
        return ()
    offered = wire.transcript.client_hellos[-1].alpn if role is Role.SERVER and wire.unanswered else ()
    return ("", *offered)
