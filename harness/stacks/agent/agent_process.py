"""The process of an agent: sends requests in bursts and resolves a Pending with each reply."""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from harness.agent.joined.joining import JOINING
from harness.agent.vocabulary import LONGEST_LINE
from harness.model.errors import (
    EndpointError,
    RefusedError,
    SessionFormatError,
    TimedOutError,
    UnsupportedError,
    UsageError,
)
from harness.runtime.loop import Pending
from harness.runtime.process import FLOOD, Child, how_it_ended

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from harness.runtime.runtime import Runtime

T = TypeVar("T")
ENCODED = msgspec.json.Encoder().encode
"""Encodes a request, if no text of it has a lone surrogate and no number is over 64 bits."""
ENCODED_SLOWLY = json.JSONEncoder(separators=(",", ":")).encode
"""Encodes every other one."""
DECODED = msgspec.json.Decoder().decode
TRACE = "RESUMPTION_TRACE"
"""If this environment variable is 1, requests and replies are shown on stderr; they can contain session secrets."""
STARTS = 3
"""How many times the deadline of a request an agent has for its first reply: its interpreter and library load too."""
SHOWN = 500
"""How many bytes of an invalid line an error shows."""


class RefusalError(Exception):
    """An error reply, with the ``kind``, ``queue`` and ``end`` of the protocol."""

    def __init__(self, error: Mapping[str, Any]) -> None:
        super().__init__(str(error["message"]))
        self.kind = str(error["kind"])
        self.queue: list[dict[str, Any]] = [dict(entry) for entry in error.get("queue", ())]
        self.end = error.get("end")


