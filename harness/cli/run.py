"""``resumption run``: hands the scenarios to pytest, in this process's place; it judges and prints nothing itself."""

from __future__ import annotations

import os
import re
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.model.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

PYTEST = (sys.executable, "-m", "pytest", "-p", "harness.plugin.hooks")
"""The command line of pytest with the harness's plugin."""
PACKAGE = Path(__file__).parent.parent

ALONE = ("-c", os.devnull, "-o", "python_files=*.py", "-p", "no:cacheprovider", "--import-mode=importlib")
"""What a checkout's pyproject.toml would say to pytest; nothing is written beside an installed package."""

ONE_PROCESS = re.compile(
    r"-n|--numprocesses|--dist|--maxprocesses|--tx|(-p)?no:xdist"
    r"|--pdb|--trace$|-[vqxl]*s[vqxl]*$|--capture|--co$|--collect-only|--setup-|--fixtures|--markers|-h$|--help|--version"
)
"""Arguments of pytest that choose how many processes there are, or that need the terminal or no test at all."""


def scenarios(folder: Path, package: Path = PACKAGE) -> list[str]:
    """Arguments for the scenarios of the checkout ``folder``, else of the one the package is in, else its own."""
    for checkout in (folder, package.parent):
        if (checkout / "scenarios").is_dir() and (checkout / "conftest.py").is_file():
            return ["-c", str(checkout / "pyproject.toml"), str(checkout / "scenarios")]
    if (package / "scenarios").is_dir():
        return [*ALONE, f"--rootdir={package}", str(package / "scenarios")]
    places = f"{folder / 'scenarios'}, {package.parent / 'scenarios'} or {package / 'scenarios'}"
    raise UsageError(f"no scenarios in {places}; run it in a checkout, or reinstall the harness")


def processes(arguments: Sequence[str]) -> list[str]:
    """``-n auto``, unless the arguments choose a number of processes or ask for what needs a single one."""
    chosen = any(ONE_PROCESS.match(argument) for argument in arguments)
    return [] if chosen else ["-n", "auto"]


def names_scenarios(argument: str) -> bool:
    """Whether an argument of pytest is the path of a scenario file, perhaps with ``::`` and a test."""
    path = Path(argument.partition("::")[0])
    return path.suffix == ".py" and path.is_file()


@click.command(context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@click.option("--client", multiple=True, metavar="GLOB", help="Only clients whose stack or stack@build matches.")
@click.option("--server", multiple=True, metavar="GLOB", help="Only servers whose stack or stack@build matches.")
@click.option("--matrix", metavar="all|same|pairwise|versions|against=BUILD", help="Which client meets which server.")
@click.option("--results", metavar="DIR", help="Folder for results.json and the evidence; by default a dated one.")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED, metavar="[PYTEST ARGUMENTS]...")
def run(
    client: tuple[str, ...],
    server: tuple[str, ...],
    matrix: str | None,
    results: str | None,
    arguments: tuple[str, ...],
) -> None:
    """Run every scenario between all stacks of this machine, or those that GLOBs choose.

    A GLOB is a stack, or stack@build with a version as people write it: openssl@3.5 is the newest 3.5 that is here,
    '*@3.*' every one on every stack. Of the chosen, `--matrix same` pairs those of one version; `against=BUILD` BUILD
    with each other, as client and as server; `pairwise` few pairs in which, for each test and choice of knobs, each
    client and each server is met by one of another version; `versions` fewer still, in which each version is.

    Further arguments are pytest's own: -k, -x, --junitxml=FILE, --lf, paths of scenarios. So are the exit codes. The
    scenarios run in a process for each processor; -n 0 is a single one, as are --pdb and -s.
    """
    given = [f"--client={glob}" for glob in client] + [f"--server={glob}" for glob in server]
    given += [f"--matrix={matrix}"] if matrix else []
    given += [f"--results={results}"] if results else []
    chosen = [] if any(names_scenarios(argument) for argument in arguments) else scenarios(Path.cwd())
    given += processes([*shlex.split(os.environ.get("PYTEST_ADDOPTS", "")), *arguments])
    sys.stdout.flush()
    os.execv(  # noqa: S606 - no shell is wanted: pytest is this process from here on, so that signals and exit codes are its own
        sys.executable, [*PYTEST, *given, *chosen, *arguments]
    )
