"""A file is written whole or not at all, and the error names it; a limit of its length stands for a full disk."""

from __future__ import annotations

import errno
import resource
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from harness.runtime.files import ANYONE, whole_file, write_new, write_whole

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

LONG = "x" * 5000
LIMIT = 4096


@contextmanager
def limited() -> Iterator[None]:
    """Let no file have more than LIMIT bytes (setrlimit(2), RLIMIT_FSIZE)."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (LIMIT, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("write", [write_new, write_whole])
def test_a_file_that_does_not_fit_is_named_and_leaves_nothing(tmp_path: Path, write: Callable[..., None]) -> None:
    path = tmp_path / "new.txt"

    with pytest.raises(OSError, match="File too large") as caught, limited():
        write(path, LONG)

    assert (caught.value.errno, caught.value.filename) == (errno.EFBIG, str(path))
    assert list(tmp_path.iterdir()) == []


def test_what_a_file_held_before_stays_if_the_new_does_not_fit(tmp_path: Path) -> None:
    path = tmp_path / "old.txt"
    path.write_text("before")

    with pytest.raises(OSError, match="File too large"), limited():
        write_whole(path, LONG)

    assert [(one.name, one.read_text()) for one in tmp_path.iterdir()] == [("old.txt", "before")]


def test_a_new_file_does_not_replace_one(tmp_path: Path) -> None:
    path = tmp_path / "old.txt"
    path.write_text("before")

    with pytest.raises(FileExistsError):
        write_new(path, "after")

    assert path.read_text() == "before"


def test_a_link_stays_and_its_file_is_replaced(tmp_path: Path) -> None:
    path, link = tmp_path / "file", tmp_path / "link"
    path.write_text("before")
    link.symlink_to(path)

    write_whole(link, "after")

    assert link.is_symlink()
    assert path.read_text() == "after"


def test_a_device_is_written_to_and_stays_a_device() -> None:
    full = Path("/dev/full")

    with pytest.raises(OSError, match="No space left on device") as caught:
        write_whole(full, "text")

    assert caught.value.filename == "/dev/full"
    assert full.is_char_device()


@pytest.mark.parametrize(("mode", "seen"), [(0o600, 0o600), (0o700, 0o700), (ANYONE, None)])
def test_a_file_has_the_mode_that_is_asked_for(tmp_path: Path, mode: int, seen: int | None) -> None:
    usual, made = tmp_path / "usual", tmp_path / "made"
    usual.write_text("")

    with whole_file(made, mode) as file:
        file.write("text")

    assert made.stat().st_mode & 0o777 == (seen if seen is not None else usual.stat().st_mode & 0o777)
