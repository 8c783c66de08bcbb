"""An SSL_CTX: made from knobs and files, gives connections, and can be asked for its cache."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.agent.drivers.libssl import constants as c
from harness.agent.drivers.libssl.callbacks import Callbacks
from harness.agent.drivers.libssl.connection import LibsslTls
from harness.agent.drivers.libssl.native import choose_curves
from harness.agent.drivers.libssl.sessions import HeldSessions, make_older, session_id
from harness.agent.drivers.libssl.settings import Settings
from harness.agent.library import LackError

if TYPE_CHECKING:
    import socket
    from collections.abc import Mapping

    from harness.agent.drivers.libssl.native import Native

DEFAULTS: dict[str, dict[str, Any]] = {
    "client": {"cache_mode": ["client", "no_internal_store"]},
    "server": {"session_id_context": b"resumption".hex()},
}
"""What is set unless a knob says otherwise. A client's new-session callback is called only with a client cache."""


class LibsslContext:
    """One SSL_CTX in one role."""

    def __init__(self, native: Native, role: str, knobs: Mapping[str, Any], files: Mapping[str, str]) -> None:
        self._native = native
        self._role = role
        self._knobs = {**DEFAULTS[role], **knobs}
        self._connections: dict[Any, LibsslTls] = {}
        """By the SSL pointer: cffi compares and hashes pointers by their address."""
        self._held = HeldSessions(native)
        method = native.ssl.TLS_method() if native.has("TLS_method") else native.ssl.SSLv23_method()
        native.before()
        made = native.ssl.SSL_CTX_new(method)
        native.must(int(made != native.ffi.NULL), "context")
        self._ctx = native.ffi.gc(made, native.ssl.SSL_CTX_free)
        self._cache = Cache(native, self._ctx)
        native.ssl.SSL_CTX_ctrl(
            self._ctx,
            c.CTRL_MODE,
            c.MODE_ENABLE_PARTIAL_WRITE | c.MODE_ACCEPT_MOVING_WRITE_BUFFER,
            native.ffi.NULL,
        )
        settings = Settings(native, self._ctx, role)
        for knob, value in self._knobs.items():
            settings.apply(knob, value)
        if role == "server":
            choose_curves(native, self._ctx)
        self._load(files)
        self._callbacks = Callbacks(native, self._connections)
        self._callbacks.set(self._ctx, role, self._knobs)

    def _load(self, files: Mapping[str, str]) -> None:
        ssl = self._native.ssl
        if "certificate" in files:
            path = files["certificate"].encode()
            self._native.must(ssl.SSL_CTX_use_certificate_chain_file(self._ctx, path), "certificate")
        if "key" in files:
            self._native.keys.use(self._ctx, files["key"])
        if "ca" in files:
            result = ssl.SSL_CTX_load_verify_locations(self._ctx, files["ca"].encode(), self._native.ffi.NULL)
            self._native.must(result, "ca")

    def _connection(self, sock: socket.socket, early_data: int) -> LibsslTls:
        self._native.before()
        ssl = self._native.ssl.SSL_new(self._ctx)
        self._native.must(int(ssl != self._native.ffi.NULL), "connection")
        connection = LibsslTls(self._native, ssl, self._role, early_data, self._held, self._connections)
        self._native.ssl.SSL_set_fd(ssl, sock.fileno())
        return connection

    def connect(self, sock: socket.socket, session: Mapping[str, Any] | None) -> LibsslTls:
        """A client that offers the session, in a fresh object made from its DER, or the object that was kept."""
        self._native.before()
        offered = None if session is None else self._held.find(session)
        wanted = self._knobs.get("max_early_data", 0)
        allowed = 0
        if offered is not None and wanted:
            allowed = self._native.need("SSL_SESSION_get_max_early_data", "max_early_data")(offered)
        connection = self._connection(sock, wanted if wanted <= allowed else 0)
        self._native.ssl.SSL_set_connect_state(connection.ssl)
        if "server_name" in self._knobs:
            name = self._native.ffi.new("char[]", self._knobs["server_name"].encode())
            self._native.must(self._native.ssl.SSL_ctrl(connection.ssl, c.CTRL_SET_HOSTNAME, 0, name), "server_name")
        if offered is not None:
            self._native.must(self._native.ssl.SSL_set_session(connection.ssl, offered), "session")
        return connection

    def accept(self, sock: socket.socket) -> LibsslTls:
        """A server connection."""
        connection = self._connection(sock, self._knobs.get("max_early_data", 0))
        self._native.ssl.SSL_set_accept_state(connection.ssl)
        return connection

    def counters(self) -> dict[str, int]:
        """SSL_CTX_sess_*."""
        return self._cache.counters()

    def control(self, verb: str, arguments: Mapping[str, Any]) -> bool:
        """Carry out flush, resize_cache, remove, age_sessions or has_session; LackError for another verb."""
        self._native.before()
        verbs = {
            "flush": lambda: self._cache.flush(arguments["at"]),
            "resize_cache": lambda: self._cache.resize(arguments["size"]),
            "remove": lambda: self._cache.remove(arguments["session_id"]),
            "age_sessions": lambda: self._age(arguments["seconds"]),
            "has_session": lambda: self._cache.has(arguments["session_id"]),
        }
        if verb not in verbs:
            raise LackError(f"{verb}: the libssl driver has no code for it")
        done = verbs[verb]()
        self._native.check_callbacks()
        return done

    def _age(self, seconds: int) -> bool:
        self._callbacks.age_tickets(self._ctx, seconds)
        return self._cache.age(seconds)

    def free(self) -> None:
        """SSL_CTX_free; connections that are still open keep it alive until they are freed."""
        self._native.ffi.release(self._ctx)


