"""The fields of a client's sessions that the wire also shows: one row each."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from hashlib import new, sha256
from typing import TYPE_CHECKING

from harness.agent.vocabulary import release
from harness.explain.facts.index import NAMES_IT
from harness.explain.finding import hash_of, release_of
from harness.model.errors import WireFormatError
from harness.model.tls import Role, TLSVersion
from harness.model.view import Saw
from harness.pair.audit.shown import Shown, contradiction, either, exactly
from harness.wire.messages import chosen_protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    from harness.model.session import Session
    from harness.model.transcript import NewSessionTicket, ServerHello
    from harness.model.view import Contradiction
    from harness.pair.audit.handshakes import Handshake
    from harness.pair.audit.shown import Wire

MOST_LIFETIME = 604800
"""Seconds that a client keeps a TLS 1.3 ticket at most (RFC 8446, 4.6.1)."""
KEEPS_ALPN = (1, 1, 1)
"""The first OpenSSL whose sessions have an ALPN protocol."""
KEEPS_HINT = release("1.1.0")
"""The first OpenSSL whose client keeps the server's hint; before, ssl3_send_client_key_exchange drops it."""
CORRECTS_DTLS = release("1.1.0")
"""The first OpenSSL whose client writes into the session that the server chose DTLS 1.0; before, it says DTLS 1.2."""
KEEPS_GROUP = release("3.0.0")
"""The first OpenSSL whose sessions have the group of the key exchange."""
SERVER_NAME = 0
"""The extension (RFC 6066, 3)."""
MAX_FRAGMENT_LENGTH = 1
"""The extension (RFC 6066, 4)."""
SRP = 12
"""The extension (RFC 5054, 2.8.1)."""
EXTENDED_MASTER_SECRET = 1
"""The flag of a session (SSL_SESS_FLAG_EXTMS)."""
BYTE = 256
"""OpenSSL keeps a code of a fragment length in a byte, and cuts off what is above (d2i_SSL_SESSION, SSL_SESSION)."""
C_STRINGS = frozenset({"srp_username", "psk_identity", "psk_identity_hint"})
"""Fields with octets that OpenSSL keeps up to the first zero byte."""
CERTIFICATE = "the server's Certificate"
MASTER_SECRET = 48
"""Bytes of the master secret before TLS 1.3."""


