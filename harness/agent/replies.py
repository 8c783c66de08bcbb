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
        self._packed: list[dict[str, Any]] = []
        self._left: deque[bytes] = deque()
        self.packs = False
        """Whether the replies of a turn are one line, an array, which takes a third of the time."""
        os.set_blocking(fd, False)

    def ok(self, number: int, result: dict[str, Any]) -> None:
        """Reply to a successful request."""
        reply = {"id": number, "ok": result}
        if self.packs:
            self._packed.append(reply)
        else:
            self._add(reply)

    def _add(self, reply: dict[str, Any]) -> None:
        line = ENCODED(reply)
        if len(line) <= LONGEST_LINE:
            self._lines.append(line)
        else:
            why = RequestError(f"the reply has {len(line)} bytes, and a line at most {LONGEST_LINE}")
            self._lines.append(ENCODED({"id": reply["id"], "error": error_object(why)}))

    def error(self, number: int | None, error: BaseException) -> None:
        """Reply with an error; the id is null if the request's id could not be read."""
        reply = {"id": number, "error": error_object(error)}
        if self.packs:
            self._packed.append(reply)
        else:
            self._lines.append(ENCODED(reply))

    @property
    def empty(self) -> bool:
        """Return whether no reply waits for ``flush``."""
        return not self._lines and not self._packed

    def flush(self) -> None:
        """Write all replies, in one call if the pipe accepts them all."""
        self._unpack()
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

    def _unpack(self) -> None:
        """Make one line of the replies that are packed; of those that are too long together a line each."""
        if not self._packed:
            return
        packed, self._packed = self._packed, []
        line = ENCODED(packed)
        if len(line) <= LONGEST_LINE:
            self._lines.append(line)
        else:
            for reply in packed:
                self._add(reply)
