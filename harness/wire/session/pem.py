"""A session's DER in its PEM armour, as ``s_client -sess_out`` and PEM_write_bio_SSL_SESSION write it."""

from __future__ import annotations

import base64
import binascii
import re

from harness.model.errors import SessionFormatError

LABEL = "SSL SESSION PARAMETERS"
"""PEM_STRING_SSL_SESSION of openssl/pem.h."""

BEGIN = re.compile(rb"^-----BEGIN ([^\r\n]*)-----[ \t]*\r?$", re.MULTILINE)
STRANGE = re.compile(rb"[^A-Za-z0-9+/=\s]")
WIDTH = 64


def is_pem(data: bytes) -> bool:
    """Whether a line of the data opens a PEM block, of whatever kind."""
    return BEGIN.search(data) is not None


def from_pem(data: bytes) -> bytes:
    """The DER in the first PEM block; text before and after it is skipped, as OpenSSL does.

    SessionFormatError if there is no such block, if it holds something else, or if its base64 is wrong; its offset
    counts bytes of the PEM.
    """
    begin = BEGIN.search(data)
    if begin is None:
        raise SessionFormatError(f"no line -----BEGIN {LABEL}-----, so this is not a PEM of a session", 0)
    label = begin[1].decode(errors="backslashreplace")
    if label != LABEL:
        raise SessionFormatError(f"a PEM of {label!r}, where a session's says {LABEL!r}", begin.start())
    end = data.find(f"-----END {LABEL}-----".encode(), begin.end())
    if end < 0:
        raise SessionFormatError(f"the PEM is cut short: no line -----END {LABEL}-----", len(data))
    strange = STRANGE.search(data, begin.end(), end)
    if strange is not None:
        raise SessionFormatError(f"{strange[0]!r} is not base64", strange.start())
    try:
        return binascii.a2b_base64(b"".join(data[begin.end() : end].split()), strict_mode=True)
    except binascii.Error as error:
        raise SessionFormatError(f"wrong base64: {error}", end) from error


def to_pem(der: bytes) -> bytes:
    """The PEM of a session's DER, lines of 64 characters, as OpenSSL writes it."""
    text = base64.b64encode(der)
    lines = [text[at : at + WIDTH] for at in range(0, len(text), WIDTH)]
    return b"\n".join([f"-----BEGIN {LABEL}-----".encode(), *lines, f"-----END {LABEL}-----".encode(), b""])