@dataclass(frozen=True)
class Taken:
    """A session with the tickets on the wire that it can hold: those with its bytes, or all if it shows none."""

    wire: Wire
    session: Session
    tickets: tuple[NewSessionTicket, ...]

    @cached_property
    def handshakes(self) -> tuple[Handshake, ...]:
        """Those that the session can be of: that which issued its ticket or its id, or all if that is unknown.

        One that resumed a session has what that session had, so that the earlier ones count too.
        """
        made = self.wire.handshakes
        ticket, name = self.session.get("ticket"), self.session.get("session_id")
        found = [n for n, each in enumerate(made) if ticket and ticket in each.tickets]
        found = found or [n for n, each in enumerate(made) if name and each.answer.session_id == name]
        if not found:
            return made
        return tuple(each for n, each in enumerate(made) if n in found or (n < max(found) and made[max(found)].resumed))

    @cached_property
    def inherited(self) -> Session | None:
        """The session that is resumed, or after a full handshake one that was offered by its ticket, without an id.

        What was not sent again comes from it. OpenSSL makes a new SSL_SESSION in place of one that has an id
        (tls_process_server_hello), or neither id nor ticket (tls_construct_client_hello: SSL_SESSION_is_resumable).
        """
        offered = self.wire.connection.offered
        if not self.handshakes or self.handshakes[0] is not self.wire.handshakes[0]:
            return None
        if self.wire.resumed or offered is None:
            return offered
        return offered if offered.get("session_id") == b"" and offered.get("ticket") != b"" else None

    def fold(self, of: Callable[[ServerHello], object]) -> set[object]:
        """What the ServerHello of each of its handshakes shows."""
        return {of(each.answer) for each in self.handshakes}

    @property
    def hidden(self) -> bool:
        """Whether the client does not show the ticket, as Python's ssl, which cannot export a session."""
        return self.session.get("ticket") is None

    def unread(self, value: object) -> tuple[object, ...]:
        """The value that a field has from a ticket which the client refused with an alert: it is filled in last.

        (tls_process_new_session_ticket)
        """
        aborted = self.wire.connection.wire.saw is Saw.ABORTED
        refused = any(alert.fatal for alert in self.wire.alerts(Role.CLIENT) or ())
        return (value,) if aborted and refused else ()

    @property
    def openssl(self) -> bool:
        """Whether the client is an OpenSSL."""
        setup = self.wire.connection.setup
        return setup is not None and setup.client_library.is_openssl

    @property
    def tls13(self) -> bool:
        """Whether it is a session of TLS 1.3."""
        return self.wire.answers[-1].version is TLSVersion.TLSv1_3

    def of_ticket(self, field: str, value: Callable[[NewSessionTicket], set[object]]) -> Shown | None:
        """What the session's ticket says, or the session that was resumed, if that is its ticket.

        If the ticket is hidden, the session may also have been taken before one came: OpenSSL's fields are 0 then.
        """
        inherited = self.inherited.get(field) if self.inherited else None
        if self.tickets:
            allowed = {one for ticket in self.tickets for one in value(ticket)}
            if self.hidden:
                allowed |= {0} if self.session.get("has_ticket") is not True else set()
                allowed |= {inherited} if inherited is not None else set()
            return Shown(allowed, "(NewSessionTicket)", allowed)
        if self.inherited is None and not self.wire.transcript.tickets:
            # A ticket that the wire cannot read is one for a client that reads less of it.
            return None if self.wire.transcript.problem else exactly(0, "no NewSessionTicket")
        if self.inherited is None and self.session.get("ticket") == b"":
            return exactly(0, "the session has no ticket")
        return None if inherited is None else Shown({inherited}, f"no NewSessionTicket, and {inherited} was offered")

    def had(self, field: str) -> set[object]:
        """What the session that was resumed has in a field; empty if there is none.

        OpenSSL keeps texts as strings of C, so that the first zero byte ends them (ssl_session_strndup); s_client shows
        the file that it was given.
        """
        value = self.inherited.get(field) if self.inherited else None
        if value is None:
            return set()
        if self.openssl and field in C_STRINGS and isinstance(value, bytes):
            return {value, value.partition(b"\0")[0]}
        return {value}

    def of_full(self, field: str, value: Callable[[Handshake], object], where: str) -> Shown | None:
        """What the full handshakes say, and of a resumption the session that was resumed, as OpenSSL keeps it."""
        if self.inherited is not None and not self.had(field):
            return None
        allowed = {value(each) for each in self.handshakes if not each.resumed} | self.had(field)
        return Shown(allowed, f"({where})", allowed) if allowed else None

    def of_hellos(self, field: str, values: set[object], where: str) -> Shown | None:
        """What the handshakes say, or the session that was resumed."""
        if self.inherited is not None and not self.had(field):
            return None
        allowed = values | self.had(field)
        return Shown(allowed, f"({where})", allowed)


def _versions(taken: Taken) -> set[object]:
    """The versions of the handshakes, and the one that an old client takes for DTLS 1.0."""
    versions = taken.fold(lambda hello: hello.version)
    client = release_of(taken.wire.connection, Role.CLIENT)
    mistakes = versions == {TLSVersion.DTLSv1} and client[:1].isdigit() and release(client) < CORRECTS_DTLS
    return versions | {TLSVersion.DTLSv1_2} if mistakes else versions


def _version(taken: Taken) -> Shown | None:
    return taken.of_hellos("version", _versions(taken), "ServerHello")


def _protocol_name(taken: Taken) -> Shown | None:
    names: set[object] = {version.label if isinstance(version, TLSVersion) else None for version in _versions(taken)}
    return None if None in names else taken.of_hellos("protocol", names, "ServerHello")


