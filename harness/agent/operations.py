"""What the verbs on a connection do, as steps that are called again while the socket is not ready."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.agent.fields import RequestError
from harness.agent.library import EndError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from harness.agent.library import Tls

CHUNK = 16384


class Talk:
    """A connection as its operations see it: the driver's object, what was read ahead, how the input ended."""

    def __init__(self, tls: Tls) -> None:
        self.tls = tls
        self.handshaken = False
        self.buffer = b""
        self.end: str | None = None

    def read(self) -> None:
        """Read application data into the buffer; EndError at the end, which is remembered."""
        if self.end is not None:
            raise EndError(self.end)
        try:
            self.buffer += self.tls.read(CHUNK)
        except EndError as error:
            self.end = error.kind
            raise

    def taken(self, size: int) -> bytes:
        """Take so many bytes out of the buffer."""
        data, self.buffer = self.buffer[:size], self.buffer[size:]
        return data


def handshake(talk: Talk, _fields: Mapping[str, Any]) -> dict[str, Any]:
    """Complete the handshake."""
    talk.tls.handshake()
    talk.handshaken = True
    return {}


def writer() -> Callable[[Talk, Mapping[str, Any]], dict[str, Any]]:
    """Write all of the data, however many steps that takes."""
    done = 0

    def write(talk: Talk, fields: Mapping[str, Any]) -> dict[str, Any]:
        nonlocal done
        data: bytes = fields["data"]
        if talk.end not in {None, "close_notify"}:
            raise EndError(str(talk.end))
        while done < len(data):
            done += talk.tls.write(data[done:] if done else data)
        return {}

    return write


def read_line(talk: Talk, _fields: Mapping[str, Any]) -> dict[str, Any]:
    """Read up to and with a newline; what there is if the input ends before one."""
    try:
        while b"\n" not in talk.buffer:
            talk.read()
    except EndError as error:
        return {"data": talk.taken(len(talk.buffer)).hex(), "end": error.kind}
    return {"data": talk.taken(talk.buffer.index(b"\n") + 1).hex(), "end": None}


def renegotiate(talk: Talk, fields: Mapping[str, Any]) -> dict[str, Any]:
    """Start a further handshake."""
    talk.tls.renegotiate(abbreviated=bool(fields["abbreviated"]))
    return {}


def session(talk: Talk, _fields: Mapping[str, Any]) -> dict[str, Any]:
    """SSL_get1_session now."""
    return {"session": talk.tls.session()}


def sessions(talk: Talk, _fields: Mapping[str, Any]) -> dict[str, Any]:
    """Every session so far."""
    return {"sessions": talk.tls.sessions()}


def keep_session(talk: Talk, _fields: Mapping[str, Any]) -> dict[str, Any]:
    """SSL_get1_session now, kept as the object that it is."""
    return {"session": talk.tls.keep_session()}


def shutdown(talk: Talk, _fields: Mapping[str, Any]) -> dict[str, Any]:
    """Send close_notify."""
    talk.tls.shutdown()
    return {}


def await_end(talk: Talk, _fields: Mapping[str, Any]) -> dict[str, Any]:
    """Read until the end and throw the data away."""
    try:
        while True:
            talk.buffer = b""
            talk.read()
    except EndError as error:
        return {"ending": error.kind}


PLAIN = {
    "handshake": handshake,
    "read_line": read_line,
    "renegotiate": renegotiate,
    "session": session,
    "sessions": sessions,
    "keep_session": keep_session,
    "shutdown": shutdown,
    "await_end": await_end,
}
AT_ANY_TIME = frozenset({"handshake", "session", "sessions", "keep_session"})
"""Verbs that need no completed handshake."""


def operation(verb: str) -> Callable[[Talk, Mapping[str, Any]], dict[str, Any]]:
    """The step of a verb, with its own state if it has one."""
    step = writer() if verb == "write" else PLAIN[verb]
    if verb in AT_ANY_TIME:
        return step

    def after_handshake(talk: Talk, fields: Mapping[str, Any]) -> dict[str, Any]:
        if not talk.handshaken:
            raise RequestError(f"{verb} needs a completed handshake; ask for handshake first")
        return step(talk, fields)

    return after_handshake
