"""Finds the OpenSSL that this machine has for each stack."""

from __future__ import annotations

import ctypes.util
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from harness.builds.programs import current_group
from harness.model.build import Build
from harness.model.errors import UsageError, stretched

DEADLINE = 10.0
"""Seconds that a program may take to print its version."""

PYTHON = (sys.executable,)

PROBE = """
import ctypes, sys
if sys.argv[1] == "_ssl":
    import _ssl
    version = _ssl.OPENSSL_VERSION
else:
    library = ctypes.CDLL(sys.argv[1])
    text = getattr(library, "OpenSSL_version", None) or library.SSLeay_version
    text.restype = ctypes.c_char_p
    version = text(0).decode()
print(version)
for line in open("/proc/self/maps"):
    if "/lib" in line:
        print(line.split(None, 5)[5].strip())
"""
"""Prints the version and the files of a library, or of Python's ssl, in a process where no other version is loaded.

The files that the kernel mapped are those that the loader chose. This needs no ldd, no compiler and no knowledge of
a distribution's folders.
"""


@dataclass(frozen=True, slots=True)
class Missing:
    """Why a stack has no installed build: what was looked for, and how to fix it."""

    stack: str
    reason: str


def parse_version(text: str) -> str | None:
    """Return the version in ``OpenSSL 3.0.19 27 Jan 2026 …``; None for LibreSSL, BoringSSL and others."""
    found = re.match(r"OpenSSL (\d\S*)", text)
    return found[1] if found else None


def parse_libraries(text: str) -> tuple[Path | None, Path | None]:
    """Return the paths of libssl and libcrypto in the output of the loader or the probe; None if one is absent."""
    first, second = (
        next((Path(path) for path in re.findall(rf"(/\S*/{name}[-.]\S*)", text)), None)
        for name in ("libssl", "libcrypto")
    )
    return first, second


def _run(argv: list[str], extra: dict[str, str] | None = None) -> str | None:
    """Return the output of a program; None if it did not start, failed or took too long."""
    try:
        done = subprocess.run(
            argv,
            capture_output=True,
            check=True,
            stdin=subprocess.DEVNULL,
            timeout=stretched(DEADLINE),
            env={**os.environ, **(extra or {})},
            process_group=current_group(),
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.decode(errors="replace")


def openssl_build() -> Build | Missing:
    """Return the ``openssl`` on PATH, with the libraries that it loads (ld.so(8), LD_TRACE_LOADED_OBJECTS)."""
    program = shutil.which("openssl")
    if program is None:
        return Missing(
            "openssl",
            "no `openssl` on PATH; install the package that has it (apt install openssl), or put its folder on PATH",
        )
    said = _run([program, "version"])
    version = parse_version(said or "")
    if version is None:
        what = f"said {said.strip()!r}" if said else f"failed, or took more than {stretched(DEADLINE):g} s"
        return Missing("openssl", f"`{program} version` {what}, not `OpenSSL` with a version; put an OpenSSL on PATH")
    libssl, libcrypto = parse_libraries(_run([program, "version"], {"LD_TRACE_LOADED_OBJECTS": "1"}) or "")
    return Build(version, "system", openssl=(program,), libssl=libssl, libcrypto=libcrypto, python=PYTHON)


def _probed(stack: str, library: str, origin: str, looked_for: str) -> Build | Missing:
    listed = _run([sys.executable, "-I", "-S", "-c", PROBE, library]) or ""
    version = parse_version(listed)
    if version is None:
        return Missing(
            stack, f"{looked_for}, but it is not an OpenSSL that loads: {listed.strip()[:80] or 'it failed'}"
        )
    libssl, libcrypto = parse_libraries(listed)
    return Build(version, origin, libssl=libssl, libcrypto=libcrypto, python=PYTHON)


def libssl_build() -> Build | Missing:
    """Return the system's libssl: the one that the loader finds by name, otherwise that of the ``openssl`` on PATH."""
    found = ctypes.util.find_library("ssl")
    if found is None:
        program = openssl_build()
        found = str(program.libssl) if isinstance(program, Build) and program.libssl else None
    if found is None:
        return Missing(
            "libssl",
            "the loader finds no libssl, and no `openssl` on PATH is linked to one; "
            "install the package that has it (apt install libssl3)",
        )
    return _probed("libssl", found, "system", f"{found} was found")


def ssl_build() -> Build | Missing:
    """Return the OpenSSL that this Python's ``ssl`` is linked to."""
    import ssl  # noqa: PLC0415 - only the ssl stack needs it

    return _probed("ssl", "_ssl", "python", f"this Python's ssl is linked to {ssl.OPENSSL_VERSION}")


def pyopenssl_build() -> Build | Missing:
    """Return the OpenSSL in the installed cryptography; its libraries are not separate files."""
    from cryptography.hazmat.backends.openssl import backend  # noqa: PLC0415 - only the pyopenssl stack needs it

    text = backend.openssl_version_text()
    version = parse_version(text)
    if version is None:
        return Missing("pyopenssl", f"the installed cryptography is built on {text}; install its wheel from PyPI")
    return Build(version, "cryptography", python=PYTHON)


FINDERS = {"openssl": openssl_build, "libssl": libssl_build, "pyopenssl": pyopenssl_build, "ssl": ssl_build}


def build_for(stack: str) -> Build | Missing:
    """Return the installed build for a stack, or why there is none; UsageError lists the stacks if it is unknown."""
    if stack not in FINDERS:
        raise UsageError(f"no stack {stack!r}; the stacks are: {', '.join(FINDERS)}")
    return FINDERS[stack]()


def system_builds() -> dict[str, Build | Missing]:
    """Return the installed build of each stack, by name. This takes about 50 ms: call it once per run."""
    return {stack: build_for(stack) for stack in FINDERS}