def _compression(taken: Taken) -> Shown | None:
    return taken.of_hellos("compression", taken.fold(lambda hello: hello.compression), "ServerHello")


def _cipher(taken: Taken) -> Shown | None:
    return taken.of_hellos("cipher", taken.fold(lambda hello: hello.cipher_suite), "ServerHello")


def _session_id(taken: Taken) -> Shown | None:
    """Of TLS 1.3 it is never sent; beside a ticket the client makes it, OpenSSL as the ticket's SHA-256."""
    if taken.openssl and taken.tickets and not taken.hidden:
        made = sha256(taken.tickets[0].ticket).digest()
        return Shown({made, *taken.unread(b"")}, "SHA-256 of the ticket in NewSessionTicket", (made,))
    if taken.openssl and taken.tls13 and taken.session.get("ticket") == b"" and taken.wire.selected_psk is None:
        inherited = taken.inherited.get("session_id") if taken.inherited else b""
        return None if inherited is None else exactly(inherited, "TLS 1.3, and the session has no ticket")
    if taken.openssl and taken.inherited and taken.session.get("ticket") and not taken.tickets:
        known = taken.session.get("ticket") == taken.inherited.get("ticket")
        inherited = taken.inherited.get("session_id")
        return exactly(inherited, "the ticket of the offered session") if known and inherited is not None else None
    if taken.tls13 or (taken.session.get("ticket") is None and taken.session.get("has_ticket") is not False):
        return None
    ids = taken.fold(lambda hello: hello.session_id)
    if taken.tickets and not taken.hidden:
        ids.add(sha256(taken.tickets[0].ticket).digest())
    return taken.of_hellos("session_id", ids, "ServerHello")


def _ticket(taken: Taken) -> Shown | None:
    """A session that was taken before its ticket came has none.

    A client that offers another ticket than it was given, to break a rule, holds what it offered.
    """
    inherited = taken.inherited.get("ticket") if taken.inherited else b""
    offers = taken.wire.transcript.client_hellos if taken.wire.mutated(Role.CLIENT) else ()
    sent = taken.wire.tickets | {hello.session_ticket for hello in offers}
    return None if inherited is None else Shown(sent | {inherited, b""}, "(NewSessionTicket)", sent)


def _ticket_length(taken: Taken) -> Shown | None:
    ticket = taken.session.get("ticket")
    if isinstance(ticket, bytes):
        return exactly(len(ticket), "bytes of the ticket in the session itself")
    inherited = taken.inherited.get("ticket_length") if taken.inherited else 0
    sent = taken.wire.ticket_lengths
    return None if inherited is None else Shown(sent | {inherited, 0}, "bytes (NewSessionTicket)", sent)


def _has_ticket(taken: Taken) -> Shown | None:
    ticket = taken.session.get("ticket")
    if isinstance(ticket, bytes):
        return Shown({bool(ticket)}, f"{'a' if ticket else 'no'} ticket in the session itself")
    held = taken.of_ticket("has_ticket", lambda ticket: {bool(ticket.ticket)})
    return held if taken.wire.transcript.tickets is not None else None


def _lifetime(taken: Taken) -> Shown | None:
    """Some clients cut what is longer than RFC 8446 allows, others keep what was sent.

    OpenSSL's client makes a session without ticket and lifetime where a resumption of TLS 1.3 has another group
    (tls_parse_stoc_key_share: ssl_session_dup); a ticket that follows brings both.
    """
    shown = taken.of_ticket("lifetime_hint", lambda ticket: {ticket.lifetime, min(ticket.lifetime, MOST_LIFETIME)})
    if shown is None or taken.tickets or taken.inherited is None or taken.session.get("ticket") != b"":
        return shown
    return Shown({0, taken.inherited.get("lifetime_hint")}, shown.where)


def _age_add(taken: Taken) -> Shown | None:
    return taken.of_ticket("age_add", lambda ticket: {ticket.age_add})


