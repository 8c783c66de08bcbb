"""Stores fetched builds in the user's cache folder, each complete or absent, even if several runs fetch at once."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import platformdirs

from harness.builds.record import COMPILED, NAME, UNREADABLE, Record, can_run, every, fingerprints
from harness.model.errors import BuildError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from harness.builds.catalogue import CatalogueEntry
    from harness.builds.provider import Say

VARIABLE = "RESUMPTION_CACHE"
"""The environment variable with another folder for the cache."""
PATIENCE = 3600.0
"""Seconds to wait for another process that installs the same build; builds from source take longest."""


def default_folder() -> Path:
    """Return ``$RESUMPTION_CACHE`` if set, or a folder in the user's cache (platformdirs)."""
    named = os.environ.get(VARIABLE)
    return Path(named) if named else platformdirs.user_cache_path("resumption-harness") / "builds"


def make(folder: Path) -> None:
    """Make a folder of the cache unless it is there; BuildError if it cannot be made, or takes no files."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise BuildError(
            f"the cache {folder} cannot be written: {error.strerror}; set {VARIABLE} to another folder"
        ) from error


class Cache:
    """One folder for each build, filled under a name with a leading dot and renamed once it is verified."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = (folder or default_folder()).absolute()

    def path(self, key: str) -> Path:
        """Return the folder of a build, whether or not it exists."""
        return self.folder / key

    def records(self) -> list[Record]:
        """Return every cached build; skip folders with an unreadable record, which ``unreadable`` names."""
        return [found for found in map(self._read, self.names()) if isinstance(found, Record)]

    def unreadable(self) -> dict[str, str]:
        """Return the folders whose record cannot be read, each with the reason."""
        found = {key: self._read(key) for key in self.names()}
        return {key: str(error) for key, error in found.items() if isinstance(error, BuildError)}

    def _read(self, key: str) -> Record | BuildError:
        try:
            return Record.read(self.path(key))
        except BuildError as error:
            return error

    def get(self, key: str) -> Record | None:
        """Return the record of a cached build; BuildError if it cannot be read."""
        return Record.read(self.path(key)) if (self.path(key) / NAME).is_file() else None

    def add(
        self,
        known: CatalogueEntry,
        fill: Callable[[Path], None],
        measure: Callable[[Path], str],
        say: Say,
        *,
        again: bool = False,
    ) -> Record:
        """Let ``fill`` fill an empty folder and ``measure`` determine its version; keep it only if both succeed.

        A cached build is returned unchanged unless it is damaged, or ``again`` is true.
        """
        with self._locked(known.key, say):
            present = None if again or not self.path(known.key).exists() else self._read(known.key)
            damage = self.damage(known.key) if present else []
            if isinstance(present, Record) and not damage:
                return present
            if damage:
                say(f"it is in the cache and damaged: {damage[0]}")
            part = self.folder / f".{known.key}.part"
            shutil.rmtree(part, ignore_errors=True)  # left behind by a killed run
            began = time.monotonic()
            try:
                part.mkdir(parents=True)
                fill(part)
                record = Record.of(known, measure(part), time.monotonic() - began, part)
                record.write(part)
                self._replace(part, self.path(known.key))
            except OSError as error:
                raise BuildError(
                    f"the cache {self.folder} cannot be written: {error.strerror}; set {VARIABLE} to another folder"
                ) from error
            finally:
                shutil.rmtree(part, ignore_errors=True)
            return record

    def _replace(self, part: Path, place: Path) -> None:
        old = self._set_aside(place)
        part.rename(place)
        _discard(old)

    def _set_aside(self, place: Path) -> Path:
        """Rename what is in the place of a build, a folder or anything else; return where it is now."""
        old = self.folder / f".{place.name}.old"
        _discard(old)
        if os.path.lexists(place):
            place.rename(old)
        return old

    def remove(self, key: str, say: Say) -> None:
        """Remove a build if it is cached."""
        with self._locked(key, say):
            try:
                _discard(self._set_aside(self.path(key)))
            except OSError as error:
                raise BuildError(f"{self.path(key)} cannot be removed: {error.strerror}") from error

    def damage(self, key: str, wanted: Callable[[str], bool] = every) -> list[str]:
        """Return what is wrong with the wanted files of a build, one line each: changed, missing or foreign.

        What Python compiled since it was fetched is not looked at: ``verify`` removes it before it could run.
        """
        record = self._read(key)
        if isinstance(record, BuildError):
            return [str(record)]
        kept = {name: text for name, text in record.files.items() if wanted(name)}
        found = fingerprints(self.path(key), wanted)
        names = kept.keys() | {name for name in found if COMPILED not in Path(name).parts}
        return [
            f"{self.path(key) / name} {what}"
            for name in sorted(names)
            if (what := _wrong(kept.get(name), found.get(name)))
        ]

    def verify(self, key: str) -> None:
        """See to it that a build runs what was fetched and nothing else; BuildError says which file is another."""
        damage = self.damage(key, can_run)
        if damage:
            raise BuildError(
                f"the build {key} is damaged and is not used: {damage[0]}"
                + (f", and {len(damage) - 1} more" if damage[1:] else "")
                + "; `resumption builds verify` names all damage, `resumption builds fetch --again` replaces a build"
            )
        record = Record.read(self.path(key))
        for path in self.path(key).rglob(f"{COMPILED}/*"):
            if str(path.relative_to(self.path(key))) not in record.files:
                try:
                    path.unlink(missing_ok=True)
                except OSError as error:
                    raise BuildError(
                        f"{path} does not belong to its build, and cannot be removed: {error.strerror}"
                    ) from error

    def missing(self, record: Record) -> list[str]:
        """Return the files that a build lacks, without a look at their content."""
        folder = self.path(record.key)
        return [f"{folder / name} is missing" for name in record.files if not os.path.lexists(folder / name)]

    def names(self) -> list[str]:
        """Return the names of all builds, including those with an unreadable record, and of other files."""
        return sorted(path.name for path in self.folder.glob("[!.]*-*"))

    @contextmanager
    def _locked(self, key: str, say: Say) -> Iterator[None]:
        make(self.folder)
        from filelock import FileLock, Timeout  # noqa: PLC0415 - a tenth of the time that `connect` takes to load

        lock = FileLock(self.folder / f".{key}.lock")
        try:
            lock.acquire(timeout=0)
        except Timeout:
            say(f"waiting for another process to install {key}")
            try:
                lock.acquire(timeout=PATIENCE)
            except Timeout as error:
                raise BuildError(
                    f"another process has been installing {key} for {PATIENCE:g} s; check whether it still runs"
                ) from error
        try:
            yield
        finally:
            lock.release()


def _discard(path: Path) -> None:
    """Remove a folder, or whatever else is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _wrong(kept: str | None, found: str | None) -> str | None:
    if found is None:
        return "is missing"
    if kept is None:
        return "does not belong to it"
    if found.startswith(UNREADABLE):
        return found.replace(UNREADABLE, "cannot be read: ")
    return None if kept == found else "has changed"
