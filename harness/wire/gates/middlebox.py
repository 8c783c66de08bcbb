"""A middlebox that knows only TLS 1.2 and blocks all else, to test whether TLS 1.3 passes it (RFC 8446, D.4).

Rules. It follows a full TLS 1.2 handshake, or an abbreviated one: a ClientHello with a session id that the ServerHello
echoes, and the server's change_cipher_spec before anything that is sealed. The client's change_cipher_spec comes after
that, or after its ClientKeyExchange; or directly after a ClientHello with a session id, where the client of D.4 puts
it before early data. Whatever an end sends after its own is sealed and cannot be looked into. It may repeat its own
before its first application data: D.4 allows one at any time during the handshake, as after a HelloRetryRequest and
again after the ServerHello. Before it, application data is blocked. Nothing
of TLS 1.3 is known here: no extension is read, a HelloRetryRequest is a ServerHello, and a second ClientHello passes
only as something sealed, after the client's change_cipher_spec.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.model.errors import WireFormatError
from harness.model.tls import Role
from harness.wire.cursor import Cursor
from harness.wire.names import HANDSHAKES
from harness.wire.records import ContentType, HandshakeJoiner, RecordSplitter

if TYPE_CHECKING:
    from harness.wire.records import Handshake, Record

TLS12 = 0x0303
SERVER_FLIGHT = frozenset(
    {"Certificate", "CertificateStatus", "ServerKeyExchange", "CertificateRequest", "ServerHelloDone"}
)
CLIENT_FLIGHT = frozenset({"Certificate", "ClientKeyExchange", "CertificateVerify"})


class _Blocked(Exception):  # noqa: N818 - a verdict, not an error
    """Carries the reason."""


class StrictMiddlebox:
    """Watches one connection; feed it the bytes of both roles in the order in which they would be relayed."""

    def __init__(self) -> None:
        self._records = {role: RecordSplitter() for role in Role}
        self._handshakes = {role: HandshakeJoiner() for role in Role}
        self._ids: dict[Role, bytes] = {}
        """The session id of each role's hello."""
        self._seen: dict[Role, set[str]] = {role: set() for role in Role}
        """What each role sent in the clear."""
        self._blocked: str | None = None

    def feed(self, sender: Role, data: bytes) -> str | None:
        """None if the bytes may pass, else the reason for blocking; once it blocked, it blocks for good.

        Half a record passes, and is judged when the rest of it comes.
        """
        if self._blocked is None:
            try:
                for record in self._records[sender].feed(data):
                    self._record(sender, record)
            except (_Blocked, WireFormatError) as error:
                self._blocked = f"the {sender} sent {error}"
        return self._blocked

    def _record(self, sender: Role, record: Record) -> None:
        if record.type == ContentType.HEARTBEAT:
            raise _Blocked("a heartbeat")
        if "ChangeCipherSpec" in self._seen[sender]:
            sealed = "ApplicationData" in self._seen[sender]
            if record.type == ContentType.CHANGE_CIPHER_SPEC and len(record.payload) == 1 and sealed:
                raise _Blocked("a change_cipher_spec after application data")
            if record.type == ContentType.APPLICATION_DATA:
                self._seen[sender].add("ApplicationData")
        elif record.type == ContentType.HANDSHAKE:
            for message in self._handshakes[sender].feed(record.payload, record.offset):
                self._message(sender, message)
        elif record.type == ContentType.CHANGE_CIPHER_SPEC:
            self._change_cipher_spec(sender, record)
        elif record.type == ContentType.APPLICATION_DATA:
            raise _Blocked("application data before its change_cipher_spec")
        elif not self._ids:
            raise _Blocked("an alert before any ClientHello")

    def _message(self, sender: Role, message: Handshake) -> None:
        kind = HANDSHAKES.get(message.type, f"handshake message of type {message.type}")
        allowed = self._client_may if sender is Role.CLIENT else self._server_may
        if not allowed(kind):
            raise _Blocked(f"{kind} where TLS 1.2 has none")
        if kind in {"ClientHello", "ServerHello"}:
            self._hello(sender, kind, message)
        self._seen[sender].add(kind)

    def _hello(self, sender: Role, kind: str, message: Handshake) -> None:
        cursor = Cursor(message.body, kind, message.offset)
        version = cursor.number(2)
        if version != TLS12:
            raise _Blocked(f"{kind} of version 0x{version:04x}, which is not TLS 1.2")
        cursor.take(32)
        self._ids[sender] = cursor.vector(1)

    def _client_may(self, kind: str) -> bool:
        if kind == "ClientHello":
            return Role.CLIENT not in self._ids
        return kind in CLIENT_FLIGHT and "ServerHelloDone" in self._seen[Role.SERVER]

    def _server_may(self, kind: str) -> bool:
        seen = self._seen[Role.SERVER]
        if kind == "ServerHello":
            return Role.CLIENT in self._ids and Role.SERVER not in self._ids
        if kind == "NewSessionTicket":
            return self._echoed or "ChangeCipherSpec" in self._seen[Role.CLIENT]
        return kind in SERVER_FLIGHT and Role.SERVER in self._ids and "ServerHelloDone" not in seen

    @property
    def _full(self) -> bool:
        """Whether the server sent what only a full handshake has."""
        return not self._seen[Role.SERVER].isdisjoint(SERVER_FLIGHT)

    @property
    def _echoed(self) -> bool:
        """Whether the ServerHello echoes a session id."""
        return bool(self._ids.get(Role.CLIENT)) and self._ids.get(Role.SERVER) == self._ids[Role.CLIENT]

    def _change_cipher_spec(self, sender: Role, record: Record) -> None:
        if record.payload != b"\x01":
            raise _Blocked(f"a change_cipher_spec of {len(record.payload)} bytes")
        reason = self._no_client_change() if sender is Role.CLIENT else self._no_server_change()
        if reason:
            raise _Blocked(f"change_cipher_spec {reason}")
        self._seen[sender].add("ChangeCipherSpec")

    def _no_server_change(self) -> str:
        """Why the server may not send change_cipher_spec now, empty if it may."""
        if Role.SERVER not in self._ids:
            return "before any ServerHello"
        if self._full:
            return "" if "ChangeCipherSpec" in self._seen[Role.CLIENT] else "before the client's in a full handshake"
        if not self._ids[Role.CLIENT]:
            return "after ServerHello, but the ClientHello has no session id that could be resumed"
        return "" if self._echoed else "after ServerHello, but the session id is not echoed"

    def _no_client_change(self) -> str:
        """Why the client may not send change_cipher_spec now, empty if it may."""
        if Role.CLIENT not in self._ids:
            return "before any ClientHello"
        if self._full:
            return "" if "ClientKeyExchange" in self._seen[Role.CLIENT] else "before its ClientKeyExchange"
        if "ChangeCipherSpec" in self._seen[Role.SERVER]:
            return ""
        if Role.SERVER in self._ids:
            return "before the server's in an abbreviated handshake"
        return "" if self._ids[Role.CLIENT] else "after a ClientHello without a session id"
