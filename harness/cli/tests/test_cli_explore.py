"""`resumption explore` by processes that share a folder: two of one seed would overwrite each other's state."""

from __future__ import annotations

import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from harness.explore.corpus import STATE, held
from harness.model.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def command(folder: Path, *options: str) -> list[str]:
    return [sys.executable, "-m", "harness.cli", "explore", "libssl", f"--to={folder}", "--from=none", *options]


def ended(folder: Path, *options: str) -> tuple[int, str]:
    """The exit code of an exploration, and what it says."""
    done = subprocess.run(command(folder, *options), capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


@contextmanager
def exploring(folder: Path, seed: int) -> Iterator[subprocess.Popen[str]]:
    """An exploration at work, with a state of its own; it is killed at the end."""
    argv = command(folder, "-n1", f"--seed={seed}", "--seconds=600")
    with subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            assert any("programs" in line for line in process.stderr)
            yield process
        finally:
            process.kill()


def test_another_process_with_the_same_seed_is_refused(tmp_path: Path) -> None:
    """Alone, or as the second of `-n 2`; after a kill the next one goes on with the state."""
    folder = tmp_path / "explored"
    with exploring(folder, 7):
        for options in (["-n1", "--seed=7"], ["-n2", "--seed=6"], ["--part=2/2", "--seed=7"]):
            code, said = ended(folder, *options, "--seconds=1")
            assert (code, said.count("\n")) == (2, 1), said
            assert f"another process explores {folder} with --seed 7; name a --seed that none has" in said
        assert ended(folder, "-n1", "--seed=8", "--seconds=1")[0] in {0, 1}
    before = (folder / STATE.format(7)).read_bytes()
    code, said = ended(folder, "-n1", "--seed=7", "--seconds=1")

    assert code in {0, 1}, said
    assert not (folder / STATE.format(6)).exists()
    assert (folder / STATE.format(7)).read_bytes() != before


def test_a_seed_is_free_again_after_its_exploration(tmp_path: Path) -> None:
    with held(tmp_path, 1), pytest.raises(UsageError, match="another process"), held(tmp_path, 1):
        pass
    with held(tmp_path, 1), held(tmp_path, 2):
        pass


@pytest.mark.parametrize(
    ("option", "says"),
    [
        (f"-n{10**24}", "is not in the range 1<=x<=1000"),
        ("--known=.", "error: . cannot be read: Is a directory; name a file in the form of harness/explore/known.toml"),
        ("--known=/dev/zero", "error: /dev/zero has more than 1 MiB; name a file in the form of"),
    ],
)
def test_a_value_that_cannot_be_is_bad_usage(option: str, says: str, tmp_path: Path) -> None:
    code, said = ended(tmp_path / "explored", option)

    assert code == 2
    assert says in said
    assert not (tmp_path / "explored").exists()
