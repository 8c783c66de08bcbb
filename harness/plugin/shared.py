"""The resources that one process of a run shares: the runtime and the selected stacks, opened on demand."""

from __future__ import annotations

from contextlib import ExitStack
from fnmatch import fnmatchcase
from functools import cached_property
from typing import TYPE_CHECKING

from harness.builds.libraries import foreign_libraries
from harness.matrix.cells import cells, program_cells
from harness.matrix.pairing import Matrix, Pairing, covering
from harness.model.tls import Role
from harness.runtime.runtime import Runtime
from harness.stacks.in_memory import InMemory
from harness.stacks.programs.known import known_programs, program_stack

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from harness.matrix.cells import Cell, Situation
    from harness.stacks.base import Stack
    from harness.stacks.machine import Machine


ENDS: Mapping[Pairing, Callable[[Stack], str]] = {
    Pairing.PAIRWISE: lambda stack: stack.label,
    Pairing.VERSIONS: lambda stack: stack.build.version,
}
"""What the pairings that choose few pairs have to meet."""

REFERENCE = "libssl"
"""The stack that other libraries meet if a run names no stacks."""


def _names_program(glob: str) -> bool:
    """Whether it names a program, which no stack of the machine is: ``nginx``, ``nginx@1.22.1``."""
    return any(glob.partition("@")[0] in known_programs(role) for role in Role)


class Run:
    """Opened at the first question, closed once, whatever happened in between."""

    def __init__(
        self,
        machine: Callable[[Runtime], Machine],
        clients: Sequence[str] = (),
        servers: Sequence[str] = (),
        matrix: Matrix = Matrix(),  # noqa: B008 - frozen
    ) -> None:
        self._make_machine = machine
        self._globs = (clients, servers)
        self._matrix = matrix
        self._opened = ExitStack()
        self._programs: dict[tuple[Role, str], tuple[Stack, str]] = {}

    @cached_property
    def runtime(self) -> Runtime:
        """The loop, the children's warden and the private folder of this process."""
        runtime = Runtime()
        self._opened.callback(runtime.close)
        return runtime

    @cached_property
    def machine(self) -> Machine:
        """The stacks of this machine."""
        machine = self._make_machine(self.runtime)
        self._opened.callback(machine.close)
        return machine

    @cached_property
    def in_memory(self) -> InMemory:
        """The stacks whose ends meet in memory."""
        joined = InMemory(self.runtime)
        self._opened.callback(joined.close)
        return joined

    @cached_property
    def clients(self) -> tuple[Stack, ...]:
        """The stacks that are clients in this run; UsageError if a glob matches none."""
        return self._chosen(self._globs[0])

    @cached_property
    def servers(self) -> tuple[Stack, ...]:
        """The stacks that are servers in this run; UsageError if a glob matches none."""
        return self._chosen(self._globs[1])

    @cached_property
    def _rivals(self) -> tuple[Stack, ...]:
        """The stacks of the build that all others are to meet, if the matrix has one."""
        return self.machine.select(self._matrix.glob) if self._matrix.pairing is Pairing.AGAINST else ()

    def _chosen(self, globs: Sequence[str]) -> tuple[Stack, ...]:
        own = [glob for glob in globs if not _names_program(glob)]
        named = [stack for glob in own for stack in self.machine.select(glob)] if globs else self.machine.own
        chosen = [*named, *self._rivals]
        return tuple(stack for stack in self.machine.stacks if stack in chosen)

    def cells(self, situation: Situation, test: str) -> list[Cell]:
        """The cells of a test's situation, of the pairs that the matrix chooses."""
        clients, servers = self._sides(situation)
        if end := ENDS.get(self._matrix.pairing):
            return covering(situation, clients, servers, test, end)

        def meets(client: Stack, server: Stack) -> bool:
            return self._matrix.meets(client, server, self._rivals) and self._comes_together(client, server)

        found = cells(situation, clients, servers, meets, alike=self._matrix.alike)
        return [cell for cell in found if self._matrix.goes_over(cell)]

    def _sides(self, situation: Situation) -> tuple[Sequence[Stack], Sequence[Stack]]:
        """The clients and the servers of the run; where the situation names the stack of one, that one alone."""
        chosen = {Role.CLIENT: self.clients, Role.SERVER: self.servers}
        chosen |= {role: self.machine.played(name) for role, name in situation.played_by.items()}
        return chosen[Role.CLIENT], chosen[Role.SERVER]

    def program_cells(self, situation: Situation, role: Role) -> list[Cell]:
        """The cells of a test with a program in this role: those that the run names, or all if it names no such end."""
        globs = self._globs[role is Role.SERVER]
        ends = {name: self._program(role, name) for name in situation.programs.get(role, ())}
        chosen = {
            name: end
            for name, end in ends.items()
            if not globs or any(fnmatchcase(name, glob) or fnmatchcase(end[0].label, glob) for glob in globs)
        }
        stacks = self.servers if role is Role.CLIENT else self.clients
        if not situation.every_stack and not self._globs[role is Role.CLIENT]:
            stacks = tuple(stack for stack in stacks if stack.name == REFERENCE)
        return list(program_cells(situation, role, stacks, chosen))

    def programs(self, role: Role) -> list[Stack]:
        """The programs that were looked at for this role."""
        return [stack for (of, _name), (stack, _lacks) in self._programs.items() if of is role]

    def _program(self, role: Role, name: str) -> tuple[Stack, str]:
        if (role, name) not in self._programs:
            self._programs[role, name] = program_stack(role, name, self.runtime)
        return self._programs[role, name]

    def _comes_together(self, client: Stack, server: Stack) -> bool:
        """Whether a pair is in a run without named stacks: another library meets the reference stack, and itself."""
        others = {stack.name for stack in (client, server)} & foreign_libraries().keys()
        return any(self._globs) or not others or client is server or REFERENCE in {client.name, server.name}

    def header(self) -> list[str]:
        """Every stack of the machine, where its parts lie, and which roles it has in this run; then what is missing."""
        lines = []
        parts = (("client", self.clients), ("server", self.servers))
        for stack in self.machine.stacks:
            build = stack.build
            where = build.openssl[-1] if stack.name == "openssl" and build.openssl else build.libssl or build.origin
            roles = [role for role, chosen in parts if stack in chosen]
            lines.append(f"{stack.label} ({' and '.join(roles) or 'not chosen'}): {where}")
        lines += [f"no {missing.stack}: {missing.reason}" for missing in self.machine.missing]
        unused = ", ".join(self.machine.unused)
        return [*lines, f"not used: {unused} (resumption libraries)"] if unused else lines

    def close(self) -> None:
        """End all that was started; a second call does nothing."""
        self._opened.close()
