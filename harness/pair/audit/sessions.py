"""The fields of a client's sessions that the wire also shows: one row each."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import new, sha256
from typing import TYPE_CHECKING

from harness.agent.vocabulary import release
from harness.explain.finding import hash_of, release_of
from harness.model.errors import WireFormatError
from harness.model.tls import Role, TLSVersion
from harness.pair.audit.shown import Shown, contradiction, exactly
from harness.wire.messages import chosen_protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from harness.model.session import Session
    from harness.model.transcript import NewSessionTicket
    from harness.model.view import Contradiction
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
MASTER_SECRET = 48
"""Bytes of the master secret before TLS 1.3."""


@dataclass(frozen=True)
class Taken:
    """A session with the tickets on the wire that it can hold: those with its bytes, or all if it shows none."""

    wire: Wire
    session: Session
    tickets: tuple[NewSessionTicket, ...]
    inherited: Session | None
    """The session that this connection resumed; what was not sent again comes from it."""

    @property
    def hidden(self) -> bool:
        """Whether the client does not show the ticket, as Python's ssl, which cannot export a session."""
        return self.session.get("ticket") is None

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
        return None if inherited is None else Shown({inherited}, f"no NewSessionTicket, and {inherited} was offered")

    def of_hellos(self, field: str, values: set[object], where: str) -> Shown | None:
        """What the handshakes say, or the session that was resumed."""
        inherited = self.inherited.get(field) if self.inherited else None
        if self.inherited is not None and inherited is None:
            return None
        allowed = values | ({inherited} if self.inherited else set())
        return Shown(allowed, f"({where})", allowed)


def _versions(taken: Taken) -> set[object]:
    """The versions of the handshakes, and the one that an old client takes for DTLS 1.0."""
    versions = taken.wire.fold(lambda hello: hello.version)
    client = release_of(taken.wire.connection, Role.CLIENT)
    mistakes = versions == {TLSVersion.DTLSv1} and client[:1].isdigit() and release(client) < CORRECTS_DTLS
    return versions | {TLSVersion.DTLSv1_2} if mistakes else versions


def _version(taken: Taken) -> Shown | None:
    return taken.of_hellos("version", _versions(taken), "ServerHello")


def _protocol_name(taken: Taken) -> Shown | None:
    names: set[object] = {version.label if isinstance(version, TLSVersion) else None for version in _versions(taken)}
    return None if None in names else taken.of_hellos("protocol", names, "ServerHello")


def _compression(taken: Taken) -> Shown | None:
    return taken.of_hellos("compression", taken.wire.fold(lambda hello: hello.compression), "ServerHello")


def _cipher(taken: Taken) -> Shown | None:
    return taken.of_hellos("cipher", taken.wire.fold(lambda hello: hello.cipher_suite), "ServerHello")


def _session_id(taken: Taken) -> Shown | None:
    """Of TLS 1.3 it is never sent; beside a ticket the client makes it, OpenSSL as the ticket's SHA-256."""
    if taken.openssl and taken.tickets and not taken.hidden:
        return exactly(sha256(taken.tickets[0].ticket).digest(), "SHA-256 of the ticket in NewSessionTicket")
    if taken.tls13 or (taken.session.get("ticket") is None and taken.session.get("has_ticket") is not False):
        return None
    ids = taken.wire.fold(lambda hello: hello.session_id)
    if taken.tickets and not taken.hidden:
        ids.add(sha256(taken.tickets[0].ticket).digest())
    return taken.of_hellos("session_id", ids, "ServerHello")


def _ticket(taken: Taken) -> Shown | None:
    """A session that was taken before its ticket came has none."""
    inherited = taken.inherited.get("ticket") if taken.inherited else b""
    sent = taken.wire.tickets
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
    kept = set() if resumed is None else {resumed}
    return taken.of_ticket(
        "max_early_data", lambda ticket: {ticket.max_early_data or 0, *(kept if not ticket.max_early_data else ())}
    )


def _alpn(taken: Taken) -> Shown | None:
    """A session keeps it since OpenSSL 1.1.1 (SSL_SESSION_get0_alpn_selected(3), HISTORY).

    After a handshake with an external PSK of TLS 1.3, which OpenSSL takes for a resumption, its session has none
    (tls_parse_stoc_alpn: if (!s->hit)).
    """
    version = release_of(taken.wire.connection, Role.CLIENT)
    if not taken.session.get("alpn") and version[:1].isdigit() and release(version) < KEEPS_ALPN:
        return None
    try:
        found = taken.wire.fold(lambda hello: _protocol(taken.wire.agreed(hello)))
    except WireFormatError:
        return None
    if None in found:
        return None
    if taken.wire.selected_psk is not None:
        found.add(b"")
    return taken.of_hellos("alpn", found, "ServerHello or EncryptedExtensions")


def _protocol(extensions: Mapping[int, bytes] | None) -> bytes | None:
    return None if extensions is None else chosen_protocol(extensions).encode("ascii", "backslashreplace")


