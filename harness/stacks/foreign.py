"""A stack that a user registered: a file with the command of an agent, which says itself what it can do."""

from __future__ import annotations

import os
import re
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import platformdirs

from harness.model.build import Build
from harness.model.deadline import stretched
from harness.model.errors import UsageError
from harness.model.tls import Role
from harness.stacks.agent.agent_process import AgentProcess
from harness.stacks.agent.hello import read_hello
from harness.stacks.agent.stack import AgentStack, clock_missing

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from harness.runtime.runtime import Runtime
    from harness.stacks.agent.hello import Hello

NAME = re.compile(r"[a-z][a-z0-9_]*")
STARTS_WITHIN = 10.0
"""Seconds in which an agent must answer ``hello``."""


@dataclass(frozen=True, slots=True)
class Registration:
    """The name of a stack, and the command that starts its agent."""

    name: str
    command: tuple[str, ...]


def folder() -> Path:
    """The folder in the user's configuration (XDG_CONFIG_HOME) whose files are stacks."""
    return platformdirs.user_config_path("resumption-harness") / "stacks"


def registered(files: Sequence[Path], taken: Collection[str]) -> dict[str, Registration]:
    """The stacks of the user's folder and of these files, by name; a file replaces the folder's stack of its name.

    UsageError names a file that cannot be read, holds no command, or whose name is ``taken``.
    """
    try:
        own = sorted(path for path in folder().iterdir() if path.is_file() and not path.name.startswith("."))
    except OSError:
        own = []
    return {one.name: one for one in (_read(path, taken) for path in (*own, *files))}


def _read(path: Path, taken: Collection[str]) -> Registration:
    name = path.stem
    if not NAME.fullmatch(name) or name in taken:
        why = f"{name!r} is a stack of the harness" if name in taken else "use small letters, digits and _"
        raise UsageError(f"{path} cannot be a stack: its name is the stack's, and {why}")
    try:
        words = shlex.split(path.read_text(), comments=True)
    except (OSError, ValueError) as error:
        raise UsageError(f"{path} cannot be read as the command of an agent: {error}") from error
    if not words:
        raise UsageError(f"{path} holds no command; write the command line that starts the agent")
    return Registration(name, of_folder(words, path.absolute().parent))


def of_folder(words: Sequence[str], where: Path) -> tuple[str, ...]:
    """The command with a relative path of its program made absolute, from the folder of the file that holds it."""
    first = words[0]
    return (str(where / first) if "/" in first and not Path(first).is_absolute() else first, *words[1:])


def ask_hello(one: Registration, runtime: Runtime) -> Hello:
    """Start the agent for its ``hello``; EndpointError if it does not start, does not answer or breaks the protocol."""
    process = AgentProcess(runtime, one.name, one.command, dict(os.environ), stretched(STARTS_WITHIN))
    try:
        return process.call("hello", {}, read_hello)
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
