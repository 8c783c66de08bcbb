"""Keeps the results of a run by build, scenarios and code, so that the same run is not made twice."""

from __future__ import annotations

import gzip
import hashlib
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from harness.report.json.check import ShapeError
from harness.report.json.packed import PackedResults, lines, unpacked
from harness.results.code import digests

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from harness.model.build import Build
    from harness.report.json.shapes import ResultsObject

MOST = 60
"""Runs that are kept; the oldest are removed."""
LENGTH = 24


def run_cache() -> Path:
    """Return the folder of kept runs in the user's cache (XDG_CACHE_HOME)."""
    import platformdirs  # noqa: PLC0415 - only a difference needs it

    return platformdirs.user_cache_path("resumption-harness", appauthor=False) / "runs"


def code_key(arguments: Sequence[str], places: Sequence[Path]) -> str:
    """Return a digest of the harness, of the scenarios below these files and folders, and of pytest's arguments."""
    files = sorted(file for place in places for file in (place.rglob("*.py") if place.is_dir() else [place]))
    root = Path.cwd()
    found = digests(root, [str(file.absolute()) for file in files])
    return _digest([*arguments, *(f"{name} {value}" for name, value in sorted(found.items()))])


def build_key(labels: Sequence[str], builds: Sequence[Build]) -> str:
    """Return a digest of the ``stack@build`` of a run and of the files of their libraries."""
    return _digest([*labels, *(part for build in builds for part in _identity(build))])


def _identity(build: Build) -> Iterator[str]:
    yield f"{build.version} {build.origin} {build.openssl}"
    for path in (build.libssl, build.libcrypto):
        if path is not None and path.exists():
            state = path.stat()
            yield f"{path} {state.st_size} {state.st_mtime_ns}"


def _digest(parts: Sequence[str]) -> str:
    return hashlib.sha256("\0".join(parts).encode(errors="surrogateescape")).hexdigest()[:LENGTH]


class RunCache:
    """The runs of one code and one selection of scenarios, in a folder."""

    def __init__(self, folder: Path, code: str) -> None:
        self._folder = folder
        self._code = code

    def get(self, build: str) -> ResultsObject | None:
        """Return the results of a build; None if there are none, or if they are damaged."""
        return self._read(self._path(build))

    def others(self, builds: Collection[str]) -> Iterator[ResultsObject]:
        """Yield the results of every build of this code and these scenarios but those of these keys."""
        known = {self._path(build) for build in builds}
        for path in sorted(self._folder.glob(f"{self._code}-*.json.gz")):
            if path not in known and (found := self._read(path)):
                yield found

    def put(self, build: str, results: ResultsObject) -> None:
        """Keep the results of a build; a folder that cannot be written keeps none."""
        path = self._path(build)
        part = path.with_suffix(".part")
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with gzip.open(part, "wt", encoding="ascii", compresslevel=3) as file:
                file.writelines(lines(results))
            part.replace(path)
            kept = sorted(self._folder.glob("*.json.gz"), key=lambda one: one.stat().st_mtime_ns)
            for old in kept[:-MOST]:
                old.unlink(missing_ok=True)
        except OSError:
            part.unlink(missing_ok=True)

    def _path(self, build: str) -> Path:
        return self._folder / f"{self._code}-{build}.json.gz"

    @staticmethod
    def _read(path: Path) -> ResultsObject | None:
        try:
            return unpacked(msgspec.json.decode(gzip.decompress(path.read_bytes()), type=PackedResults))
        except (OSError, EOFError, ValueError, zlib.error, msgspec.MsgspecError, ShapeError):
            return None
