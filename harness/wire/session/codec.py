"""Decodes the DER of i2d_SSL_SESSION into a Session, and edits some of its fields.

The nonce of a TLS 1.3 ticket is not in the DER: its "master key" is already the PSK that was derived with it.
"""

from __future__ import annotations

from contextlib import suppress
from functools import lru_cache
from typing import TYPE_CHECKING

from harness.model.capability import Capability
from harness.model.errors import SessionFormatError, UnsupportedError, UsageError
from harness.model.session import SESSION_FIELDS, Session
from harness.model.tls import TLSVersion
from harness.wire.session import der as asn1
from harness.wire.session import structure
from harness.wire.session.pem import from_pem, is_pem, opened, session_blocks, to_pem

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.wire.session.der import Element
    from harness.wire.session.pem import Block

__all__ = ["aged", "damaged", "decode", "edited", "from_pem", "load", "load_all", "to_pem", "with_other_secret"]

VERSIONS = {version.wire: version for version in TLSVersion}
PROTOCOLS = {
    structure.SSL2: "SSLv2",
    0x0300: "SSLv3",
    0x0301: "TLSv1",
    0x0302: "TLSv1.1",
    **{version.wire: version.label for version in TLSVersion},
    0x0100: "DTLSv0.9",
    0xFEFF: "DTLSv1",
    0xFEFD: "DTLSv1.2",
    0xFEFC: "DTLSv1.3",
}
"""By ssl_version, as OpenSSL prints them; 0x0100 is DTLS1_BAD_VER, which Cisco's AnyConnect speaks."""
MAJORS = (0x03, 0xFE)
"""First bytes of the ssl_versions that d2i_SSL_SESSION accepts: TLS and DTLS."""
EXTENDED_MASTER_SECRET_FLAG = 1
"""SSL_SESS_FLAG_EXTMS."""


def load(data: bytes, *, taken_by: str = "", taken_from: str = "") -> Session:
    """The session of a file's bytes, PEM or DER.

    SessionFormatError if it is neither; its offset counts bytes of the DER, or of the PEM where the armour is wrong.
    """
    if not data:
        raise SessionFormatError("no session: the data are empty", 0)
    return decode(from_pem(data) if _is_text(data) else data, taken_by=taken_by, taken_from=taken_from)


def load_all(data: bytes) -> list[Session | SessionFormatError]:
    """Every session of a file's bytes, or what is wrong with it: one of DER, or those of all PEM blocks of sessions.

    Other text and other PEM blocks are skipped. SessionFormatError if there is no session at all.
    """
    if not data or not _is_text(data):
        return [load(data)]
    return [_one(data, block) for block in session_blocks(data)]


def _one(data: bytes, block: Block) -> Session | SessionFormatError:
    try:
        return decode(opened(data, block))
    except SessionFormatError as error:
        return error


def _is_text(data: bytes) -> bool:
    """Whether the data are PEM: a DER whose ticket looks like a PEM is still one."""
    if data[0] == asn1.SEQUENCE_BYTE:
        with suppress(SessionFormatError):
            root = asn1.first(data)
            return root.header + len(root.content) != len(data) and is_pem(data)
    return is_pem(data)


def decode(der: bytes, *, taken_by: str = "", taken_from: str = "", resumable: bool | None = None) -> Session:
    """Every field of the session. An optional one that is absent is 0 or empty.

    So it is in d2i_SSL_SESSION, but for two: where ``time`` is absent it takes the present, where ``timeout`` is, 3
    seconds. ``resumable`` is not in the DER and known only if given. SessionFormatError says what is wrong, and where.
    """
    known = _known(der)
    if resumable is not None:
        known = {**known, "resumable": resumable}
    return Session({name: known[name] for name in SESSION_FIELDS if name in known}, der, taken_by, taken_from)


