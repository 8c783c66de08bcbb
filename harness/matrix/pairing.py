"""Selects which client of a run meets which server if not all pairs run."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import TYPE_CHECKING

from harness.matrix.cells import choices
from harness.model.errors import UsageError
from harness.model.tls import Role

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence

    from harness.matrix.cells import Cell, Choice, Situation
    from harness.stacks.base import Stack


class Pairing(StrEnum):
    """The values of `--matrix`."""

    ALL = "all"
    """Every client with every server."""
    SAME = "same"
    """Client and server, and the ends that they go over to, on the same version of OpenSSL, on any stack."""
    AGAINST = "against"
    """One build at one end and each other at the other, both ways."""
    ACROSS = "across"
    """Each version with another one: at the other end, or as the end to which a session goes over.

    Where sessions go over, they also do so within each version.
    """
    PAIRWISE = "pairwise"
    """A few pairs for each test and knobs, in which every client and every server is met: see `covering`."""
    VERSIONS = "versions"
    """Fewer pairs still, in which every version of OpenSSL is met as a client and as a server, on one of its stacks."""


@dataclass(frozen=True, slots=True)
class Matrix:
    """A `--matrix` option, read: ``all``, ``same``, ``across``, ``pairwise``, ``versions``, or ``against=BUILD``."""

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
                f"--matrix cannot be {text!r}; it is all, same, across, pairwise, versions, or against=BUILD, "
                "as against=1.1.1w"
            )
        return cls(Pairing(word), build)

    @property
    def glob(self) -> str:
        """Of AGAINST, the ``stack@build`` glob of the build: of all stacks, if the user named none."""
        return self.build if "@" in self.build else f"*@{self.build}"

    def meets(self, client: Stack, server: Stack, rivals: Iterable[Stack] = ()) -> bool:
        """Whether two ends make a pair; ``rivals`` are the stacks of the build of AGAINST."""
        if self.pairing is Pairing.SAME:
            ends = [(one.build.library.family, one.build.version) for one in (client, server)]
            return ends[0] == ends[1]
        if self.pairing is Pairing.AGAINST:
            return (client in rivals) != (server in rivals)
        return True

    @property
    def alike(self) -> bool:
        """Whether a session may go over from a stack to the same one."""
        return self.pairing is Pairing.ACROSS

    def goes_over(self, cell: Cell) -> bool:
        """Whether a cell's ends, with those that it goes over to, are ends that are to meet."""
        ends = [cell.client_stack, cell.server_stack, *cell.seconds.values()]
        builds = {(stack.build.library.family, stack.build.version) for stack in ends}
        if self.pairing is Pairing.ACROSS:
            return len(builds) > 1 or bool(cell.seconds)
        return self.pairing is not Pairing.SAME or len(builds) == 1


def covering(
    situation: Situation, clients: Sequence[Stack], servers: Sequence[Stack], seed: str, end: Callable[[Stack], str]
) -> list[Cell]:
    """The cells of few pairs; ``end`` returns what is to be met.

    That is the stack's label for PAIRWISE, and its build's version for VERSIONS.

    For each choice of TLS version, knobs and way to close, every client end is met, and so is every server end, once
    at least: by an end of another version that can do it, if there is one; else by one of the same version; else the
    cell is UNSUPPORTED. Who meets whom follows from ``seed``, the test's name, and from the names of the stacks, so
    that it is the same in every run over the same builds, and another one in the next test. A second end is any.
    The work grows with the number of ends, not with that of their pairs.
    """
    found = []
    for choice in choices(situation):
        lines = _Line(choice, Role.CLIENT, clients, seed), _Line(choice, Role.SERVER, servers, seed)
        pairs = _same(*lines, end) if situation.same_stack else _pairs(*lines, end)
        for client, server in sorted(pairs, key=lambda pair: (clients.index(pair[0]), servers.index(pair[1]))):
            seconds = {}
            if situation.second_client:
                seconds[Role.CLIENT] = lines[0].after(client)
            if situation.second_server:
                seconds[Role.SERVER] = lines[1].after(server, alike=True)
            chosen = {role: stack for role, stack in seconds.items() if stack}
            if len(chosen) == len(seconds):
                found.append(choice.cell(client, server, chosen))
    return found


class _Line:
    """The stacks of one role, in the order that a test's name and a choice give: those that can do it, and the rest."""

    def __init__(self, choice: Choice, role: Role, stacks: Sequence[Stack], seed: str) -> None:
        words = "-".join((seed, role, choice.tls.label, *choice.words))
        ordered = sorted(stacks, key=lambda stack: sha256(f"{words}-{stack.label}".encode()).digest())
        self.able = [stack for stack in ordered if not choice.lacks(role, stack)]
        self.unable = [stack for stack in ordered if choice.lacks(role, stack)]

    @property
    def all(self) -> list[Stack]:
        """Those that can do it come first."""
        return self.able + self.unable

    def after(self, stack: Stack, *, alike: bool = False) -> Stack | None:
        """The next one that can do it, the first after the last; one that cannot if there is no other, or none.

        ``alike``: one of the same family, if there is one that can do it.
        """
        place = self.able.index(stack) + 1 if stack in self.able else 0
        able = [one for one in (*self.able[place:], *self.able[:place]) if one is not stack]
        if alike:
            able.sort(key=lambda one: one.build.library.family != stack.build.library.family)
        return next(iter([*able, *(one for one in self.unable if one is not stack)]), None)


def _pairs(clients: _Line, servers: _Line, end: Callable[[Stack], str]) -> list[tuple[Stack, Stack]]:
    """Pairs that can do it, in which each end that has some is met; then each end that cannot do it."""
    if not clients.able or not servers.able:
        return _matched(_each(clients.all, end), _each(servers.all, end), clients.all, servers.all)
    able = [_each(line.able, end) for line in (clients, servers)]
    unable = [_each(line.unable, end, {end(stack) for stack in line.able}) for line in (clients, servers)]
    return [pair for ends in (able, unable) for pair in _matched(ends[0], ends[1], able[0], able[1])]


def _same(clients: _Line, servers: _Line, end: Callable[[Stack], str]) -> list[tuple[Stack, Stack]]:
    """Pairs of which one stack is both ends."""
    both = [stack for stack in clients.able if stack in servers.able]
    return [(stack, stack) for stack in _each(both + [one for one in clients.all if one in servers.all], end)]


def _each(stacks: Sequence[Stack], end: Callable[[Stack], str], met: Collection[str] = ()) -> list[Stack]:
    """The first stack of each end that is not met yet."""
    first: dict[str, Stack] = {}
    for stack in stacks:
        if end(stack) not in met:
            first.setdefault(end(stack), stack)
    return list(first.values())


def _matched(
    clients: Sequence[Stack], servers: Sequence[Stack], any_client: Sequence[Stack], any_server: Sequence[Stack]
) -> list[tuple[Stack, Stack]]:
    """Pairs in which each client and each server is met, with ``any`` others where one side has fewer."""
    left = list(servers)
    pairs = []
    for client in clients:
        server = _other(left, client) or _other(any_server, client) or (left or any_server)[0]
        left = [one for one in left if one is not server]
        pairs.append((client, server))
    return pairs + [(_other(any_client, server) or any_client[0], server) for server in left]


def _other(stacks: Iterable[Stack], stack: Stack) -> Stack | None:
    """The first one of another version of OpenSSL."""
    return next((one for one in stacks if one.build.version != stack.build.version), None)
