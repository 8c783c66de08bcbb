"""A client's command: its placeholders are filled in, and it is run to its end beside what serves it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from harness.model.errors import EndpointError, HarnessError, TimedOutError, UsageError
from harness.runtime.process import Child
from harness.serve.visit import GRACE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from harness.runtime.runtime import Runtime

    Wait = Callable[[Callable[[], bool], str, float], None]

ADDRESSES = ("{url}", "{port}")
"""One of these has to be in a command."""
PLACEHOLDERS = (*ADDRESSES, "{host}", "{ca}", "{keylog}")
SECRETS = "SSLKEYLOGFILE"
"""The variable with the file that many clients write their secrets to (draft-ietf-tls-keylogfile)."""
PRINTED = 2000
"""Characters of what a command printed that an error repeats."""


class CommandError(HarnessError):
    """The command cannot be run, never connects, or does not end: nothing is known about the client."""


class Command:
    """A client's command line, each run of which has a deadline in seconds."""

    def __init__(self, argv: Sequence[str], deadline: float) -> None:
        if not argv[0]:
            raise UsageError("the command begins with an empty word, where its program has to be")
        if not any(address in word for word in argv for address in ADDRESSES):
            raise UsageError(
                f"the command says nowhere where the server is: write {' or '.join(ADDRESSES)} into it; "
                f"{', '.join(PLACEHOLDERS)} are filled in"
            )
        self.argv = tuple(argv)
        self._deadline = deadline

    @property
    def name(self) -> str:
        """The program."""
        return self.argv[0]

    def asks_for(self, placeholder: str) -> bool:
        """Whether this placeholder is in it."""
        return any(placeholder in word for word in self.argv)

    def run(
        self, runtime: Runtime, values: Mapping[str, object], wait: Wait, idle: Callable[[], bool], whom: str
    ) -> tuple[int, str]:
        """Run it once, until its connections are over too: its exit code and what it printed.

        ``values`` are by placeholder. SSLKEYLOGFILE is the same file as {keylog}, unless it is set. ``wait`` serves
        meanwhile, ``whom`` names what is served. CommandError if it cannot be run or does not end.
        """
        environment = {SECRETS: str(values["{keylog}"]), **os.environ}
        try:
            child = Child(runtime.loop, runtime.warden, self.name, self._filled(values), environment=environment)
        except EndpointError as error:
            raise CommandError(f"{error}; give a command that can be run") from error
        try:
            child.end_input()
            wait(lambda: child.ended.done, f"the end of {self.name}", self._deadline)
            wait(idle, f"the end of the connections of {self.name}", 3 * GRACE)
            return child.ended.result(), child.output
        except TimedOutError as error:
            child.kill()
            raise CommandError(f"{error} against {whom}; --deadline gives it more{printed(child.output)}") from error
        except EndpointError as error:
            if error.endpoint != self.name:
                raise
            raise CommandError(str(error)) from error
        finally:
            child.close()

    def _filled(self, values: Mapping[str, object]) -> list[str]:
        filled = []
        for word in self.argv:
            for name, value in values.items():
                word = word.replace(name, str(value))  # noqa: PLW2901 - one replacement after the other
            filled.append(word)
        return filled


def printed(output: str) -> str:
    """What a command printed, as the end of an error."""
    return f"; it printed:\n{output[-PRINTED:].rstrip()}" if output.strip() else "; it printed nothing"
