"""A stack that is the command of an agent: one of the harness's own for other libraries, or one that is registered."""

from __future__ import annotations

import os
import re
import shlex
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING

import platformdirs

from harness.builds.libraries import foreign_libraries
from harness.builds.system import Missing
from harness.model.build import Build
from harness.model.errors import UsageError, given_bytes
from harness.model.tls import Role
from harness.stacks.agent.agent_process import AgentProcess
from harness.stacks.agent.hello import read_hello
from harness.stacks.agent.stack import AgentStack, clock_missing

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from importlib.metadata import EntryPoint

    from harness.runtime.runtime import Runtime
    from harness.stacks.agent.hello import Hello

NAME = re.compile(r"[a-z][a-z0-9_]*")
COMMAND = "write the command line that starts the agent"
GROUP = "resumption_harness.stacks"
"""The entry points of installed packages that are stacks: each is a command, as one string or a list of words."""


@dataclass(frozen=True, slots=True)
class Registration:
    """The name of a stack, and the command that starts its agent."""

    name: str
    command: tuple[str, ...]


def folder() -> Path:
    """The folder in the user's configuration (XDG_CONFIG_HOME) whose files are stacks."""
    return platformdirs.user_config_path("resumption-harness") / "stacks"


def commands(files: Sequence[Path], taken: Collection[str]) -> dict[str, Registration]:
    """The stacks whose commands stand in the folder and in ``files``, by name; one that comes later replaces another.

    UsageError names a file that cannot be read, holds no command, or whose name is ``taken``.
    """
    try:
        own = sorted(path for path in folder().iterdir() if path.is_file() and not path.name.startswith("."))
    except OSError:
        own = []
    return {one.name: one for one in (_read(path, taken) for path in (*own, *files))}


def installed(taken: Collection[str]) -> dict[str, Registration | Missing]:
    """The stacks that are ready of the harness's own, and those of entry points; all installed packages are looked at.

    An entry point that cannot be loaded is Missing.
    """
    return {
        **{one.name: Registration(one.name, one.argv()) for one in foreign_libraries().values() if one.ready},
        **{_key(one): one for one in (_loaded(point, taken) for point in entry_points(group=GROUP))},
    }


def _key(one: Registration | Missing) -> str:
    return one.stack if isinstance(one, Missing) else one.name


def _loaded(point: EntryPoint, taken: Collection[str]) -> Registration | Missing:
    """The command that an installed package names; a broken package must not end a run."""
    if (why := _unfit(point.name, taken)) is not None:
        return Missing(
            point.value, f"the entry point {point.name} cannot be a stack: its name is the stack's, and {why}"
        )
    try:
        command = point.load()
        words = shlex.split(command) if isinstance(command, str) else [os.fspath(word) for word in command]
    except Exception as error:  # noqa: BLE001 - the code of another package may raise anything
        return Missing(point.name, f"the entry point {point.value} cannot be loaded: {type(error).__name__}: {error}")
    if not words:
        return Missing(point.name, f"the entry point {point.value} holds no command: a string, or a list of words")
    return Registration(point.name, tuple(words))


def _unfit(name: str, taken: Collection[str]) -> str | None:
    if name in taken:
        return f"{name!r} is a stack of the harness"
    return None if NAME.fullmatch(name) else "use small letters, digits and _"


def _read(path: Path, taken: Collection[str]) -> Registration:
    name = path.stem
    if (why := _unfit(name, taken)) is not None:
        raise UsageError(f"{path} cannot be a stack: its name is the stack's, and {why}")
    try:
        words = shlex.split(given_bytes(path, str(path), COMMAND).decode(), comments=True)
    except ValueError as error:
        raise UsageError(f"{path} cannot be read as the command of an agent: {error}") from error
    if not words:
        raise UsageError(f"{path} holds no command; {COMMAND}")
    return Registration(name, of_folder(words, path.absolute().parent))


def of_folder(words: Sequence[str], where: Path) -> tuple[str, ...]:
    """The command with a relative path of its program made absolute, from the folder of the file that holds it."""
    first = words[0]
    return (str(where / first) if "/" in first and not Path(first).is_absolute() else first, *words[1:])


def ask_hello(one: Registration, runtime: Runtime) -> Hello:
    """Start the agent for its ``hello``; EndpointError if it does not start, does not answer or breaks the protocol."""
    process = AgentProcess(runtime, one.name, one.command, dict(os.environ))
    try:
        return process.started(process.ask("hello", {}, read_hello))
    finally:
        process.close()


def build_of(one: Registration, hello: Hello) -> Build:
    """The build that the agent drives."""
    return Build(hello.version, shlex.join(one.command), library=hello.library)


class ForeignStack(AgentStack):
    """An agent that was registered, with the abilities that its ``hello`` says."""

    def __init__(self, one: Registration, hello: Hello, runtime: Runtime) -> None:
        abilities = {role: hello.abilities(role, clock_missing()) for role in Role}
        super().__init__(one.name, build_of(one, hello), runtime, abilities, command=one.command)
