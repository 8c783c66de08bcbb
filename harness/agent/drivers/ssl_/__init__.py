"""Drives Python's ``ssl`` through SSLContext.wrap_bio."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, Any, ClassVar

from harness.agent.drivers.ssl_.connection import SslConnection
from harness.agent.drivers.ssl_.context import SslContext
from harness.agent.drivers.ssl_.unsupported import missing
from harness.agent.verbs import CONNECTION, CONTEXT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.agent.drivers.ssl_.session import Handles
    from harness.agent.library import Library


class SslLibrary:
    """The OpenSSL that this interpreter's ``_ssl`` module is linked to."""

    name = "ssl"
    driven: ClassVar[Mapping[str, type]] = {CONTEXT: SslContext, CONNECTION: SslConnection}

    def __init__(self) -> None:
        self.description = ssl.OPENSSL_VERSION
        self.version = self.description.split()[1]
        self._handles: Handles = {}

    def missing(self, role: str) -> Mapping[str, str]:
        """Return why Capabilities are missing."""
        return missing(role, self.version)

    def context(self, role: str, knobs: Mapping[str, Any], files: Mapping[str, str]) -> SslContext:
        """Make an SSLContext; LackError names a knob that Python's ssl has no way to set."""
        return SslContext(role, knobs, files, self._handles)


def load() -> Library:
    """Load the library."""
    return SslLibrary()
