"""The interface of the providers that fetch builds; each is one module, and the store lists them.

What lies on the machine already needs no fetching and no cache: ``system`` finds the machine's own, ``prefix`` what a
user built.
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
    """Called with one line of progress."""


class Provider(Protocol):
    """Where builds come from. It leaves nothing outside the folder that it is given."""

    name: str

    def unserved(self) -> str | None:
        """Why it can serve nothing on this machine, and who can; None if it serves it."""
        ...

    def obtain(self, known: CatalogueEntry, folder: Path, say: Say) -> None:
        """Fill an empty folder. BuildError says what was wrong with what came, or what is missing to get it."""
        ...

    def builds(self, folder: Path, version: str) -> Mapping[str, Build]:
        """The Build of each stack that the folder serves; runs nothing. ``version`` is what it was measured to be."""
        ...
