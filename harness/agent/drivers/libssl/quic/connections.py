"""Which connection a callback is about."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.agent.drivers.libssl.connection import LibsslTls


class Connections(MutableMapping[Any, "LibsslTls"]):
    """Those of a context, by the SSL pointer that callbacks get: cffi compares and hashes pointers by their address.

    An unknown pointer is taken for the end whose QUIC is called: a server's callbacks come before it can accept the
    connection (SSL_accept_connection(3)), and OpenSSL 3.2 gives them the connection within.
    """

    def __init__(self) -> None:
        self._known: dict[Any, LibsslTls] = {}
        self.called: LibsslTls | None = None
        """The end of QUIC that was called last."""

    def __getitem__(self, ssl: Any) -> LibsslTls:
        if (found := self._known.get(ssl) or self.called) is None:
            raise KeyError(ssl)
        return found

    def __setitem__(self, ssl: Any, connection: LibsslTls) -> None:
        self._known[ssl] = connection

    def __delitem__(self, ssl: Any) -> None:
        self._known.pop(ssl, None)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._known)

    def __len__(self) -> int:
        return len(self._known)
