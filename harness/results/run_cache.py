"""Keeps the cells of runs by builds, scenarios and code, so that no cell runs twice, even if a run is killed."""

from __future__ import annotations

import fcntl
import gzip
import hashlib
import json
import os
import secrets
import shutil
import time
import zlib
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from harness.model.errors import UsageError
from harness.model.verdict import Verdict
from harness.report.json.check import ShapeError
from harness.report.json.packed import PackedResults, lines, unpacked
from harness.results.code import content
from harness.results.reader import NOT_WRITTEN, kept_run

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

    from harness.model.build import Build
    from harness.report.json.shapes import CellObject, ResultsObject

MOST = 2 * 10**9
"""Bytes of all results that are kept; the oldest are removed. A build with itself takes about 0.4 MB."""
LENGTH = 24
SUFFIX, PART, JOURNAL = ".json.gz", ".part", ".run"
ABOUT, LOCK, RESULTS = "about.json", "lock", "results"
PACKAGES = ("cryptography", "pyOpenSSL")
STALE = 3600.0
"""Seconds after which a part of a file is what a killed process left."""
UNCERTAIN = frozenset({Verdict.FAILED, Verdict.ERROR})
"""What killed a run may be why these cells ended so; they run again."""


def run_cache() -> Path:
    """Return the folder of kept runs in the user's cache (XDG_CACHE_HOME)."""
    import platformdirs  # noqa: PLC0415 - only a difference needs it

    return platformdirs.user_cache_path("resumption-harness", appauthor=False) / "runs"


def identity(build: Build) -> str:
    """Return a digest of a build's version, of the content of its program and libraries, and of its packages."""
    program = [Path(build.openssl[-1])] if build.openssl else []
    files = [path for path in (*program, build.libssl, build.libcrypto) if path is not None and path.is_file()]
    return digest([build.version, build.library.family, *map(content, files), *_packages(build)])


def _packages(build: Build) -> list[str]:
    """The packages around a library that has no file of its own, by name and version."""
    places = build.environment.get("PYTHONPATH", "").split(os.pathsep)
    if places != [""]:
        return sorted(found.name for place in places for found in Path(place).glob("*.dist-info"))
    own = build.libssl is None and build.openssl is None and build.library.is_openssl
    return [f"{name} {metadata.version(name)}" for name in PACKAGES] if own else []


def digest(parts: Sequence[str]) -> str:
    """Return a short name for some texts."""
    return hashlib.sha256("\0".join(parts).encode(errors="surrogateescape")).hexdigest()[:LENGTH]


@dataclass(frozen=True)
class Unit:
    """What is kept together: the cells of some clients with some servers, each a ``stack@build``."""

    key: str
    """A digest of these and of their builds."""
    clients: tuple[str, ...]
    servers: tuple[str, ...]

    def own(self, cells: Sequence[CellObject]) -> list[CellObject]:
        """Return those with one of its ends: these ends met each other, or programs."""
        labels = {*self.clients, *self.servers}
        return [cell for cell in cells if {cell["client"], cell["server"]} & labels]


def name_of(cell: CellObject) -> str:
    """Return its ``scenarios/x.py::test_y[id]``, by which pytest knows it."""
    return f"{cell['scenario']}[{cell['cell']}]"


def merged(unit: Unit, run: ResultsObject, cells: Iterable[CellObject]) -> ResultsObject:
    """Return cells as the results of a unit; of two with one name the last, and all else as in a run."""
    found = {name_of(cell): cell for cell in cells}
    ends: Any = {"clients": list(unit.clients), "servers": list(unit.servers), "cells": list(found.values())}
    made: ResultsObject = {**run, **ends}
    return made


@dataclass
class Journal:
    """Where a run writes its cells, one by one."""

    results: Path | None = None
    """The folder for the results of the run; None if nothing can be written."""
    kept: bool = False
    """Whether all of them are kept in another way."""


