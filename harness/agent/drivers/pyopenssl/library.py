"""pyOpenSSL as a Library."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from cryptography.hazmat.backends.openssl import backend

from harness.agent.drivers.pyopenssl.bindings import version
from harness.agent.drivers.pyopenssl.connection import PyopensslConnection
from harness.agent.drivers.pyopenssl.context import PyopensslContext
from harness.agent.drivers.pyopenssl.unsupported import missing
from harness.agent.verbs import CONNECTION, CONTEXT

if TYPE_CHECKING:
    from collections.abc import Mapping


class PyopensslLibrary:
    """The OpenSSL of the cryptography wheel."""

    name = "pyopenssl"
    driven: ClassVar[Mapping[str, type]] = {CONTEXT: PyopensslContext, CONNECTION: PyopensslConnection}

    def __init__(self) -> None:
        self.description = backend.openssl_version_text()
        self.version = version()

    def missing(self, role: str) -> Mapping[str, str]:
        """Return why Capabilities are missing."""
        return missing(role, self.version)

    def context(self, role: str, knobs: Mapping[str, Any], files: Mapping[str, str]) -> PyopensslContext:
        """Make a Context; LackError names a knob that pyOpenSSL has no way to set."""
        return PyopensslContext(role, knobs, files)