def _max_early_data(taken: Taken) -> Shown | None:
    """A ticket without the extension leaves the resumed session's number in place (tls_process_new_session_ticket)."""
    resumed = taken.inherited.get("max_early_data") if taken.inherited else None
    kept: set[object] = {0} if resumed is None else {resumed} if taken.openssl else {0, resumed}
    return taken.of_ticket("max_early_data", lambda each: {each.max_early_data} if each.max_early_data else kept)


def _alpn(taken: Taken) -> Shown | None:
    """A session keeps it since OpenSSL 1.1.1 (SSL_SESSION_get0_alpn_selected(3), HISTORY).

    After a handshake with an external PSK of TLS 1.3, which OpenSSL takes for a resumption, its session has none
    (tls_parse_stoc_alpn: if (!s->hit)).
    """
    version = release_of(taken.wire.connection, Role.CLIENT)
    if not taken.session.get("alpn") and version[:1].isdigit() and release(version) < KEEPS_ALPN:
        return None
    if any(taken.wire.agreed(each.answer) is None for each in taken.handshakes):
        return None
    where = "ServerHello or EncryptedExtensions"
    try:
        if not taken.openssl:
            return taken.of_hellos("alpn", taken.fold(lambda hello: _protocol(taken.wire.agreed(hello))), where)
        external = taken.wire.selected_psk is not None
        return taken.of_full("alpn", lambda h: b"" if external else _protocol(taken.wire.agreed(h.answer)), where)
    except WireFormatError:
        return None


def _protocol(extensions: Mapping[int, bytes] | None) -> bytes:
    return chosen_protocol(extensions or {}).encode("ascii", "backslashreplace")


def _server_name(taken: Taken) -> Shown | None:
    """It is in the session if the server has acknowledged it (RFC 6066, 3).

    After a handshake with an external PSK, OpenSSL's session has none (tls_parse_stoc_server_name: if (!s->hit)).
    """
    agreed = [taken.wire.agreed(each.answer) for each in taken.handshakes if not each.resumed]
    if not taken.openssl or None in agreed:
        asked: set[object] = {hello.server_name or "" for hello in taken.wire.transcript.client_hellos}
        return taken.of_hellos("server_name", asked | {""}, "ClientHello")
    acknowledged = any(SERVER_NAME in (extensions or {}) for extensions in agreed)
    where = f"{'server_name' if acknowledged else 'no server_name'} in the server's extensions"
    return taken.of_full("server_name", lambda each: _acknowledged(taken.wire, each), where)


def _acknowledged(wire: Wire, handshake: Handshake) -> str:
    if wire.selected_psk is not None or SERVER_NAME not in (wire.agreed(handshake.answer) or {}):
        return ""
    return (handshake.hellos[-1].server_name or "") if handshake.hellos else ""


def _extended_master_secret(taken: Taken) -> Shown | None:
    """TLS 1.3 has no such extension: there it is what the resumed session says, which the client may have edited."""
    if taken.tls13:
        return taken.of_hellos("extended_master_secret", {False}, "TLS 1.3")
    return taken.of_hellos("extended_master_secret", taken.fold(lambda h: h.extended_master_secret), "ServerHello")


class _Bit:
    """Every number whose bit 0 is one of these."""

    def __init__(self, bits: set[bool]) -> None:
        self._bits = bits

    def __contains__(self, reported: object) -> bool:
        return isinstance(reported, int) and bool(reported & EXTENDED_MASTER_SECRET) in self._bits


def _flags(taken: Taken) -> Shown | None:
    """Bit 0 says what the extension says (SSL_SESS_FLAG_EXTMS); the other bits are the client's own."""
    shown = _extended_master_secret(taken)
    if shown is None:
        return None
    used = {bool(each) for each in shown.values}
    said = " or ".join(sorted("with" if each else "without" for each in used))
    return Shown(_Bit(used), f"a session {said} extended_master_secret {shown.where}")


