"""Runs a client's command against each kind of server in turn."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.model.errors import UsageError
from harness.model.knobs import ServerConfig
from harness.serve.behaviour import CLAIMS, Behaviour
from harness.serve.command import Command, CommandError, printed
from harness.serve.kinds import BY_NAME, KINDS
from harness.serve.served import Served

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from harness.runtime.runtime import Runtime
    from harness.serve.kinds import Kind
    from harness.stacks.base import Stack


class Watched:
    """A client's command, run ``times`` times in a row against a server, each run with a deadline in seconds."""

    def __init__(self, argv: Sequence[str], times: int, deadline: float, ftps: str = "") -> None:
        self._command = Command(argv, deadline)
        self.argv = self._command.argv
        self._times = times
        self._ftps = ftps

    def against(self, kind: Kind, stack: Stack, runtime: Runtime) -> Behaviour:
        """What the client does with this kind of server; CommandError if nothing can be known."""
        keylog = runtime.path(".keys")
        config = ServerConfig().changed(**kind.knobs)
        served = Served(stack, runtime, config, manner=kind.manner, keylog=keylog, ftps=self._ftps)
        try:
            kind.begin(served)
            runs = [self._run(kind, served, runtime, keylog) for _ in range(self._times)]
            connections = tuple(sorted(served.connections, key=lambda one: one.number))
        finally:
            served.close()
        statuses, output = tuple(status for status, _ in runs), "".join(text for _, text in runs)
        if not connections:
            raise CommandError(
                f"{self._command.name} ended with {statuses[-1]} and never connected to the server of kind "
                f"{kind.name}{printed(output)}"
            )
        controls = served.transfers.controls if served.transfers else None
        return Behaviour(kind, connections, statuses, output, controls)

    def _run(self, kind: Kind, served: Served, runtime: Runtime, keylog: Path) -> tuple[int, str]:
        values: Mapping[str, object] = {
            "{url}": served.url,
            "{host}": served.host,
            "{port}": served.port,
            "{ca}": served.ca,
            "{keylog}": keylog,
        }
        whom = f"the server of kind {kind.name}"
        return self._command.run(runtime, values, served.wait, lambda: served.idle, whom)


def kinds_named(names: Sequence[str], *, steady: bool = False) -> tuple[Kind, ...]:
    """The kinds of these names, all if there are none; UsageError lists the names. ``steady``: of those that are."""
    unknown = [name for name in names if name not in BY_NAME]
    if unknown:
        raise UsageError(f"no kind of server {', '.join(map(repr, unknown))}; the kinds are: {', '.join(BY_NAME)}")
    kinds = tuple(kind for kind in KINDS if kind.steady or not steady)
    if others := [name for name in names if BY_NAME[name] not in kinds]:
        raise UsageError(
            f"--ftps has no server of kind {', '.join(others)}; it has: {', '.join(kind.name for kind in kinds)}"
        )
    return tuple(kind for kind in kinds if kind.name in names) if names else kinds


def expectations(words: Sequence[str], kinds: Sequence[Kind], *, ftps: bool = False) -> list[tuple[str, Kind]]:
    """Each claim with each kind that it is asked of, from ``CLAIM`` or ``KIND:CLAIM``; UsageError for other words."""
    found = []
    for word in dict.fromkeys(words):
        name, _, claim = word.rpartition(":")
        if claim not in CLAIMS or (name and name not in BY_NAME):
            raise UsageError(
                f"--expect cannot be {word!r}; give {', '.join(CLAIMS)}, for one kind of server as KIND:CLAIM; "
                f"the kinds are: {', '.join(BY_NAME)}"
            )
        if CLAIMS[claim].ftps and not ftps:
            raise UsageError(f"--expect {word} needs --ftps")
        asked = [kind for kind in kinds if CLAIMS[claim].of(kind) and name in {"", kind.name}]
        if not asked:
            raise UsageError(f"--expect {word} can be asked of none of: {', '.join(kind.name for kind in kinds)}")
        found += [(claim, kind) for kind in asked]
    return found


def broken(expected: Sequence[tuple[str, Kind]], behaviours: Sequence[Behaviour]) -> list[str]:
    """A line for each claim that does not hold."""
    by_kind = {behaviour.kind.name: behaviour for behaviour in behaviours}
    return [
        f"{kind.name}: expected that {CLAIMS[claim].meaning}; {by_kind[kind.name].says}"
        for claim, kind in expected
        if not CLAIMS[claim].holds(by_kind[kind.name])
    ]
