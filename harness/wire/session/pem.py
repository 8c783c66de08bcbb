"""A session's DER in its PEM armour, as ``s_client -sess_out`` and PEM_write_bio_SSL_SESSION write it."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.model.errors import SessionFormatError

if TYPE_CHECKING:
    from collections.abc import Iterator

LABEL = "SSL SESSION PARAMETERS"
"""PEM_STRING_SSL_SESSION of openssl/pem.h."""

BEGIN = re.compile(rb"-----BEGIN ([^\r\n-]{1,64})-----")
END = f"-----END {LABEL}-----".encode()
DECORATION = b" \t\r\v\f>|#*;\"'`,\\"
"""What text puts around a line that it quotes, such as a mail, a comment or a string of a program."""
ESCAPED_END = re.compile(rb"\\r|\\n")
"""The end of a line within a string of a program or of JSON."""
LONGEST_QUOTE = 100
"""Bytes before a line that may be there on each line."""
STRANGE = re.compile(rb"[^A-Za-z0-9+/=]")
WIDTH = 64


@dataclass(frozen=True, slots=True)
class Block:
    """One PEM block of a text."""

    label: str
    start: int
    """Where its first line begins, in bytes of the text."""
    body: int
    """Where that line ends."""
    before: bytes
    """What stands before it on its line, and so, in quoted text, on each of its lines."""


def is_pem(data: bytes) -> bool:
    """Whether a PEM block, of whatever kind, begins in the data."""
    return BEGIN.search(data) is not None


def from_pem(data: bytes) -> bytes:
    """The DER in the first block of a session; text and other blocks before and after it are skipped, as in OpenSSL.

    SessionFormatError if there is none or if its base64 is wrong; its offset counts bytes of the PEM.
    """
    return opened(data, session_blocks(data)[0])


def session_blocks(data: bytes) -> list[Block]:
    """Every block of a session in the data, at least one; SessionFormatError if there is none."""
    found = list(_blocks(data))
    if not found:
        raise SessionFormatError(f"no line -----BEGIN {LABEL}-----, so this is not a PEM of a session", 0)
    blocks = [block for block in found if block.label == LABEL]
    if not blocks:
        labels = ", ".join(repr(label) for label in dict.fromkeys(block.label for block in found))
        raise SessionFormatError(f"a PEM of {labels}, where a session's says {LABEL!r}", found[0].start)
    return blocks


def _blocks(data: bytes) -> Iterator[Block]:
    for begin in BEGIN.finditer(data):
        near = data[max(0, begin.start() - LONGEST_QUOTE) : begin.start()]
        before = near[near.rfind(b"\n") + 1 :]
        yield Block(begin[1].decode(errors="backslashreplace"), begin.start(), begin.end(), before)


def opened(data: bytes, block: Block) -> bytes:
    """The DER in a block of the data; SessionFormatError if it does not end, or if its base64 is wrong."""
    after = BEGIN.search(data, block.body)
    end = data.find(END, block.body, after.start() if after else len(data))
    if end < 0:
        raise SessionFormatError(
            f"the PEM is cut short: no line -----END {LABEL}-----", after.start() if after else len(data)
        )
    before = block.before.rstrip()
    lines, at = [], block.body
    for line in data[block.body : end].split(b"\n"):
        for part in ESCAPED_END.split(line):
            text = part.removeprefix(before).strip(DECORATION)
            strange = STRANGE.search(text)
            if strange is not None:
                raise SessionFormatError(f"{strange[0]!r} is not base64", at + line.index(text) + strange.start())
            lines.append(text)
        at += len(line) + 1
    try:
        return binascii.a2b_base64(b"".join(lines), strict_mode=True)
    except binascii.Error as error:
        raise SessionFormatError(f"wrong base64: {error}", end) from error


def to_pem(der: bytes) -> bytes:
    """The PEM of a session's DER, lines of 64 characters, as OpenSSL writes it."""
    text = base64.b64encode(der)
    lines = [text[at : at + WIDTH] for at in range(0, len(text), WIDTH)]
    return b"\n".join([f"-----BEGIN {LABEL}-----".encode(), *lines, f"-----END {LABEL}-----".encode(), b""])
