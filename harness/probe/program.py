"""A server program as the far end of a scenario: one, or two of them behind a balancer."""

from __future__ import annotations

import os
from contextlib import ExitStack
from itertools import cycle
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from harness.model.errors import UsageError
from harness.probe.probed import Probed
from harness.probe.say import HTTP
from harness.runtime.runtime import Runtime
from harness.runtime.tap import LOOPBACK, Tap
from harness.stacks.programs.products import PRODUCTS, Cache, Site, Wanted
from harness.stacks.programs.program import Program

if TYPE_CHECKING:
    from collections.abc import Mapping

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

    def __init__(  # noqa: PLR0913 - each is a word of a scenario, given by name
        self,
        product: str,
        *,
        client: str = "libssl",
        tickets: bool = True,
        cache: str = "",
        shared_keys: bool = False,
        behind: int = 1,
        sites: Mapping[str, str] = MappingProxyType({"localhost": "server"}),
        asking: tuple[str, ...] = (),
        **knobs: Any,
    ) -> None:
        if product not in PRODUCTS:
            raise UsageError(f"no server program {product!r}; there are: {', '.join(PRODUCTS)}")
        if cache and cache not in {one.value for one in Cache}:
            raise UsageError(f"no cache {cache!r}; it can be: {', '.join(Cache)}")
        row = PRODUCTS[product]
        self._opened = ExitStack()
        try:
            runtime = self._opened.enter_context(Runtime())
            served = tuple(Site(name, runtime.pki.issued(one), name in asking) for name, one in sites.items())
            keys = os.urandom(KEY) if shared_keys else None
            wanted = Wanted(tickets, Cache(cache) if cache else row.cache, keys, served)
            self.programs: list[Program] = []
            """The running servers."""
            for _ in range(behind):
                self.programs.append(Program(row, wanted, runtime))
                self._opened.callback(self.programs[-1].close)
            port = self._balanced(runtime) if behind > 1 else self.programs[0].port
            knobs = {"server_name": next(iter(sites)), **knobs}
            super().__init__(LOOPBACK, port, client, say=row.says or HTTP, runtime=runtime, **knobs)
        except BaseException:
            self._opened.close()
            raise

    def _balanced(self, runtime: Runtime) -> int:
        """The port of a balancer that gives each connection to the next server."""
        turn = cycle([(LOOPBACK, program.port) for program in self.programs])
        balancer = Tap(runtime.loop, lambda: next(turn))
        self._opened.callback(balancer.close)
        return balancer.port

    def reload(self) -> None:
        """Let the servers read their configuration again; UnsupportedError if they cannot."""
        for program in self.programs:
            program.reload()

    def close(self) -> None:
        """End the client, the balancer and the servers."""
        super().close()
        self._opened.close()
