"""The options `--reproduce` and `--minimize`: minimise a case and write its reproducers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from harness.case.minimize import Minimal, minimized
from harness.model.errors import UsageError
from harness.results.writer import keep, unused

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from harness.case.case import Case, CaseResult
    from harness.model.tls import Outcome
    from harness.reproduce.reproduction import Reproduction
    from harness.runtime.runtime import Runtime

F = TypeVar("F", bound="Callable[..., Any]")

REPRODUCE = "Write self-contained reproducers to DIR."
MINIMIZE = "Drop every option that does not affect the result; needs --reproduce."


def reproducing_options(command: F) -> F:
    """Add both options to a command."""
    folder = click.Path(path_type=Path, file_okay=False)
    reproduce = click.option("--reproduce", type=folder, metavar="DIR", help=REPRODUCE)
    return reproduce(click.option("--minimize", is_flag=True, help=MINIMIZE)(command))


@dataclass(frozen=True)
class Reproducing:
    """The case that is reported, minimised if requested, and its reproducers."""

    case: Case
    result: CaseResult
    left_out: tuple[str, ...] | None
    """The dropped options; None without ``--minimize``."""
    made: Reproduction | None
    folder: Path | None

    def write(self) -> list[str]:
        """Write the folder if one was requested; return the lines to print."""
        lines = [] if self.left_out is None else [f"left out: {', '.join(self.left_out) or 'nothing'}"]
        if self.made and self.folder:
            from harness.reproduce.reproduction import SCRIPTS  # noqa: PLC0415 - see `reproducing`

            keep(self.folder, self.made.files, SCRIPTS)
            lines += [*self.made.summary(), f"written to {self.folder}; begin with README.md"]
        return lines


def checked(given: Mapping[str, Any]) -> None:
    """UsageError if the options cannot be combined, or the folder cannot hold the reproducers."""
    if given["minimize"] and not given["reproduce"]:
        raise UsageError("--minimize needs --reproduce DIR: it drops options from the reproducers")
    if given["reproduce"]:
        unused(given["reproduce"])


def reproducing(
    given: Mapping[str, Any],
    runtime: Runtime,
    case: Case,
    again: Callable[[Case], CaseResult],
    judge: Callable[[CaseResult, Outcome | None], str | None],
    expected: Outcome | None,
) -> Reproducing:
    """Run the case; minimise it and make its reproducers if requested."""
    found = Minimal(case, again(case), ())
    if given["minimize"]:
        found = minimized(case, found.result, again)
    left_out = found.left_out if given["minimize"] else None
    made = None
    if given["reproduce"]:
        from harness.reproduce.reproduction import reproduction  # noqa: PLC0415 - a third of the time that `connect` takes to load

        wrong = judge(found.result, expected) or ""
        made = reproduction(
            found.result.connections, runtime.pki.pem_files, expected=expected, wrong=wrong, left_out=found.left_out
        )
    return Reproducing(found.case, found.result, left_out, made, given["reproduce"])
