"""The errors of the harness, and how long a wait may take before it is one.

Each message says what was wrong, what was allowed or expected, and what to do next.
"""

from __future__ import annotations

import math
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path


DEADLINE = 10.0
"""Seconds that a single wait may take by default."""
VARIABLE = "RESUMPTION_DEADLINE"
"""The environment variable that replaces DEADLINE and extends every other deadline by the same factor."""
LONGEST_FILE = 1 << 20
"""Bytes of a file that a user names, with one thing in it: a command, a key, certificates."""
CRASHES = frozenset({4, 6, 7, 8, 11})
"""SIGILL, SIGABRT, SIGBUS, SIGFPE and SIGSEGV: signals that a program sends itself by a fault of its own."""


def did_you_mean(text: str, words: Iterable[str]) -> str:
    """Return the end of an error about an unknown word: the allowed one that is spelt most alike; empty if none is."""
    import difflib  # noqa: PLC0415 - only an error needs it

    known = [str(word) for word in words]
    near = [] if text in known else difflib.get_close_matches(text, known, 1)
    return f" (did you mean {near[0]!r}?)" if near else ""


class HarnessError(Exception):
    """Any failure that is not a failed assert: it makes the cell an ERROR."""


class UsageError(HarnessError):
    """A user asked for what does not exist: a knob, a value, a stack. Exit code 2."""


def reason_of(error: BaseException) -> str:
    """Return the words of an error; of one of the system without its number and path, which the message names."""
    return error.strerror or str(error) if isinstance(error, OSError) else str(error)


def given_bytes(path: Path, name: str, advice: str, most: int = LONGEST_FILE) -> bytes:
    """Read a file that a user names, which may be a device without an end.

    UsageError, with its name and what to do, if it cannot be read or has more than ``most`` bytes.
    """
    try:
        with path.open("rb") as file:
            data = file.read(most + 1)
    except OSError as error:
        raise UsageError(f"{name} cannot be read: {error.strerror}; {advice}") from error
    if len(data) > most:
        raise UsageError(f"{name} has more than {most >> 20} MiB; {advice}")
    return data


class UnsupportedError(HarnessError):
    """A stack lacks a Capability that was asked for; the cell is UNSUPPORTED with this reason."""

    def __init__(self, stack: str, capability: str, reason: str) -> None:
        super().__init__(f"{stack} lacks {capability}: {reason}")
        self.stack = stack
        self.capability = capability
        self.reason = reason


class TimedOutError(HarnessError):
    """A deadline passed; says what was waited for, in seconds."""

    def __init__(self, what: str, seconds: float) -> None:
        super().__init__(f"waited {seconds:g} s for {what}")
        self.what = what
        self.seconds = seconds


class EndpointError(HarnessError):
    """An endpoint died, flooded its output or broke its protocol; carries what it printed.

    ``status`` is how its process ended, as subprocess reports it: the negative number of a signal; None if unknown.
    """

    def __init__(self, endpoint: str, what: str, output: str = "", status: int | None = None) -> None:
        super().__init__(f"{endpoint}: {what}" + (f"\n{output}" if output else ""))
        self.endpoint = endpoint
        self.what = what
        self.output = output
        self.crashed = status is not None and -status in CRASHES


class RefusedError(HarnessError):
    """A TLS library refused a knob's value; ``queue`` is its error queue, ``{"lib": n, "reason": n, "text": "..."}``.

    Compare codes and not texts, which differ between versions.
    """

    def __init__(self, endpoint: str, what: str, queue: Sequence[Mapping[str, object]]) -> None:
        entries = "; ".join(f"lib={e.get('lib')} reason={e.get('reason')} {e.get('text')}" for e in queue)
        knobs = sorted({str(e["knob"]) for e in queue if "knob" in e})
        what = f"{what} ({', '.join(knobs)})" if knobs else what
        super().__init__(f"{endpoint} refused {what}: {entries or 'no reason given'}")
        self.endpoint = endpoint
        self.queue = tuple(queue)


class SessionFormatError(HarnessError, ValueError):
    """Bytes that are not an SSL_SESSION; ``offset`` counts bytes from the start of the DER."""

    def __init__(self, message: str, offset: int) -> None:
        super().__init__(f"{message}, at offset {offset}")
        self.what = message
        self.offset = offset


class WireFormatError(HarnessError):
    """Bytes that are not a TLS record or handshake message; ``offset`` counts bytes in the direction's stream."""

    def __init__(self, message: str, offset: int) -> None:
        super().__init__(f"{message} at offset {offset}")
        self.offset = offset


class UnknownFieldError(HarnessError):
    """A field that is unknown to the stack that took the session."""


class EvidenceError(HarnessError):
    """A finding of the harness cites what its witness did not see: a fault of the harness."""


class DisagreementError(HarnessError):
    """Views of one connection differ, or a witness that is needed could not know: always an error, never a pass."""


class FirstHandshakeError(HarnessError):
    """A first handshake that was to be full was not: an ERROR of the set-up, not a FAILED expectation."""


class SetUpError(HarnessError):
    """An endpoint did not come up, or broke before the first connection was over: the case says nothing about it."""


class UnreachableError(HarnessError):
    """A server that the harness does not drive cannot be reached, or does not do TLS: nothing is known about it."""


class BuildError(HarnessError):
    """A build that cannot be had, is damaged, or is not what it should be."""


class NoBuildError(BuildError, UsageError):
    """A user named a stack that exists, and no build on this machine serves it, or a folder without an OpenSSL."""


def is_lost(error: BaseException) -> bool:
    """Return whether the harness lost the case, so that it says nothing about a build.

    An endpoint that did not start, did not answer in time or broke the protocol is lost, and so is a full disk. A
    crash is not: it is what the library did.
    """
    cause = error.__cause__ if isinstance(error, SetUpError) and error.__cause__ else error
    if isinstance(cause, EndpointError):
        return not cause.crashed
    return isinstance(cause, TimedOutError | SetUpError | BuildError | OSError)


def stretched(seconds: float) -> float:
    """Return the deadline extended by RESUMPTION_DEADLINE; UsageError if that is not a number above 0."""
    text = os.environ.get(VARIABLE)
    if not text:
        return seconds
    try:
        wanted = float(text)
    except ValueError:
        wanted = math.nan
    if not 0 < wanted < math.inf:
        raise UsageError(f"{VARIABLE} cannot be {text!r}; give seconds above 0, such as 60 (default: {DEADLINE:g})")
    return seconds * wanted / DEADLINE
