"""Somebody's own OpenSSL: what `make install` left under a prefix, or a checkout that was built in its place."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from harness.builds.inspection import measured
from harness.model.build import Build
from harness.model.errors import BuildError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from harness.builds.known import Known
    from harness.builds.provider import Say

PROGRAMS = ("bin/openssl", "apps/openssl")
LIBRARIES = ("lib", "lib64", "lib/*", ".")
HEADERS = ("include/openssl/ssl.h",)


class Prefix:
    """It lies where its owner put it: nothing is fetched or kept."""

    name = "prefix"

    def unserved(self) -> str | None:
        """Whoever built an OpenSSL here can use it here."""
        return None

    def obtain(self, known: Known, folder: Path, say: Say) -> None:
        """Nothing is to be fetched."""

    def builds(self, folder: Path, version: str) -> Mapping[str, Build]:
        """The program and the shared libraries under a prefix; a static build has no libraries to load."""
        return prefix_builds(folder, version, self.name)


def prefix_builds(prefix: Path, version: str, origin: str, around: Mapping[str, str] | None = None) -> dict[str, Build]:
    """What lies under a prefix, by stack; ``around`` is what else its programs need in their environment."""
    program = next((prefix / name for name in PROGRAMS if (prefix / name).is_file()), None)
    found = (path for folder in LIBRARIES for path in sorted(prefix.glob(f"{folder}/libssl.so.*")))
    libssl = next(found, None)
    environment = dict(around or {})
    libcrypto = None
    if libssl is not None:
        libcrypto = libssl.with_name(libssl.name.replace("libssl", "libcrypto"))
        environment["LD_LIBRARY_PATH"] = str(libssl.parent)
        modules = next((libssl.parent / m for m in ("ossl-modules", "providers") if (libssl.parent / m).is_dir()), None)
        environment |= {"OPENSSL_MODULES": str(modules)} if modules else {}
    build = Build(
        version,
        origin,
        openssl=None if program is None else (str(program),),
        libssl=libssl,
        libcrypto=libcrypto,
        python=(sys.executable,),
        environment=environment,
    )
    return ({"openssl": build} if program else {}) | ({"libssl": build} if libssl else {})


def measured_prefix(prefix: Path) -> dict[str, Build]:
    """The builds of a prefix that a user names, with the version that they tell; BuildError if it is no OpenSSL."""
    where = prefix.absolute()
    builds = prefix_builds(where, "", "prefix")
    if not builds:
        raise BuildError(
            f"{prefix} is no OpenSSL: there is neither {' nor '.join(PROGRAMS)} in it, nor a libssl.so in "
            f"{', '.join(LIBRARIES[:2])}; name the folder that `./config --prefix` was given, after `make install_sw`"
        )
    return prefix_builds(where, measured(builds), str(where))