class RunCache:
    """The cells of one code and one selection of scenarios, in a folder."""

    def __init__(
        self, folder: Path, code: str, files: Mapping[str, str] | None = None, say: Callable[[str], None] = print
    ) -> None:
        """``files`` has a digest of each scenario file: its cells are used while it stays the same.

        Cells of other files depend on ``code`` alone. ``say`` gets a line for what cannot be read or written.
        """
        self._folder = folder
        self._code = code
        self._files = dict(files or {})
        self._say = say

    def get(self, key: str) -> ResultsObject | None:
        """Return what is kept of a unit; ``finished`` is empty if there may be more cells. None if there is nothing."""
        path = self._path(key)
        found = self._read(path)
        if found is None and path.exists():
            self._say(f"{path} is damaged; its cells run again")
        return self._valid(found) if found else None

    def others(self, keys: Collection[str]) -> Iterator[ResultsObject]:
        """Yield what is kept of every unit of this code and these scenarios but those with these keys."""
        known = {self._path(key) for key in keys}
        for path in sorted(self._folder.glob(f"{self._code}-*{SUFFIX}")):
            if path not in known and (found := self._read(path)):
                yield self._valid(found)

    def put(self, unit: Unit, results: ResultsObject, *, whole: bool) -> bool:
        """Keep the results of a unit, instead of what was kept of it; return whether they could be written.

        ``whole`` if no cell is missing. A cell that the harness lost is not kept, so that it runs again.
        """
        good = [cell for cell in results["cells"] if not cell.get("lost")]
        part: Any = {**results, **NOT_WRITTEN, "cells": good}
        kept: ResultsObject = results if whole and len(good) == len(results["cells"]) else part
        try:
            self._write(self._path(unit.key), {**kept, "code": self._files})
        except OSError as error:
            self._say(self._unwritten(error))
            return False
        return True

    @contextmanager
    def journal(self, units: Sequence[Unit]) -> Iterator[Journal]:
        """Give a folder for the results of a run of these units, whose cells are kept however the run ends.

        Where this process is killed, the next one that closes the journals keeps them.
        """
        place = self._folder / f"{self._code}-{secrets.token_hex(8)}{JOURNAL}"
        about = {"files": self._files, "units": [[one.key, one.clients, one.servers] for one in units]}
        try:
            place.mkdir(parents=True, mode=0o700)
            lock = (place / LOCK).open("w")
            fcntl.flock(lock, fcntl.LOCK_EX)
            (place / ABOUT).write_text(json.dumps(about), encoding="ascii")
        except OSError as error:
            self._say(self._unwritten(error))
            shutil.rmtree(place, ignore_errors=True)
            yield Journal()
            return
        journal = Journal(place / RESULTS)
        with lock:
            try:
                yield journal
            finally:
                if journal.kept:
                    shutil.rmtree(place, ignore_errors=True)
                elif kept := self._close(place):
                    self._say(f"{kept} cells of this run are kept; the same command goes on from there")

    def close_journals(self) -> None:
        """Keep the cells of runs that were killed, of whatever code; leave alone those that are not over."""
        for place in self._folder.glob(f"*{JOURNAL}"):
            with suppress(OSError), (place / LOCK).open("r+") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                self._close(place)

    def _close(self, place: Path) -> int:
        """Move the cells of a journal to their units and return how many; it stays if they cannot be written.

        Those that failed in a run that did not end are left out.
        """
        try:
            about = json.loads((place / ABOUT).read_text(encoding="ascii"))
            units = [Unit(key, tuple(clients), tuple(servers)) for key, clients, servers in about["units"]]
            cache = RunCache(self._folder, place.name.partition("-")[0], about["files"], self._say)
            run = kept_run(place / RESULTS)
        except (OSError, ValueError, KeyError, TypeError, UsageError):
            shutil.rmtree(place, ignore_errors=True)  # its run was killed before the end of its first cell
            return 0
        left_out = UNCERTAIN if run.unfinished else frozenset()
        cells = [cell for cell in run.results["cells"] if cell["verdict"] not in left_out]
        whole = not run.unfinished
        mine = [(unit, cells if len(units) == 1 else unit.own(cells)) for unit in units]
        olds = [cache.get(unit.key) for unit in units]
        made = [
            (unit, merged(unit, run.results, [*(old["cells"] if old else ()), *own]))
            for (unit, own), old in zip(mine, olds, strict=True)
        ]
        if not all(cache.put(unit, results, whole=whole) for unit, results in made):
            return 0
        shutil.rmtree(place, ignore_errors=True)
        return sum(len(own) for _, own in mine)

    def _unwritten(self, error: OSError) -> str:
        return f"results cannot be kept: {self._folder} cannot be written ({error.strerror})"

    def _valid(self, found: ResultsObject) -> ResultsObject:
        """The cells whose scenario files are what they were."""
        code = found.get("code", {})
        if code == self._files:
            return found
        same = {name for name, content in self._files.items() if code.get(name) == content}
        unknown = {*code, *self._files}
        files = ((cell, cell["scenario"].partition("::")[0]) for cell in found["cells"])
        cells = [cell for cell, file in files if file in same or file not in unknown]
        unfinished: Any = {**found, **NOT_WRITTEN, "code": self._files, "cells": cells}
        made: ResultsObject = unfinished
        return made

    def _path(self, key: str) -> Path:
        return self._folder / f"{self._code}-{key}{SUFFIX}"

    def _write(self, path: Path, results: ResultsObject) -> None:
        part = path.with_name(f"{path.name}.{secrets.token_hex(4)}{PART}")
        self._folder.mkdir(parents=True, exist_ok=True)
        try:
            with gzip.open(part, "wt", encoding="ascii", compresslevel=3) as file:
                file.writelines(lines(results))
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
        self._tidy()

    def _tidy(self) -> None:
        """Remove the oldest results beyond MOST, and what is left of a write that was killed."""
        total = 0
        for path in sorted(self._folder.glob("*.*"), key=_written, reverse=True):
            total += 0 if path.suffix == JOURNAL else path.stat().st_size
            stale = path.suffix == PART and time.time() - _written(path) > STALE
            if (total > MOST and path.suffix != JOURNAL) or stale:
                path.unlink(missing_ok=True)

    @staticmethod
    def _read(path: Path) -> ResultsObject | None:
        try:
            return unpacked(msgspec.json.decode(gzip.decompress(path.read_bytes()), type=PackedResults))
        except (OSError, EOFError, ValueError, zlib.error, msgspec.MsgspecError, ShapeError):
            return None


def _written(path: Path) -> float:
    """When a file was written; 0 if another process removed it."""
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0
