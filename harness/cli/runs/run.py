"""`resumption run`: replaces this process with pytest, which runs the scenarios."""

from __future__ import annotations

import os
import re
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.cli.messages import example
from harness.cli.runs.shards import named_shard, unsharded
from harness.model.errors import UsageError
from harness.results.run_options import RUN_OPTIONS, long_names

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    Decorator = Callable[[Callable[..., None]], Callable[..., None]]

PACKAGE = Path(__file__).parents[2]

ALONE = ("-c", os.devnull, "-o", "python_files=*.py", "-p", "no:cacheprovider", "--import-mode=importlib")
"""The settings of a checkout's pyproject.toml for an installed package; pytest writes nothing beside it."""

ONE_PROCESS = re.compile(
    r"-n|--numprocesses|--dist|--maxprocesses|--tx|(-p)?no:xdist"
    r"|--pdb|--trace$|-[vqxl]*s[vqxl]*$|--capture|--co$|--collect-only|--setup-|--fixtures|--markers|-h$|--help|--version"
)
"""pytest's arguments that set the number of processes, need the terminal, or run no test."""

TAKES_VALUE = re.compile(
    r"-[kmcprWon]|--(?:maxfail|capture|verbosity|report-chars|tb|show-capture|color|code-highlight|pastebin|assert|pdbcls"
    r"|durations|durations-(?:min|path)|junit-xml|junitxml|junit-prefix|pythonwarnings|max-warnings|lfnf"
    r"|last-failed-no-failures|ignore|ignore-glob|deselect|confcutdir|import-mode|config-file|rootdir|basetemp"
    r"|override-ini|log-[a-z-]+|splits|group|splitting-algorithm|numprocesses|maxprocesses|max-worker-restart|dist|tx|px"
    r"|maxschedchunk)"
)
"""Options of pytest, its plugins and the harness that take the next argument as their value."""

LEAN = ("-p", "no:hypothesispytest")
"""Its plugin imports all of hypothesis at the end of each process, and the scenarios of the harness use none of it."""


def scenarios(folder: Path, package: Path = PACKAGE) -> list[str]:
    """Return arguments for the scenarios of the checkout ``folder``, of the package's checkout, or of the package."""
    for checkout in (folder, package.parent):
        if (checkout / "scenarios").is_dir() and (checkout / "conftest.py").is_file():
            return [*LEAN, "-c", str(checkout / "pyproject.toml"), str(checkout / "scenarios")]
    if (package / "scenarios").is_dir():
        return [*LEAN, *ALONE, f"--rootdir={package}", str(package / "scenarios")]
    places = f"{folder / 'scenarios'}, {package.parent / 'scenarios'} or {package / 'scenarios'}"
    raise UsageError(f"no scenarios in {places}; run the command in a checkout, or reinstall the harness")


def processes(arguments: Sequence[str]) -> list[str]:
    """Return ``-n auto``, unless the arguments set the number of processes or need a single one."""
    chosen = any(ONE_PROCESS.match(argument) for argument in arguments)
    return [] if chosen else ["-n", "auto"]


def refuse_bytes(arguments: Iterable[str]) -> None:
    """UsageError for an argument that is not UTF-8, which pytest-xdist cannot give to its workers."""
    for argument in arguments:
        try:
            argument.encode()
        except UnicodeEncodeError as error:
            raise UsageError(f"{argument!r} is not UTF-8, and pytest-xdist takes nothing else; rename it") from error


def paths(arguments: Sequence[str]) -> list[str]:
    """Return the arguments that are folders, files or test ids, not options or their values."""
    own = {name for option in RUN_OPTIONS if option.metavar for name in (option.long, option.short)}
    after_option = [False, *(argument in own or bool(TAKES_VALUE.fullmatch(argument)) for argument in arguments)]
    return [
        argument
        for argument, is_value in zip(arguments, after_option, strict=False)
        if not is_value and not argument.startswith("-") and _looks_like_path(argument)
    ]


def _looks_like_path(argument: str) -> bool:
    path = argument.partition("::")[0]
    return Path(path).exists() or "/" in path or "::" in argument or path.endswith(".py")


