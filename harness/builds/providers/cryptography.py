"""The OpenSSL in a cryptography wheel, with a matching pyOpenSSL; for the pyopenssl stack only."""

from __future__ import annotations

import compileall
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from harness.builds.providers import pip
from harness.model.build import Build

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.builds.catalogue import CatalogueEntry
    from harness.builds.provider import Say

PACKAGES = "packages"


class Cryptography:
    """Unpacked wheels on the path of an interpreter; nothing is installed."""

    name = "cryptography"

    def unserved(self) -> str | None:
        """Return what is missing: Linux on x86-64 with the GNU C library, and pip."""
        return pip.unserved()

    def obtain(self, known: CatalogueEntry, folder: Path, say: Say) -> None:
        """Fetch the wheels, unpack them into one folder and compile their modules, so that no run has to."""
        say(f"fetching {', '.join(artefact.file.partition('-py')[0] for artefact in known.artefacts)}")
        with tempfile.TemporaryDirectory(dir=folder) as temporary:
            for wheel in pip.fetch(known.artefacts, Path(temporary)):
                pip.unpack(wheel, folder / PACKAGES)
        compileall.compile_dir(folder / PACKAGES, quiet=2)

    def builds(self, folder: Path, version: str) -> Mapping[str, Build]:
        """Return this interpreter with the packages on its path, before the installed ones."""
        packages = folder / PACKAGES
        environment = {"PYTHONPATH": str(packages)}
        return {"pyopenssl": Build(version, self.name, python=(sys.executable,), environment=environment)}
