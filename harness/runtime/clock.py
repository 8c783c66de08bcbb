"""Moves the clock of one child process with libfaketime."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MISSING = "libfaketime is not installed, or has no library for this system"


def library() -> Path | None:
    """Return the libfaketime of the Python package, or None if it has none for this system."""
    spec = importlib.util.find_spec("libfaketime")
    if spec is None or spec.origin is None:
        return None
    found = Path(spec.origin).parent / "vendor/libfaketime/src/libfaketime.so.1"
    return found if found.is_file() else None


class Clock:
    """A clock that can be set while its child runs; ``path`` is a file in the private folder of the run."""

    def __init__(self, path: Path, seconds: int = 0) -> None:
        self._path = path
        self._paced = False
        self._shown = 0
        self.move(seconds)

    def move(self, seconds: int) -> None:
        """Show the true time plus ``seconds``; negative seconds set the clock back."""
        self._show(f"{seconds:+d}s")

    def stop(self, at: int) -> None:
        """Show a fixed time in seconds since the epoch until the clock is set again."""
        self._show(f"{at:d}")

    def run(self, at: float, pace: float = 1) -> None:
        """Show this moment, seconds since the epoch, when the child next reads the clock, and run on at this pace."""
        self._paced = self._paced or pace != 1
        self._shown = (self._shown + 1) % 1000
        # libfaketime restarts only if the text changes, so each has nanoseconds of its own
        self._show(f"@{at:.6f}{self._shown:03d}", pace)

    def _show(self, text: str, pace: float = 1) -> None:
        staged = self._path.with_suffix(".new")
        staged.write_text(f"{text} x{pace}\n" if self._paced else f"{text}\n")
        staged.replace(self._path)

    @property
    def environment(self) -> dict[str, str]:
        """Return the environment variables for the child (faketime(1), "Advanced time specification options")."""
        return {
            "LD_PRELOAD": str(library()),
            "FAKETIME_TIMESTAMP_FILE": str(self._path),
            "FAKETIME_FMT": "%s",
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }


SHARED = Path("/dev/shm")  # noqa: S108 - libfaketime's place (shm_overview(7))


MOVED = "moved."
"""The name of a child's marker in the private folder of the run, before its pid."""
MARKING = f"""
    : > "$1/{MOVED}$$" || exit
    export LD_PRELOAD="$2"
    shift 2
    exec "$@"
"""
"""Makes the marker, then becomes the child: whoever removes what a killed run leaves then knows its pid."""


def marked(argv: Sequence[str], environment: Mapping[str, str], folder: Path) -> tuple[list[str], dict[str, str]]:
    """The command and the environment of a child with a moved clock that first makes its marker in ``folder``.

    libfaketime creates its shared memory as soon as it is loaded, so that the shell is still without it.
    """
    without = {name: value for name, value in environment.items() if name != "LD_PRELOAD"}
    return ["/bin/sh", "-c", MARKING, "sh", str(folder), environment["LD_PRELOAD"], *argv], without


def forget_clock(pid: int, folder: Path) -> None:
    """Remove the shared memory that libfaketime leaves behind if its process is killed, and the child's marker."""
    (folder / f"{MOVED}{pid}").unlink(missing_ok=True)
    for name in (f"faketime_shm_{pid}", f"sem.faketime_sem_{pid}"):
        (SHARED / name).unlink(missing_ok=True)
