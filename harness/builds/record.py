"""The record of a cached build: what it is, and the SHA-256 of each of its files."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

from harness.builds.catalogue import Artefact, Part
from harness.model.errors import BuildError

if TYPE_CHECKING:
    from pathlib import Path

    from harness.builds.catalogue import CatalogueEntry

NAME = "build.json"
SCHEMA = 1


@dataclass(frozen=True, slots=True)
class Record:
    """``version`` is what the build itself told when it was fetched."""

    key: str
    version: str
    provider: str
    has: frozenset[Part]
    source: str
    artefacts: tuple[Artefact, ...] = ()
    seconds: float = 0.0
    """How long it took to fetch."""
    bytes: int = 0
    files: dict[str, str] = field(default_factory=dict)
    """SHA-256 by path; of a link, ``-> `` and where it leads."""

    @classmethod
    def of(cls, known: CatalogueEntry, version: str, seconds: float, folder: Path) -> Record:
        """What is to be written of a folder that was just filled."""
        return cls(
            known.key,
            version,
            known.provider,
            known.has,
            known.source,
            known.artefacts,
            round(seconds, 2),
            sum(path.stat().st_size for path in folder.rglob("*") if path.is_file() and not path.is_symlink()),
            fingerprints(folder),
        )

    def write(self, folder: Path) -> None:
        """Write it beside what it is about."""
        fields = asdict(self) | {"schema": SCHEMA, "has": sorted(self.has)}
        (folder / NAME).write_text(json.dumps(fields, indent=1))

    @classmethod
    def read(cls, folder: Path) -> Record:
        """Read it; BuildError if it cannot be read."""
        try:
            fields = json.loads((folder / NAME).read_text())
            if fields.pop("schema") != SCHEMA:
                raise BuildError(
                    f"{folder} was written by another release of the harness; remove it and fetch it again"
                )
            fields["has"] = frozenset(map(Part, fields["has"]))
            fields["artefacts"] = tuple(Artefact(**artefact) for artefact in fields["artefacts"])
            return cls(**fields)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise BuildError(
                f"{folder / NAME} cannot be read ({error}); remove the folder and fetch it again"
            ) from error


def fingerprints(folder: Path) -> dict[str, str]:
    """The SHA-256 of every file in a folder, but for the record itself and what Python compiles."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if name == NAME or path.parent.name == "__pycache__":
            continue
        if path.is_symlink():
            found[name] = f"-> {path.readlink()}"
        elif path.is_file():
            found[name] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found
