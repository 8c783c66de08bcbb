"""The type of the options and arguments that name a file or a folder."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    import os


class NamedPath(click.Path):
    """A path that is not empty: pathlib takes the empty one for the current folder, which nobody named."""

    def convert(self, value: str | os.PathLike[str], param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the path; BadParameter for an empty one, or for one that `click.Path` refuses."""
        if value == "":
            self.fail("it is empty; give a path", param, ctx)
        return super().convert(value, param, ctx)
