"""An OpenSSL that a user installed under a prefix, or built in a checkout."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from harness.builds.inspection import measured
from harness.model.build import Build
from harness.model.errors import NoBuildError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


PROGRAMS = ("bin/openssl", "apps/openssl")
LIBRARIES = ("lib", "lib64", "lib/*", ".")


def prefix_builds(prefix: Path, version: str, origin: str, around: Mapping[str, str] | None = None) -> dict[str, Build]:
    """Return the builds under a prefix, by stack; ``around`` are further environment variables for them."""
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
    """Return the builds under a prefix with their measured version; NoBuildError if there are none, else BuildError."""
    where = prefix.absolute()
    builds = prefix_builds(where, "", "prefix")
    if not builds:
        raise NoBuildError(
            f"{prefix} is not an OpenSSL: there is neither {' nor '.join(PROGRAMS)} in it, nor a libssl.so in "
            f"{', '.join(LIBRARIES[:2])}; name the folder that `./config --prefix` was given, after `make install_sw`"
        )
    return prefix_builds(where, measured(builds), str(where))