class AgentProcess:
    """A running agent. If it breaks the protocol, it is killed and all its requests fail with EndpointError."""

    def __init__(
        self,
        runtime: Runtime,
        name: str,
        argv: Sequence[str],
        environment: Mapping[str, str] | None = None,
        deadline: float | None = None,
        *,
        packs: bool = False,
    ) -> None:
        """If it ``packs``, the requests of a burst are one line, an array, as the harness's own agents take them."""
        self.name = name
        self._packs = packs
        self.deadline = runtime.loop.deadline if deadline is None else deadline
        self._loop = runtime.loop
        self._next = 0
        self._unsent: list[bytes] = []
        self._traced = os.environ.get(TRACE) == "1"
        self._open: dict[int, tuple[str, Callable[[Mapping[str, Any]], None], Callable[[BaseException], None]]] = {}
        self._dead: EndpointError | None = None
        self._freed: Pending[None] | None = None
        """The last request to free a context."""
        self.sets_clocks = False
        """Whether it has set the clock of a context, and so can."""
        self.child = Child(
            self._loop,
            runtime.warden,
            f"the agent {name}",
            argv,
            environment=environment,
            on_line=self._on_line,
            keep_stdout=False,
        )
        self.child.longest_line = LONGEST_LINE
        self.child.ended.when_done(self._on_end)

    @property
    def alive(self) -> bool:
        """Return whether it takes requests."""
        return self._dead is None

    @property
    def idle(self) -> bool:
        """Return whether it has answered every request."""
        return not self._open

    def unique(self, letter: str) -> str:
        """Return a name that no object in this process has."""
        self._next += 1
        return f"{letter}{self._next}"

    def ask(
        self,
        verb: str,
        fields: Mapping[str, Any],
        read: Callable[[Mapping[str, Any]], T],
        refused: Callable[[RefusalError], T] | None = None,
    ) -> Pending[T]:
        """Send a request before the loop next waits; ``read`` turns its reply into the result.

        ``refused`` turns an error reply of kind ``tls`` or ``end`` into the result. Without it, and for other kinds,
        the Pending is rejected with UnsupportedError (``lack``), RefusedError (``tls``) or EndpointError.
        """
        self._next += 1
        number = self._next
        about = fields.get("connection") or fields.get("as") or fields.get("context") or ""
        pending: Pending[T] = Pending(f"{self.name}'s reply to {verb} {about}".rstrip())
        if self._dead is not None:
            pending.reject(self._dead)
            return pending

        def ok(result: Mapping[str, Any]) -> None:
            try:
                pending.resolve(read(result))
            except SessionFormatError as error:
                pending.reject(error)

        def error(refusal: BaseException) -> None:
            if refused is not None and isinstance(refusal, RefusalError) and refusal.kind in {"tls", "end"}:
                pending.resolve(refused(refusal))
            else:
                pending.reject(self._translated(verb, refusal))

        line = self._line({"id": number, "verb": verb, **fields})
        if len(line) > LONGEST_LINE - 2 * self._packs:  # an array has brackets
            what = f"a request of {len(line)} bytes, and a line of the protocol has at most {LONGEST_LINE}"
            pending.reject(UsageError(f"{self.name}: {verb} needs {what}; give it less"))
            return pending
        self._open[number] = (verb, ok, error)
        if not self._unsent:
            self._loop.soon(self._send)
        self._unsent.append(line)
        return pending

    def _line(self, request: Mapping[str, Any]) -> bytes:
        with contextlib.suppress(UnicodeEncodeError, OverflowError):
            return ENCODED(request)
        return ENCODED_SLOWLY(request).encode()

    def free(self, context: str) -> None:
        """Ask the agent to free a context with its listeners and connections."""
        self._freed = self.ask("free_context", {"context": context}, lambda _reply: None)

    def probe(self) -> Pending[Any]:
        """A request without an answer so far that the agent carries out at once: to free a context, or its hello."""
        if self._freed is None or self._freed.done:
            return self.ask("hello", {}, lambda _reply: None)
        return self._freed

    def call(self, verb: str, fields: Mapping[str, Any], read: Callable[[Mapping[str, Any]], T]) -> T:
        """Send a request and wait for its result; EndpointError, and a killed agent, if the deadline passes."""
        return self.answer(verb, self.ask(verb, fields, read))

    def started(self, pending: Pending[T]) -> T:
        """Wait for the reply to the first ``hello``, STARTS times as long as for that to another request."""
        return self.answer("hello", pending, STARTS * self.deadline)

    def answer(self, verb: str, pending: Pending[T], deadline: float | None = None) -> T:
        """Wait for the result of a request that was sent before, as ``call`` does."""
        try:
            self._loop.settle([pending], self.deadline if deadline is None else deadline)
        except TimedOutError as error:
            self.kill(f"did not answer {verb} within {error.seconds:g} s")
        return pending.result()

    def _translated(self, verb: str, error: BaseException) -> BaseException:
        if not isinstance(error, RefusalError):
            return error
        if error.kind == "lack":
            return UnsupportedError(self.name, verb, str(error).removeprefix(f"{verb}: "))
        if error.kind == "tls":
            return RefusedError(self.name, verb, error.queue)
        if error.kind == "usage" and (verb == "context" or JOINING[verb].optional):  # of a knob, or of a step
            return UsageError(f"{self.name}: {error}")
        return EndpointError(self.name, f"{verb} failed ({error.kind}): {error}", self.child.output)

    def _send(self) -> None:
        if self._unsent and self._dead is None:
            lines, self._unsent = self._unsent, []
            if self._traced:
                for line in lines:
                    self._trace(">", line)
            if self._packs:
                lines = packed(lines)
            self.child.send(b"\n".join([*lines, b""]))

    def _on_line(self, line: bytes) -> None:
        if self._dead is not None:
            return
        try:
            found = DECODED(line)
            replies = found if self._packs and isinstance(found, list) else (found,)
            if self._traced:
                for reply in replies:
                    self._trace("<", ENCODED(reply))
            for reply in replies:
                self._settle(reply)
        except (ValueError, KeyError, TypeError, AttributeError, msgspec.DecodeError) as error:
            shown = line[:SHOWN].decode(errors="replace")
            self.kill(f"broke the protocol ({type(error).__name__}: {error}) with the line {shown!r}")

    def _trace(self, direction: str, line: bytes) -> None:
        """Show a line to the agent (``>``) or from it (``<``), with the monotonic time in seconds."""
        text = line.decode(errors="replace").rstrip()
        sys.stderr.write(f"{time.monotonic():.6f} {self.name} pid={self.child.pid} {direction} {text}\n")

    def _settle(self, reply: Mapping[str, Any]) -> None:
        entry = self._open.get(reply["id"])
        if entry is None:
            raise ValueError(f"no request {reply['id']} is open")
        if "error" in reply:
            entry[2](RefusalError(reply["error"]))
        else:
            entry[1](reply["ok"])
        del self._open[reply["id"]]
        if not self._open and self.child.size > FLOOD // 2:
            self.child.forget()

    def _on_end(self) -> None:
        if self.child.ended.error is not None:
            self._fail(str(self.child.ended.error))
        else:
            status = self.child.ended.result()
            self._fail(how_it_ended(status), status)

    def kill(self, what: str) -> None:
        """Send SIGKILL; every open request fails with the reason ``what``."""
        self.child.kill()
        self._fail(what)

    def _fail(self, what: str, status: int | None = None) -> None:
        if self._dead is None:
            asked = ", ".join(verb for verb, _, _ in self._open.values())
            during = f"; unanswered: {asked}" if asked else ""
            self._dead = EndpointError(self.name, f"the agent {what}{during}", self.child.output, status)
            open_, self._open = self._open, {}
            for _, _, error in open_.values():
                error(self._dead)

    def close(self) -> None:
        """End the process."""
        if self._dead is None:
            self._dead = EndpointError(self.name, "the agent was closed")
        self._unsent.clear()
        self.child.close()


def packed(lines: Sequence[bytes]) -> list[bytes]:
    """Return arrays of these requests, each as long as a line may be."""
    found: list[list[bytes]] = []
    room = 0
    for line in lines:
        room -= len(line) + 1
        if room < 0:
            found.append([])
            room = LONGEST_LINE - len(line) - 2
        found[-1].append(line)
    return [b"[%b]" % b",".join(each) for each in found]
