"""Shared libssls from wheels, without a program; for the libssl stack."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from harness.builds.providers import pip
from harness.model.build import Build

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.builds.catalogue import CatalogueEntry
    from harness.builds.provider import Say


class Wheel:
    """Keeps the folder of libssl in the wheel, where its libraries find each other."""

    name = "wheel"

    def unserved(self) -> str | None:
        """Return what is missing: Linux on x86-64 with the GNU C library, and pip."""
        return pip.unserved()

    def obtain(self, known: CatalogueEntry, folder: Path, say: Say) -> None:
        """Fetch the wheel and keep its libraries."""
        say(f"fetching {known.artefacts[0].file}")
        with tempfile.TemporaryDirectory(dir=folder) as temporary:
            for wheel in pip.fetch(known.artefacts, Path(temporary)):
                pip.unpack(wheel, folder, is_library)

    def builds(self, folder: Path, version: str) -> Mapping[str, Build]:
        """Return libssl with its folder on the loader's path: libcrypto in old wheels has no path to its libraries."""
        libssl = next(folder.rglob("libssl[-.]*so*"), None)
        if libssl is None:
            return {}
        libcrypto = next(libssl.parent.glob("libcrypto[-.]*so*"), None)
        return {
            "libssl": Build(
                version,
                self.name,
                libssl=libssl,
                libcrypto=libcrypto,
                python=(sys.executable,),
                environment={"LD_LIBRARY_PATH": str(libssl.parent)},
            )
        }


def is_library(name: str) -> bool:
    """Return whether a file in a wheel is a bundled shared library, not a Python module."""
    path = PurePosixPath(name)
    return ".so" in path.name and path.name.startswith("lib") and "plugin" not in path.parts
