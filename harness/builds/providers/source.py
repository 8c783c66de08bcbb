"""Builds OpenSSL from a verified tarball or a checkout, with any Configure options."""

from __future__ import annotations

import os
import shutil
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from harness.builds.integrity import vouch
from harness.builds.programs import command, followed
from harness.builds.providers import fips
from harness.builds.providers.prefix import prefix_builds
from harness.model.errors import BuildError, UsageError, reason_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.builds.catalogue import CatalogueEntry
    from harness.builds.provider import Say
    from harness.model.build import Build

TOOLS = ("perl", "make", "cc")
PREFIX = "/openssl"
"""The prefix for Configure: no path of this machine is compiled in, and DESTDIR installs into the cache."""
CONFIGURE = 300.0
BUILD = 3600.0
INSTALL = 600.0
"""Seconds for each step."""
REPORTED = 250
"""Compiled files between two lines of progress; OpenSSL has about 2500."""
ALWAYS = ("no-tests",)
"""Options that save time without changing the result."""
INSTALLED = ("install_sw", "install_ssldirs")
"""Targets of make: programs, libraries and headers, then openssl.cnf."""


@dataclass(frozen=True)
class Recipe:
    """What to build: a tarball with its SHA-256 or detached signature, or a folder, which is not verified."""

    origin: Path
    options: tuple[str, ...] = ()
    sha256: str | None = None
    signature: Path | None = None
    keyring: Path | None = None
    """The trusted keys, in the format of gpgv(1) or in ASCII armour, as OpenSSL publishes its keys."""
    jobs: int | None = None
    """How many files to compile at once; None for one per available processor."""


class Steps:
    """Reports the progress of make."""

    def __init__(self, say: Say) -> None:
        self._say = say
        self._compiled = 0

    def count(self, line: str) -> None:
        """Count a line of make's output."""
        self._compiled += " -c " in line
        if " -c " in line and self._compiled % REPORTED == 0:
            self._say(f"{self._compiled} files compiled")


class Source:
    """``recipe`` is needed only to build, not to use what was built."""

    name = "source"

    def __init__(self, recipe: Recipe | None = None) -> None:
        self._recipe = recipe

    def unserved(self) -> str | None:
        """Return what is missing to compile C, or None."""
        absent = [tool for tool in TOOLS if shutil.which(tool) is None]
        return f"it needs {', '.join(absent)} to compile; the other providers need no compiler" if absent else None

    def obtain(self, known: CatalogueEntry, folder: Path, say: Say) -> None:
        """Configure, build and install; BuildError shows the last lines of the failed step."""
        del known
        if self._recipe is None:
            raise UsageError("a build from source needs its source: `resumption builds make TARBALL|FOLDER`")
        recipe = self._recipe
        with tempfile.TemporaryDirectory(dir=folder) as temporary:
            place = unpacked(recipe, Path(temporary), say)
            build = Path(temporary) / "build"
            build.mkdir()
            say(f"configuring {place.name} {' '.join(recipe.options)}".rstrip())
            given = [f"--prefix={PREFIX}", f"--openssldir={PREFIX}/ssl", "--libdir=lib", *ALWAYS, *recipe.options]
            command(["sh", str(place / "config"), *given], CONFIGURE, folder=build)
            jobs = recipe.jobs or len(os.sched_getaffinity(0))
            say(f"building with {jobs} process{'es' if jobs > 1 else ''}: minutes, depending on the machine")
            followed(["make", f"-j{jobs}"], BUILD, build, Steps(say).count)
            say("installing")
            with_fips = fips.OPTION in recipe.options
            targets = [*INSTALLED, *([fips.TARGET] if with_fips else [])]
            command(["make", "-s", *targets, f"DESTDIR={folder}"], INSTALL, folder=build)
        if not (folder / PREFIX[1:]).is_dir():
            raise BuildError(f"`make install_sw` left nothing under {PREFIX}")
        if with_fips:
            fips.activate(folder / PREFIX[1:] / "ssl")

    def builds(self, folder: Path, version: str) -> Mapping[str, Build]:
        """Return the builds under the prefix, with the installed configuration file."""
        prefix = folder / PREFIX[1:]
        return prefix_builds(prefix, version, self.name, {"OPENSSL_CONF": str(prefix / "ssl" / "openssl.cnf")})


def unpacked(recipe: Recipe, into: Path, say: Say) -> Path:
    """Return the folder with ``config``: the checkout itself, or the unpacked tarball after its verification."""
    origin = recipe.origin.absolute()
    if origin.is_dir():
        return _with_configure(origin)
    if not origin.is_file():
        raise UsageError(f"there is no {recipe.origin}; name a tarball of OpenSSL, or a folder with its source")
    vouch(origin, recipe.sha256, recipe.signature, recipe.keyring, say)
    say(f"unpacking {origin.name}")
    try:
        with tarfile.open(origin) as archive:
            archive.extractall(into / "source", filter="data")
    except (tarfile.TarError, OSError, EOFError) as error:
        raise BuildError(f"{origin} cannot be unpacked: {reason_of(error)}") from error
    return _with_configure(next((into / "source").iterdir()))


def _with_configure(folder: Path) -> Path:
    if not (folder / "config").is_file():
        raise UsageError(f"{folder} is not OpenSSL's source: it has no `config`; name a tarball of it")
    return folder
