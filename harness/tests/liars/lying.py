"""Stacks that lie: a real libssl whose agent lies, and any stack whose parsed report is falsified."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from harness.runtime.loop import Pending
from harness.stacks.libssl import LibsslStack
from harness.tests.raw_agent import libssl_build

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.model.session import Session
    from harness.model.view import EndpointReport
    from harness.runtime.runtime import Runtime
    from harness.stacks.base import Stack

LIAR = str(Path(__file__).parent / "liar.py")
T = TypeVar("T")


class Liars:
    """libssl stacks whose agents lie, and honest ones."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._stacks: list[LibsslStack] = []

    def stack(self, **lie: Any) -> LibsslStack:
        """A stack that lies as harness.tests.liars.liar has it; an honest one without a lie."""
        build = libssl_build()
        if lie:
            build = replace(build, python=(sys.executable, LIAR, json.dumps(lie)))
        self._stacks.append(LibsslStack(build, self._runtime))
        return self._stacks[-1]

    def close(self) -> None:
        """End their agents."""
        for stack in self._stacks:
            stack.close()


def after(pending: Pending[T], change: Callable[[T], T]) -> Pending[T]:
    """What a Pending gives, changed."""
    changed = Pending[T](pending.what)

    def done() -> None:
        if pending.error is not None:
            changed.reject(pending.error)
        else:
            changed.resolve(change(pending.result()))

    pending.when_done(done)
    return changed


class Falsified:
    """A stack, an endpoint or a link of it, whose reports and sessions are changed; all else is the real one's."""

    def __init__(
        self,
        real: Any,
        report: Callable[[EndpointReport], EndpointReport] | None = None,
        session: Callable[[Session], Session] | None = None,
    ) -> None:
        self._real, self._report, self._session = real, report, session

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def _of(self, real: Any) -> Falsified:
        return Falsified(real, self._report, self._session)

    def client(self, config: Any) -> Any:
        """A client whose links are falsified."""
        return self._of(self._real.client(config))

    def server(self, config: Any) -> Any:
        """A server whose links are falsified."""
        return self._of(self._real.server(config))

    def connect(self, *arguments: Any) -> Any:
        """A falsified link."""
        return self._of(self._real.connect(*arguments))

    def accept(self) -> Any:
        """A falsified link."""
        return self._of(self._real.accept())

    def release(self) -> Any:
        """The report, falsified."""
        return after(self._real.release(), self._report) if self._report else self._real.release()

    def ask(self, verb: str, **fields: Any) -> Any:
        """The sessions, falsified."""
        asked, change = self._real.ask(verb, **fields), self._session
        if change is None or verb not in {"session", "sessions"}:
            return asked
        if verb == "sessions":
            return after(asked, lambda sessions: tuple(map(change, sessions)))
        return after(asked, lambda session: session and change(session))


def falsified(stack: Stack, report: Callable[[EndpointReport], EndpointReport]) -> Any:
    """The stack with reports that ``report`` changes."""
    return Falsified(stack, report)


def with_sessions(stack: Stack, session: Callable[[Session], Session]) -> Any:
    """The stack with sessions that ``session`` changes."""
    return Falsified(stack, session=session)
