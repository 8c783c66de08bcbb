"""Decodes the DER of i2d_SSL_SESSION into a Session, and edits some of its fields.

The nonce of a TLS 1.3 ticket is not in the DER: its "master key" is already the PSK that was derived with it.
"""

from __future__ import annotations

from contextlib import suppress
from functools import lru_cache
from typing import TYPE_CHECKING

from harness.model.capability import Capability
from harness.model.errors import SessionFormatError, UnsupportedError, UsageError
from harness.model.session import SESSION_FIELDS, Session, Turned
from harness.model.tls import TLSVersion
from harness.wire.session import der as asn1
from harness.wire.session import pem, structure
from harness.wire.session.pem import from_pem, is_pem, opened, session_blocks

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.model.session import Value
    from harness.wire.session.der import Element
    from harness.wire.session.pem import Block

__all__ = [
    "aged",
    "damaged",
    "decode",
    "difference",
    "edited",
    "element_of",
    "from_pem",
    "load",
    "load_all",
    "place_of",
    "to_pem",
    "with_other_secret",
]

VERSIONS = {version.wire: version for version in TLSVersion}
PROTOCOLS = {
    structure.SSL2: "SSLv2",
    0x0300: "SSLv3",
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
    UsageError if the data are not bytes.
    """
    if not isinstance(data, bytes):
        raise UsageError(f"bytes of PEM or DER are wanted, not {type(data).__name__}")
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


def to_pem(session: Session | bytes) -> bytes:
    """The PEM of a session, or of its DER, lines of 64 characters, as OpenSSL writes it.

    UnsupportedError if the session has no DER; UsageError for anything else.
    """
    return pem.to_pem(session if isinstance(session, bytes) else _der(session))


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
    found = _fields(der)
    wire = found.numbers["ssl_version"]
    if wire not in PROTOCOLS and wire >> 8 not in MAJORS:
        allowed = ", ".join(f"0x{number:04x} ({name})" for number, name in PROTOCOLS.items())
        raise SessionFormatError(
            f"ssl_version is 0x{wire & 0xFFFFFFFF:04x}; known are {allowed}", structure.read(der)[1].offset
        )
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


@lru_cache(maxsize=8)
def _fields(der: bytes) -> structure.Fields:
    return structure.fields(structure.read(der), len(der))


def secret_of(der: bytes) -> bytes:
    """The master secret, or the resumption PSK: to compare two sessions by, and never to be shown.

    SessionFormatError as in `decode`.
    """
    return _fields(der).octets["master_key"]


def external_psk(cipher: int, key: bytes) -> bytes:
    """The DER of a session of TLS 1.3 that is an external PSK: all that OpenSSL reads of it (-psk_session)."""
    version, suite = TLSVersion.TLSv1_3.wire, cipher.to_bytes(2, "big")
    elements = asn1.integer(1), asn1.integer(version), *map(asn1.octet_string, (suite, b"", key))
    return asn1.sequence(elements).der


def edited(session: Session, **fields: Value) -> Session:
    """The session with other values of fields; the rest stays as it is. `EDITABLE` has their names and types.

    UsageError for an unknown field, for a value that an SSL_SESSION cannot hold, and for a time or timeout of 0, which
    d2i_SSL_SESSION reads as the present and 3 seconds; UnsupportedError if the session has no DER.
    """
    elements = structure.read(_der(session))
    for name, value in fields.items():
        place, element = _changed(session, elements, name, value)
        elements = structure.replaced(elements, place, element)
    return _anew(session, elements)


def damaged(session: Session, at: int = -1) -> Session:
    """The session with one bit of its ticket turned, in the byte ``at``; by default the last, which is of its HMAC.

    UsageError if it has no such byte; UnsupportedError if the session has no DER.
    """
    return edited(session, ticket=Turned(at))


def with_other_secret(session: Session) -> Session:
    """The session with every bit of its master secret, or resumption PSK, turned; its ticket stays whole.

    UnsupportedError if the session has no DER.
    """
    return edited(session, master_key=Turned())


def aged(session: Session, seconds: int) -> Session:
    """The session as if it had been made so many seconds earlier; errors as in ``edited``."""
    return edited(session, time=decode(_der(session)).time - seconds)


def difference(session: Session, other: Session) -> dict[str, Value]:
    """What ``edited`` needs to make the other session of this one: by field its value there.

    UnsupportedError if one has no DER, SessionFormatError if it cannot be read.
    """
    was, now = (structure.fields(structure.read(_der(each)), 0) for each in (session, other))
    found: dict[str, Value] = {}
    for name, number in now.numbers.items():
        if number != was.numbers[name]:
            if name == "ssl_version":
                found["protocol"] = decode(_der(other)).protocol
            else:
                found[name] = number
    for name, octets in now.octets.items():
        if octets != was.octets[name]:
            found[name] = _shown(name, was.octets[name], octets)
    return found


def _shown(name: str, was: bytes, now: bytes) -> Value:
    if name in {"cipher", "compression"}:
        return int.from_bytes(now, "big")
    if name == "server_name":
        return now.decode(errors="backslashreplace")
    if now == _inverted(was):
        return Turned()
    turned = [at for at, (old, new) in enumerate(zip(was, now, strict=False)) if old != new]
    if len(was) == len(now) and len(turned) == 1 and was[turned[0]] ^ now[turned[0]] == 1:
        return Turned(turned[0] if turned[0] < len(was) - 1 else -1)
    return now


def element_of(name: str, value: Value) -> tuple[int, bytes]:
    """The place of a field (see `structure.place`), and the DER that it has with this value; empty if it is left out.

    UsageError as in ``edited``; a `Turned` has no DER of its own.
    """
    if isinstance(value, Turned):
        raise UsageError(f"{name}: what is turned depends on the session")
    place, element = _made(name, value)
    return place, b"" if element is None else element.der


def place_of(name: str) -> int:
    """The place of a field (see `structure.place`); UsageError for a field that cannot be changed."""
    return structure.place({"protocol": "ssl_version"}.get(name, name))


def _changed(session: Session, elements: tuple[Element, ...], name: str, value: Value) -> tuple[int, Element | None]:
    if name == "extended_master_secret":
        flags = structure.fields(elements, 0).numbers["flags"]
        rest = flags & ~EXTENDED_MASTER_SECRET_FLAG
        return _made("flags", rest | (EXTENDED_MASTER_SECRET_FLAG if value else 0))
    if isinstance(value, Turned):
        value = _turned(name, structure.fields(elements, len(session.der or b"")).octets.get(name), value)
    return _made(name, value)


def _turned(name: str, octets: bytes | None, how: Turned) -> bytes:
    if octets is None:
        raise UsageError(f"{name} of a session has no octets to turn; give it a value")
    if how.at is None:
        return _inverted(octets)
    made = bytearray(octets)
    try:
        made[how.at] ^= 1
    except IndexError:
        raise UsageError(f"the session's {name} has {len(octets)} bytes, and none at {how.at}") from None
    return bytes(made)


def _inverted(octets: bytes) -> bytes:
    return bytes(byte ^ 0xFF for byte in octets)


def _made(name: str, value: int | bytes | str) -> tuple[int, Element | None]:
    """The place and the element of a value; None where an optional field has it by being absent."""
    place = place_of(name)
    wanted: int | bytes = _wire(name, value)
    if wanted in {0, b""} and place >= 0:
        if place in {structure.TIME, structure.TIMEOUT}:
            raise UsageError(f"a session's {name} cannot be 0; allowed: a signed 64-bit number other than 0")
        return place, None
    try:
        inner = structure.element(place, wanted)
    except (SessionFormatError, TypeError) as error:
        why = error.what if isinstance(error, SessionFormatError) else f"it is of type {type(wanted).__name__}"
        raise UsageError(f"a session's {name} cannot be {value!r}: {why}") from error
    return place, inner


def _wire(name: str, value: int | bytes | str) -> int | bytes:
    """The value as the DER holds it."""
    if name == "protocol":
        numbers = {text: number for number, text in PROTOCOLS.items()}
        text = str(value)
        if text not in numbers and not text.startswith("0x"):
            raise UsageError(
                f"a session's protocol cannot be {text}; allowed: {', '.join(numbers)}, or 0x and its number"
            )
        return numbers[text] if text in numbers else _number(name, text)
    if name in {"cipher", "compression"} and isinstance(value, int):
        size = 2 if name == "cipher" else 1
        if not 0 <= value < 1 << 8 * size:
            raise UsageError(f"a session's {name} cannot be {value}; it has {size} bytes")
        return b"" if name == "compression" and not value else value.to_bytes(size, "big")
    return value.encode("utf-8", "surrogateescape") if isinstance(value, str) else value


def _number(name: str, text: str) -> int:
    try:
        return int(text, 16)
    except ValueError:
        raise UsageError(f"a session's {name} cannot be {text}; allowed: hexadecimal digits behind 0x") from None


def _der(session: Session) -> bytes:
    if not isinstance(session, Session):
        raise UsageError(f"a session is wanted, not {type(session).__name__}; load(DATA) makes one of PEM or DER")
    if session.der is None:
        who = session.taken_by or "what took this session"
        raise UnsupportedError(who, Capability.SESSION_DATA, "without its DER, nothing in it can be rewritten")
    return session.der


def _anew(session: Session, elements: tuple[Element, ...]) -> Session:
    """A session of the changed elements, from where the given one comes."""
    resumable = session.resumable if "resumable" in session.known else None
    der = structure.write(elements)
    return decode(der, taken_by=session.taken_by, taken_from=session.taken_from, resumable=resumable)
