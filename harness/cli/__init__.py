"""The ``resumption`` command."""

from __future__ import annotations

import errno
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

INTERRUPTED = 130
"""128 + SIGINT, as a shell reports it."""
NO_SPACE = "free some space there, or name a place that has some"
FULL = {
    errno.ENOSPC: NO_SPACE,
    errno.EDQUOT: NO_SPACE,
    errno.EFBIG: "raise the limit of a file's size (ulimit -f), or name a place that takes larger files",
}
"""What to do if a file cannot be written whole, by error number."""
UNUSABLE = {
    errno.ENAMETOOLONG: "give a shorter path",
    errno.ELOOP: "give a path without links in a circle",
}
"""What to do about a path that no file can have, by error number."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line (default: sys.argv) and return the exit code: see `harness.cli.command`."""
    try:
        from harness.cli.command import main as command  # noqa: PLC0415 - Ctrl-C may come while it loads
    except KeyboardInterrupt:
        if sys.stderr is not None:
            sys.stderr.write("interrupted\n")
        return INTERRUPTED
    return command(arguments)
