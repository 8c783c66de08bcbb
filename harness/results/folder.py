"""Lists the evidence folders of a run's cells for the page: files, links and the endpoints' output."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING
from urllib.parse import quote

from harness.report.run.page.kept import Kept, KeptFile, excerpt
from harness.report.run.run_summary import BAD
from harness.results.writer import cell_folder

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from harness.report.run.earlier import Key
    from harness.results.reader import KeptRun

MOST = 60
"""Files of a cell that the page links to."""
LONGEST = 2**20
"""Bytes of what an end printed that are read."""
PRINTED = {"client": "client-output.txt", "server": "server-output.txt"}
FIRST = ("README.md", "reproduce.sh", "reproduce.c", "reproduce.py", "capture.pcapng", "evidence.txt")
"""Names that a reader looks for; the others follow by name."""


def kept_of(run: KeptRun, page: Path) -> Mapping[Key, Kept]:
    """The folders of the cells that did not pass, by scenario and cell; ``page`` is the folder that the page is for.

    They are looked for where this run has them, and not where its results say that they were: results move, and a path
    that was edited must not lead the page out of the run's folder.
    """
    found = {}
    for cell in run.results["cells"]:
        folder = cell_folder(run.folder, cell["scenario"], cell["cell"])
        if cell["verdict"] in BAD and folder.is_dir():
            found[cell["scenario"], cell["cell"]] = _kept(folder, page)
    return found


def _kept(folder: Path, page: Path) -> Kept:
    return Kept(
        list(_files(folder, page)), {role: text for role, name in PRINTED.items() if (text := _text(folder / name))}
    )


def _files(folder: Path, page: Path) -> Iterator[KeptFile]:
    paths = [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]
    for path in sorted(paths, key=_place)[:MOST]:
        href = quote(os.path.relpath(path.absolute(), page.absolute()), errors="surrogateescape")
        yield KeptFile(str(path.relative_to(folder)), href, path.stat().st_size)


def _place(path: Path) -> tuple[int, str]:
    return (FIRST.index(path.name) if path.name in FIRST else len(FIRST), str(path))


def _text(path: Path) -> str:
    if not path.is_file() or path.is_symlink():
        return ""
    with path.open("rb") as file:
        return excerpt(file.read(LONGEST).decode("utf-8", errors="replace"))
