"""The types of knob values: as users type them, in Python, and in JSON."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from harness.agent import fields
from harness.agent.fields import Field, of
from harness.agent.vocabulary import (
    UNSET,
    USUAL_VERSIONS,
    CacheMode,
    CertCompression,
    Cookie,
    ExternalGet,
    NotResumable,
    PskCallback,
    PskCipher,
    PskMode,
    TicketCallback,
    TicketCipher,
    TicketKeyResult,
    TicketUse,
    TLSVersion,
    Verify,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from enum import StrEnum

MAX_COUNT = (1 << 32) - 1
TICKET_KEYS = 80
"""Bytes of ticket keys: a 16-byte name, a 32-byte HMAC key, a 32-byte AES key (SSL_CTX_set_tlsext_ticket_keys)."""
PSK_OF_NAME = 32
"""Bytes of an external PSK that is given by a name."""
SHORT_TICKET_KEYS = 48
"""Bytes of ticket keys for AES-128, as nginx's files may have: a name and two secrets of 16 bytes each."""
SHORT = "/48"
"""The end of a name whose ticket keys are short."""
HIGHEST_LEVEL = 5
"""Of security (SSL_CTX_set_security_level(3))."""
MAX_FRAGMENT_LENGTHS = (512, 1024, 2048, 4096)
"""Allowed bytes, in the order of their codes 1 to 4 (RFC 6066, 4)."""
UNSET_IN_JSON = "unset"
LONGEST_TEXT = 8192
"""Bytes of a text, which must fit into a command line and an error; a list of all cipher suites has some 6000."""
LONGEST_HOST_NAME = 255
"""Bytes of a server name (TLSEXT_MAXLEN_host_name)."""
MOST_APPDATA = 1024
"""Bytes of application data; a ticket has room for some 64 KiB."""
LONGEST_NAME = 64
"""Bytes of the name of an external cache."""
MOST_PSK = 64
"""Bytes of an external PSK; OpenSSL takes at least 256 (PSK_MAX_PSK_LEN)."""
LONGEST_IDENTITY = 127
"""Bytes of an identity, which the callbacks of TLS 1.2 end with NUL (PSK_MAX_IDENTITY_LEN is 128 before 3.0)."""
MAX_ALPN = 255
"""Bytes of a protocol name (RFC 7301, 3.1)."""
MAX_ALPN_LIST = 65535
"""Bytes of all protocol names, each with its length (RFC 7301, 3.1)."""
MOST_TICKETS = 4096
"""Their sessions fit into a line of the protocol. OpenSSL has no limit: SSL_CTX_set_num_tickets takes a size_t."""
LONGEST_TIMER = 60_000
"""Milliseconds of the longest timer of DTLS (RFC 6347, 4.2.4.1)."""
FARTHEST = 4294967295
"""Seconds by which a clock can be moved, to the past or the future: some 136 years."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A type of value. All values are checked by ``decode``: what a user types is first converted to JSON."""

    values: str
    """The allowed values that a user types, in words."""
    json: str
    """The allowed JSON values, in words."""
    read: Callable[[str], Any]
    """Converts what a user types to JSON; ValueError if it is malformed."""
    decode: Callable[[Any], Any]
    """Converts JSON to the value; ValueError if it is out of range."""
    encode: Callable[[Any], Any]
    """Converts the value to JSON."""
    words: tuple[str, ...] = ()
    """Every text that a user can type, if they can be listed."""
    carried: bool = True
    """Whether the value is sent to an agent; other values become files or environment variables."""
    named: bool = False
    """Whether users type a name instead of the value; it stays a name until it is encoded."""
    of_library: bool = False
    """Whether the value holds names that each TLS library has of its own; one that it refuses is unsupported there."""

    def parse(self, text: str) -> Any:
        """Parse what a user types; ValueError if it is not allowed."""
        return self.read(text) if self.named else self.decode(self.read(text))

    def allows(self, value: object) -> bool:
        """Return whether a value in Python is allowed."""
        try:
            if self.named:
                self.read(fields.of(str, value))
            else:
                self.decode(self.encode(value))
        except (AttributeError, TypeError, ValueError):
            return False
        return True

    def field(self) -> Field:
        """Return the field with which an agent reads it."""
        return Field(self.decode, self.json)