class Cache:
    """The internal cache of an SSL_CTX."""

    def __init__(self, native: Native, ctx: Any) -> None:
        self._native = native
        self._ctx = ctx

    def counters(self) -> dict[str, int]:
        """SSL_CTX_sess_* and the size."""
        null = self._native.ffi.NULL
        return {name: self._native.ssl.SSL_CTX_ctrl(self._ctx, n, 0, null) for name, n in c.COUNTERS.items()}

    def sessions(self) -> list[Any]:
        """Every SSL_SESSION in the cache; good until the cache changes."""
        found: list[Any] = []
        visit = self._native.callback("void(void *)", found.append)
        crypto = self._native.crypto
        walk = getattr(crypto, "OPENSSL_LH_doall", None) or crypto.lh_doall
        walk(self._native.ssl.SSL_CTX_sessions(self._ctx), visit)
        return [self._native.ffi.cast("SSL_SESSION *", session) for session in found]

    def flush(self, at: int) -> bool:
        """SSL_CTX_flush_sessions."""
        ex = self._native.has("SSL_CTX_flush_sessions_ex")
        (self._native.ssl.SSL_CTX_flush_sessions_ex if ex else self._native.ssl.SSL_CTX_flush_sessions)(self._ctx, at)
        return True

    def resize(self, size: int) -> bool:
        """SSL_CTX_sess_set_cache_size."""
        self._native.ssl.SSL_CTX_ctrl(self._ctx, c.CTRL_SET_CACHE_SIZE, size, self._native.ffi.NULL)
        return True

    def remove(self, wanted: bytes) -> bool:
        """SSL_CTX_remove_session; False if no session has the id."""
        found = [session for session in self.sessions() if session_id(self._native, session) == wanted]
        removed = [self._native.ssl.SSL_CTX_remove_session(self._ctx, session) for session in found]
        return any(removed)

    def age(self, seconds: int) -> bool:
        """SSL_SESSION_set_time of every session."""
        for session in self.sessions():
            make_older(self._native, session, seconds)
        return True

    def has(self, wanted: bytes) -> bool:
        """SSL_has_matching_session_id, which asks for the version of its SSL: a fresh one's is the method's highest.

        4.0 has no method of one version (openssl/openssl#28343): what is not found then is looked for by its id alone.
        """
        ssl = self._native.ssl.SSL_new(self._ctx)
        try:
            if self._native.ssl.SSL_has_matching_session_id(ssl, wanted, len(wanted)):
                return True
            if not self._native.has("TLSv1_2_method"):
                return any(session_id(self._native, session) == wanted for session in self.sessions())
            self._native.ssl.SSL_set_ssl_method(ssl, self._native.ssl.TLSv1_2_method())
            return bool(self._native.ssl.SSL_has_matching_session_id(ssl, wanted, len(wanted)))
        finally:
            self._native.ssl.SSL_free(ssl)
