"""Writes the folder of a run: results.json with every cell, and the evidence of each cell that did not pass."""

from __future__ import annotations

import hashlib
import re
import tempfile
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from harness.model.errors import UsageError
from harness.report.json.packed import Packer, compact, file_lines
from harness.runtime import files

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

SCHEMA = 2
"""The schema version of results.json; in 1 each cell had all of its connections."""
PART = '{"part":'
"""How the line of a part begins in results.jsonl."""

LONGEST_NAME = 200
"""The maximum bytes in a folder's name; file systems allow 255."""


def default_folder(now: datetime | None = None) -> Path:
    """Return a folder in the user's state (XDG_STATE_HOME), named by the time in UTC to the microsecond."""
    import platformdirs  # noqa: PLC0415 - only a run needs it

    stamp = (now or datetime.now(UTC)).strftime("%Y-%m-%dT%H-%M-%S.%fZ")
    return platformdirs.user_state_path("resumption-harness", appauthor=False) / "results" / stamp


def usable(folder: Path) -> Path:
    """Return the absolute path; UsageError if the folder is not writable or has the results of an earlier run.

    Results are never overwritten. Nothing is created yet.
    """
    lines = folder / "results.jsonl"
    if lines.exists() or (folder / "results.json").exists():
        raise UsageError(f"{folder} holds the results of an earlier run; name another folder, or remove it")
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder} is not a folder; name another one for the results")
    writable(folder)
    return folder.absolute()


def writable(folder: Path) -> None:
    """UsageError if the folder, or the parent in which it would be created, is not writable; nothing is left there."""
    try:
        with tempfile.TemporaryFile(dir=next(parent for parent in (folder, *folder.parents) if parent.exists())):
            pass
    except OSError as error:
        raise UsageError(f"nothing can be written to {folder} ({error.strerror}); name another folder") from error


def unused(folder: Path) -> Path:
    """Return the folder if it is new or empty; UsageError if it is not, or is not writable."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"{folder} is not empty; name a new folder, or an empty one")
    writable(folder)
    return folder


def new_file(path: Path) -> None:
    """UsageError if the file exists, or its folder is not there or not writable; nothing is overwritten."""
    if path.exists():
        raise UsageError(f"{path} exists; name a new file, or remove it")
    if not path.absolute().parent.is_dir():
        raise UsageError(f"{path} cannot be written: there is no folder {path.absolute().parent}")
    writable(path.absolute().parent)


def write_new(path: Path, text: str) -> None:
    """Write a file that only its owner can read; UsageError if it exists."""
    try:
        files.write_new(path, text)
    except FileExistsError as error:
        raise UsageError(f"{path} exists; name a new file, or remove it") from error


class Results:
    """Writes one JSON line per finished cell, so that a killed run leaves its results.

    Nothing is created on disk before the first cell.
    """

    def __init__(self, folder: Path, head: Mapping[str, Any]) -> None:
        self.folder = folder
        self._head = {"schema": SCHEMA, "started": _now(), **head}
        self._packer = Packer()
        self._lines = folder / "results.jsonl"
        self._begun = False

    def add(self, cell: Mapping[str, Any]) -> None:
        """Write the line of a cell, which consists of JSON values, after those of its parts that are new."""
        parts, packed = self._packer.pack(cell)
        lines = [*([] if self._begun else [self._head]), *({"part": part} for part in parts), packed]
        try:
            if not self._begun:
                self.folder.mkdir(parents=True, exist_ok=True)
            self._append("".join(f"{compact(line)}\n" for line in lines))
        except OSError:
            self._packer.forget(parts)
            raise
        self._begun = True

    def _append(self, text: str) -> None:
        """Write to the end of the lines; OSError names the file, and leaves no part of the text in it."""
        with files.naming(self._lines), self._lines.open("ab", buffering=0) as file:
            before, data = file.tell(), text.encode("ascii")
            try:
                while data:  # a nearly full disk takes a part
                    data = data[file.write(data) :]
            except OSError:
                file.truncate(before)
                if not before:
                    self._lines.unlink()
                raise

    def finish(self, ending: Mapping[str, Any]) -> Path | None:
        """Replace the lines by results.json, with one line per part and cell; return its path, None without a cell.

        It copies line by line: 10,000 cells are about 25 MB.
        """
        if not self._begun:
            return None
        path = self.folder / "results.json"
        head = {**self._head, "finished": _now(), **ending}
        with files.whole_file(path, files.ANYONE) as whole:
            whole.writelines(file_lines(head, (self._read(parts=True), self._read(parts=False))))
        self._lines.unlink()
        return path

    def _read(self, *, parts: bool) -> Iterator[str]:
        with self._lines.open(encoding="ascii") as lines:
            next(lines)
            for line in lines:
                if line.startswith(PART) is parts:
                    yield line.removesuffix("\n").removeprefix(PART)[: -1 if parts else None]


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def cell_folder(results: Path, scenario: str, cell: str) -> Path:
    """Return the folder for the evidence of a cell; it is below ``results / "cells"`` for any names."""
    test = _name(re.sub(r"[^\w.-]+", "_", scenario.removeprefix("scenarios/")), scenario)
    return results / "cells" / test / _name(re.sub(r"[^\w@.,=+-]", "_", cell), cell)


def _name(name: str, whole: str) -> str:
    """Return a valid file name; one that is too long is cut, and a digest of ``whole`` keeps it unique."""
    if len(name.encode(errors="replace")) > LONGEST_NAME:
        digest = hashlib.sha256(whole.encode(errors="surrogatepass")).hexdigest()[:8]
        name = f"{name.encode('ascii', 'replace').decode().replace('?', '_')[: LONGEST_NAME - 9]}~{digest}"
    return f"_{name}" if name in {"", ".", ".."} else name


def keep(folder: Path, contents: Mapping[str, str | bytes], scripts: Sequence[str] = ("commands.sh",)) -> Path:
    """Write the files with content into the folder, replacing existing ones; scripts are executable.

    If one cannot be written, OSError names it, and those that were written are removed.
    """
    new = not folder.exists()
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    try:
        for name, content in contents.items():
            if content:
                files.write_whole(folder / name, content, 0o700 if name in scripts else files.OWNER)
                written.append(folder / name)
    except OSError:
        for path in written:
            path.unlink(missing_ok=True)
        if new:
            with suppress(OSError):
                folder.rmdir()
        raise
    return folder
