"""The loaded libssl as the agent knows it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.agent.drivers.libssl.context import LibsslContext

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.agent.drivers.libssl.native import Native


class LibsslLibrary:
    """Makes contexts."""

    name = "libssl"

    def __init__(self, native: Native) -> None:
        self._native = native
        self.version = native.version
        self.description = native.description

    def context(self, role: str, knobs: Mapping[str, Any], files: Mapping[str, str]) -> LibsslContext:
        """Make a context."""
        return LibsslContext(self._native, role, knobs, files)
