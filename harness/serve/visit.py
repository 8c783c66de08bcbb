"""One connection of a client that the harness does not drive: handshake, answer, close, report."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.model.errors import EndpointError
from harness.model.tls import Close

if TYPE_CHECKING:
    from typing import Any

    from harness.model.view import EndpointReport
    from harness.runtime.loop import Pending
    from harness.runtime.tap import Tapped
    from harness.stacks.base import Link

REQUEST = re.compile(rb"[A-Z]+ \S+ HTTP/1\.[01]\r?\n")
"""The first line of a request (RFC 9112, 3)."""
GRACE = 2.0
"""Seconds that a client has to end TCP once the server has ended its side."""


@dataclass(frozen=True)
class Manner:
    """How the server ends its connections."""

    notifies: bool = True
    """Whether it sends close_notify before it ends TCP."""
    waits: float = 0.0
    """Seconds between its handshake and its answer."""


class Visit:
    """An open connection. The client's part is HTTP, lines that are sent back, or nothing but an end."""

    def __init__(self, number: int, link: Link, tapped: Tapped, manner: Manner) -> None:
        self.number = number
        self.tapped = tapped
        self.trouble: BaseException | None = None
        """What ended the server's part, if its agent died or the client asked for what no agent can do."""
        self._link = link
        self._manner = manner
        self._head: list[bytes] = []
        """The lines of a request so far."""
        self._due: float | None = None
        """When the server answers."""
        self._leave: float | None = None
        """When the connection is ended for a client that does not end it."""
        self._report: Pending[EndpointReport] | None = None
        self._done(link.handshake(), self._shaken)

    def _done(self, pending: Pending[Any], then: Any) -> None:
        def settled() -> None:
            if isinstance(pending.error, EndpointError):
                self.trouble = self.trouble or pending.error
                self.tapped.reset()
                self._release()
            elif pending.error is not None:
                raise pending.error
            else:
                then(pending.result())

        pending.when_done(settled)

    def _shaken(self, complete: bool) -> None:  # noqa: FBT001 - a result
        if not complete:
            self._release()
            return
        self._due = time.monotonic() + self._manner.waits
        self._begin()

    def _begin(self) -> None:
        """Begin the conversation."""
        self._read()

    def _read(self) -> None:
        self._done(self._link.read_line(), self._on_line)

    def _on_line(self, line: bytes) -> None:
        if not line.endswith(b"\n"):
            self._close()
        elif self._head or REQUEST.fullmatch(line):
            self._head.append(line)
            if line.strip():
                self._read()
            else:
                self.tick()
        else:
            self._done(self._link.write(line), lambda _sent: None)
            self._read()

    def tick(self) -> None:
        """Do what is due; the server calls it again and again."""
        now = time.monotonic()
        if self._head and not self._head[-1].strip() and self._due is not None and now >= self._due:
            self._due = None
            self._answer()
        if self._leave is not None and now >= self._leave and not self.tapped.ended:
            self._leave = now + GRACE
            if self.reported:
                self.tapped.close()
            else:
                self.tapped.cut(Close.EOF)

    def _answer(self) -> None:
        body = f"connection {self.number}\n"
        head = (
            f"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        )
        self._done(self._link.write((head + body).encode()), lambda _sent: None)
        self._close()

    def _close(self) -> None:
        if self._manner.notifies:
            self._done(self._link.shutdown(), lambda _sent: None)
            self._done(self._link.await_end(), lambda _ending: None)
        self._release()

    def _release(self) -> None:
        self._leave = time.monotonic() + GRACE
        if self._report is None:
            self._report = self._link.release()

    @property
    def reported(self) -> bool:
        """Whether the server has freed the connection and reported what it saw."""
        return self._report is not None and self._report.done

    @property
    def over(self) -> bool:
        """Whether both TCP connections have ended too."""
        return self.reported and self.tapped.ended

    @property
    def report(self) -> EndpointReport:
        """What the server saw; EndpointError if its process died."""
        if self._report is None:
            raise AssertionError("the connection is not over")
        return self._report.result()
