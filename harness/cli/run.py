"""`resumption run`: hands scenarios to pytest, which takes this process's place."""

from __future__ import annotations

import os
import re
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.cli.help import example
from harness.cli.shards import named_shard
from harness.model.errors import UsageError
from harness.results.run_options import RUN_OPTIONS, long_names

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Decorator = Callable[[Callable[..., None]], Callable[..., None]]

PACKAGE = Path(__file__).parent.parent

ALONE = ("-c", os.devnull, "-o", "python_files=*.py", "-p", "no:cacheprovider", "--import-mode=importlib")
"""What a checkout's pyproject.toml would say to pytest; nothing is written beside an installed package."""

ONE_PROCESS = re.compile(
    r"-n|--numprocesses|--dist|--maxprocesses|--tx|(-p)?no:xdist"
    r"|--pdb|--trace$|-[vqxl]*s[vqxl]*$|--capture|--co$|--collect-only|--setup-|--fixtures|--markers|-h$|--help|--version"
)
"""Arguments of pytest that choose how many processes there are, or that need the terminal or no test at all."""

TAKES_VALUE = re.compile(
    r"-[kmcprWon]|--(?:maxfail|capture|verbosity|report-chars|tb|show-capture|color|code-highlight|pastebin|assert|pdbcls"
    r"|durations|durations-(?:min|path)|junit-xml|junitxml|junit-prefix|pythonwarnings|max-warnings|lfnf"
    r"|last-failed-no-failures|ignore|ignore-glob|deselect|confcutdir|import-mode|config-file|rootdir|basetemp"
    r"|override-ini|log-[a-z-]+|splits|group|splitting-algorithm|numprocesses|maxprocesses|max-worker-restart|dist|tx|px"
    r"|maxschedchunk)"
)
"""Options of pytest, its plugins and the harness whose value may be the next argument."""


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


def paths(arguments: Sequence[str]) -> list[str]:
    """The arguments of pytest that are folders or files, perhaps with ``::`` and a test; neither options nor values."""
    own = {name for option in RUN_OPTIONS if option.metavar for name in (option.long, option.short)}
    after_option = [False, *(argument in own or bool(TAKES_VALUE.fullmatch(argument)) for argument in arguments)]
    return [
        argument
        for argument, is_value in zip(arguments, after_option, strict=False)
        if not is_value and not argument.startswith("-") and _looks_like_path(argument)
    ]


def _looks_like_path(argument: str) -> bool:
    path = argument.partition("::")[0]
    return "/" in path or "::" in argument or path.endswith(".py") or Path(path).exists()


def what_to_run(arguments: Sequence[str]) -> list[str]:
    """Arguments for all scenarios, unless the arguments name what to run: that has its own project's configuration."""
    return [] if paths(arguments) else scenarios(Path.cwd())


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
    """Arguments of pytest for the options that a user gave."""
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

    FOLDER and FILE are your own scenarios; they run with the pytest configuration of their project. Without one, all
    scenarios of the harness run.

    A GLOB is a stack, or stack@build with a version as people write it: openssl@3.5 is the newest 3.5 that is here,
    '*@3.*' every one on every stack. Of the chosen, `--matrix same` pairs those of one version; `against=BUILD` BUILD
    with each other, as client and as server; `pairwise` few pairs in which, for each test and choice of knobs, each
    client and each server is met by one of another version; `versions` fewer still, in which each version is.

    Further arguments are pytest's own: -k, -x, --junitxml=FILE, --lf. So are the exit codes, but for bad usage, which
    is 2. The scenarios run in a process for each processor; -n 0 is a single one, as are --pdb and -s.

    Under a scheduler the run is one shard: RESUMPTION_SHARD=1/3 is the first third of the cells. GitLab, Slurm arrays
    and indexed jobs of Kubernetes (with RESUMPTION_SHARDS=3) say so themselves.
    """
    further = long_names(arguments)
    everything = [*shlex.split(os.environ.get("PYTEST_ADDOPTS", "")), *further]
    chosen, workers, shard = what_to_run(further), processes(everything), named_shard(os.environ, everything)
    if shard:
        click.echo(f"shard {shard.number} of {shard.count}, as {shard.source} says", err=True)
    sys.stdout.flush()
    run_pytest([*given_options(options), *workers, *(shard.arguments if shard else []), *chosen, *further])


def run_pytest(arguments: Sequence[str]) -> None:
    """Become pytest with the harness's plugin, so that signals and exit codes are its own."""
    os.execv(  # noqa: S606 - no shell is wanted
        sys.executable, [sys.executable, "-m", "harness.plugin", *arguments]
    )
