"""The enumerations of the protocol, and the order of OpenSSL's releases."""

from __future__ import annotations

import re
from enum import StrEnum

LONGEST_LINE = 1 << 24
"""Bytes of a line of the protocol, in either direction: some 8000 sessions."""


class TLSVersion(StrEnum):
    """A protocol version; the value is what a user types."""

    TLSv1_2 = "1.2"
    TLSv1_3 = "1.3"

    @property
    def label(self) -> str:
        """The name OpenSSL prints, and the one in a cell id: ``TLSv1.3``."""
        return f"TLSv{self.value}"

    @property
    def wire(self) -> int:
        """The ProtocolVersion on the wire: 0x0303 or 0x0304 (RFC 8446, 4.2.1)."""
        return {"1.2": 0x0303, "1.3": 0x0304}[self.value]


class Role(StrEnum):
    """The role of an endpoint in a connection."""

    CLIENT = "client"
    SERVER = "server"

    @property
    def peer(self) -> Role:
        """The other role."""
        return Role.SERVER if self is Role.CLIENT else Role.CLIENT


class CacheMode(StrEnum):
    """Flags of SSL_CTX_set_session_cache_mode."""

    OFF = "off"
    CLIENT = "client"
    SERVER = "server"
    BOTH = "both"
    NO_AUTO_CLEAR = "no_auto_clear"
    NO_INTERNAL_LOOKUP = "no_internal_lookup"
    NO_INTERNAL_STORE = "no_internal_store"
    NO_INTERNAL = "no_internal"


class PskMode(StrEnum):
    """What psk_key_exchange_modes offers (client) or accepts (server): RFC 8446, 4.2.9."""

    DHE = "psk_dhe_ke"
    KE = "psk_ke"
    BOTH = "both"


class Verify(StrEnum):
    """Whether an endpoint requests and verifies its peer's certificate."""

    NONE = "none"
    OPTIONAL = "optional"
    """A server requests a certificate and verifies it if there is one (SSL_VERIFY_PEER)."""
    REQUIRED = "required"
    """SSL_VERIFY_PEER with SSL_VERIFY_FAIL_IF_NO_PEER_CERT at a server, SSL_VERIFY_PEER at a client."""


class Unset(StrEnum):
    """The value that switches a knob off; None means the stack's default."""

    UNSET = "none"


UNSET = Unset.UNSET


def release(version: str) -> tuple[int, ...]:
    """Return the numbers of a version, in OpenSSL's order: ``3.0.19`` is (3, 0, 19), ``1.1.1w`` (1, 1, 1, 23).

    ValueError for a text that does not begin with a number. A suffix after the letters, such as ``-beta1``, is ignored.
    """
    found = re.match(r"(\d+(?:\.\d+)*)([a-z]*)", version)
    if found is None:
        raise ValueError(version)
    letters = (sum(ord(letter) - ord("a") + 1 for letter in found[2]),) if found[2] else ()
    return (*map(int, found[1].split(".")), *letters)
