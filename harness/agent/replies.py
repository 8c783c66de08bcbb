"""Replies: error objects for exceptions, and an outbox that writes all replies of a turn at once."""

from __future__ import annotations

import json
import os
import traceback
from collections import deque
from typing import TYPE_CHECKING, Any

from harness.agent.fields import RequestError
from harness.agent.library import EndError, LackError, TlsError
from harness.agent.vocabulary import LONGEST_LINE

if TYPE_CHECKING:
    from harness.agent.watcher import Watcher

ENCODED = json.JSONEncoder(separators=(",", ":")).encode
"""Encodes a reply; one encoder serves all replies."""
KINDS = ("usage", "lack", "tls", "end", "internal")


def error_object(error: BaseException) -> dict[str, Any]:
    """Return the ``error`` of a reply: its ``kind``, a ``message``, and the error queue if the library refused."""
    if isinstance(error, RequestError):
        return {"kind": "usage", "message": str(error)}
    if isinstance(error, LackError):
        return {"kind": "lack", "message": str(error)}
    if isinstance(error, TlsError):
        texts = "; ".join(str(entry.get("text", "")) for entry in error.queue)
        return {"kind": "tls", "message": texts or "the library gave no reason", "queue": error.queue}
    if isinstance(error, EndError):
        return {"kind": "end", "message": f"the input ended: {error.kind}", "end": error.kind, "queue": error.queue}
    return {"kind": "internal", "message": "".join(traceback.format_exception(error)).rstrip()}


class Outbox:
    """Keeps replies until ``flush``; what the pipe does not accept is sent when it is writable."""

    def __init__(self, fd: int, watcher: Watcher) -> None:
        self._fd = fd
        self._watcher = watcher
        self._lines: list[str] = []
        self._left: deque[bytes] = deque()
        os.set_blocking(fd, False)

    def ok(self, number: int, result: dict[str, Any]) -> None:
        """Reply to a successful request."""
        line = ENCODED({"id": number, "ok": result})
        if len(line) <= LONGEST_LINE:
            self._lines.append(line)
        else:
            self.error(number, RequestError(f"the reply has {len(line)} bytes, and a line at most {LONGEST_LINE}"))

    def error(self, number: int | None, error: BaseException) -> None:
        """Reply with an error; the id is null if the request's id could not be read."""
        self._lines.append(ENCODED({"id": number, "error": error_object(error)}))

    @property
    def empty(self) -> bool:
        """Return whether no reply waits for ``flush``."""
        return not self._lines

    def flush(self) -> None:
        """Write all replies, in one call if the pipe accepts them all."""
        if self._lines:
            self._lines.append("")
            self._left.append("\n".join(self._lines).encode())
            self._lines.clear()
        while self._left:
            try:
                taken = os.write(self._fd, self._left[0])
            except BlockingIOError:
                self._watcher.want(self._fd, self.flush, write=True)
                return
            if taken == len(self._left[0]):
                self._left.popleft()
            else:
                self._left[0] = self._left[0][taken:]
