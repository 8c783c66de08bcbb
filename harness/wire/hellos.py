"""ClientHello and ServerHello from their bodies (RFC 8446, 4.1; RFC 5246, 7.4.1), without judging what they say.

Written by hand although tlslite-ng parses both: it re-encodes an extension's body instead of keeping the peer's bytes,
refuses bodies that it does not like, and its import alone takes 140 ms. The tests hold both parsers side by side.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any, Final, NoReturn

from harness.model.errors import WireFormatError
from harness.model.tls import TLSVersion
from harness.model.transcript import PRE_SHARED_KEY, ClientHello, ServerHello
from harness.wire.cursor import ENTRY, Cursor
from harness.wire.names import EXTENSIONS, name_of

if TYPE_CHECKING:
    from collections.abc import Callable

    Complain = Callable[[WireFormatError], object]

SERVER_NAME: Final = 0
SUPPORTED_GROUPS: Final = 10
ALPN: Final = 16
COMPRESS_CERTIFICATE: Final = 27
SUPPORTED_VERSIONS: Final = 43
PSK_KEY_EXCHANGE_MODES: Final = 45
KEY_SHARE: Final = 51
DTLS: Final = 0xFE
"""The first byte of every version of DTLS."""
RETRY_RANDOM = bytes.fromhex("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c")
"""The random of a HelloRetryRequest: SHA-256 of its name (RFC 8446, 4.1.3)."""
NAMED_VERSIONS = {version.wire: version for version in TLSVersion}


def refuse(error: WireFormatError) -> NoReturn:
    """Read no further."""
    raise error


class Extensions:
    """The extensions of a message; of a number that comes twice, which ``complain`` gets as an error, the first."""

    def __init__(self, cursor: Cursor, complain: Complain = refuse) -> None:
        self.bodies: dict[int, bytes] = {}
        self._offsets: dict[int, int] = {}
        inner = cursor.inner(2) if cursor.left else cursor
        for offset, number, body in inner.entries():
            if number in self.bodies:
                complain(WireFormatError(f"extension {name_of(EXTENSIONS, number)} comes twice", offset))
                continue
            self.bodies[number] = body
            self._offsets[number] = offset + ENTRY

    def __contains__(self, number: int) -> bool:
        return number in self.bodies

    def open(self, number: int) -> Cursor:
        """The body, to be read; KeyError if the extension is absent."""
        return Cursor(self.bodies[number], f"extension {name_of(EXTENSIONS, number)}", self._offsets[number])


def numbers_of(data: bytes) -> tuple[int, ...]:
    """The numbers of two bytes each that ``data`` consists of."""
    count = len(data) // 2
    return struct.unpack(f">{count}H", data[: 2 * count])


def _versions(cursor: Cursor) -> tuple[int, ...]:
    versions = cursor.vector(1)
    cursor.end()
    return numbers_of(versions)


def _key_share_groups(cursor: Cursor) -> tuple[int, ...]:
    shares = cursor.inner(2)
    return tuple([group for _offset, group, _share in shares.entries()])


def _groups(cursor: Cursor) -> tuple[int, ...]:
    groups = cursor.vector(2)
    cursor.end()
    return numbers_of(groups)


def _server_name(cursor: Cursor) -> str | None:
    names = cursor.inner(2)
    while names.left:
        kind, name = names.number(1), names.vector(2)
        if kind == 0:  # host_name, the only kind there is (RFC 6066, 3)
            return name.decode("ascii", "backslashreplace")
    return None


def protocols_of(cursor: Cursor) -> tuple[str, ...]:
    """The protocols of an ALPN extension (RFC 7301, 3.1)."""
    names = cursor.inner(2)
    found = []
    while names.left:
        found.append(names.vector(1).decode("ascii", "backslashreplace"))
    return tuple(found)


def _offered_psks(cursor: Cursor) -> dict[str, tuple[Any, ...]]:
    """OfferedPsks (RFC 8446, 4.2.11); what follows the binders is left to the rules."""
    identities, ages, binders = [], [], []
    offered = cursor.inner(2)
    while offered.left:
        identities.append(offered.vector(2))
        ages.append(offered.number(4))
    bound = cursor.inner(2)
    while bound.left:
        binders.append(bound.vector(1))
    return {"psk_identities": tuple(identities), "psk_ages": tuple(ages), "psk_binders": tuple(binders)}


def client_hello(body: bytes, offset: int = 0, complain: Complain = refuse) -> ClientHello:
    """Read a ClientHello's body, which lies at ``offset`` of its stream; WireFormatError says what is wrong.

    What is wrong and hides nothing goes to ``complain``: an extension that comes twice.
    """
    cursor = Cursor(body, "ClientHello", offset)
    version, random, session_id = cursor.number(2), cursor.take(32), cursor.vector(1)
    cookie = cursor.vector(1) if version >> 8 == DTLS else None
    suites = numbers_of(cursor.vector(2))
    compression = cursor.vector(1)
    extensions = Extensions(cursor, complain)
    cursor.end()
    known: dict[str, Any] = {"compression_methods": compression, "cookie": cookie}
    if PRE_SHARED_KEY in extensions:
        known |= _offered_psks(extensions.open(PRE_SHARED_KEY))
    if SUPPORTED_VERSIONS in extensions:
        known["supported_versions"] = _versions(extensions.open(SUPPORTED_VERSIONS))
    if PSK_KEY_EXCHANGE_MODES in extensions:
        known["psk_modes"] = tuple(extensions.open(PSK_KEY_EXCHANGE_MODES).vector(1))
    if SUPPORTED_GROUPS in extensions:
        known["supported_groups"] = _groups(extensions.open(SUPPORTED_GROUPS))
    if KEY_SHARE in extensions:
        known["key_share_groups"] = _key_share_groups(extensions.open(KEY_SHARE))
    if SERVER_NAME in extensions:
        known["server_name"] = _server_name(extensions.open(SERVER_NAME))
    if ALPN in extensions:
        known["alpn"] = protocols_of(extensions.open(ALPN))
    return ClientHello(version, random, session_id, suites, extensions.bodies, length=len(body), **known)


def server_hello(body: bytes, offset: int = 0) -> ServerHello:
    """Read a ServerHello's or HelloRetryRequest's body; as `client_hello`."""
    cursor = Cursor(body, "ServerHello", offset)
    legacy, random, session_id = cursor.number(2), cursor.take(32), cursor.vector(1)
    suite = cursor.number(2)
    compression = cursor.number(1)
    extensions = Extensions(cursor)
    cursor.end()
    version = extensions.open(SUPPORTED_VERSIONS).number(2) if SUPPORTED_VERSIONS in extensions else legacy
    return ServerHello(
        legacy_version=legacy,
        random=random,
        session_id=session_id,
        cipher_suite=suite,
        extensions=extensions.bodies,
        version=NAMED_VERSIONS.get(version),
        hello_retry_request=random == RETRY_RANDOM,
        selected_psk=extensions.open(PRE_SHARED_KEY).number(2) if PRE_SHARED_KEY in extensions else None,
        length=len(body),
        compression=compression,
        group=extensions.open(KEY_SHARE).number(2) if KEY_SHARE in extensions else None,
        alpn=protocols_of(extensions.open(ALPN)) if ALPN in extensions else (),
    )
