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
"""The maximum number of files of a cell that the page links to."""
LONGEST = 2**20
"""The maximum number of bytes that are read of an endpoint's output."""
PRINTED = {"client": "client-output.txt", "server": "server-output.txt"}
FIRST = ("README.md", "reproduce.sh", "reproduce.c", "reproduce.py", "capture.pcapng", "evidence.txt")
"""The files that come first in a list; the others follow by name."""


def kept_of(run: KeptRun, page: Path) -> Mapping[Key, Kept]:
    """Return the evidence of the cells that did not pass, by scenario and cell; ``page`` is the folder of the page.

    The paths follow from the folder of the run, not from its results: results can be moved, and an edited path must not
    lead out of the folder.
    """
    found = {}
    for cell in run.results["cells"]:
        if cell["verdict"] not in BAD:
            continue
        folder = cell_folder(run.folder, cell["scenario"], cell["cell"])
        if folder.is_dir():
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