def _master_key_length(taken: Taken) -> Shown | None:
    """48 bytes before TLS 1.3 (RFC 5246, 8.1); its key is as long as the hash of the suite, and comes with a ticket."""
    if not taken.tls13:
        return exactly(MASTER_SECRET, "TLS before 1.3")
    lengths: set[object] = taken.fold(lambda hello: _hash_length(hello.cipher_suite))
    if None in lengths:
        return None
    allowed = lengths | ({0} if taken.session.get("has_ticket") is not True else set(taken.unread(0)))
    return Shown(allowed, "(the hash of the cipher suite)", lengths)


def _hash_length(suite: int) -> int | None:
    name = hash_of(suite)
    return None if name is None else new(name).digest_size


def _kex_group(taken: Taken) -> Shown | None:
    """OpenSSL records it since 3.0; a TLS 1.3 resumption with another group makes another session.

    (tls_parse_stoc_key_share)
    """
    version = release_of(taken.wire.connection, Role.CLIENT)
    if not taken.openssl or not version[:1].isdigit() or release(version) < KEEPS_GROUP:
        return None
    if any(each.unread_exchange for each in taken.handshakes):
        return None
    where = "the group of the key exchange"
    first = taken.handshakes[0] if taken.handshakes else None
    if first is not None and first.tls13 and first.group is not None:
        return exactly(first.group, where)
    return taken.of_full("kex_group", lambda each: each.group or 0, where)


def _srp_username(taken: Taken) -> Shown | None:
    """A client that has one sends it in the extension (RFC 5054, 2.8.1)."""
    sent = any(SRP in hello.extensions for hello in taken.wire.transcript.client_hellos)
    return None if sent else taken.of_hellos("srp_username", {b""}, "no srp in ClientHello")


def _max_fragment_length(taken: Taken) -> Shown | None:
    extensions = taken.wire.agreed(taken.wire.answers[-1])
    if extensions is None:
        return None
    body = extensions.get(MAX_FRAGMENT_LENGTH, b"\0")
    resumed = taken.inherited.get("max_fragment_length_mode") if taken.inherited else None
    cut = {resumed % BYTE} if taken.openssl and isinstance(resumed, int) else set()
    sent: set[object] = {body[0] if body else 0, *cut}
    return taken.of_hellos("max_fragment_length_mode", sent, "the server's extensions")


def _peer_certificate(taken: Taken) -> Shown | None:
    if _certificate_hidden(taken) or taken.wire.unread_chain(Role.SERVER):
        return None
    return taken.of_full("peer_certificate", lambda each: next(iter(each.chain(Role.SERVER) or ()), b""), CERTIFICATE)


def _peer_rpk(taken: Taken) -> Shown | None:
    """The key that the server sent in place of a certificate (RFC 7250); a resumption has that of its session."""
    if _certificate_hidden(taken):
        return None
    return taken.of_full("peer_rpk", lambda each: each.raw_key(Role.SERVER), CERTIFICATE)


def _certificate_hidden(taken: Taken) -> bool:
    return not taken.handshakes or (taken.tls13 and taken.wire.transcript.encrypted_extensions is None)


def _psk_identity(taken: Taken) -> Shown | None:
    """TLS 1.3 keeps none: its sessions are those of tickets."""
    return taken.of_full("psk_identity", lambda each: _psk_of(each, Role.CLIENT), "ClientKeyExchange")


def _psk_of(handshake: Handshake, role: Role) -> bytes:
    """The server's hint, or the client's identity."""
    sent = handshake.key_exchange(role)
    return (sent.psk or b"") if sent else b""


def _psk_identity_hint(taken: Taken) -> Shown | None:
    version = release_of(taken.wire.connection, Role.CLIENT)
    drops = version[:1].isdigit() and release(version) < KEEPS_HINT
    where = "ServerKeyExchange"
    return taken.of_full("psk_identity_hint", lambda each: b"" if drops else _psk_of(each, Role.SERVER), where)