def _same(value: Any) -> Any:
    return value


def _list(text: str) -> list[str]:
    return text.split(",")


def _switch(text: str) -> bool:
    if text not in {"on", "off"}:
        raise ValueError(text)
    return text == "on"


def _words(kind: type[StrEnum]) -> Callable[[Any], Any]:
    def decode(raw: Any) -> list[Any]:
        if not of(list, raw):
            raise ValueError(raw)
        return [kind(of(str, each)) for each in raw]

    return decode


def _range(raw: Any) -> tuple[TLSVersion, ...]:
    """Read versions in their order; SSL_CTX_set_min_proto_version has no gaps, nor DTLS or QUIC beside TLS."""
    found = tuple(sorted(set(_words(TLSVersion)(raw))))
    if found != tuple(version for version in TLSVersion if found and found[0] <= version <= found[-1]):
        raise ValueError(raw)
    if len({version.carrier for version in found}) > 1:
        raise ValueError(raw)
    return found


def _one_of(kind: type[StrEnum]) -> Kind:
    words = tuple(kind)
    return Kind(
        " | ".join(words), " | ".join(f'"{word}"' for word in words), str, lambda raw: kind(of(str, raw)), str, words
    )


def _hexadecimal(text: str) -> str:
    raw = bytes.fromhex(text[4:]) if text.startswith("hex:") else text.encode()
    return raw.hex()


def octets(least: int, most: int | None, words: str) -> Kind:
    """Bytes; a user types text, or hexadecimal digits after ``hex:``."""

    def decode(raw: Any) -> bytes:
        value = fields.octets(raw)
        if len(value) < least or (most is not None and len(value) > most):
            raise ValueError(raw)
        return value

    return Kind(f"{words}: text, or hex:0a0b", f"{words} as hexadecimal digits", _hexadecimal, decode, bytes.hex)


def _text(least: int, most: int) -> Callable[[Any], str]:
    """Read a text of so many bytes, without NUL: it is a string in C, or an argument of a command line."""

    def read(raw: Any) -> str:
        text: str = of(str, raw)
        if not least <= len(text.encode()) <= most or "\0" in text:
            raise ValueError(raw)
        return text

    return read


def _protocols(raw: Any) -> tuple[str, ...]:
    names = [_text(1, MAX_ALPN)(name) for name in fields.texts(raw)]
    if not names or sum(1 + len(name.encode()) for name in names) > MAX_ALPN_LIST:
        raise ValueError(raw)
    return tuple(names)


def text(least: int, most: int, values: str) -> Kind:
    """A text of so many bytes; ``values`` says what it means."""
    allowed = f"a string of {least} to {most} bytes" if least else f"a string of at most {most} bytes"
    read = _text(least, most)
    return Kind(f"{values}, {least} to {most} bytes", f"{allowed}, without NUL", read, read, _same)


def _fragment(raw: Any) -> int:
    if of(int, raw) not in MAX_FRAGMENT_LENGTHS:
        raise ValueError(raw)
    return int(raw)


def _keys_of_name(name: str) -> str:
    """Return the keys that servers with this name share; the same in every run."""
    import hashlib  # noqa: PLC0415 - an agent never needs it and starts faster without it

    return hashlib.shake_256(b"resumption harness ticket keys " + name.encode()).hexdigest(TICKET_KEYS)


def _ring(text: str) -> str:
    names = _text(1, LONGEST_TEXT)(text).split(",")
    if not all(name.removesuffix(SHORT) for name in names):
        raise ValueError(text)
    return text


def _keys_of_ring(text: str) -> list[str]:
    """Return the keys of the names, in order; a short one has half of the bytes of each secret."""
    return [
        short_keys(bytes.fromhex(_keys_of_name(name.removesuffix(SHORT)))).hex()
        if name.endswith(SHORT)
        else _keys_of_name(name)
        for name in text.split(",")
    ]


HEXADECIMAL = "hex:"


