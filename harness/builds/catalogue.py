"""The builds that can be fetched, as catalogue.toml lists them."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

NAME = "catalogue.toml"


class Part(StrEnum):
    """A component of a build."""

    PROGRAM = "program"
    """The program ``openssl``, with s_server and s_client."""
    LIBRARY = "library"
    """libssl and libcrypto as shared libraries."""
    HEADERS = "headers"
    """The C headers, such as ``openssl/ssl.h``."""
    PACKAGE = "package"
    """A Python package that contains OpenSSL."""


STACKS = {Part.PROGRAM: "openssl", Part.LIBRARY: "libssl", Part.PACKAGE: "pyopenssl"}
"""The stack that uses a part."""


@dataclass(frozen=True, slots=True)
class Artefact:
    """A file to fetch: its name and its SHA-256 in hexadecimal."""

    file: str
    sha256: str


@dataclass(frozen=True, slots=True)
class CatalogueEntry:
    """One entry. ``version`` is as catalogued; if a suite now has a newer one, the build reports that."""

    version: str
    provider: str
    has: frozenset[Part]
    artefacts: tuple[Artefact, ...] = ()
    libraries: tuple[Artefact, ...] = ()
    """The files that hold OpenSSL, by their path in the build's folder; empty where no SHA-256 can be pinned."""
    suites: tuple[str, ...] = ()
    """Debian suites; if several have a package, the last one wins."""
    packages: tuple[str, ...] = ()
    """Debian packages."""
    signed: str = ""
    """Who signs it, if no SHA-256 can be pinned."""

    @property
    def key(self) -> str:
        """Return its folder in the cache: one per Debian suite, or one per version for pinned files."""
        return f"{self.provider}-{self.suites[-1] if self.suites else self.version}"

    @property
    def stacks(self) -> tuple[str, ...]:
        """Return the stacks that can use it."""
        return tuple(stack for part, stack in STACKS.items() if part in self.has)

    @property
    def source(self) -> str:
        """Return a description of what is fetched."""
        if self.suites:
            return f"{self.packages[0].partition('/')[0]} of {self.suites[-1]}"
        return self.artefacts[0].file.partition("-cp")[0] if self.artefacts else self.version


@cache
def catalogue() -> tuple[CatalogueEntry, ...]:
    """Return every build that can be fetched, in the order of the file."""
    entries = tomllib.loads((files("harness.builds") / NAME).read_text())["build"]
    return tuple(_known(entry) for entry in entries)


def _known(entry: Mapping[str, Any]) -> CatalogueEntry:
    return CatalogueEntry(
        version=entry["version"],
        provider=entry["provider"],
        has=frozenset(map(Part, entry["has"])),
        artefacts=tuple(Artefact(**artefact) for artefact in entry.get("artefacts", ())),
        libraries=tuple(Artefact(**library) for library in entry.get("libraries", ())),
        suites=tuple(entry.get("suites", ())),
        packages=tuple(entry.get("packages", ())),
        signed=entry.get("signed", ""),
    )
