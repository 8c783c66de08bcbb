"""``python -m harness.plugin`` is pytest with the harness's plugin, for `resumption run`."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

BAD_USAGE = 2
"""Exit code of every command of the harness for bad usage; pytest's own is 4."""


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


def main() -> int:
    """Run pytest on the command line's arguments; its exit code, 2 for bad usage."""
    code = pytest.main([*sys.argv[1:], "-p", "harness.plugin.hooks"], plugins=[Paths()])
    return BAD_USAGE if code == pytest.ExitCode.USAGE_ERROR else int(code)


if __name__ == "__main__":
    sys.exit(main())
