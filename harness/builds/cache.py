"""Stores fetched builds in the user's cache folder, each complete or absent, even if several runs fetch at once."""

from __future__ import annotations

import os
import shutil
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import platformdirs

from harness.builds.record import NAME, Record, fingerprints
from harness.model.errors import BuildError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from harness.builds.catalogue import CatalogueEntry
    from harness.builds.provider import Say

VARIABLE = "RESUMPTION_CACHE"
"""Names another folder than the user's."""
PATIENCE = 3600.0
"""Seconds to wait for another run that fetches the same build; one from source takes the longest."""


def default_folder() -> Path:
    """Return ``$RESUMPTION_CACHE``, otherwise a folder in the user's cache (platformdirs)."""
    named = os.environ.get(VARIABLE)
    return Path(named) if named else platformdirs.user_cache_path("resumption-harness") / "builds"


class Cache:
    """One folder for each build, filled under a name with a leading dot and renamed once it is verified."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = (folder or default_folder()).absolute()

    def path(self, key: str) -> Path:
        """Return the folder of a build, whether or not it exists."""
        return self.folder / key

    def records(self) -> list[Record]:
        """Return every cached build; skip folders with an unreadable record, which ``verify`` names."""
        return [
            Record.read(path.parent) for path in sorted(self.folder.glob(f"[!.]*/{NAME}")) if _readable(path.parent)
        ]

    def get(self, key: str) -> Record | None:
        """Return the record of a cached build."""
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

        A cached build is returned unchanged unless ``again`` is true.
        """
        with self._locked(known.key, say):
            present = self.get(known.key)
            if present is not None and not again:
                return present
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
                    f"the cache {self.folder} cannot be written: {error}; name another: {VARIABLE}"
                ) from error
            finally:
                shutil.rmtree(part, ignore_errors=True)
            return record

    def _replace(self, part: Path, place: Path) -> None:
        old = self.folder / f".{place.name}.old"
        shutil.rmtree(old, ignore_errors=True)
        if place.exists():
            place.rename(old)
        part.rename(place)
        shutil.rmtree(old, ignore_errors=True)

    def remove(self, key: str, say: Say) -> None:
        """Remove a build if it is cached."""
        with self._locked(key, say):
            gone = self.folder / f".{key}.old"
            shutil.rmtree(gone, ignore_errors=True)
            if self.path(key).exists():
                self.path(key).rename(gone)
                shutil.rmtree(gone)

    def damage(self, key: str) -> list[str]:
        """Return what is wrong with the files of a build, one line each: changed, missing or foreign."""
        try:
            record = Record.read(self.path(key))
        except BuildError as error:
            return [str(error)]
        found = fingerprints(self.path(key))
        return [
            f"{self.path(key) / name} {what}"
            for name in sorted(record.files.keys() | found.keys())
            if (what := _wrong(record.files.get(name), found.get(name)))
        ]

    def names(self) -> list[str]:
        """Return the folders of all builds, including those with an unreadable record."""
        return sorted(path.name for path in self.folder.glob("[!.]*-*") if path.is_dir())

    @contextmanager
    def _locked(self, key: str, say: Say) -> Iterator[None]:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise BuildError(f"the cache {self.folder} cannot be made: {error}; name another: {VARIABLE}") from error
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
                    f"another process has been installing {key} for {PATIENCE:g} s; is it still at work?"
                ) from error
        try:
            yield
        finally:
            lock.release()


def _readable(folder: Path) -> bool:
    try:
        Record.read(folder)
    except BuildError:
        return False
    return True


def _wrong(kept: str | None, found: str | None) -> str | None:
    if found is None:
        return "is missing"
    if kept is None:
        return "does not belong to it"
    return None if kept == found else "has changed"
