"""Application data in tickets, and what the callback for a decrypted ticket returns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.agent.drivers.libssl.native import Kept
from harness.agent.vocabulary import TicketUse

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.agent.drivers.libssl.callbacks.calls import Calls
    from harness.agent.drivers.libssl.native import Native

UNREAD = {3: "empty", 4: "no_decrypt"}
"""SSL_TICKET_STATUS without a session."""


class TicketData:
    """The callbacks of SSL_CTX_set_session_ticket_cb of one server."""

    def __init__(self, native: Native, knobs: Mapping[str, Any], calls: Calls) -> None:
        self._native = native
        self._data: bytes = knobs["ticket_data"]
        self._use: TicketUse = knobs.get("ticket_use", TicketUse.USE)
        self._calls = calls
        self._keep = Kept(native)

    def set(self, ctx: Any) -> None:
        """Set the callbacks of an SSL_CTX."""
        made = self._keep("int(SSL *, void *)", self._made)
        read = self._keep("int(SSL *, SSL_SESSION *, const unsigned char *, size_t, int, void *)", self._read)
        function = self._native.need("SSL_CTX_set_session_ticket_cb", "ticket_data")
        self._native.must(function(ctx, made, read, self._native.ffi.NULL), "ticket_data")

    def _made(self, ssl: Any, _argument: Any) -> int:
        session = self._native.ssl.SSL_get_session(ssl)
        self._calls.note(ssl, "put", self._data, "ok")
        return int(self._native.ssl.SSL_SESSION_set1_ticket_appdata(session, self._data, len(self._data)))

    def _read(self, ssl: Any, session: Any, name: Any, length: int, status: int, _argument: Any) -> int:
        subject = bytes(self._native.ffi.buffer(name, length)[:]) if length else b""
        if session == self._native.ffi.NULL:
            self._calls.note(ssl, "ticket", subject, UNREAD.get(status, f"status {status}"))
            return TicketUse.IGNORE_RENEW.number
        data, size = self._native.ffi.new("void **"), self._native.ffi.new("size_t *")
        if self._native.ssl.SSL_SESSION_get0_ticket_appdata(session, data, size):
            found = bytes(self._native.ffi.buffer(data[0], size[0])[:]) if size[0] else b""
            self._calls.note(ssl, "take", found, "ok")
        self._calls.note(ssl, "ticket", subject, self._use)
        return self._use.number
