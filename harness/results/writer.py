"""The folder of a run: results.json with every cell, and a folder of evidence for each cell that did not pass."""

from __future__ import annotations

import hashlib
import json
import os
import re
import tempfile
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from harness.model.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

SCHEMA = 1
"""Of results.json."""

LONGEST_NAME = 200
"""Bytes of a folder's name; file systems take 255."""


def default_folder(now: datetime | None = None) -> Path:
    """A folder of the user's state (XDG_STATE_HOME) that is named by the time, UTC to the microsecond."""
    import platformdirs  # noqa: PLC0415 - only a run needs it

    stamp = (now or datetime.now(UTC)).strftime("%Y-%m-%dT%H-%M-%S.%fZ")
    return platformdirs.user_state_path("resumption-harness", appauthor=False) / "results" / stamp


def usable(folder: Path) -> Path:
    """The folder's absolute path; UsageError if nothing can be written there, or an earlier run's results are there.

    Those are never overwritten. Nothing is made yet.
    """
    lines = folder / "results.jsonl"
    if lines.exists() or (folder / "results.json").exists():
        raise UsageError(f"{folder} holds the results of an earlier run; name another folder, or remove it")
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder} is not a folder; name another one for the results")
    writable(folder)
    return folder.absolute()


def writable(folder: Path) -> None:
    """UsageError if nothing can be written there, or where it would have to be made; nothing is left there."""
    try:
        with tempfile.TemporaryFile(dir=next(parent for parent in (folder, *folder.parents) if parent.exists())):
            pass
    except OSError as error:
        raise UsageError(f"nothing can be written to {folder} ({error.strerror}); name another folder") from error


def unused(folder: Path) -> Path:
    """The folder, which is new or empty; UsageError if it is not, or nothing can be written there."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"{folder} is not empty; name a new folder, or an empty one")
    writable(folder)
    return folder


class Results:
    """Collects the cells of a run, one JSON line each as soon as it is over, so that a killed run leaves its results.

    Nothing is made on disk before the first cell.
    """

    def __init__(self, folder: Path, head: Mapping[str, Any]) -> None:
        self.folder = folder
        self._head = {"schema": SCHEMA, "started": _now(), **head}

    def add(self, cell: Mapping[str, Any]) -> None:
        """Write the line of a cell: plain JSON values only."""
        lines = [compact(cell)] if self._lines.exists() else [compact(self._head), compact(cell)]
        self.folder.mkdir(parents=True, exist_ok=True)
        with self._lines.open("a", encoding="ascii") as file:
            file.writelines(f"{line}\n" for line in lines)

    @property
    def _lines(self) -> Path:
        return self.folder / "results.jsonl"

    def finish(self, ending: Mapping[str, Any]) -> Path | None:
        """Assemble results.json in place of the lines, a line a cell; None if there was no cell.

        Line by line: a run of 10,000 cells has some 200 MB of them.
        """
        if not self._lines.exists():
            return None
        head = json.dumps({**self._head, "finished": _now(), **ending}, indent=1).removesuffix("\n}")
        path = self.folder / "results.json"
        with self._lines.open(encoding="ascii") as lines, path.open("w", encoding="ascii") as whole:
            next(lines)
            whole.write(head + ',\n "cells": [\n')
            whole.writelines((",\n" if number else "") + line.removesuffix("\n") for number, line in enumerate(lines))
            whole.write("\n ]\n}\n")
        self._lines.unlink()
        return path


def compact(value: object) -> str:
    """JSON on one line, without blanks."""
    return json.dumps(value, separators=(",", ":"))


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def cell_folder(results: Path, scenario: str, cell: str) -> Path:
    """Where the evidence of a cell belongs; whatever both names are, it lies below ``results / "cells"``."""
    test = _name(re.sub(r"[^\w.-]+", "_", scenario.removeprefix("scenarios/")), scenario)
    return results / "cells" / test / _name(re.sub(r"[^\w@.,=+-]", "_", cell), cell)


def _name(name: str, whole: str) -> str:
    """A name that file systems take, cut with a digest of what it stands for if it is too long."""
    if len(name.encode(errors="replace")) > LONGEST_NAME:
        digest = hashlib.sha256(whole.encode(errors="surrogatepass")).hexdigest()[:8]
        name = f"{name.encode('ascii', 'replace').decode().replace('?', '_')[: LONGEST_NAME - 9]}~{digest}"
    return f"_{name}" if name in {"", ".", ".."} else name


def keep(folder: Path, files: Mapping[str, str | bytes], scripts: Sequence[str] = ("commands.sh",)) -> Path:
    """Write the files that are not empty into the folder, replacing those of the same name; scripts can be run."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        if content:
            path = folder / name
            mode = 0o700 if name in scripts else 0o600
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "wb") as file:
                path.chmod(mode)  # one that was there before has its own
                file.write(content if isinstance(content, bytes) else content.encode(errors="backslashreplace"))
    return folder
