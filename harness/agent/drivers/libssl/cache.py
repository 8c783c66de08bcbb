"""What can be done to the session cache of a context while it serves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.agent.drivers.libssl import constants as c
from harness.agent.drivers.libssl.sessions import make_older, session_id

if TYPE_CHECKING:
    from harness.agent.drivers.libssl.native import Native


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
