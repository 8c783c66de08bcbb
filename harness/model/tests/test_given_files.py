"""A file that a user names is read whole, or refused with its name and what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.cli import main
from harness.model.errors import LONGEST_FILE, UsageError, given_bytes

ENDLESS = Path("/dev/zero")
UNREADABLE = Path("/proc/self/mem")
"""It can be opened; its first page cannot be read (proc(5))."""


def test_a_file_is_read_whole(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"x" * LONGEST_FILE)

    assert len(given_bytes(file, "the file", "give another")) == LONGEST_FILE


@pytest.mark.parametrize(
    ("file", "why"),
    [
        (Path("/nonexistent"), "cannot be read: No such file or directory"),
        (Path("/"), "cannot be read: Is a directory"),
        (UNREADABLE, "cannot be read: Input/output error"),
        (ENDLESS, "has more than 1 MiB"),
    ],
    ids=str,
)
def test_what_cannot_be_read_is_named_with_advice(file: Path, why: str) -> None:
    with pytest.raises(UsageError, match=f"^--file F {why}; give another$"):
        given_bytes(file, "--file F", "give another")


CASE = ["connect", "--client=libssl", "--server=libssl", "--tls=1.3"]
PROBE = ["probe", "127.0.0.1:1"]


@pytest.mark.parametrize("file", [ENDLESS, UNREADABLE], ids=str)
@pytest.mark.parametrize(
    "command",
    [
        [*CASE, "--stack"],
        [*CASE, "--session-in"],
        ["connect", "--story"],
        ["session"],
        ["explore", "3.0", "--from"],
        [*PROBE, "--ca"],
        [*PROBE, "--say"],
        [*PROBE, "--every=1s", "--for=2s", "--state"],
    ],
    ids=" ".join,
)
def test_no_command_reads_a_device_for_ever(capsys: pytest.CaptureFixture[str], command: list[str], file: Path) -> None:
    code = main([*command, str(file)])

    assert code == 2
    assert f"{file} " in capsys.readouterr().err.splitlines()[-1]
