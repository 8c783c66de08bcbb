"""A full disk is reported as such, and never as what a TLS library did; what a command writes is there whole or not."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from harness.model.errors import stretched

if TYPE_CHECKING:
    from collections.abc import Iterator

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
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}  # Python would leave parts of its own files
    done = subprocess.run(limited, env=environment, check=False, capture_output=True, text=True, timeout=stretched(60))

    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith("error: a file may have 1024 bytes here (ulimit -f; ")
    assert len(done.stderr.splitlines()) == 1


CONNECT = ("connect", "--client", "libssl", "--server", "libssl", "--tls", "1.3")
RUN = ("run", "middlebox_compat.py", "--client", "libssl", "--server", "libssl", "-n", "0")
ADVICE = "free some space there, or name a place that has some"


def command(folder: Path, *words: str, stdout: object = subprocess.PIPE) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-m", "harness.cli", *words]
    return subprocess.run(  # type: ignore[call-overload, no-any-return]  # an open file is one, too
        argv, cwd=folder, check=False, stdout=stdout, stderr=subprocess.PIPE, text=True, timeout=stretched(60)
    )


@pytest.mark.parametrize("option", ["--reproduce", "--keep"])
def test_a_folder_that_does_not_fit_is_not_left_in_part(tiny: Path, option: str) -> None:
    filled(tiny, 2)
    done = command(tiny, *CONNECT, option, "made")

    assert done.returncode == 1
    assert done.stderr.startswith("error: made/")
    assert done.stderr.endswith(f": No space left on device; {ADVICE}\n")
    assert [path.name for path in tiny.iterdir()] == ["filler"]


@pytest.mark.parametrize("option", ["--story-out", "--session-out"])
def test_a_file_that_does_not_fit_is_not_left_in_part(tiny: Path, option: str) -> None:
    filled(tiny, 0)
    done = command(tiny, *CONNECT, option, "made")

    assert done.returncode == 1
    assert done.stderr == f"error: made: No space left on device; {ADVICE}\n"
    assert [path.name for path in tiny.iterdir()] == ["filler"]


def test_a_report_that_does_not_fit_names_its_file(tiny: Path, tmp_path: Path) -> None:
    run = command(tmp_path, *RUN, "--results", "results")
    assert run.returncode == 0, run.stdout
    filled(tiny, 2)
    done = command(tiny, "report", str(tmp_path / "results"), "-o", "page")

    assert done.returncode == 1
    assert done.stderr == f"error: page/index.html: No space left on device; {ADVICE}\n"
    assert list((tiny / "page").iterdir()) == []


def test_a_run_whose_results_do_not_fit_does_not_pass_and_can_be_read(tiny: Path, tmp_path: Path) -> None:
    filled(tiny, 5)
    run = command(tmp_path, *RUN, "--results", str(tiny / "results"))
    done = command(tmp_path, "report", str(tiny / "results"), "-o", "page")

    assert run.returncode == 1
    assert "10 passed" in run.stdout
    assert "ERROR: the results are incomplete, they could not be written: " in run.stdout
    assert f"No space left on device: '{tiny}/results/results.jsonl'" in run.stdout
    assert done.returncode == 0, done.stderr
    assert "had no space for all its results" in done.stdout


@pytest.mark.parametrize("words", [("stacks",), (*CONNECT, "--json"), RUN])
def test_an_output_that_takes_nothing_is_one_line(tmp_path: Path, words: tuple[str, ...]) -> None:
    with Path("/dev/full").open("w") as full:
        done = command(tmp_path, *words, stdout=full)

    assert done.returncode == 1
    assert done.stderr.startswith("error: standard output")
    assert "No space left on device" in done.stderr
    assert len(done.stderr.splitlines()) == 1
