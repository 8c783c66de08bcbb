"""An agent that a test speaks to line by line, without the harness's side of the protocol."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

from harness.builds.system import build_for
from harness.model.build import Build
from harness.runtime.process import Child
from harness.stacks.agent.host import agent_command, agent_environment

if TYPE_CHECKING:
    from harness.runtime.runtime import Runtime

STUB = """
import sys
from harness.agent import program
from harness.agent.library import LackError

class Library:
    name, version, description, driven = "stub", "0.0", "prints to stdout", {}
    def missing(self, role):
        return {}
    def context(self, role, knobs, files):
        print("a library that prints", flush=True)
        if knobs.get("timeout") == 1:
            raise RuntimeError("a fault of the driver")
        raise LackError("no contexts here")

program.load = lambda argv: Library()
program.main()
"""
"""An agent whose library prints to stdout and can do nothing."""


def libssl_build() -> Build:
    """The system's libssl."""
    build = build_for("libssl")
    assert isinstance(build, Build)
    return build


def libssl_agent(*more: str) -> tuple[str, ...]:
    """The command of an agent for the system's libssl, with further options."""
    build = libssl_build()
    options = ("--libssl", str(build.libssl), "--libcrypto", str(build.libcrypto))
    return agent_command(build, "libssl", *options, *more)


class RawAgent:
    """A running agent and the replies that it gave."""

    def __init__(self, runtime: Runtime, *argv: str) -> None:
        self.lines: list[bytes] = []
        self._loop = runtime.loop
        self.child = Child(
            runtime.loop,
            runtime.warden,
            "raw agent",
            argv or libssl_agent(),
            environment=agent_environment(libssl_build()),
            on_line=self.lines.append,
        )

    def answers(self, *lines: bytes) -> list[Any]:
        """Send lines, and give as many replies, in the order in which they came."""
        done = len(self.lines)
        self.child.send(b"\n".join([*lines, b""]))
        wanted = done + len(lines)
        self._loop.wait(lambda: len(self.lines) >= wanted or self.child.ended.done, f"{len(lines)} replies")
        return [json.loads(line) for line in self.lines[done:wanted]]

    def answer(self, **request: Any) -> Any:
        """Send one request, and give its reply."""
        return self.answers(json.dumps(request).encode())[0]


def stub_agent(runtime: Runtime) -> RawAgent:
    """An agent whose library prints to stdout."""
    return RawAgent(runtime, sys.executable, "-P", "-c", STUB)
