"""A reproducer in a folder of its own, and how it is run there: with nothing of this process's environment."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

from harness.model.errors import stretched
from harness.results.writer import keep

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from harness.model.build import Build
    from harness.reproduce.story import Story
    from harness.runtime.runtime import Runtime

DEADLINE = 120.0
BARE = {"PATH": os.environ["PATH"]}
"""All that a reproducer needs of an environment."""


def laid_out(folder: Path, story: Story, name: str, source: str, runtime: Runtime) -> Path:
    """The reproducer with its certificates, in a folder whose name is not easy; its path."""
    place = folder / "a 'folder' $x"
    files: dict[str, str | bytes] = {name: source, "authority.pem": runtime.pki.authority().read_bytes()}
    for stem in story.certificates:
        issued = runtime.pki.issued(stem)
        files |= {f"{stem}.crt": issued.certificate.read_bytes(), f"{stem}.key": issued.key.read_bytes()}
    return keep(place, files, (name,)) / name


def program(build: Build) -> str:
    """The openssl program of a build, as words for a shell script's variable."""
    given = [f"{name}={value}" for name, value in build.environment.items()]
    return " ".join(["env", *given, *(build.openssl or ())])


def run(argv: Sequence[str | Path], environment: Mapping[str, str], folder: Path) -> subprocess.CompletedProcess[str]:
    """Run it with this environment alone, in a working folder that has nothing to do with it."""
    return subprocess.run(
        argv,
        env={**BARE, **environment},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=stretched(DEADLINE),
        check=False,
    )


def last_line(done: subprocess.CompletedProcess[str]) -> str:
    """The last line of stdout, or all that was said on stderr where there is none."""
    lines = done.stdout.splitlines()
    return lines[-1] if lines else done.stderr