def _psk(text: str) -> str:
    _text(1, LONGEST_TEXT)(text)
    if text.startswith(HEXADECIMAL):
        _PSK_BYTES.decode(text.removeprefix(HEXADECIMAL))
    return text


def psk_of(text: str) -> str:
    """Return the external PSK that a user types, as hexadecimal digits: the digits, or 32 bytes of the name."""
    if text.startswith(HEXADECIMAL):
        return text.removeprefix(HEXADECIMAL).lower()
    return _keys_of_name(text)[: 2 * PSK_OF_NAME]


def _identities(raw: Any) -> tuple[str, ...]:
    names = tuple(_text(1, LONGEST_IDENTITY)(name) for name in fields.texts(raw))
    if not names:
        raise ValueError(raw)
    return names


def short_keys(keys: bytes) -> bytes:
    """Return the name and the first 16 bytes of both secrets, the length of OpenSSL 1.0.2 and of AES-128."""
    return keys[:32] + keys[48:64]


def _ring_keys(raw: Any) -> tuple[bytes, ...]:
    keys = tuple(fields.octets(each) for each in of(list, raw))
    if not keys or not all(len(key) in {SHORT_TICKET_KEYS, TICKET_KEYS} for key in keys):
        raise ValueError(raw)
    return keys


_ANY_BYTES = octets(0, None, "bytes")

_COUNT = fields.integer(0, MAX_COUNT, f"an integer, 0 to {MAX_COUNT}")

