"""Starts the agent: ``python -m harness.agent STACK``, or ``python -I FOLDER STACK`` for a copy of this folder."""

import sys
from importlib import import_module
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from types import ModuleType

NAME = "harness.agent"


def name_folder(folder: Path) -> None:
    """Make this folder the package ``harness.agent`` and block imports from any other ``harness``."""
    loader = SourceFileLoader(NAME, str(folder / "__init__.py"))
    spec = spec_from_loader(NAME, loader, is_package=True)
    if spec is None:
        raise ImportError(folder)
    parent, agent = ModuleType("harness"), module_from_spec(spec)
    parent.__path__ = []
    sys.modules |= {"harness": parent, NAME: agent}
    loader.exec_module(agent)
    sys.path.remove(str(folder))  # its modules must not be importable under a second name


if __name__ == "__main__":
    if __package__ != NAME:
        name_folder(Path(sys.path[0]))
    import_module(f"{NAME}.program").main()
