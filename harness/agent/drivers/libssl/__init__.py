"""The driver of a libssl.so of one's choice, through cffi in ABI mode: nothing is compiled."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from harness.agent.drivers.libssl.connection import LibsslTls
from harness.agent.drivers.libssl.context import LibsslContext
from harness.agent.drivers.libssl.native import Native
from harness.agent.verbs import CONNECTION, CONTEXT

if TYPE_CHECKING:
    from collections.abc import Mapping


class LibsslLibrary:
    """The loaded libssl as the agent knows it."""

    name = "libssl"
    driven: ClassVar[Mapping[str, type]] = {CONTEXT: LibsslContext, CONNECTION: LibsslTls}

    def __init__(self, native: Native) -> None:
        self._native = native
        self.version = native.version
        self.description = native.description

    def context(self, role: str, knobs: Mapping[str, Any], files: Mapping[str, str]) -> LibsslContext:
        """Make a context."""
        return LibsslContext(self._native, role, knobs, files)


def load(*, libssl: str, libcrypto: str) -> LibsslLibrary:
    """The libssl at a path, with the libcrypto that it was built with; OSError if one of them does not load."""
    return LibsslLibrary(Native(libssl, libcrypto))
