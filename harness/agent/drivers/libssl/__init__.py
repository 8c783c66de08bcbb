"""The driver of a libssl.so of one's choice, through cffi in ABI mode: nothing is compiled."""

from __future__ import annotations

from harness.agent.drivers.libssl.library import LibsslLibrary
from harness.agent.drivers.libssl.native import Native


def load(*, libssl: str, libcrypto: str) -> LibsslLibrary:
    """The libssl at a path, with the libcrypto that it was built with; OSError if one of them does not load."""
    return LibsslLibrary(Native(libssl, libcrypto))