def what_to_run(arguments: Sequence[str]) -> list[str]:
    """Return arguments for all scenarios; none if the user names files, which use their own project's configuration."""
    return [] if paths(arguments) else scenarios(Path.cwd())


def found(arguments: Sequence[str]) -> list[str]:
    """Return the arguments with each file that is not here, and is one of the harness's own scenarios, found there."""
    absent = [path for path in paths(arguments) if not Path(path.partition("::")[0]).exists()]
    if not absent or len(absent) < len(paths(arguments)):
        return list(arguments)
    *settings, folder = scenarios(Path.cwd())
    if not all((Path(folder) / path.partition("::")[0]).is_file() for path in absent):
        return list(arguments)
    return [*settings, *(str(Path(folder) / one) if one in absent else one for one in arguments)]


def run_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add `--NAME` for each option of a run."""
    for option in reversed(RUN_OPTIONS):
        name = (option.short, option.dest)
        if option.metavar:
            many = option.many
            command = click.option(*name, type=str, multiple=many, metavar=option.metavar, help=option.help)(command)
        else:
            command = click.option(*name, is_flag=True, help=option.help)(command)
    return command


def given_options(values: dict[str, object]) -> list[str]:
    """Return pytest's arguments for the options that the user typed."""
    given: list[str] = []
    for option in RUN_OPTIONS:
        value = values[option.dest]
        if not option.metavar:
            given += [option.long] if value else []
        elif value is not None:
            given += [f"{option.long}={each}" for each in (value if isinstance(value, tuple) else (value,))]
    return given


@click.command(
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
    epilog=example("run --client openssl --server 'libssl@3.*' -k tls13"),
)
@run_options
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED, metavar="[FOLDER|FILE|PYTEST ARGUMENT]...")
def run(*, arguments: tuple[str, ...], **options: object) -> None:
    """Run scenarios between all stacks of this machine, or between those that GLOBs choose.

    FOLDER and FILE are your own scenarios; they use the pytest configuration of their project. A FILE that is not here
    is one of the harness, such as tls13_ticket.py. Without them, all scenarios of the harness run.

    A GLOB is a stack, or stack@build: openssl@3.5 is the newest cached 3.5, '*@3.*' is every 3.x build on every stack.
    `--matrix same` pairs builds of the same version, `across` those of different ones. `against=BUILD` pairs BUILD with
    every other build, as client and as server. `pairwise` selects a few pairs so that, for each test and choice of
    knobs, each client and each server meets one of another version. `versions` selects fewer still, so that each
    version does.

    Further arguments go to pytest: -k, -x, --junitxml=FILE, --lf. Exit codes are pytest's, except 2 for bad usage. The
    scenarios run in one process per CPU; -n 0, --pdb and -s use a single process.

    Under a scheduler the run is one shard: RESUMPTION_SHARD=1/3 runs the first third of the cells. GitLab, Slurm arrays
    and indexed Kubernetes jobs (with RESUMPTION_SHARDS=3) are detected.
    """
    further = found(long_names(arguments))
    everything = [*shlex.split(os.environ.get("PYTEST_ADDOPTS", "")), *further]
    chosen, workers, shard = what_to_run(further), processes(everything), named_shard(os.environ, everything)
    if shard:
        says = "say" if " and " in shard.source else "says"
        click.echo(f"shard {shard.number} of {shard.count}, as {shard.source} {says}", err=True)
    elif note := unsharded(os.environ, shard):
        click.echo(note, err=True)
    sys.stdout.flush()
    run_pytest([*given_options(options), *workers, *(shard.arguments if shard else []), *chosen, *further])


def run_pytest(arguments: Sequence[str]) -> None:
    """Replace this process with pytest and the harness's plugin; signals and exit codes are then pytest's own.

    UsageError for an argument that is not UTF-8.
    """
    refuse_bytes(arguments)
    os.execv(  # noqa: S606 - no shell is wanted
        sys.executable, [sys.executable, "-m", "harness.plugin", *arguments]
    )
