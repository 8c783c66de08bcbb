"""A program that lies: the real agent, with what it reports or receives of a connection rewritten on the way.

``liar.py LIE -P -m harness.agent …``; LIE is a JSON object with any of these keys:
``hello``: what its hello says instead;
``facts``: what every ``facts`` object says instead; ``counters``: what every reply of counters says instead;
``only``: facts that a connection must have to be lied about; ``keylog``: ``wrong`` for secrets that open nothing,
``foreign`` for those of another connection; ``knobs``: what a context gets instead of what it is asked for;
``again``: what a client writes before its first line of application data, in hexadecimal digits;
``offer``: ``another`` for a client that offers the first session that it took, or ``unasked`` for one that offers its
last session though none was given.
"""

from __future__ import annotations

import json
import subprocess
import sys
from threading import Thread
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


class Liar:
    """Rewrites requests and replies."""

    def __init__(self, lie: dict[str, Any]) -> None:
        self._lie = lie
        self._taken: list[str] = []
        self._offering = False
        """Whether the next line that is written is the first one of a connection that offers a session."""

    def request(self, request: dict[str, Any]) -> dict[str, Any]:
        """What the real agent is asked for."""
        if request.get("verb") == "context":
            request["knobs"] = {**(request.get("knobs") or {}), **self._lie.get("knobs", {})}
        if request.get("verb") == "connect":
            self._offering = bool(request.get("session"))
        if request.get("verb") == "write" and self._offering:
            self._offering = False
            request["data"] = self._lie.get("again", "") + request["data"]
        if request.get("verb") == "connect" and self._taken:
            if self._lie.get("offer") == "another" and request.get("session"):
                request["session"]["der"] = self._taken[0]
            if self._lie.get("offer") == "unasked":
                request["session"] = {"handle": None, "der": self._taken[-1]}
        return request

    def line(self, line: bytes) -> bytes:
        """What the real agent gets for a line; one that is not a request is passed on as it is."""
        try:
            return json.dumps(each(json.loads(line), self.request)).encode() + b"\n"
        except ValueError:
            return line

    def reply(self, reply: dict[str, Any]) -> dict[str, Any]:
        """What the harness receives."""
        done = reply.get("ok")
        if not isinstance(done, dict):
            return reply
        if "protocol" in done:
            done.update(self._lie.get("hello", {}))
        for session in (done.get("session"), *(done.get("sessions") or ())):
            if session and session["der"] not in self._taken:
                self._taken.append(session["der"])
        facts = done.get("facts")
        if facts is not None and self._lie.get("only", {}).items() <= facts.items():
            facts["keylog"] = [self._line(line) for line in facts["keylog"]]
            facts.update(self._lie.get("facts", {}))
        for counters in (done.get("counters"), (facts or {}).get("counters")):
            if counters:
                counters.update(self._lie.get("counters", {}))
        return reply

    def _line(self, line: str) -> str:
        label, random, secret = line.split()
        if self._lie.get("keylog") == "wrong":
            secret = secret[::-1]
        if self._lie.get("keylog") == "foreign":
            random = random[::-1]
        return f"{label} {random} {secret}"


def each(held: Any, rewritten: Callable[[dict[str, Any]], dict[str, Any]]) -> Any:
    """What a line holds, an object or an array of them, with each object rewritten."""
    return [rewritten(one) for one in held] if isinstance(held, list) else rewritten(held)


def main() -> None:
    """Pass every line on, rewritten as the lie has it."""
    lie, *agent = sys.argv[1:]
    liar = Liar(json.loads(lie))
    with subprocess.Popen([sys.executable, *agent], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as real:
        if real.stdin is None or real.stdout is None:
            raise AssertionError("Popen gave no pipes")
        stdin = real.stdin

        def ask() -> None:
            for line in sys.stdin.buffer:
                stdin.write(liar.line(line))
                stdin.flush()
            stdin.close()

        Thread(target=ask, daemon=True).start()
        for line in real.stdout:
            sys.stdout.write(json.dumps(each(json.loads(line), liar.reply)) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
