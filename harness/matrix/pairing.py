"""Selects which client of a run meets which server if not all pairs run."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING
from zlib import crc32

from harness.model.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from harness.matrix.cells import Cell
    from harness.stacks.base import Stack


class Pairing(StrEnum):
    """The values of `--matrix`."""

    ALL = "all"
    """Every client with every server."""
    SAME = "same"
    """Client and server on the same version of OpenSSL, on any stack."""
    AGAINST = "against"
    """One build at one end and each other at the other, both ways."""
    PAIRWISE = "pairwise"
    """A few pairs for each test and knobs, in which every client and every server is met: see `covering`."""
    VERSIONS = "versions"
    """Fewer pairs still, in which every version of OpenSSL is met as a client and as a server, on one of its stacks."""


@dataclass(frozen=True, slots=True)
class Matrix:
    """A `--matrix` option, read: ``all``, ``same``, ``pairwise``, ``versions``, or ``against=BUILD``."""

    pairing: Pairing = Pairing.ALL
    build: str = ""
    """Of AGAINST, what a user calls the build, ``1.1.1w`` or ``libssl@1.1.1w``."""

    @classmethod
    def parse(cls, text: str) -> Matrix:
        """Read what a user wrote; UsageError says what is allowed."""
        word, _, build = text.strip().replace("=", " ", 1).partition(" ")
        build = build.strip()
        if word not in [*Pairing] or (word == Pairing.AGAINST) != bool(build):
            raise UsageError(
                f"--matrix cannot be {text!r}; it is all, same, pairwise, versions, or against=BUILD, as against=1.1.1w"
            )
        return cls(Pairing(word), build)

    @property
    def glob(self) -> str:
        """Of AGAINST, the ``stack@build`` glob of the build: of all stacks, if the user named none."""
        return self.build if "@" in self.build else f"*@{self.build}"

    def meets(self, client: Stack, server: Stack, rivals: Iterable[Stack] = ()) -> bool:
        """Whether two ends make a pair; ``rivals`` are the stacks of the build of AGAINST."""
        if self.pairing is Pairing.SAME:
            return client.build.version == server.build.version
        if self.pairing is Pairing.AGAINST:
            return (client in rivals) != (server in rivals)
        return True


def covering(cells: Iterable[Cell], seed: str, end: Callable[[Stack], str]) -> list[Cell]:
    """Of one test's cells those of few pairs, in the order in which they were; ``end`` tells what is to be met.

    That is the stack's label for PAIRWISE, and its build's version for VERSIONS.

    For each choice of TLS version, knobs and way to close, every client end in the cells is met, and so is every
    server end, once at least: by an end of another version that can do it, if there is one; else by one of the same
    version; else the cell is UNSUPPORTED. Who meets whom follows from ``seed``, the test's name, and from the ids, so
    that it is the same in every run over the same builds, and another one in the next test. A second end is any.
    """
    variants: dict[object, list[Cell]] = {}
    for cell in cells:
        variants.setdefault(repr((cell.tls, cell.client, cell.server, cell.close)), []).append(cell)
    return [cell for variant in variants.values() for cell in _cover(variant, seed, end)]


def _cover(cells: list[Cell], seed: str, end: Callable[[Stack], str]) -> list[Cell]:
    ranks: list[list[Cell]] = [[], [], []]
    for cell in sorted(cells, key=lambda cell: crc32(f"{seed}{cell.id}".encode())):
        same = cell.client_stack.build.version == cell.server_stack.build.version
        ranks[2 if cell.unsupported else int(same)].append(cell)
    clients: set[str] = set()
    servers: set[str] = set()
    chosen = set()
    for rank in ranks:
        for fresh in (2, 1):  # first the pairs of which both ends are new
            for cell in rank:
                client, server = end(cell.client_stack), end(cell.server_stack)
                if (client not in clients) + (server not in servers) >= fresh:
                    clients.add(client)
                    servers.add(server)
                    chosen.add(cell.id)
    return [cell for cell in cells if cell.id in chosen]
