"""Records what a Context's callbacks show of each connection: alerts, tickets and key log."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from OpenSSL import SSL

from harness.agent.drivers.pyopenssl import bindings as below
from harness.agent.drivers.pyopenssl import compat as older

if TYPE_CHECKING:
    from collections.abc import Callable

HANDSHAKE = 22
"""ContentType handshake (RFC 8446, 5.1)."""
SERVER_HELLO = 2
NEW_SESSION_TICKET = 4
CERTIFICATE = 11
CLIENT_KEY_EXCHANGE = 16
SESSION_ID_LENGTH = 38
"""Where a ServerHello has it, after its header, legacy_version and random (RFC 8446, 4.1.3); the suite is next."""
MESSAGE_NUMBER = slice(4, 6)
"""Of the header of a handshake message of DTLS (RFC 6347, 4.2.2)."""
HELLO_RANDOM = slice(14, 46)
"""Of a ServerHello of DTLS, after that header and the version."""
TLS13 = 0x0304
FATAL = 2


@dataclass
class Evidence:
    """The evidence of one connection, in order."""

    take: Callable[[], bytes | None]
    """SSL_get1_session now, as DER."""
    tickets: int | None = 0
    """None if messages are not visible."""
    certificate: bool = False
    """Whether a Certificate message was sent or received."""
    key_exchange: bool = False
    """Whether a ClientKeyExchange was, which each full handshake has before TLS 1.3."""
    suite: int | None = None
    """The suite of the last ServerHello or HelloRetryRequest that a client received."""
    psk: str | None = None
    """The identity of the external PSK that a callback last gave to OpenSSL."""
    alerts: list[dict[str, Any]] = field(default_factory=list)
    keylog: list[str] = field(default_factory=list)
    earlier: list[bytes] = field(default_factory=list)
    """A client's earlier sessions: of TLS 1.3 tickets before the last, or of handshakes before a renegotiation."""
    done: bool = False
    """Whether a handshake was completed."""
    closed: list[Callable[[SSL.Connection], None]] = field(default_factory=list)
    """What else is to know that the connection is closed."""
    response: bytes = b""
    """The stapled OCSP response of the last handshake."""
    datagrams: bool = False
    """Whether it is DTLS, whose messages have numbers."""
    random: bytes = b""
    """Of DTLS, that of the last ServerHello: a renegotiation begins the numbers of messages again."""
    numbers: set[bytes] = field(default_factory=set)
    """The messages of DTLS with a ticket, by that and their numbers: one that is sent again is the same ticket."""

    @property
    def aborted_by_peer(self) -> bool:
        """Whether the peer sent a fatal alert."""
        return any(alert["level"] == FATAL and not alert["sent"] for alert in self.alerts)

    def saw_ticket(self, message: bytes, *, sent: bool, version: int) -> None:
        """Count a NewSessionTicket; OpenSSL reports it before processing it, while the previous session is current."""
        if self.datagrams:
            number = self.random + message[MESSAGE_NUMBER]
            self.tickets = (self.tickets or 0) + (number not in self.numbers)
            self.numbers.add(number)
            return
        if self.tickets and not sent and version == TLS13:
            self._keep()
        self.tickets = (self.tickets or 0) + 1

    def saw_handshake(self, where: int, version: int) -> None:
        """Store the session when another handshake begins before TLS 1.3, which has no renegotiation."""
        if where & SSL.SSL_CB_HANDSHAKE_START and self.done and version < TLS13:
            self._keep()
            self.response = b""
        self.done = self.done or bool(where & SSL.SSL_CB_HANDSHAKE_DONE)

    def _keep(self) -> None:
        previous = self.take()
        self.earlier += [] if previous is None else [previous]


class Watch:
    """The callbacks of one Context; they report to open connections only."""

    def __init__(self, context: SSL.Context) -> None:
        self._open: dict[int, Evidence] = {}
        older.set_keylog_callback(context, below.GUARD.of(self._on_keylog, None))
        context.set_info_callback(below.GUARD.of(self._on_info, None))
        self._callback = below.watch(context, self._on_message)

    def opened(self, connection: SSL.Connection, take: Callable[[], bytes | None]) -> Evidence:
        """Start watching a connection."""
        return self._open.setdefault(
            below.address(connection), Evidence(take, 0 if self._callback is not None else None)
        )

    def closed(self, connection: SSL.Connection) -> None:
        """Stop watching a connection; call it before the connection is freed."""
        self._open.pop(below.address(connection), None)

    def adopt(self, connection: SSL.Connection, evidence: Evidence) -> None:
        """Watch a connection of another Context, which goes over to this one."""
        self._open[below.address(connection)] = evidence

    def responded(self, connection: SSL.Connection, response: bytes) -> None:
        """Record the stapled OCSP response that a client got."""
        if evidence := self._open.get(below.address(connection)):
            evidence.response = response

    def of(self, connection: SSL.Connection) -> Evidence | None:
        """The evidence of a connection; None if it is not watched."""
        return self._open.get(below.address(connection))

    def gave_psk(self, address: int, identity: bytes) -> None:
        """Record that OpenSSL got an external PSK for the SSL at this address."""
        if evidence := self._open.get(address):
            evidence.psk = identity.decode(errors="surrogateescape")

    def suite(self, address: int) -> int | None:
        """The suite of the last ServerHello or HelloRetryRequest that the SSL received; None if it received none."""
        evidence = self._open.get(address)
        return None if evidence is None else evidence.suite

    def _on_keylog(self, connection: SSL.Connection, line: bytes) -> None:
        evidence = self._open.get(below.address(connection))
        if evidence:
            evidence.keylog.append(line.decode("ascii"))

    def _on_info(self, connection: SSL.Connection, where: int, value: int) -> None:
        evidence = self._open.get(below.address(connection))
        if evidence is None:
            return
        evidence.saw_handshake(where, connection.get_protocol_version())
        if where & SSL.SSL_CB_ALERT:
            sent = bool(where & SSL.SSL_CB_WRITE)
            evidence.alerts.append({"level": value >> 8, "number": value & 0xFF, "sent": sent})

    def _on_message(self, address: int, sent: bool, version: int, content: int, message: bytes) -> None:  # noqa: FBT001  # below.watch's signature
        evidence = self._open.get(address)
        if evidence is None or content != HANDSHAKE:
            return
        kind = message[0]
        if kind == NEW_SESSION_TICKET:
            evidence.saw_ticket(message, sent=sent, version=version)
        elif kind == SERVER_HELLO and evidence.datagrams:
            evidence.random = message[HELLO_RANDOM]
        elif kind == SERVER_HELLO:
            after = SESSION_ID_LENGTH + 1 + message[SESSION_ID_LENGTH]
            evidence.suite = int.from_bytes(message[after : after + 2], "big")
        evidence.certificate |= kind == CERTIFICATE
        evidence.key_exchange |= kind == CLIENT_KEY_EXCHANGE
