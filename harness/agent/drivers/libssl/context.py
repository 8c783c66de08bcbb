"""One SSL_CTX, made from knobs and files; it makes connections."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.agent.drivers.libssl import constants as c
from harness.agent.drivers.libssl.cache import Cache
from harness.agent.drivers.libssl.callbacks.calls import Calls
from harness.agent.drivers.libssl.callbacks.common import Callbacks
from harness.agent.drivers.libssl.callbacks.external_cache import ExternalCache
from harness.agent.drivers.libssl.callbacks.external_psk import ExternalPsk
from harness.agent.drivers.libssl.callbacks.server_names import ServerNames
from harness.agent.drivers.libssl.callbacks.ticket_data import TicketData
from harness.agent.drivers.libssl.callbacks.ticket_keys import TicketKeys
from harness.agent.drivers.libssl.connection import LibsslTls
from harness.agent.drivers.libssl.datagrams import Datagrams
from harness.agent.drivers.libssl.memory import MemoryBios
from harness.agent.drivers.libssl.native import choose_curves
from harness.agent.drivers.libssl.quic.connections import Connections
from harness.agent.drivers.libssl.quic.end import QuicTls
from harness.agent.drivers.libssl.sessions import HeldSessions
from harness.agent.drivers.libssl.settings import PublicKey, Settings
from harness.agent.drivers.libssl.time import OwnClock, RunningClock, Times
from harness.agent.drivers.libssl.unsupported import missing
from harness.agent.fields import RequestError
from harness.agent.joined.memory import MemoryEnd
from harness.agent.knobs import CLIENT_CACHE
from harness.agent.library import LackError, check_key
from harness.agent.vocabulary import QUIC_PROTOCOLS, Capability, ChosenAt, ExternalGet, NotResumable

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Mapping

    from harness.agent.drivers.libssl.native import Native

OCSP = 1
"""TLSEXT_STATUSTYPE_ocsp."""
DEFAULTS: dict[str, dict[str, Any]] = {
    "client": {"cache_mode": CLIENT_CACHE},
    "server": {"session_id_context": b"resumption"},
}
"""Defaults of omitted knobs. OpenSSL calls a client's new-session callback only with a client cache."""


