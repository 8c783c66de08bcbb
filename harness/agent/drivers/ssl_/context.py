"""One SSLContext, made from knobs, and its verbs.

SSLContext's ``_msg_callback`` is private (a debugging hook since Python 3.8), but nothing else shows which alerts were
sent and how many tickets arrived. Without it, only these facts are unknown.
"""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, Any, ClassVar
from weakref import WeakKeyDictionary

from harness.agent.drivers.ssl_ import unsupported as lacks
from harness.agent.drivers.ssl_.connection import SslConnection
from harness.agent.drivers.ssl_.evidence import GUARD
from harness.agent.drivers.ssl_.external_psk import CIPHERS, ExternalPsk, ignore_tickets
from harness.agent.drivers.ssl_.external_psk import KNOBS as PSK_KNOBS
from harness.agent.drivers.ssl_.keylog import Keylog
from harness.agent.drivers.ssl_.session import from_object
from harness.agent.drivers.ssl_.transport import Transport
from harness.agent.knobs import ECDH_CURVES, knobs_of
from harness.agent.library import LackError, TlsError, refused
from harness.agent.verbs import ONLY_SERVERS_CHOOSE
from harness.agent.vocabulary import ChosenAt, Role, Verify

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Mapping

    from harness.agent.drivers.ssl_.evidence import Messages
    from harness.agent.drivers.ssl_.session import Handles
    from harness.agent.vocabulary import TLSVersion

VERIFY = {
    "none": ssl.CERT_NONE,
    "optional": ssl.CERT_OPTIONAL,
    "later": ssl.CERT_OPTIONAL,
    "required": ssl.CERT_REQUIRED,
}
COUNTERS = {"number": "items", "cache_full": "overflows"}
"""Names of SSLContext.session_stats that differ from the protocol's."""


