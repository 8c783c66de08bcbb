"""pytest with the harness's plugin, as `resumption run` starts it."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import pytest

from harness.plugin.progress import Progress

BAD_USAGE = 2
"""Exit code of every command of the harness for bad usage; pytest's own is 4."""
OWN_OUTPUT = re.compile(
    r"-[vqxl]*[vqsh][vqxlsh]*$|--(verbos|quiet|capture|pdb|trace$|co$|collect-only|setup-|fixtures|markers|help|version)"
)
"""Arguments that ask for pytest's own output, which progress would disturb."""


class Paths:
    """Refuses a path that does not exist, also with workers of pytest-xdist, which look for it too late."""

    @staticmethod
    def pytest_configure(config: pytest.Config) -> None:
        """Look for each path of the command line; `--pyargs` takes the names of modules."""
        if config.getoption("pyargs"):
            return
        for argument in config.args:
            path = Path(argument.partition("::")[0])
            if not (config.invocation_params.dir / path).exists():
                raise pytest.UsageError(f"{path} does not exist; name a folder or a file of scenarios")


def main(arguments: list[str]) -> int:
    """Run pytest; its exit code, 2 for bad usage."""
    plugins: list[object] = [Paths()]
    if not any(OWN_OUTPUT.match(argument) for argument in arguments):
        # pytest captures what is written to descriptor 1 while a test runs, and progress goes on meanwhile
        stream = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8", errors="backslashreplace")
        plugins.append(Progress(stream, terminal=sys.stdout.isatty()))
        arguments = [*arguments, "-o", "console_output_style=classic"]
    code = pytest.main([*arguments, "-p", "harness.plugin.hooks"], plugins=plugins)
    return BAD_USAGE if code == pytest.ExitCode.USAGE_ERROR else int(code)
