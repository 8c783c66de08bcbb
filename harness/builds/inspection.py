"""Determines the version of a build by running its program or loading its libraries or package in a new process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.builds.programs import CommandError, command
from harness.builds.system import DEADLINE, parse_version
from harness.model.errors import BuildError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from harness.model.build import Build

LIBRARIES = """
import ctypes, sys
crypto = ctypes.CDLL(sys.argv[1])
ctypes.CDLL(sys.argv[2])
text = getattr(crypto, "OpenSSL_version", None) or crypto.SSLeay_version
text.restype = ctypes.c_char_p
print(text(0).decode())
print(*{line.split(None, 5)[5].strip() for line in open("/proc/self/maps") if "/libcrypto" in line}, sep="\\n")
"""
"""Loads libcrypto, then libssl; prints the version text of libcrypto, then every libcrypto that the kernel mapped."""

PACKAGE = """
from cryptography.hazmat.backends.openssl import backend
import OpenSSL.SSL
print(backend.openssl_version_text())
"""


def program_version(build: Build) -> str:
    """Return the version that ``openssl version`` prints; BuildError if it does not run or is not an OpenSSL."""
    if build.openssl is None:
        raise BuildError(f"the build of {build.origin} has no `openssl` program")
    said = _run(
        [*build.openssl, "version"],
        build,
        f"`{build.openssl[-1]} version` does not work, so it is not an OpenSSL that runs here",
    )
    return _version(said, f"`{build.openssl[-1]} version`")


def library_version(build: Build) -> str:
    """Return the version of libcrypto; BuildError if it is not an OpenSSL, or libssl loads another libcrypto."""
    if build.libssl is None or build.libcrypto is None or build.python is None:
        raise BuildError(f"the build of {build.origin} has no libssl and libcrypto as shared libraries")
    pair = f"{build.libssl} and {build.libcrypto}"
    said = _run(
        [*build.python, "-I", "-S", "-c", LIBRARIES, str(build.libcrypto), str(build.libssl)],
        build,
        f"{pair} do not load together; they must be of one OpenSSL, built for this machine",
    )
    first, *mapped = said.strip().splitlines()
    version = _version(first, str(build.libcrypto))
    others = [path for path in mapped if path != str(build.libcrypto.resolve())]
    if others:
        raise BuildError(
            f"{pair} do not match: libssl loads {', '.join(others)} as well; name the libcrypto that it was built with"
        )
    return version


def package_version(build: Build) -> str:
    """Return the version of the OpenSSL in cryptography; BuildError if it or pyOpenSSL cannot be imported."""
    argv = [*(build.python or ()), "-W", "ignore", "-P", "-c", PACKAGE]
    return _version(_run(argv, build, f"the packages of {build.origin} cannot be imported"), "cryptography")


MEASURES: Mapping[str, Callable[[Build], str]] = {
    "openssl": program_version,
    "libssl": library_version,
    "pyopenssl": package_version,
}
"""How to determine the version of a build, by stack."""


def measured(builds: Mapping[str, Build]) -> str:
    """Return the version that all parts of a build report; BuildError if none is an OpenSSL, or they differ."""
    versions = {stack: MEASURES[stack](build) for stack, build in builds.items() if stack in MEASURES}
    if len(set(versions.values())) > 1:
        what = ", ".join(f"its {stack} is {version}" for stack, version in versions.items())
        raise BuildError(f"the parts of a build are of different versions: {what}")
    if not versions:
        raise BuildError("no part of the build is an OpenSSL")
    return next(iter(versions.values()))


def _run(argv: list[str], build: Build, wrong: str) -> str:
    try:
        return command(argv, DEADLINE, build.environment)
    except CommandError as error:
        raise BuildError(f"{wrong}: {error}") from error


def _version(said: str, who: str) -> str:
    version = parse_version(said.strip())
    if version is None:
        raise BuildError(f"{who} is not an OpenSSL: it calls itself {said.strip()[:80]!r}")
    return version