class SslContext:
    """One SSLContext in one role."""

    unsupported: ClassVar[Mapping[str, str]] = lacks.VERBS

    def __init__(self, role: str, knobs: Mapping[str, Any], files: Mapping[str, str], handles: Handles) -> None:
        self._role = role
        self._server_name: str | None = knobs.get("server_name")
        self._handles = handles
        self._mine: Handles = {}
        protocol = ssl.PROTOCOL_TLS_CLIENT if role == "client" else ssl.PROTOCOL_TLS_SERVER
        self._context = ssl.SSLContext(protocol)
        self._context.check_hostname = False
        self._context.verify_mode = ssl.CERT_NONE
        if "psk_hint" in knobs and "psk_key" not in knobs:
            raise LackError("psk_hint: SSLContext.set_psk_server_callback takes a hint beside a callback; give psk_key")
        given = {"ciphers": CIPHERS, **knobs} if "psk_key" in knobs else knobs
        for name, value in given.items():
            if name not in PSK_KNOBS:
                self._set(name, value)
        self._psk = ExternalPsk(role, knobs) if "psk_key" in knobs else None
        if self._psk is not None:
            self._psk.set(self._context)
            ignore_tickets()
        try:
            self._load(files)
        except ssl.SSLError as error:
            raise TlsError([{"lib": None, "reason": None, "text": str(error)}]) from error
        self._keylog = Keylog(self._context)
        self._messages: WeakKeyDictionary[object, Messages] = WeakKeyDictionary()
        self._connections: WeakKeyDictionary[object, SslConnection] = WeakKeyDictionary()
        self._chosen: dict[str, SslContext] = {}
        """The contexts that the sni_callback chooses, by name."""
        self._watched = hasattr(self._context, "_msg_callback")
        if self._watched:
            setattr(self._context, "_msg_callback", self._on_message)  # noqa: B010  # the stubs have no private names

    def _load(self, files: Mapping[str, str]) -> None:
        if "certificate" in files:
            self._context.load_cert_chain(files["certificate"], files["key"])
        if "ca" in files:
            self._context.load_verify_locations(files["ca"])

    def _set(self, name: str, value: Any) -> None:
        row = knobs_of(Role(self._role)).get(name)
        if row is not None and row.options:
            for option in row.options_in(ssl.OPENSSL_VERSION.split()[1]):
                self._option(option.mask, on=option.is_set(value))
            return
        setter = getattr(self, f"_set_{name}", None)
        if setter is None:
            raise LackError(f"{name}: the ssl driver has no code for it")
        try:
            setter(value)
        except (ssl.SSLError, ValueError) as error:
            refusal = TlsError([{"lib": None, "reason": None, "text": str(error), "knob": name}])
            if row is None or not row.kind.of_library:
                raise refusal from error
            raise LackError(f"{name} = {value!r}: {refused(refusal)}") from error

    def _option(self, option: int, *, on: bool) -> None:
        self._context.options = ssl.Options(self._context.options | option if on else self._context.options & ~option)

    def _set_versions(self, value: tuple[TLSVersion, ...]) -> None:
        self._context.minimum_version = ssl.TLSVersion(min(value).wire)
        self._context.maximum_version = ssl.TLSVersion(max(value).wire)

    def _set_security_level(self, value: int) -> None:
        self._context.set_ciphers(f"DEFAULT:@SECLEVEL={value}")

    def _set_num_tickets(self, value: int) -> None:
        self._context.num_tickets = value

    def _set_ciphers(self, value: str) -> None:
        self._context.set_ciphers(value)

    def _set_groups(self, value: str) -> None:
        self._context.set_ecdh_curve(ECDH_CURVES.get(value, value))

    def _set_alpn(self, value: tuple[str, ...]) -> None:
        self._context.set_alpn_protocols(list(value))

    def _set_verify(self, value: str) -> None:
        self._context.verify_mode = VERIFY[value]
        if value == Verify.LATER:
            self._context.post_handshake_auth = True  # at a server it sets SSL_VERIFY_POST_HANDSHAKE

    def _set_post_handshake_auth(self, value: bool) -> None:  # noqa: FBT001 - as in the row
        self._context.post_handshake_auth = value

    def _set_server_name(self, value: str) -> None:
        """Nothing: it is set on each connection."""

    def _set_session_id_context(self, value: str) -> None:
        """Nothing: _ssl.c already sets the only accepted value."""

    def _on_message(self, conn: object, direction: str, _version: int, content: int, kind: int, data: bytes) -> None:
        if conn in self._messages:
            self._messages[conn].saw(direction, int(content), int(kind), data)

    def connect(self, sock: socket.socket, session: Mapping[str, Any] | None) -> SslConnection:
        """Make a client connection; LackError with Python's reason if the session belongs to another context."""
        offered = None if session is None else from_object(session, self._handles)
        try:
            return self._connection(sock, server_hostname=self._server_name, session=offered)
        except ValueError as error:
            if offered is None:
                raise
            raise LackError(f"session import: {error} {lacks.SESSIONS['session import']}") from error

    def accept(self, sock: socket.socket) -> SslConnection:
        """Make a server connection."""
        return self._connection(sock, server_side=True)

    def _connection(self, sock: socket.socket, **arguments: Any) -> SslConnection:
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = self._context.wrap_bio(incoming, outgoing, **arguments)
        connection = SslConnection(tls, Transport(sock, incoming, outgoing), self._keylog, self._keep, self._psk)
        connection.offered = arguments.get("session")
        self._connections[tls] = connection
        if self._watched:
            self._messages[tls] = connection.watch()
        return connection

    def choose_context(self, server_name: str, other: Callable[[], SslContext], at: ChosenAt) -> bool:
        """SSLContext.sni_callback, which goes over to the other context for this name."""
        if self._role != "server":
            raise LackError(f"choose_context: {ONLY_SERVERS_CHOOSE}")
        if at is not ChosenAt.SERVER_NAME:
            raise LackError(f"choose_context: {lacks.CHOOSE_EARLY}")
        chosen = other()
        if chosen.taken_over != self.taken_over:
            raise LackError(f"choose_context: {lacks.TAKES_NOTHING}")
        self._chosen[server_name] = chosen
        self._context.sni_callback = GUARD.of(self._named, int(ssl.ALERT_DESCRIPTION_INTERNAL_ERROR))
        return True

    @property
    def taken_over(self) -> tuple[int, int]:
        """What a connection takes over from its first context for good: the verify mode and the options."""
        return int(self._context.verify_mode), int(self._context.options)

    def _named(self, tls: Any, name: str | None, _context: ssl.SSLContext) -> int | None:
        other, connection = self._chosen.get(name or ""), self._connections.get(tls)
        if other is not None and connection is not None:
            other.adopt(tls, connection)
        return None

    def adopt(self, tls: ssl.SSLObject, connection: SslConnection) -> None:
        """Make a connection of another context one of this one."""
        tls.context = self._context
        connection.log_to(self._keylog)
        if self._watched:
            self._messages[tls] = connection.watch()

    def _keep(self, handle: str, session: ssl.SSLSession) -> None:
        self._handles[handle] = self._mine[handle] = session

    def counters(self) -> dict[str, int]:
        """SSLContext.session_stats, which does not include callback hits or the cache's size."""
        return {COUNTERS.get(name, name): count for name, count in self._context.session_stats().items()}

    def free(self) -> None:
        """Drop the SSLContext and the sessions taken from it."""
        for handle in self._mine:
            self._handles.pop(handle, None)
        self._mine.clear()
        del self._context
