"""Writes files whole or not at all, for a disk that is full or a file that grows beyond its limit."""

from __future__ import annotations

import os
import secrets
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from collections.abc import Iterator

OWNER = 0o600
"""The mode of a file for its owner alone."""
ANYONE = 0o666
"""The mode of a file that the umask limits, and nothing else."""


def write_whole(path: Path, content: str | bytes, mode: int = OWNER) -> None:
    """Write a file, or replace it; OSError names it and leaves what was there before."""
    with whole_file(path, mode) as file:
        file.buffer.write(content if isinstance(content, bytes) else content.encode(errors="backslashreplace"))


def write_new(path: Path, content: str | bytes, mode: int = OWNER) -> None:
    """Write a file that is not there; OSError names it and leaves none, FileExistsError leaves the one that is."""
    with naming(path):
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        with _removed_on_error(path), os.fdopen(descriptor, "wb") as file:
            file.write(content if isinstance(content, bytes) else content.encode(errors="backslashreplace"))


@contextmanager
def whole_file(path: Path, mode: int = OWNER) -> Iterator[TextIO]:
    """Open a file for UTF-8, which gets its name at the end; OSError names it and leaves what was there before.

    A device is written to as it is.
    """
    target = Path(os.path.realpath(path))
    with naming(path):
        if target.exists() and not target.is_file():
            with target.open("w", encoding="utf-8") as device:
                yield device
            return
        part = target.with_name(f".{secrets.token_hex(8)}.new")
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        with _removed_on_error(part):
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                if mode != ANYONE:
                    os.fchmod(descriptor, mode)  # whatever the umask
                yield file
            part.replace(target)


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Give an OSError that names no file, as those of a write do, the name of this one."""
    try:
        yield
    except OSError as error:
        if not isinstance(error, FileExistsError):
            error.filename = str(path)
        raise


@contextmanager
def _removed_on_error(path: Path) -> Iterator[None]:
    try:
        yield
    except BaseException:
        with suppress(OSError):
            path.unlink()
        raise