class LibsslContext(Cache):
    """One SSL_CTX in one role, with its session cache."""

    def __init__(self, native: Native, role: str, knobs: Mapping[str, Any], files: Mapping[str, str]) -> None:
        self._role = role
        carriers = {version.carrier for version in knobs.get("versions", ())}
        self._quic = "QUIC" in carriers
        self._knobs = {**DEFAULTS[role], **({"alpn": QUIC_PROTOCOLS} if self._quic else {}), **knobs}
        self._external: ExternalCache | None = None
        self._ring: TicketKeys | None = None
        self._expected_rpk: PublicKey | None = None
        self._connections = Connections()
        self._held = HeldSessions(native)
        self._datagrams = Datagrams(native, self._knobs) if "DTLS" in carriers else None
        native.before()
        made = native.ssl.SSL_CTX_new(self._method(native))
        native.must(int(made != native.ffi.NULL), "context")
        super().__init__(native, native.ffi.gc(made, native.ssl.SSL_CTX_free))
        native.ssl.SSL_CTX_ctrl(
            self._ctx,
            c.CTRL_MODE,
            c.MODE_ENABLE_PARTIAL_WRITE | c.MODE_ACCEPT_MOVING_WRITE_BUFFER,
            native.ffi.NULL,
        )
        settings = Settings(native, self._ctx, role)
        for knob, value in self._knobs.items():
            if not (self._quic and knob == "versions"):  # its method says it
                settings.apply(knob, value)
        if role == "server":
            choose_curves(native, self._ctx)
        self._load(files)
        if role == "server" and self._knobs.get("cert_compression"):
            settings.compress()
        self._callbacks = Callbacks(native, self._connections)
        self._callbacks.set(self._ctx, role, self._knobs)
        self._calls = Calls(self._connections)
        self._data = TicketData(native, self._knobs, self._calls) if "ticket_data" in self._knobs else None
        if self._data is not None:
            self._data.set(self._ctx)
        self._psk = ExternalPsk(native, role, self._knobs, self._connections, self._calls)
        if self._psk.key:
            self._psk.set(self._ctx)
        self._names = ServerNames(native, self._connections, self._calls)
        if self._datagrams is not None:
            self._datagrams.set(self._ctx)
        if "external_cache" in files:
            self._external = ExternalCache(native, Path(files["external_cache"]), self._knobs, self._calls)
            self._external.set(self._ctx)
        if "ticket_ring" in self._knobs:
            self._ring = TicketKeys(native, self._knobs, self._calls)
            self._ring.set(self._ctx)

    def _method(self, native: Native) -> Any:
        """The SSL_METHOD of what carries the versions."""
        if self._datagrams is not None:
            return native.ssl.DTLS_method()
        if self._quic:
            if (why := missing(self._role, native.version).get(Capability.QUIC.value)) is not None:
                raise LackError(f"versions: {why}")
            return native.need(f"OSSL_QUIC_{self._role}_method", "versions")()
        return (native.ssl.TLS_method if native.has("TLS_method") else native.ssl.SSLv23_method)()

    def _load(self, files: Mapping[str, str]) -> None:
        ssl = self.native.ssl
        if "certificate" in files:
            path = files["certificate"].encode()
            self.native.must(ssl.SSL_CTX_use_certificate_chain_file(self._ctx, path), "certificate")
        if "key" in files:
            check_key(self.native.version, files["key"])
            self.native.keys.use(self._ctx, files["key"])
        if "expected_rpk" in files:
            self._expected_rpk = PublicKey(self.native, Path(files["expected_rpk"]))
            self.native.must(self.native.need("SSL_CTX_dane_enable", "expected_rpk")(self._ctx), "expected_rpk")
        if "ca" in files:
            result = ssl.SSL_CTX_load_verify_locations(self._ctx, files["ca"].encode(), self.native.ffi.NULL)
            self.native.must(result, "ca")

    def _new(self) -> Any:
        """An SSL; of a server of QUIC a listener, from which its connection comes."""
        listens = self._quic and self._role == "server"
        return self.native.ssl.SSL_new_listener(self._ctx, 0) if listens else self.native.ssl.SSL_new(self._ctx)

    def _connection(self, sock: socket.socket | MemoryEnd, early_data: int, again: Any = None) -> LibsslTls:
        self.native.before(self.clock)
        ssl = self._new() if again is None else again
        self.native.must(int(ssl != self.native.ffi.NULL), "connection")
        kind = QuicTls if self._quic else LibsslTls
        connection = kind(self.native, ssl, self._role, early_data, self._held, self._connections, again)
        if self._expected_rpk is not None and again is None:
            self._expected_rpk.expect(ssl)
        connection.callbacks = (self._callbacks, self._psk)
        connection.clock = self.clock
        if isinstance(sock, MemoryEnd):
            sock.attach(MemoryBios(self.native, ssl))
        elif isinstance(connection, QuicTls):
            connection.use(sock)
        elif self._datagrams is not None:
            self._datagrams.begin(ssl, sock)
            connection.over_datagrams()
            if self._datagrams.listens:
                connection.listen = self._datagrams.listen
        else:
            self.native.ssl.SSL_set_fd(ssl, sock.fileno())
        return connection

    def connect(self, sock: socket.socket | MemoryEnd, session: Mapping[str, Any] | None) -> LibsslTls:
        """A client that offers the session, in a fresh object made from its DER, or the object that was kept."""
        self.native.before(self.clock)
        if session is not None and (again := self._held.take_ssl(session)) is not None:
            return self._connect_again(sock, again)
        offered = None if session is None else self._held.find(session)
        wanted = self._knobs.get("max_early_data", 0)
        allowed = 0
        if offered is not None and wanted:
            allowed = self.native.need("SSL_SESSION_get_max_early_data", "max_early_data")(offered)
        connection = self._connection(sock, wanted if wanted <= allowed else 0)
        self.native.ssl.SSL_set_connect_state(connection.ssl)
        if self._knobs.get("ocsp"):
            self.native.ssl.SSL_ctrl(connection.ssl, c.CTRL_SET_STATUS_TYPE, OCSP, self.native.ffi.NULL)
        if "server_name" in self._knobs:
            name = self.native.ffi.new("char[]", self._knobs["server_name"].encode())
            self.native.must(self.native.ssl.SSL_ctrl(connection.ssl, c.CTRL_SET_HOSTNAME, 0, name), "server_name")
        if "expected_name" in self._knobs:
            function = self.native.need("SSL_set1_host", "expected_name")
            self.native.must(function(connection.ssl, self._knobs["expected_name"].encode()), "expected_name")
        if offered is not None:
            connection.offered = offered
            self.native.must(self.native.ssl.SSL_set_session(connection.ssl, offered), "session")
        return connection

    def _connect_again(self, sock: socket.socket | MemoryEnd, ssl: Any) -> LibsslTls:
        """SSL_clear, which keeps the settings and a session that was closed well; 1.0.2 loses its state machine."""
        self.native.must(self.native.ssl.SSL_clear(ssl), "session")
        self.native.ssl.SSL_set_connect_state(ssl)
        session = self.native.ssl.SSL_get_session(ssl)
        wanted = self._knobs.get("max_early_data", 0)
        some = wanted and session != self.native.ffi.NULL
        allowed = self.native.ssl.SSL_SESSION_get_max_early_data(session) if some else 0
        connection = self._connection(sock, wanted if wanted <= allowed else 0, ssl)
        connection.offered = session
        return connection

    def accept(self, sock: socket.socket | MemoryEnd) -> LibsslTls:
        """A server connection."""
        connection = self._connection(sock, self._knobs.get("max_early_data", 0))
        if self._quic:
            return connection
        self.native.ssl.SSL_set_accept_state(connection.ssl)
        if self._knobs.get("not_resumable") is NotResumable.CONNECTION:
            function = self.native.need("SSL_set_not_resumable_session_callback", "not_resumable")
            function(connection.ssl, self._callbacks.not_resumable)
        return connection

    def age_sessions(self, seconds: int) -> bool:
        """Backdate every cached session, and every ticket that is issued from now on."""
        if self._data is not None:
            raise RequestError("age_sessions: ticket_data has the callback that would age tickets; leave it out")
        self._callbacks.age_tickets(self._ctx, seconds)
        return super().age_sessions(seconds)

    def set_timeouts(self, seconds: int) -> bool:
        """Give every cached session, and every ticket that is issued from now on, another timeout."""
        self._only("set_timeouts", Capability.SET_TIMEOUTS)
        if self._data is not None:
            raise RequestError("set_timeouts: ticket_data has the callback that would change tickets; leave it out")
        done = super().set_timeouts(seconds)
        self._callbacks.time_out_tickets(self._ctx, seconds)
        return done

    def callback_calls(self, of: LibsslTls | None = None) -> list[dict[str, str]] | None:
        """The calls of the callbacks of one connection, and those of none; each is returned once."""
        self._only("callback_calls", Capability.CALLBACK_CALLS)
        silent = (self._external, self._ring, self._data) == (None, None, None)
        silent = silent and not self._names.chosen and not self._psk.key
        return None if silent else self._calls.take(of)

    def choose_context(self, server_name: str, other: Callable[[], LibsslContext], at: ChosenAt) -> bool:
        """Go over to the context that ``other`` returns where a client asks for this server name."""
        early = at is ChosenAt.CLIENT_HELLO
        self._only("choose_context", Capability.CHOOSE_EARLY if early else Capability.CHOOSE_CONTEXT)
        if at is ChosenAt.CLIENT_HELLO and self._knobs.get("external_get") is ExternalGet.LATER:
            raise RequestError("choose_context: external_get = later has the client-hello callback; choose server_name")
        self._names.choose(self._ctx, server_name.encode(), other(), at)
        return True

    def adopt(self, connection: LibsslTls) -> None:
        """Make a connection of another context one of this one, with its verify mode and options, as nginx does."""
        ssl = self.native.ssl
        ssl.SSL_set_SSL_CTX(connection.ssl, self._ctx)
        ssl.SSL_set_verify(connection.ssl, ssl.SSL_CTX_get_verify_mode(self._ctx), self.native.ffi.NULL)
        own = ssl.SSL_CTX_get_options(self._ctx)
        ssl.SSL_clear_options(connection.ssl, ssl.SSL_get_options(connection.ssl) & ~own)
        ssl.SSL_set_options(connection.ssl, own)
        self._connections[connection.ssl] = connection
        connection.adopted.append(self._connections)

    def rotate_keys(self, ring: tuple[bytes, ...]) -> bool:
        """Give the ticket key callback other keys."""
        self._only("rotate_keys", Capability.ROTATE_KEYS)
        if self._ring is None:
            raise RequestError("rotate_keys: this server has no ticket key callback; give it the knob ticket_ring")
        self._ring.keys = ring
        return True

    def add_session(self, session_id: bytes) -> bool:
        """SSL_CTX_add_session of a session in the external cache."""
        self._only("add_session", Capability.ADD_SESSION)
        if self._external is None:
            raise RequestError("add_session: this server has no external cache; give it the knob external_cache")
        return self._external.add(self._ctx, session_id)

    def _only(self, verb: str, capability: Capability) -> None:
        """LackError if this role does not have the Capability of the verb."""
        if (why := missing(self._role, self.native.version).get(capability.value)) is not None:
            raise LackError(f"{verb}: {why}")

    def set_clock(self, seconds: int, *, stopped: bool) -> None:
        """Give this context, and its later connections, a time of their own."""
        self._read(OwnClock(seconds, stopped))

    def run_clock(self, at: float, pace: float) -> None:
        """Give them a time that runs on from a moment, seconds since the epoch."""
        self._read(RunningClock(at, pace))

    def _read(self, clock: OwnClock | RunningClock) -> None:
        self.native.times = self.native.times or Times(self.native, *self.native.paths)
        self.clock = clock
        for connection in self._connections.values():
            connection.clock = self.clock

    def free(self) -> None:
        """SSL_CTX_free; connections that are still open keep it alive until they are freed."""
        self.native.ffi.release(self._ctx)
        if self._external is not None:
            self._external.forget()
        self.native.check_callbacks("SSL_CTX_free")
