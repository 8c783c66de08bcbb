"""Runs a client's command against each kind of server in turn."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.model.errors import EndpointError, HarnessError, TimedOutError, UsageError
from harness.model.knobs import ServerConfig
from harness.runtime.process import Child
from harness.serve.behaviour import CLAIMS, Behaviour
from harness.serve.kinds import BY_NAME, KINDS
from harness.serve.served import Served
from harness.serve.visit import GRACE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from harness.runtime.runtime import Runtime
    from harness.serve.kinds import Kind
    from harness.stacks.base import Stack

ADDRESSES = ("{url}", "{port}")
"""One of these has to be in a command."""
PLACEHOLDERS = (*ADDRESSES, "{host}", "{ca}", "{keylog}")
PRINTED = 2000
"""Characters of what a command printed that an error repeats."""


class CommandError(HarnessError):
    """The command cannot be run, never connects, or does not end: nothing is known about the client."""


class Watched:
    """A client's command, run ``times`` times in a row against a server, each run with a deadline in seconds."""

    def __init__(self, argv: Sequence[str], times: int, deadline: float) -> None:
        if not any(address in word for word in argv for address in ADDRESSES):
            raise UsageError(
                f"the command says nowhere where the server is: write {' or '.join(ADDRESSES)} into it; "
                f"{', '.join(PLACEHOLDERS)} are filled in"
            )
        self.argv = tuple(argv)
        self._times = times
        self._deadline = deadline

    def against(self, kind: Kind, stack: Stack, runtime: Runtime) -> Behaviour:
        """What the client does with this kind of server; CommandError if nothing can be known."""
        keylog = runtime.path(".keys")
        config = ServerConfig().changed(**kind.knobs)
        served = Served(stack, runtime, config, manner=kind.manner, keylog=keylog)
        try:
            kind.begin(served)
            statuses, output = [], ""
            for _ in range(self._times):
                status, printed = self._run(kind, served, runtime, keylog)
                statuses.append(status)
                output += printed
            connections = tuple(sorted(served.connections, key=lambda one: one.number))
        finally:
            served.close()
        if not connections:
            raise CommandError(
                f"{self.argv[0]} ended with {statuses[-1]} and never connected to the server of kind {kind.name}"
                f"{_shown(output)}"
            )
        return Behaviour(kind, connections, tuple(statuses), output)

    def _run(self, kind: Kind, served: Served, runtime: Runtime, keylog: Path) -> tuple[int, str]:
        name = self.argv[0]
        try:
            child = Child(runtime.loop, runtime.warden, name, self._filled(served, keylog))
        except EndpointError as error:
            raise CommandError(f"{error}; give a command that can be run") from error
        try:
            child.end_input()
            served.wait(lambda: child.ended.done, f"the end of {name}", self._deadline)
            served.wait(lambda: served.idle, f"the end of the connections of {name}", 3 * GRACE)
            return child.ended.result(), child.output
        except TimedOutError as error:
            child.kill()
            raise CommandError(
                f"{error} against the server of kind {kind.name}; --deadline gives it more{_shown(child.output)}"
            ) from error
        except EndpointError as error:
            if error.endpoint != name:
                raise
            raise CommandError(str(error)) from error
        finally:
            child.close()

    def _filled(self, served: Served, keylog: Path) -> list[str]:
        values: Mapping[str, object] = {
            "{url}": served.url,
            "{host}": served.host,
            "{port}": served.port,
            "{ca}": served.ca,
            "{keylog}": keylog,
        }
        filled = []
        for word in self.argv:
            for name, value in values.items():
                word = word.replace(name, str(value))  # noqa: PLW2901 - one replacement after the other
            filled.append(word)
        return filled


def _shown(output: str) -> str:
    return f"; it printed:\n{output[-PRINTED:].rstrip()}" if output.strip() else "; it printed nothing"


def kinds_named(names: Sequence[str]) -> tuple[Kind, ...]:
    """The kinds of these names, all if there are none; UsageError lists the names."""
    unknown = [name for name in names if name not in BY_NAME]
    if unknown:
        raise UsageError(f"no kind of server {', '.join(unknown)}; the kinds are: {', '.join(BY_NAME)}")
    return tuple(kind for kind in KINDS if kind.name in names) if names else KINDS


def expectations(words: Sequence[str], kinds: Sequence[Kind]) -> list[tuple[str, Kind]]:
    """Each claim with each kind that it is asked of, from ``CLAIM`` or ``KIND:CLAIM``; UsageError for other words."""
    found = []
    for word in words:
        name, _, claim = word.rpartition(":")
        if claim not in CLAIMS or (name and name not in BY_NAME):
            raise UsageError(
                f"--expect cannot be {word!r}; give {', '.join(CLAIMS)}, for one kind of server as KIND:CLAIM; "
                f"the kinds are: {', '.join(BY_NAME)}"
            )
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
