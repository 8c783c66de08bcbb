"""What the client says after a handshake, and what is read of the answer."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.model.errors import UsageError, given_bytes

if TYPE_CHECKING:
    from pathlib import Path

HTTP, NONE = "http", "none"
STATUS = re.compile(rb"HTTP/\d(?:\.\d)? (\d{3})")
SERVER = re.compile(rb"(?im)^server:[ \t]*([^\r\n]*)")
SPLIT = re.compile(rb"\r?\n\r?\n")


@dataclass(frozen=True, slots=True)
class Said:
    """What is said, and how much of the answer is waited for."""

    data: bytes
    """Nothing if empty."""
    http: bool = False

    def whole(self, answer: bytes) -> bool:
        """Whether the answer is read far enough: an HTTP header, or one line of anything else."""
        if self.http and answer.startswith(b"HTTP/"):
            return SPLIT.search(answer) is not None
        return b"\n" in answer


def said(what: str, host: str) -> Said:
    """``http`` is a GET of /, ``none`` nothing, anything else a file; UsageError if it cannot be read."""
    if what == NONE:
        return Said(b"")
    if what == HTTP:
        return Said(get(host), http=True)
    return Said(_read(what))


def get(host: str) -> bytes:
    """A GET of / that asks the server to close afterwards."""
    lines = ("GET / HTTP/1.1", f"Host: {host}", "User-Agent: resumption-probe", "Accept: */*", "Connection: close")
    return "".join(f"{line}\r\n" for line in (*lines, "")).encode()


def _read(name: str) -> bytes:
    from pathlib import Path  # noqa: PLC0415 - most probes say HTTP

    path: Path = Path(name)
    data = given_bytes(path, f"--say {name}", "give http, none, or a file with what to say")
    if not data:
        raise UsageError(f"--say {name} is empty; give http, none, or a file with what to say")
    return data


def status(answer: bytes) -> int | None:
    """The status of an HTTP answer; None if it is none."""
    found = STATUS.match(answer)
    return int(found[1]) if found else None


def server_header(answer: bytes) -> str:
    """The Server header of an HTTP answer, made printable; empty if it has none."""
    found = SERVER.search(answer) if answer.startswith(b"HTTP/") else None
    return "".join(c if c.isprintable() else "?" for c in found[1].decode("latin-1").strip()[:80]) if found else ""
