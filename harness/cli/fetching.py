"""Shows the progress of fetching, and ends its child processes with the command."""

from __future__ import annotations

import os
import sys
import tempfile
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from harness.builds.programs import in_group
from harness.runtime.warden import Warden

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from rich.progress import Progress


@contextmanager
def owned(where: Path | None = None) -> Iterator[Path]:
    """Tie the programs that fetch and build, and their temporary files, to the lifetime of this process.

    The files are in a folder that it makes in ``where``, or in the one for temporary files, and returns.
    """
    warden = Warden(where)
    before = os.environ.get("TMPDIR")
    os.environ["TMPDIR"] = tempfile.tempdir = str(warden.folder)
    try:
        with in_group(warden.group):
            yield warden.folder
    finally:
        tempfile.tempdir = None
        if before is None:
            del os.environ["TMPDIR"]
        else:
            os.environ["TMPDIR"] = before
        warden.close()


class Fetching:
    """Shows the progress of several builds on stderr: a bar on a terminal, lines elsewhere."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._begun = 0
        self._bar = _bar(total) if sys.stderr.isatty() else None

    @contextmanager
    def build(self, key: str) -> Iterator[None]:
        """Show this build as being fetched until the context exits."""
        self._begun += 1
        self._key = key
        self.say("looking for it in the cache")
        if self._bar:
            self._bar.start()
        try:
            yield
        finally:
            if self._bar:
                self._bar.advance(self._bar.task_ids[0])
                self._bar.stop()

    def say(self, line: str) -> None:
        """Show a line of progress of the current build."""
        text = f"{self._begun} of {self._total}: {self._key}: {line}"
        if self._bar:
            self._bar.update(self._bar.task_ids[0], description=text)
        else:
            click.echo(text, err=True)


def _bar(total: int) -> Progress:
    from rich.console import Console  # noqa: PLC0415 - most commands have no terminal or no bar
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn  # noqa: PLC0415

    columns = (
        SpinnerColumn(),
        BarColumn(bar_width=20),
        TimeElapsedColumn(),
        TextColumn("{task.description}", markup=False),
    )
    bar = Progress(*columns, console=Console(stderr=True), redirect_stdout=False, redirect_stderr=False, transient=True)
    bar.add_task("", total=total)
    return bar