FIELDS: Mapping[str, Callable[[Taken], Shown | None]] = {
    "version": _version,
    "protocol": _protocol_name,
    "compression": _compression,
    "cipher": _cipher,
    "session_id": _session_id,
    "ticket": _ticket,
    "ticket_length": _ticket_length,
    "has_ticket": _has_ticket,
    "lifetime_hint": _lifetime,
    "age_add": _age_add,
    "max_early_data": _max_early_data,
    "alpn": _alpn,
    "server_name": _server_name,
    "extended_master_secret": _extended_master_secret,
    "flags": _flags,
    "master_key_length": _master_key_length,
    "kex_group": _kex_group,
    "srp_username": _srp_username,
    "max_fragment_length_mode": _max_fragment_length,
    "peer_certificate": _peer_certificate,
    "peer_rpk": _peer_rpk,
    "psk_identity": _psk_identity,
    "psk_identity_hint": _psk_identity_hint,
}
"""Every field of a session that the wire also shows."""


UNSPECIFIED = 255
"""TLSEXT_max_fragment_length_UNSPECIFIED of openssl/tls1.h: no server's extensions were read."""
UNMADE: frozenset[object] = frozenset({0, b"", ""})
"""What a field may be of a session whose handshake did not come so far; False is 0."""


def taken(wire: Wire) -> Iterator[Contradiction]:
    """Each field of each session that the client holds, also after a handshake that was not completed."""
    connection = wire.connection
    stages = (wire,) if wire.answers else wire.stages
    if not (stages or wire.unanswered) or wire.transcript.tickets is None:
        return
    last = (connection.last_session,) if connection.last_session else ()
    held = (*connection.sessions, *last, *connection.held_sessions)
    sent = tuple(ticket for ticket in wire.transcript.tickets if ticket.ticket)
    named: dict[object, tuple[NewSessionTicket, ...]] = {}
    for one in sent:
        named[one.ticket] = (*named.get(one.ticket, ()), one)
    for session in {id(each.known): each for each in held}.values():  # copies of one session share its fields
        ticket = session.get("ticket")
        tickets = named.get(ticket, ()) if ticket is not None else sent
        seen = [Taken(stage, session, tickets) for stage in stages]
        known = session.known
        for name, shows in FIELDS.items():
            reported = known.get(name)
            if reported is None:
                continue
            shown = shows(seen[0]) if wire.answers else _shown_before(wire, seen, session, name)
            if shown is not None and reported not in shown.allowed:
                yield contradiction(Role.CLIENT, f"session.{name}", reported, shown)


def _shown_before(wire: Wire, seen: Sequence[Taken], session: Session, name: str) -> Shown | None:
    """What the wire shows of a field after a handshake that was not completed."""
    offered = wire.connection.offered
    if offered and offered.get(name) is None:
        return None
    if seen:
        return either([FIELDS[name](each) for each in seen], _before(wire, name))
    return _unanswered(wire, session, name)


def _before(wire: Wire, name: str) -> Collection[object]:
    """What a field may be in a handshake that did not come so far: nothing, the offered session's, what is enabled."""
    if wire.finished(Role.CLIENT):
        return ()
    connection = wire.connection
    offered = {connection.offered.get(name)} if connection.offered else set()
    enabled = (connection.setup.client.versions or ()) if connection.setup and name in {"version", "protocol"} else ()
    labels = {version.label for version in enabled}
    unread = {UNSPECIFIED} if name == "max_fragment_length_mode" else set()
    return {*UNMADE, *offered, *enabled, *labels, *unread}


def _unanswered(wire: Wire, session: Session, name: str) -> Shown:
    """What a session has that no server answered: it is the offered one, or a new one."""
    offered = wire.connection.offered
    if offered is not None and any(session.get(each) and session.get(each) == offered.get(each) for each in NAMES_IT):
        return exactly(offered.get(name), "the session was offered, and no ServerHello came")
    return Shown(_before(wire, name), "no ServerHello")