def _server_name(taken: Taken) -> Shown | None:
    """It is in the session if the server has acknowledged it (RFC 6066, 3)."""
    asked: set[object] = {hello.server_name or "" for hello in taken.wire.transcript.client_hellos}
    extensions = taken.wire.agreed(taken.wire.first) if taken.wire.first and not taken.wire.resumed else None
    if taken.openssl and extensions is not None:
        acknowledged = SERVER_NAME in extensions
        if taken.wire.selected_psk is not None:
            asked.add("")  # tls_parse_stoc_server_name: if (!s->hit)
        where = f"{'server_name' if acknowledged else 'no server_name'} in the server's extensions"
        return taken.of_hellos("server_name", asked if acknowledged else {""}, where)
    return taken.of_hellos("server_name", asked | {""}, "ClientHello")


def _extended_master_secret(taken: Taken) -> Shown | None:
    """TLS 1.3 has no such extension: there it is what the resumed session says, which the client may have edited."""
    if taken.tls13:
        return taken.of_hellos("extended_master_secret", {False}, "TLS 1.3")
    return taken.of_hellos("extended_master_secret", taken.wire.fold(lambda h: h.extended_master_secret), "ServerHello")


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
    lengths: set[object] = taken.wire.fold(lambda hello: _hash_length(hello.cipher_suite))
    if None in lengths:
        return None
    allowed = lengths | ({0} if taken.session.get("has_ticket") is not True else set())
    return Shown(allowed, "(the hash of the cipher suite)", lengths)


def _hash_length(suite: int) -> int | None:
    name = hash_of(suite)
    return None if name is None else new(name).digest_size


def _kex_group(taken: Taken) -> Shown | None:
    """OpenSSL records it since 3.0."""
    version = release_of(taken.wire.connection, Role.CLIENT)
    if not taken.openssl or not version[:1].isdigit() or release(version) < KEEPS_GROUP:
        return None
    number = None if taken.wire.resumed else taken.wire.group
    return None if number is None else taken.of_hellos("kex_group", {number}, "the group of the key exchange")


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
    if taken.wire.first is None or (taken.tls13 and taken.wire.transcript.encrypted_extensions is None):
        return None
    if taken.wire.unread_chain(Role.SERVER):
        return None
    chain = taken.wire.transcript.certificates.get(Role.SERVER, ())
    found: set[object] = set() if taken.wire.resumed else {chain[0] if chain else b""}
    return taken.of_hellos("peer_certificate", found, "the server's Certificate")


def _peer_rpk(taken: Taken) -> Shown | None:
    """The key that the server sent in place of a certificate (RFC 7250); a resumption has that of its session."""
    if taken.wire.first is None or (taken.tls13 and taken.wire.transcript.encrypted_extensions is None):
        return None
    sent = taken.wire.transcript.raw_public_keys.get(Role.SERVER, b"")
    found: set[object] = set() if taken.wire.resumed else {sent}
    return taken.of_hellos("peer_rpk", found, "the server's Certificate")


def _psk_identity(taken: Taken) -> Shown | None:
    """TLS 1.3 keeps none: its sessions are those of tickets."""
    return taken.of_hellos("psk_identity", {taken.wire.transcript.psk_identity or b""}, "ClientKeyExchange")


def _psk_identity_hint(taken: Taken) -> Shown | None:
    version = release_of(taken.wire.connection, Role.CLIENT)
    drops = version[:1].isdigit() and release(version) < KEEPS_HINT
    hint = b"" if drops else taken.wire.transcript.psk_identity_hint or b""
    return taken.of_hellos("psk_identity_hint", {hint}, "ServerKeyExchange")


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


def _inherited(wire: Wire) -> Session | None:
    """The session that is resumed, or after a full handshake one that was offered without a session id.

    OpenSSL makes a new SSL_SESSION only in place of one that has an id (tls_process_server_hello).
    """
    offered = wire.connection.offered
    return offered if wire.resumed or (offered and offered.get("session_id") == b"") else None


def taken(wire: Wire) -> Iterator[Contradiction]:
    """Each field of each session that the client holds after a completed handshake."""
    connection = wire.connection
    if not wire.answers or wire.transcript.tickets is None:
        return
    last = (connection.last_session,) if connection.last_session else ()
    held = (*connection.sessions, *last, *connection.held_sessions)
    sent = tuple(ticket for ticket in wire.transcript.tickets if ticket.ticket)
    inherited = _inherited(wire)
    for session in {id(each.known): each for each in held}.values():  # copies of one session share its fields
        ticket = session.get("ticket")
        tickets = tuple(one for one in sent if one.ticket == ticket) if ticket is not None else sent
        seen = Taken(wire, session, tickets, inherited)
        for name, shows in FIELDS.items():
            reported = session.get(name)
            if reported is not None and (found := contradiction(Role.CLIENT, f"session.{name}", reported, shows(seen))):
                yield found
