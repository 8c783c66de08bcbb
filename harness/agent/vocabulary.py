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

    @property
    def no_option(self) -> int:
        """The option that disables it, for OpenSSL 1.0.2 and pyOpenSSL before 21: SSL_OP_NO_TLSv1_2, NO_TLSv1_3."""
        return {"1.2": 1 << 27, "1.3": 1 << 29}[self.value]


NO_OLDER_VERSIONS = 1 << 25 | 1 << 26 | 1 << 28
"""SSL_OP_NO_SSLv3, NO_TLSv1 and NO_TLSv1_1."""


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

    @property
    def constant(self) -> str:
        """Its name in openssl/ssl.h; pyOpenSSL leaves out ``SSL_``."""
        return f"SSL_SESS_CACHE_{self.name}"

    @property
    def number(self) -> int:
        """The value of that constant."""
        bits = {"off": 0, "client": 1, "server": 2, "both": 3, "no_auto_clear": 0x80}
        return (bits | {"no_internal_lookup": 0x100, "no_internal_store": 0x200, "no_internal": 0x300})[self.value]


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

    @property
    def number(self) -> int:
        """The mode of SSL_CTX_set_verify: SSL_VERIFY_PEER is 1, SSL_VERIFY_FAIL_IF_NO_PEER_CERT 2."""
        return {"none": 0, "optional": 1, "required": 3}[self.value]


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
