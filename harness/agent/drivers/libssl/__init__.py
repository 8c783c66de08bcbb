"""Drives any libssl.so through cffi in ABI mode, without a compiler."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from harness.agent.drivers.libssl.connection import LibsslTls
from harness.agent.drivers.libssl.context import LibsslContext
from harness.agent.drivers.libssl.native import Native
from harness.agent.drivers.libssl.unsupported import missing
from harness.agent.verbs import CONNECTION, CONTEXT

if TYPE_CHECKING:
    from collections.abc import Mapping


class LibsslLibrary:
    """The loaded libssl, as a Library."""

    name = "libssl"
    driven: ClassVar[Mapping[str, type]] = {CONTEXT: LibsslContext, CONNECTION: LibsslTls}

    def __init__(self, native: Native) -> None:
        self._native = native
        self.version = native.version
        self.description = native.description

    def missing(self, role: str) -> Mapping[str, str]:
        """Return why Capabilities are missing."""
        return missing(role, self.version)

    def context(self, role: str, knobs: Mapping[str, Any], files: Mapping[str, str]) -> LibsslContext:
        """Make a context."""
        return LibsslContext(self._native, role, knobs, files)


def load(*, libssl: str, libcrypto: str) -> LibsslLibrary:
    """Load the libssl at a path and the libcrypto it was built with; OSError if one does not load."""
    return LibsslLibrary(Native(libssl, libcrypto))