SWITCH = Kind("on | off", fields.BOOL.allowed, _switch, fields.BOOL.read, _same, ("on", "off"))
COUNT = Kind(f"0 to {MAX_COUNT}", _COUNT.allowed, int, _COUNT.read, _same)
ENTRIES = replace(COUNT, values=f"entries, {COUNT.values}; 0 means no limit")
BYTE_COUNT = replace(COUNT, values=f"bytes, {COUNT.values}")
SECONDS = Kind("seconds, a signed 64-bit integer", fields.INT.allowed, int, fields.INT.read, _same)
CIPHER_LIST = replace(text(1, LONGEST_TEXT, "an OpenSSL cipher list"), of_library=True)
SUITES = replace(text(0, LONGEST_TEXT, "names joined by colons"), of_library=True)
GROUPS = replace(text(1, LONGEST_TEXT, "names joined by colons"), of_library=True)
HOST_NAME = text(1, LONGEST_HOST_NAME, "a host name")
CACHE_NAME = replace(text(1, LONGEST_NAME, "a name"), carried=False)
MUTATION = text(1, LONGEST_HOST_NAME, "a name of the table of mutations")
CERTIFICATE = replace(text(1, LONGEST_TEXT, "a name of certs/issued.toml"), carried=False)
_OFFSET = fields.integer(-FARTHEST, FARTHEST, f"an integer, {-FARTHEST} to {FARTHEST}")
_TIMER = fields.integer(1, LONGEST_TIMER, f"an integer, 1 to {LONGEST_TIMER}")
TIMER = Kind(f"milliseconds, 1 to {LONGEST_TIMER}", _TIMER.allowed, int, _TIMER.read, _same)
CLOCK = Kind(f"seconds, {-FARTHEST} to {FARTHEST}", _OFFSET.allowed, int, _OFFSET.read, _same, carried=False)
_TICKETS = fields.integer(0, MOST_TICKETS, f"an integer, 0 to {MOST_TICKETS}")
TICKETS = Kind(f"0 to {MOST_TICKETS}", _TICKETS.allowed, int, _TICKETS.read, _same)
PROTOCOLS = Kind(
    f"names of 1 to {MAX_ALPN} bytes joined by commas, at most {MAX_ALPN_LIST} bytes with a length byte each",
    f"a list of strings of 1 to {MAX_ALPN} bytes without NUL, at most {MAX_ALPN_LIST} bytes with a length byte each",
    _list,
    _protocols,
    list,
)
VERSIONS = Kind(
    f"{', '.join(version for version in TLSVersion if not version.datagrams)}, or neighbours joined by commas, as "
    f"1.2,1.3; or of {', '.join(version for version in TLSVersion if version.carrier == 'DTLS')}; or quic",
    f"a list of at least one of {', '.join(TLSVersion)}, without a gap, neither DTLS nor QUIC beside others",
    _list,
    _range,
    lambda value: [str(version) for version in value],
    (*TLSVersion, ",".join(USUAL_VERSIONS)),
    of_library=True,
)
_LEVEL = fields.integer(0, HIGHEST_LEVEL, f"an integer, 0 to {HIGHEST_LEVEL}")
LEVEL = Kind(f"0 to {HIGHEST_LEVEL}", _LEVEL.allowed, int, _LEVEL.read, _same)
CACHE_MODES = Kind(
    ",".join(CacheMode),
    f"a list of at least one of {', '.join(CacheMode)}",
    _list,
    lambda raw: frozenset(_words(CacheMode)(raw)),
    lambda value: sorted(str(flag) for flag in value),
    tuple(CacheMode),
)
CERT_COMPRESSIONS = Kind(
    f"{', '.join(CertCompression)}, or several joined by commas, the best one first",
    f"a list of at least one of {', '.join(CertCompression)}",
    _list,
    lambda raw: tuple(dict.fromkeys(_words(CertCompression)(raw))),
    lambda value: [str(name) for name in value],
    tuple(CertCompression),
    of_library=True,
)
PSK_MODE = _one_of(PskMode)
VERIFY = _one_of(Verify)
COOKIE = _one_of(Cookie)
EXTERNAL_GET = _one_of(ExternalGet)
TICKET_KEY_RESULT = _one_of(TicketKeyResult)
TICKET_CALLBACK = _one_of(TicketCallback)
TICKET_CIPHER = _one_of(TicketCipher)
NOT_RESUMABLE = _one_of(NotResumable)
TICKET_USE = _one_of(TicketUse)
APPDATA = octets(0, MOST_APPDATA, f"at most {MOST_APPDATA} bytes")
FRAGMENT = Kind(
    " | ".join(map(str, MAX_FRAGMENT_LENGTHS)),
    f"one of {', '.join(map(str, MAX_FRAGMENT_LENGTHS))}",
    int,
    _fragment,
    _same,
    tuple(map(str, MAX_FRAGMENT_LENGTHS)),
)
ID_CONTEXT = Kind(
    f"{_ANY_BYTES.values}, or none",
    f'{_ANY_BYTES.json}, or "{UNSET_IN_JSON}"',
    lambda text: UNSET_IN_JSON if text == UNSET.value else _hexadecimal(text),
    lambda raw: UNSET if raw == UNSET_IN_JSON else _ANY_BYTES.decode(raw),
    lambda value: UNSET_IN_JSON if value is UNSET else value.hex(),
)
KEYS = replace(
    octets(TICKET_KEYS, TICKET_KEYS, f"{TICKET_KEYS} bytes"),
    values="a name",
    read=_text(1, LONGEST_TEXT),
    encode=_keys_of_name,
    named=True,
)
_PSK_BYTES = octets(1, MOST_PSK, f"1 to {MOST_PSK} bytes")
PSK = replace(
    _PSK_BYTES,
    values=f"a name, or 1 to {MOST_PSK} bytes: hex:0a0b",
    read=_psk,
    encode=psk_of,
    named=True,
)
IDENTITIES = Kind(
    f"names of 1 to {LONGEST_IDENTITY} bytes joined by commas",
    f"a list of at least one string of 1 to {LONGEST_IDENTITY} bytes without NUL",
    _list,
    _identities,
    list,
)
IDENTITY = text(1, LONGEST_IDENTITY, "a text")
PSK_CALLBACK = _one_of(PskCallback)
PSK_CIPHER = _one_of(PskCipher)
RING = Kind(
    f"names joined by commas; one that ends with {SHORT} has {SHORT_TICKET_KEYS} bytes, for AES-128",
    f"a list of at least one of {SHORT_TICKET_KEYS} or {TICKET_KEYS} bytes as hexadecimal digits",
    _ring,
    _ring_keys,
    _keys_of_ring,
    named=True,
)
