r"""A program that lies in its text: the real one, with the lines that it prints rewritten on the way.

``printer.py LIE PROGRAM ARGUMENT…``; LIE is a JSON list of pairs: a regular expression that must match a whole line,
and what is printed instead: lines, of which ``\g<0>`` is the real one, or null for none.
"""

from __future__ import annotations

import json
import os
import pty
import re
import sys
import tty


def rewritten(line: bytes, lies: list[tuple[str, str | None]]) -> bytes:
    """The lines that are printed instead of one, each with its newline."""
    for pattern, instead in lies:
        if found := re.fullmatch(pattern.encode(), line):
            return b"" if instead is None else found.expand(instead.encode()) + b"\n"
    return line + b"\n"


def main() -> None:
    """Become the program, whose output a child of it rewrites, so that its pid, stdin and signals are the real ones."""
    lies, *program = sys.argv[1:]
    ours, theirs = pty.openpty()
    tty.setraw(theirs)
    if os.fork():
        os.dup2(theirs, 1)
        os.dup2(theirs, 2)
        os.close(ours)
        os.close(theirs)
        os.execvp(program[0], program)  # noqa: S606 - it is the program that is rewritten
    os.close(theirs)
    os.close(0)
    pairs, rest = json.loads(lies), b""
    while True:
        try:
            data = os.read(ours, 65536)
        except OSError:  # the program has ended
            break
        *lines, rest = (rest + data).split(b"\n")
        os.write(1, b"".join(rewritten(line, pairs) for line in lines))
    os.write(1, rest)


if __name__ == "__main__":
    main()
