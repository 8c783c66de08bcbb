"""Reads the catalogue of builds, which is data: catalogue.toml beside this module; fetches nothing."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from harness.builds.catalogue_entry import Artefact, CatalogueEntry, Part

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

NAME = "catalogue.toml"


@cache
def catalogue() -> tuple[CatalogueEntry, ...]:
    """Every build that can be fetched, as the file has them."""
    entries = tomllib.loads((files("harness.builds") / NAME).read_text())["build"]
    return tuple(_known(entry) for entry in entries)


def _known(entry: Mapping[str, Any]) -> CatalogueEntry:
    return CatalogueEntry(
        version=entry["version"],
        provider=entry["provider"],
        has=frozenset(map(Part, entry["has"])),
        artefacts=tuple(Artefact(**artefact) for artefact in entry.get("artefacts", ())),
        suites=tuple(entry.get("suites", ())),
        packages=tuple(entry.get("packages", ())),
        signed=entry.get("signed", ""),
    )
