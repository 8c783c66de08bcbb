"""A Build: one TLS library, where its parts are, and the environment that its programs need."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


OPENSSL = "openssl"
"""The family of every OpenSSL, however it is driven."""


@dataclass(frozen=True, slots=True)
class Library:
    """The family of a build, and what its library does if nobody configures it; None is unknown."""

    family: str = OPENSSL
    """The lineage: ``openssl``, ``gnutls``, ``go``. Each has version numbers of its own."""
    key_name: int | None = 16
    """Bytes at the head of a ticket that name its key (TLSEXT_KEYNAME_LENGTH; RFC 5077, 4); 0 if none do."""
    tickets: int | None = 2
    """TLS 1.3 tickets after a full handshake (SSL_CTX_set_num_tickets(3))."""
    tickets_after_resumption: int | None = 1
    """TLS 1.3 tickets after a resumed one."""
    lifetime12: int | None = 7200
    """Seconds: the lifetime hint of a TLS 1.2 ticket (tls1_default_timeout)."""
    lifetime13: int | None = 7200
    """Seconds: the lifetime of a TLS 1.3 ticket."""
    least_hint: int = 0
    """Seconds: a client drops a TLS 1.2 ticket whose lifetime hint is less (RFC 5077, 3.3 lets 0 say nothing)."""

    @property
    def is_openssl(self) -> bool:
        """Whether it is an OpenSSL, so that what OpenSSL's releases do holds for it."""
        return self.family == OPENSSL


@dataclass(frozen=True, slots=True)
class Build:
    """One TLS library. ``version`` is its own number as it prints it, ``3.0.19`` or ``1.1.1w``."""

    version: str
    origin: str
    """Where it comes from, for people: ``system``, ``python``, ``cryptography``."""
    openssl: tuple[str, ...] | None = None
    """argv of the ``openssl`` program, None if the build has none."""
    libssl: Path | None = None
    libcrypto: Path | None = None
    python: tuple[str, ...] | None = None
    """argv of the Python interpreter that runs an agent on this build."""
    environment: Mapping[str, str] = field(default_factory=dict)
    library: Library = Library()