@lru_cache(maxsize=4)  # a client's last session mostly is that of its last ticket
def _known(der: bytes) -> Mapping[str, object]:
    elements = structure.read(der)
    found = structure.fields(elements, len(der))
    wire = found.numbers["ssl_version"]
    if wire not in PROTOCOLS and wire >> 8 not in MAJORS:
        allowed = ", ".join(f"0x{number:04x} ({name})" for number, name in PROTOCOLS.items())
        raise SessionFormatError(f"ssl_version is 0x{wire & 0xFFFFFFFF:04x}; known are {allowed}", elements[1].offset)
    return {
        **found.numbers,
        **found.octets,
        "protocol": PROTOCOLS.get(wire, f"0x{wire:04x}"),
        **({"version": VERSIONS[wire]} if wire in VERSIONS else {}),
        "compression": int.from_bytes(found.octets["compression"], "big"),
        "unknown_fields": " ".join(f"{element.name}={element.content.hex()}" for element in found.unknown),
        "cipher": int.from_bytes(found.octets["cipher"], "big"),
        "master_key_length": len(found.octets["master_key"]),
        "server_name": found.octets["server_name"].decode(errors="backslashreplace"),
        "has_ticket": bool(found.octets["ticket"]),
        "ticket_length": len(found.octets["ticket"]),
        "extended_master_secret": bool(found.numbers["flags"] & EXTENDED_MASTER_SECRET_FLAG),
    }


def edited(
    session: Session,
    *,
    time: int | None = None,
    timeout: int | None = None,
    ticket: bytes | None = None,
    max_early_data: int | None = None,
) -> Session:
    """The session with another time (seconds since the epoch), timeout (seconds), ticket or maximum of early data.

    The rest stays as it is. UsageError if a number is 0, which d2i_SSL_SESSION reads as absent (the present, 3 seconds,
    or no early data), or beyond 64 bits, or if the ticket is empty; UnsupportedError if the session has no DER.
    """
    elements = structure.read(_der(session))
    numbers = ((structure.TIME, time), (structure.TIMEOUT, timeout), (structure.MAX_EARLY_DATA, max_early_data))
    for tag, value in numbers:
        if value is not None:
            elements = _replaced(elements, tag, asn1.integer(_number(tag, value)))
    if ticket is not None:
        if not ticket:
            raise UsageError("a session's ticket cannot be empty; take a session without one")
        elements = _replaced(elements, structure.TICKET, asn1.octet_string(ticket))
    return _anew(session, elements)


def damaged(session: Session, at: int = -1) -> Session:
    """The session with one bit of its ticket turned, in the byte ``at``; by default the last, which is of its HMAC.

    UsageError if it has no such byte; UnsupportedError if the session has no DER.
    """
    ticket = bytearray(decode(_der(session)).ticket)
    try:
        ticket[at] ^= 1
    except IndexError:
        raise UsageError(f"the session's ticket has {len(ticket)} bytes, and none at {at}") from None
    return edited(session, ticket=bytes(ticket))


def with_other_secret(session: Session) -> Session:
    """The session with every bit of its master secret, or resumption PSK, turned; its ticket stays whole.

    UnsupportedError if the session has no DER.
    """
    elements = structure.read(_der(session))
    at = structure.MASTER_KEY
    turned = asn1.octet_string(bytes(byte ^ 0xFF for byte in elements[at].content))
    return _anew(session, (*elements[:at], turned, *elements[at + 1 :]))


def aged(session: Session, seconds: int) -> Session:
    """The session as if it had been made so many seconds earlier; errors as in ``edited``."""
    return edited(session, time=decode(_der(session)).time - seconds)


def _der(session: Session) -> bytes:
    if session.der is None:
        who = session.taken_by or "what took this session"
        raise UnsupportedError(who, Capability.SESSION_DATA, "without its DER, nothing in it can be rewritten")
    return session.der


def _anew(session: Session, elements: tuple[Element, ...]) -> Session:
    """A session of the changed elements, from where the given one comes."""
    resumable = session.resumable if "resumable" in session.known else None
    der = structure.write(elements)
    return decode(der, taken_by=session.taken_by, taken_from=session.taken_from, resumable=resumable)


def _number(tag: int, value: int) -> int:
    if value == 0 or not -(1 << 63) <= value < 1 << 63:
        name = structure.OPTIONAL[tag].name
        raise UsageError(f"a session's {name} cannot be {value}; allowed: a signed 64-bit number other than 0")
    return value


def _replaced(elements: tuple[Element, ...], tag: int, value: Element) -> tuple[Element, ...]:
    start = len(structure.MANDATORY)
    before = tuple(e for e in elements[start:] if e.tag < tag)
    after = tuple(e for e in elements[start:] if e.tag > tag)
    return *elements[:start], *before, asn1.explicit(tag, value), *after
