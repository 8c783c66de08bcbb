"""The type of the options and arguments that name a file or a folder."""

from __future__ import annotations

import os
from typing import Any

import click

from harness.cli import UNUSABLE


class NamedPath(click.Path):
    """A path that a file can have, and not the empty one: pathlib takes that for the current folder."""

    def convert(self, value: str | os.PathLike[str], param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the path; BadParameter for an empty one, or for one that `click.Path` refuses."""
        if value == "":
            self.fail("it is empty; give a path", param, ctx)
        try:
            os.lstat(value)
        except OSError as error:
            if error.errno in UNUSABLE:
                self.fail(f"{os.fspath(value)!r}: {error.strerror}; {UNUSABLE[error.errno]}", param, ctx)
        return super().convert(value, param, ctx)
