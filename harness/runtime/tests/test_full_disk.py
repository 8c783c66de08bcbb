"""A full disk under the private files of a run is reported as such, and never as what a TLS library did."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from harness.model.errors import stretched

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MOUNT, UMOUNT = shutil.which("mount") or "mount", shutil.which("umount") or "umount"


@pytest.fixture
def tiny(tmp_path: Path) -> Iterator[Path]:
    """A file system of 64 kB; skips with the reason where none can be mounted."""
    folder = tmp_path / "tiny"
    folder.mkdir()
    mounted = subprocess.run(
        [MOUNT, "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)], check=False, capture_output=True, text=True
    )
    if mounted.returncode:
        pytest.skip(f"no file system can be mounted here: {mounted.stderr.strip()}")
    yield folder
    subprocess.run([UMOUNT, "--lazy", str(folder)], check=True)


def filled(folder: Path, left: int) -> None:
    """Leave so many pages of 4096 bytes."""
    with (folder / "filler").open("wb", buffering=0) as file:
        for _ in range(16 - left):
            file.write(bytes(4096))


@pytest.mark.parametrize("left", [2, 5])
@pytest.mark.parametrize("stack", ["openssl", "libssl"])
def test_a_full_disk_is_the_error_and_no_verdict(tiny: Path, stack: str, left: int) -> None:
    filled(tiny, left)
    argv = [sys.executable, "-m", "harness.cli", "connect", "--client", stack, "--server", stack, "--tls", "1.3"]
    done = subprocess.run(
        argv,
        env={**os.environ, "TMPDIR": str(tiny)},
        check=False,
        capture_output=True,
        text=True,
        timeout=stretched(60),
    )

    assert done.returncode
    assert done.stdout == ""
    assert done.stderr.startswith(f"error: the disk of {tiny} is full (")
    assert "No space left on device. Free some space, or set TMPDIR to another folder" in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("stack", ["openssl", "ssl"])
def test_a_limit_of_a_files_length_is_the_error_and_no_verdict(stack: str) -> None:
    argv = [sys.executable, "-m", "harness.cli", "connect", "--client", stack, "--server", stack, "--tls", "1.3"]
    limited = ["/bin/sh", "-c", 'ulimit -f 2 && exec "$@"', "sh", *argv]
    done = subprocess.run(limited, check=False, capture_output=True, text=True, timeout=stretched(60))

    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith("error: a file may have 1024 bytes here (ulimit -f; ")
    assert len(done.stderr.splitlines()) == 1
