"""Fetches pinned wheels with the configured pip and unpacks them; it installs and imports nothing."""

from __future__ import annotations

import hashlib
import sys
import sysconfig
import zipfile
from importlib.util import find_spec
from typing import TYPE_CHECKING

from packaging.utils import parse_wheel_filename

from harness.builds.programs import CommandError, command
from harness.model.errors import BuildError, reason_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from harness.builds.catalogue import Artefact

DEADLINE = 600.0
"""Seconds to download all files of a build."""
RETRIES = "2"
TIMEOUT = "20"
"""Seconds that pip waits for a response."""
STABLE = "3.11"
"""The Python version to request a wheel of the stable ABI for; newer ones can use it too."""
PLATFORM = "linux-x86_64"
"""The platform of the catalogue's wheels, as sysconfig names it."""
UNCONSTRAINED = {"PIP_CONSTRAINT": ""}
"""Constraints on installed packages do not apply to unpacked wheels."""
ELSEWHERE = "the providers system, prefix, debian and source serve other machines"


def unserved() -> str | None:
    """Return why no wheel of the catalogue runs on this machine, or None."""
    here = sysconfig.get_platform()
    if here != PLATFORM:
        return f"its wheels are for {PLATFORM} and this is {here}; {ELSEWHERE}"
    if sysconfig.get_config_var("HOST_GNU_TYPE") and "musl" in str(sysconfig.get_config_var("HOST_GNU_TYPE")):
        return f"its wheels need the GNU C library, and this Python has musl; {ELSEWHERE}"
    if find_spec("pip") is None:
        return "it needs pip, and this Python has none; run `python -m ensurepip`"
    return None


def fetch(artefacts: Sequence[Artefact], folder: Path) -> list[Path]:
    """Download wheels into a folder; BuildError if one cannot be fetched or has another SHA-256."""
    pinned = folder / "requirements.txt"
    tags: set[str] = set()
    python = STABLE
    lines = []
    for artefact in artefacts:
        name, version, _build, found = parse_wheel_filename(artefact.file)
        lines.append(f"{name}=={version} --hash=sha256:{artefact.sha256}\n")
        for tag in found:
            tags |= {tag.platform} - {"any"}
            if tag.interpreter.startswith("cp") and tag.abi != "abi3":
                python = f"{tag.interpreter[2]}.{tag.interpreter[3:]}"
    pinned.write_text("".join(lines))
    argv = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--quiet", "--no-input"]
    argv += ["--disable-pip-version-check", "--retries", RETRIES, "--timeout", TIMEOUT]
    argv += ["--implementation", "cp", "--python-version", python, *(f"--platform={tag}" for tag in sorted(tags))]
    try:
        command([*argv, "--dest", str(folder), "--requirement", str(pinned)], DEADLINE, UNCONSTRAINED)
    except CommandError as error:
        raise BuildError(_why(", ".join(line.split()[0] for line in lines), error)) from error
    return [_checked(folder, artefact) for artefact in artefacts]


def _why(what: str, error: CommandError) -> str:
    if "DO NOT MATCH THE HASHES" in error.output:
        got = [line.split()[-1] for line in error.output.splitlines() if line.strip().startswith("Got ")]
        return (
            f"{what} is not the file in the catalogue: its SHA-256 is {', '.join(got)}. It is not used, and nothing of "
            "it is kept. The package index, or a proxy, serves another file; use another index"
        )
    return (
        f"{what} cannot be fetched: {error}\nIt needs pip's package index (`pip config list` shows which one); "
        "cached builds need no network, and `resumption builds` lists them"
    )


def _checked(folder: Path, artefact: Artefact) -> Path:
    """Return the downloaded file after comparing its SHA-256, which not every pip does."""
    path = folder / artefact.file
    if not path.is_file():
        names = ", ".join(sorted(p.name for p in folder.iterdir()))
        raise BuildError(f"pip downloaded {names or 'nothing'} instead of {artefact.file}")
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != artefact.sha256:
        raise BuildError(f"the SHA-256 of {artefact.file} is {found} and must be {artefact.sha256}; it is not used")
    return path


def unpack(wheel: Path, folder: Path, wanted: Callable[[str], bool] = lambda _name: True) -> None:
    """Unpack the files of a wheel whose name is ``wanted``; BuildError if the wheel is damaged."""
    try:
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(folder, [name for name in archive.namelist() if wanted(name)])
    except (zipfile.BadZipFile, OSError) as error:
        raise BuildError(f"{wheel.name} cannot be unpacked: {reason_of(error)}") from error
