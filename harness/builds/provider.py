"""The interface of the providers that fetch builds; each is one module, and the store lists them.

Installed builds need no provider: ``system`` finds the machine's own, ``prefix`` those that a user built.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path
    from typing import TypeAlias

    from harness.builds.catalogue import CatalogueEntry
    from harness.model.build import Build

    Say: TypeAlias = Callable[[str], None]
    """Called with each line of progress."""


class Provider(Protocol):
    """A source of builds. It writes only to the folder that it is given."""

    name: str

    def unserved(self) -> str | None:
        """Return why it has nothing for this machine, and which providers do; None if it has builds."""
        ...

    def obtain(self, known: CatalogueEntry, folder: Path, say: Say) -> None:
        """Fill an empty folder; BuildError says what failed, what is wrong with a file, or what is missing."""
        ...

    def builds(self, folder: Path, version: str) -> Mapping[str, Build]:
        """Return the Build for each stack, without running anything; ``version`` is the measured version."""
        ...
