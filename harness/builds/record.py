"""The record of a cached build: what it is, and the SHA-256 of each of its files."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from harness.builds.catalogue import Artefact, Part
from harness.builds.versions import build_version
from harness.model.errors import BuildError, UsageError, reason_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from harness.builds.catalogue import CatalogueEntry

NAME = "build.json"
SCHEMA = 1


@dataclass(frozen=True, slots=True)
class Record:
    """``version`` is what the build reported when it was fetched."""

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
    """The SHA-256 by path; for a link, ``-> `` and its target."""

    @classmethod
    def of(cls, known: CatalogueEntry, version: str, seconds: float, folder: Path) -> Record:
        """Return the record of a filled folder."""
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
        """Write it into the folder of the build."""
        fields = asdict(self) | {"schema": SCHEMA, "has": sorted(self.has)}
        (folder / NAME).write_text(json.dumps(fields, indent=1))

    @classmethod
    def read(cls, folder: Path) -> Record:
        """Read it; BuildError if it cannot be read, or is not the record of a build in this folder."""
        try:
            fields = _fields((folder / NAME).read_text())
            if fields.pop("schema") != SCHEMA:
                raise BuildError(
                    f"{folder} was written by another release of the harness; remove it and fetch it again"
                )
            fields["has"] = frozenset(map(Part, fields["has"]))
            fields["artefacts"] = tuple(Artefact(**artefact) for artefact in fields["artefacts"])
            record = cls(**fields)
            record.check(folder.name)
        except (OSError, ValueError, KeyError, TypeError, RecursionError, UsageError) as error:
            raise BuildError(
                f"{folder / NAME} cannot be read ({reason_of(error)}); remove the folder and fetch it again"
            ) from error
        return record

    def check(self, key: str) -> None:
        """TypeError or ValueError for a field of another type, or another build's; UsageError for no version."""
        for name, kind in KINDS.items():
            if not isinstance(getattr(self, name), kind):
                raise TypeError(f"{name} is {getattr(self, name)!r:.60}")
        if not all(isinstance(text, str) for text in self.files.values()):
            raise TypeError("a SHA-256 of its files is not a text")
        if self.key != key:
            raise ValueError(f"it is of {self.key}")
        build_version(self.version)


def _fields(text: str) -> dict[str, Any]:
    found = json.loads(text)
    if not isinstance(found, dict):
        raise TypeError("it holds no JSON object")
    return found


KINDS = {
    "key": str,
    "version": str,
    "provider": str,
    "source": str,
    "seconds": int | float,
    "bytes": int,
    "files": dict,
}
"""What a record must have to be listed."""
COMPILED = "__pycache__"
"""Python's own name for the folder of what it compiled."""
UNREADABLE = "unreadable: "
"""In place of the SHA-256 of a file that cannot be read."""
NEVER_RUN = (".a", ".h", ".html", ".pc")
"""Static libraries, headers and pages: a run loads none of them."""


def every(_name: str) -> bool:
    """Choose every file."""
    return True


def can_run(name: str) -> bool:
    """Choose the files that can take part in a run: libraries, programs, modules and configuration."""
    return not name.endswith(NEVER_RUN) and "/share/" not in name


def fingerprints(folder: Path, wanted: Callable[[str], bool] = every) -> dict[str, str]:
    """The SHA-256 of the wanted files in a folder, but for the record itself."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if name == NAME or not wanted(name):
            continue
        if path.is_symlink():
            found[name] = f"-> {path.readlink()}"
        elif path.is_file():
            try:
                with path.open("rb") as file:
                    found[name] = hashlib.file_digest(file, "sha256").hexdigest()
            except OSError as error:
                found[name] = f"{UNREADABLE}{error.strerror}"
    return found
