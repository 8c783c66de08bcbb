"""The session cache of an SSL_CTX: its counters, its sessions, and the verbs that change it."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any, ClassVar, Concatenate, ParamSpec, TypeVar

from harness.agent.drivers.libssl import constants as c
from harness.agent.drivers.libssl.sessions import id_of, make_older
from harness.agent.fields import RequestError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from harness.agent.drivers.libssl.native import Clock, Native

P = ParamSpec("P")
R = TypeVar("R")


def checked(method: Callable[Concatenate[Cache, P], R]) -> Callable[Concatenate[Cache, P], R]:
    """Wrap a verb: clear the error queue first, and raise afterwards what a callback raised."""

    @wraps(method)
    def verb(cache: Cache, /, *args: P.args, **kwargs: P.kwargs) -> R:
        cache.native.before(cache.clock)
        result = method(cache, *args, **kwargs)
        cache.native.check_callbacks()
        return result

    return verb


class Cache:
    """The session cache of an SSL_CTX; its methods are verbs on a context."""

    unsupported: ClassVar[Mapping[str, str]] = {}

    def __init__(self, native: Native, ctx: Any) -> None:
        self.native = native
        self._ctx = ctx
        self.clock: Clock | None = None
        """Its own time; None for the process's."""

    def counters(self) -> dict[str, int]:
        """SSL_CTX_sess_* and the size."""
        null = self.native.ffi.NULL
        return {name: self.native.ssl.SSL_CTX_ctrl(self._ctx, n, 0, null) for name, n in c.COUNTERS.items()}

    def sessions(self) -> list[Any]:
        """Return every SSL_SESSION in the cache; valid until the cache changes."""
        found: list[Any] = []
        visit = self.native.callback("void(void *)", found.append)
        crypto = self.native.crypto
        walk = getattr(crypto, "OPENSSL_LH_doall", None) or crypto.lh_doall
        walk(self.native.ssl.SSL_CTX_sessions(self._ctx), visit)
        return [self.native.ffi.cast("SSL_SESSION *", session) for session in found]

    @checked
    def flush(self, at: int) -> bool:
        """SSL_CTX_flush_sessions."""
        ex = self.native.has("SSL_CTX_flush_sessions_ex")
        (self.native.ssl.SSL_CTX_flush_sessions_ex if ex else self.native.ssl.SSL_CTX_flush_sessions)(self._ctx, at)
        return True

    @checked
    def resize_cache(self, size: int) -> bool:
        """SSL_CTX_sess_set_cache_size."""
        self.native.ssl.SSL_CTX_ctrl(self._ctx, c.CTRL_SET_CACHE_SIZE, size, self.native.ffi.NULL)
        return True

    @checked
    def remove(self, session_id: bytes) -> bool:
        """SSL_CTX_remove_session; False if no session has the id."""
        found = [session for session in self.sessions() if id_of(self.native, session) == session_id]
        removed = [self.native.ssl.SSL_CTX_remove_session(self._ctx, session) for session in found]
        return any(removed)

    @checked
    def age_sessions(self, seconds: int) -> bool:
        """SSL_SESSION_set_time of every session."""
        for session in self.sessions():
            make_older(self.native, session, seconds)
        return True

    @checked
    def set_timeouts(self, seconds: int) -> bool:
        """SSL_SESSION_set_timeout of every session; RequestError if this OpenSSL refuses the number."""
        ssl = self.native.ssl
        some = self.native.ffi.gc(ssl.SSL_SESSION_new(), ssl.SSL_SESSION_free)
        if not ssl.SSL_SESSION_set_timeout(some, seconds):
            raise RequestError(f"set_timeouts: this OpenSSL takes no timeout of {seconds} s (since 3.0: 0 or more)")
        for session in self.sessions():
            self.native.ssl.SSL_SESSION_set_timeout(session, seconds)
        return True

    @checked
    def has_session(self, session_id: bytes) -> bool:
        """SSL_has_matching_session_id, which matches only its SSL's version: for a new SSL, the method's highest.

        OpenSSL 4.0 has no single-version methods (openssl/openssl#28343), so the cache is then searched by id.
        """
        ssl = self.native.ssl.SSL_new(self._ctx)
        try:
            if self.native.ssl.SSL_has_matching_session_id(ssl, session_id, len(session_id)):
                return True
            if not self.native.has("TLSv1_2_method"):
                return any(id_of(self.native, session) == session_id for session in self.sessions())
            for method in ("TLSv1_2_method", "TLSv1_1_method", "TLSv1_method"):
                self.native.ssl.SSL_set_ssl_method(ssl, getattr(self.native.ssl, method)())
                if self.native.ssl.SSL_has_matching_session_id(ssl, session_id, len(session_id)):
                    return True
            return False
        finally:
            self.native.ssl.SSL_free(ssl)
