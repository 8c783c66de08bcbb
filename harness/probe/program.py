"""A server program as the far end of a scenario: one, or two of them behind a balancer."""

from __future__ import annotations

import os
from contextlib import ExitStack
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from harness.agent.sockets import LOOPBACK
from harness.model.errors import UsageError
from harness.probe.probed import Probed
from harness.probe.say import HTTP
from harness.runtime.runtime import Runtime
from harness.runtime.tap import Tap
from harness.stacks.programs.products import PRODUCTS, Cache, Site, Wanted
from harness.stacks.programs.program import Program

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.model.connection import Connection
    from harness.model.session import Session
    from harness.stacks.base import Stack

KEY = 80
"""Bytes of a ticket key's file."""


class Programs(Probed):
    """Servers of one product, started for a test: one, or ``behind`` of them, which take turns behind a TCP balancer.

    ``tickets`` and ``cache`` (``none``, ``builtin``, ``shared``; the product's own if not given) are theirs; with
    ``shared_keys`` they have one ticket key, which is in a file. ``sites`` are the names of certificates
    (certs/issued.toml) by the server's names; those in ``asking`` demand a client's certificate. ``client`` is a stack,
    further keywords are its knobs. The rest is as with `Probed`.
    UnsupportedError if the product is not installed, or cannot be configured so; UsageError for another product.
    """

    _turn = -1

    def __init__(  # noqa: PLR0913 - each is a word of a scenario, given by name
        self,
        product: str,
        *,
        client: str | Stack = "libssl",
        tickets: bool = True,
        cache: str = "",
        shared_keys: bool = False,
        behind: int = 1,
        sites: Mapping[str, str] = MappingProxyType({"localhost": "server"}),
        asking: tuple[str, ...] = (),
        runtime: Runtime | None = None,
        **knobs: Any,
    ) -> None:
        if product not in PRODUCTS:
            raise UsageError(f"no server program {product!r}; there are: {', '.join(PRODUCTS)}")
        if cache and cache not in {one.value for one in Cache}:
            raise UsageError(f"no cache {cache!r}; it can be: {', '.join(Cache)}")
        self._row = PRODUCTS[product]
        self._opened = ExitStack()
        try:
            self._shared = runtime or self._opened.enter_context(Runtime())
            issued = self._shared.pki.issued
            self._wanted = Wanted(
                tickets,
                Cache(cache) if cache else self._row.cache,
                os.urandom(KEY) if shared_keys else None,
                tuple(Site(name, issued(one), name in asking) for name, one in sites.items()),
            )
            self.programs: list[Program] = []
            """The running servers."""
            self._opened.callback(self._end)
            self.programs += [self._started() for _ in range(behind)]
            self._name = self.programs[0].label
            self._balancer = Tap(self._shared.loop, self._next)
            self._opened.callback(self._balancer.close)
            knobs = {"server_name": next(iter(sites)), **knobs}
            port, say = self._balancer.port, self._row.says or HTTP
            super().__init__(LOOPBACK, port, client, say=say, runtime=self._shared, **knobs)
        except BaseException:
            self._opened.close()
            raise

    def _started(self) -> Program:
        return Program(self._row, self._wanted, self._shared)

    def _next(self) -> tuple[str, int]:
        """The server that the balancer gives the next connection to."""
        self._turn = (self._turn + 1) % len(self.programs)
        return LOOPBACK, self.programs[self._turn].port

    def connect(self, offer: Session | None = None, **knobs: Any) -> Connection:
        """As of `Probed`; EndpointError with what the server printed if it no longer listens."""
        try:
            return super().connect(offer, **knobs)
        finally:  # however the client saw that its connection was reset
            if error := self._balancer.unreachable:
                raise self.programs[self._turn].failure(f"refuses a connection ({error.strerror or error})") from None

    def restart(self) -> None:
        """End the servers and start new ones, configured as before."""
        for place, program in enumerate(self.programs):
            program.close()
            self.programs[place] = self._started()

    def _end(self) -> None:
        for program in self.programs:
            program.close()

    def reload(self) -> None:
        """Let the servers read their configuration again; UnsupportedError if they cannot."""
        for program in self.programs:
            program.reload()

    def close(self) -> None:
        """End the client, the balancer and the servers."""
        super().close()
        self._opened.close()
