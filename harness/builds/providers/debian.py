"""OpenSSL from Debian packages of any suite: program, library, headers, and a newer C library if needed."""

from __future__ import annotations

import os
import platform
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.version import Version

from harness.builds.programs import command
from harness.builds.providers import apt
from harness.builds.providers.apt import Apt
from harness.model.build import Build
from harness.model.errors import BuildError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.builds.catalogue import CatalogueEntry
    from harness.builds.provider import Say

C_LIBRARY = ("libc6", "libgcc-s1")
"""Packages in a separate folder, which is on the loader's path only if the machine's C library is older."""
UNPACK = 120.0
"""Seconds to unpack one package."""


class Debian:
    """``indexes`` is the folder of apt's indexes, ``mirror`` an address, or None for the machine's own."""

    name = "debian"

    def __init__(self, indexes: Path, mirror: str | None = None) -> None:
        self._indexes = indexes
        self._mirror = mirror

    def unserved(self) -> str | None:
        """Return what is missing: a Debian or a derivative, on any architecture."""
        return apt.unserved()

    def obtain(self, known: CatalogueEntry, folder: Path, say: Say) -> None:
        """Download and unpack the packages: the C library to the folder ``c``, all else to ``root``."""
        say(f"fetching {known.source} ({len(known.packages)} packages)")
        with tempfile.TemporaryDirectory(dir=folder) as temporary:
            self._indexes.mkdir(parents=True, exist_ok=True)
            from filelock import FileLock  # noqa: PLC0415 - see `harness.builds.cache`

            with FileLock(self._indexes / "lock"):
                debs = Apt(self._indexes, self._mirror).download(known.suites, known.packages, Path(temporary))
            for deb in debs:
                name, version, _architecture = deb.name.split("_")
                root = folder / ("c" if name in C_LIBRARY else "root")
                command(["dpkg-deb", "--extract", str(deb), str(root)], UNPACK)
                if name == "libc6":
                    (root / "version").write_text(version.partition("-")[0])

    def builds(self, folder: Path, version: str) -> Mapping[str, Build]:
        """Return the program and libssl. If their C library is newer than the machine's, its loader starts the program.

        The loader then also starts this interpreter, so that an agent can load the libssl.
        """
        root = folder / "root" / "usr"
        libssl = next(root.glob("lib/*/libssl.so.*"), None)
        if libssl is None:
            return {}
        environment = {"OPENSSL_CONF": str(folder / "root" / "etc" / "ssl" / "openssl.cnf")}
        modules = libssl.parent / "ossl-modules"
        environment |= {"OPENSSL_MODULES": str(modules)} if modules.is_dir() else {}
        start = foreign_loader(folder / "c", libssl.parent)
        if not start:
            environment["LD_LIBRARY_PATH"] = str(libssl.parent)
        build = Build(
            version,
            self.name,
            openssl=(*start, str(root / "bin" / "openssl")),
            libssl=libssl,
            libcrypto=libssl.with_name(libssl.name.replace("libssl", "libcrypto")),
            python=(*start, sys.executable),
            environment=environment,
        )
        return {"openssl": build, "libssl": build}


def foreign_loader(c: Path, libraries: Path) -> tuple[str, ...]:
    """Return the command that starts a program with the C library in ``c`` (ld.so(8)); empty if it is not newer."""
    wanted = c / "version"
    here = platform.libc_ver()[1]
    if not wanted.is_file() or (here and Version(here) >= Version(wanted.read_text())):
        return ()
    loader = next(c.glob("usr/lib/*/ld-linux*.so.*"), None)
    if loader is None:
        raise BuildError(f"{c} has a C library and no loader; fetch the build again: `resumption builds fetch --again`")
    return (str(loader), "--library-path", os.pathsep.join([str(loader.parent), str(libraries)]))
