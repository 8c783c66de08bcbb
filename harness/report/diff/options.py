"""Which differences come from the options of two builds, and not from their versions."""

from __future__ import annotations

from fnmatch import filter as matching
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

COMPRESSED = (
    "*compress_certificate*",
    "*CompressedCertificate*",
    "*compression*",
    "messages.server.CertificateRequest.length",  # a server asks in it, also a client of a raw public key
)
SIGNS: Mapping[str, tuple[str, ...]] = {
    "zlib": COMPRESSED,
    "brotli": COMPRESSED,
    "zstd": COMPRESSED,
    "srp": ("*srp*",),
    "seclevel2": ("*signature_algorithms*",),
}
"""The observables that an option changes, by its name.

RFC 8879 for the compressions, RFC 5054 for SRP; SSL_CTX_set_security_level(3): level 2 allows no SHA-1.
"""


def explaining(
    observables: Sequence[str], before: tuple[str, Collection[str] | None], after: tuple[str, Collection[str] | None]
) -> str:
    """Return ``zstd with 3.5.9 alone`` if one build alone has an option that changes one of these observables.

    ``before`` and ``after`` are the name of a build and its options, None if they are unknown; empty if no option
    explains it.
    """
    if before[1] is None or after[1] is None:
        return ""
    found = []
    for name, mine, others in ((before[0], before[1], after[1]), (after[0], after[1], before[1])):
        alone = [option for option in mine if option not in others]
        shown = [option for option in alone if any(matching(observables, glob) for glob in SIGNS.get(option, ()))]
        found += [f"{', '.join(shown)} with {name} alone"] if shown else []
    return "; ".join(found)
