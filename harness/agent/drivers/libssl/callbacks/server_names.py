"""Chooses a context by the client's server name, in the servername or the client-hello callback."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from harness.agent.drivers.libssl import constants as c
from harness.agent.drivers.libssl.native import Kept
from harness.agent.vocabulary import ChosenAt

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.agent.drivers.libssl.callbacks.calls import Calls
    from harness.agent.drivers.libssl.connection import LibsslTls
    from harness.agent.drivers.libssl.native import Native

SERVER_NAME = 0
"""The number of the extension (RFC 6066, 3)."""
HEAD = 5
"""Bytes before the only name of the extension: two lengths and its type."""


class Chosen(Protocol):
    """A context that can be chosen."""

    def adopt(self, connection: LibsslTls) -> None:
        """Make a connection of another context one of this one."""
        ...


class ServerNames:
    """The contexts that a server chooses, by callback and server name."""

    def __init__(self, native: Native, connections: Mapping[Any, LibsslTls], calls: Calls) -> None:
        self._native = native
        self._connections = connections
        self._calls = calls
        self.chosen: dict[tuple[ChosenAt, bytes], Chosen] = {}
        self._keep = Kept(native)

    def choose(self, ctx: Any, server_name: bytes, other: Chosen, at: ChosenAt) -> None:
        """Go over to another context for this name; sets the callback."""
        if at not in {place for place, _name in self.chosen}:
            self._set(ctx, at)
        self.chosen[at, server_name] = other

    def _set(self, ctx: Any, at: ChosenAt) -> None:
        ssl, ffi = self._native.ssl, self._native.ffi
        if at is ChosenAt.SERVER_NAME:
            generic = ffi.cast("void (*)(void)", self._keep("int(SSL *, int *, void *)", self._named))
            ssl.SSL_CTX_callback_ctrl(ctx, c.CTRL_SET_SERVERNAME_CB, generic)
        else:
            ssl.SSL_CTX_set_client_hello_cb(ctx, self._keep("int(SSL *, int *, void *)", self._greeted), ffi.NULL)

    def _named(self, ssl: Any, _alert: Any, _argument: Any) -> int:
        name = self._native.text(self._native.ssl.SSL_get_servername(ssl, 0))
        if name is None:
            return c.TLSEXT_NOACK
        self._go_over(ssl, name.encode(), ChosenAt.SERVER_NAME)
        return c.TLSEXT_OK

    def _greeted(self, ssl: Any, _alert: Any, _argument: Any) -> int:
        start, length = self._native.ffi.new("const unsigned char **"), self._native.ffi.new("size_t *")
        if self._native.ssl.SSL_client_hello_get0_ext(ssl, SERVER_NAME, start, length):
            self._go_over(ssl, bytes(self._native.ffi.buffer(start[0], length[0])[HEAD:]), ChosenAt.CLIENT_HELLO)
        return c.CLIENT_HELLO_SUCCESS

    def _go_over(self, ssl: Any, name: bytes, at: ChosenAt) -> None:
        other, connection = self.chosen.get((at, name)), self._connections.get(ssl)
        self._calls.note(ssl, "choose", name, "kept" if other is None else "chosen")
        if other is not None and connection is not None:
            other.adopt(connection)
