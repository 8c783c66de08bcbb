"""A session as data: decoded from the DER of i2d_SSL_SESSION, and its time and timeout written anew; no TLS is spoken.

The nonce of a TLS 1.3 ticket is not in the DER: its "master key" is already the PSK that was derived with it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.model.capability import Capability
from harness.model.errors import SessionFormatError, UnsupportedError, UsageError
from harness.model.session import SESSION_FIELDS, Session
from harness.model.tls import TLSVersion
from harness.wire import der as asn1
from harness.wire import session_asn1
from harness.wire.session_pem import from_pem, is_pem, to_pem

if TYPE_CHECKING:
    from harness.wire.der import Element

__all__ = ["aged", "decode", "edited", "from_pem", "load", "to_pem"]

VERSIONS = {version.wire: version for version in TLSVersion}
EXTENDED_MASTER_SECRET_FLAG = 1
"""SSL_SESS_FLAG_EXTMS."""


def load(data: bytes, *, taken_by: str = "", taken_from: str = "") -> Session:
    """The session of a file's bytes, PEM or DER.

    SessionFormatError if it is neither; its offset counts bytes of the DER, or of the PEM where the armour is wrong.
    """
    if not data:
        raise SessionFormatError("no session: the data are empty", 0)
    return decode(from_pem(data) if is_pem(data) else data, taken_by=taken_by, taken_from=taken_from)


def decode(der: bytes, *, taken_by: str = "", taken_from: str = "", resumable: bool | None = None) -> Session:
    """Every field of the session. An optional one that is absent is 0 or empty.

    So it is in d2i_SSL_SESSION, but for two: where ``time`` is absent it takes the present, where ``timeout`` is, 3
    seconds. ``resumable`` is not in the DER and known only if given. SessionFormatError says what is wrong, and where.
    """
    elements = session_asn1.read(der)
    found = session_asn1.fields(elements, len(der))
    wire = found.numbers["ssl_version"]
    if wire not in VERSIONS:
        allowed = ", ".join(f"0x{number:04x} ({version.label})" for number, version in VERSIONS.items())
        raise SessionFormatError(f"ssl_version is 0x{wire & 0xFFFFFFFF:04x}; known are {allowed}", elements[1].offset)
    known: dict[str, object] = {
        **found.numbers,
        **found.octets,
        "version": VERSIONS[wire],
        "cipher": int.from_bytes(found.octets["cipher"], "big"),
        "master_key_length": len(found.octets["master_key"]),
        "server_name": found.octets["server_name"].decode(errors="backslashreplace"),
        "has_ticket": bool(found.octets["ticket"]),
        "ticket_length": len(found.octets["ticket"]),
        "extended_master_secret": bool(found.numbers["flags"] & EXTENDED_MASTER_SECRET_FLAG),
    }
    if resumable is not None:
        known["resumable"] = resumable
    return Session({name: known[name] for name in SESSION_FIELDS if name in known}, der, taken_by, taken_from)


def edited(session: Session, *, time: int | None = None, timeout: int | None = None) -> Session:
    """The session with another time (seconds since the epoch) or timeout (seconds); the rest stays byte for byte.

    UsageError if the value is 0, which d2i_SSL_SESSION reads as absent (the present, or 3 seconds), or beyond 64 bits;
    UnsupportedError if the session has no DER.
    """
    elements = session_asn1.read(_der(session))
    for tag, value in ((session_asn1.TIME, time), (session_asn1.TIMEOUT, timeout)):
        if value is not None:
            elements = _replaced(elements, tag, value)
    resumable = session.resumable if "resumable" in session.known else None
    der = session_asn1.write(elements)
    return decode(der, taken_by=session.taken_by, taken_from=session.taken_from, resumable=resumable)


def aged(session: Session, seconds: int) -> Session:
    """The session as if it had been made so many seconds earlier; errors as in ``edited``."""
    return edited(session, time=decode(_der(session)).time - seconds)


def _der(session: Session) -> bytes:
    if session.der is None:
        who = session.taken_by or "what took this session"
        raise UnsupportedError(who, Capability.SESSION_DATA, "without its DER, its time and timeout cannot be written")
    return session.der


def _replaced(elements: tuple[Element, ...], tag: int, value: int) -> tuple[Element, ...]:
    name = session_asn1.OPTIONAL[tag].name
    if value == 0 or not -(1 << 63) <= value < 1 << 63:
        raise UsageError(f"a session's {name} cannot be {value}; allowed: a signed 64-bit number other than 0")
    start = len(session_asn1.MANDATORY)
    before = tuple(e for e in elements[start:] if e.tag < tag)
    after = tuple(e for e in elements[start:] if e.tag > tag)
    return *elements[:start], *before, asn1.explicit(tag, asn1.integer(value)), *after
