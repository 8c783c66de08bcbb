"""Replies: an exception as the protocol's error object, and the outbox that writes all of a turn's replies at once."""

from __future__ import annotations

import json
import os
import traceback
from collections import deque
from typing import TYPE_CHECKING, Any

from harness.agent.fields import RequestError
from harness.agent.library import EndError, LackError, TlsError

if TYPE_CHECKING:
    from harness.agent.watcher import Watcher

ENCODED = json.JSONEncoder(separators=(",", ":")).encode
"""A reply's text; one encoder serves all of them."""
KINDS = ("usage", "lack", "tls", "end", "internal")


def error_object(error: BaseException) -> dict[str, Any]:
    """The ``error`` of a reply: its ``kind``, a ``message``, and the error queue where a library refused."""
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
    """Keeps replies until ``flush``; what the pipe does not take then goes out when it does."""

    def __init__(self, fd: int, watcher: Watcher) -> None:
        self._fd = fd
        self._watcher = watcher
        self._lines: list[str] = []
        self._left: deque[bytes] = deque()
        os.set_blocking(fd, False)

    def ok(self, number: int, result: dict[str, Any]) -> None:
        """Reply to a request that was carried out."""
        self._lines.append(ENCODED({"id": number, "ok": result}))

    def error(self, number: int | None, error: BaseException) -> None:
        """Reply to a request that was not; an id of null where the request's could not be read."""
        self._lines.append(ENCODED({"id": number, "error": error_object(error)}))

    @property
    def empty(self) -> bool:
        """Whether no reply waits for ``flush``."""
        return not self._lines

    def flush(self) -> None:
        """Write what there is, in one call where the pipe takes it all."""
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
