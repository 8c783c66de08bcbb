"""`resumption diff` keeps each cell as soon as it is over: a killed run goes on, wherever its folder is by then."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from harness.builds.store import BuildStore
from harness.model.errors import stretched

if TYPE_CHECKING:
    from pathlib import Path

CELLS = 20
SCENARIO = '''"""A ticket resumes (RFC 8446, 2.2)."""

from pathlib import Path

from harness import FULL, RESUMED, TLSv1_3, cases, scenario

pytestmark = scenario(versions=[TLSv1_3])


@cases("number", *range(CELLS))
def test_it_resumes(pair, number, request):
    with Path("ran").open("a") as ran:
        ran.write(f"{request.node.name}\\n")
    first = pair.connect()
    assert first.outcome is FULL
    assert pair.connect(offer=first.session).outcome is RESUMED
'''.replace("CELLS", str(CELLS))


@pytest.fixture
def two() -> list[str]:
    """Two builds that are compared, each a ``stack@build``."""
    here = BuildStore().serving("libssl")
    if len(here) < 2:
        pytest.skip("fewer than two builds are here; `resumption builds fetch 3.5 4.0` fetches two")
    return [f"libssl@{version}" for version in list(here)[:2]]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "test_resumes.py").write_text(SCENARIO)
    return folder


def started(folder: Path, builds: list[str], *more: str) -> subprocess.Popen[str]:
    """A diff in a project, with a cache of results of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "harness.cli", "diff", *builds, "test_resumes.py", "-n0", "--no-table", *more],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={
            "RESUMPTION_CACHE": str(BuildStore().cache.folder),
            **os.environ,
            "XDG_CACHE_HOME": str(folder.parent / "cache"),
        },
    )


def ended(command: subprocess.Popen[str]) -> tuple[int, str, str]:
    out, err = command.communicate()
    return command.returncode, out, err


def diff(folder: Path, builds: list[str], *more: str) -> tuple[int, str, str]:
    return ended(started(folder, builds, *more))


def ran(folder: Path) -> Counter[str]:
    """How often each cell ran."""
    found = folder / "ran"
    return Counter(found.read_text().splitlines() if found.exists() else [])


def killed(folder: Path, builds: list[str], number: signal.Signals, least: int = 8) -> tuple[int, str, str]:
    """A diff that a signal ends after some cells."""
    command, end = started(folder, builds), time.monotonic() + stretched(60)
    before = ran(folder).total()
    while ran(folder).total() < before + least:
        assert command.poll() is None, command.communicate()
        assert time.monotonic() < end, command.communicate()
        try:
            command.wait(0.05)
        except subprocess.TimeoutExpired:
            continue
    command.send_signal(number)
    return ended(command)


def kept(folder: Path) -> list[Path]:
    return sorted((folder.parent / "cache" / "resumption-harness" / "runs").iterdir())


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_killed_diff_goes_on_and_no_cell_runs_twice(project: Path, two: list[str], number: signal.Signals) -> None:
    first = killed(project, two, number)
    before = ran(project)
    again = killed(project, two, number)
    _, out, err = diff(project, two, "--json")
    runs = ran(project)

    assert first[0] == again[0] == (130 if number is signal.SIGINT else -number)
    assert ("the same command goes on from there" in first[2]) is (number is signal.SIGINT)
    assert 8 <= before.total() < 2 * CELLS
    assert len(runs) == 2 * CELLS
    assert runs.total() <= 2 * CELLS + 2, "each kill may cost the cell that ran"
    assert "are kept" in err
    assert json.loads(out)["compared"] == CELLS
    assert [path.name.partition(".")[2] for path in kept(project)] == ["json.gz"] * 2


def test_a_moved_folder_runs_nothing_again(project: Path, two: list[str]) -> None:
    whole = diff(project, two, "--json")
    moved = project.rename(project.parent / "moved")
    same = diff(moved, two, "--json")
    once = ran(moved)
    (moved / "test_resumes.py").write_text(SCENARIO.replace("A ticket", "Any ticket"))
    diff(moved, two)

    assert same[:2] == whole[:2]
    assert set(once.values()) == {1}
    assert f"results of {two[0]} are kept" in same[2]
    assert set(ran(moved).values()) == {2}


def test_a_build_that_moved_runs_nothing_again(project: Path, two: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    here = BuildStore().cache.folder
    monkeypatch.setenv("RESUMPTION_CACHE", str(here))
    diff(project, two)
    linked = project.parent / "elsewhere"
    linked.symlink_to(here)
    monkeypatch.setenv("RESUMPTION_CACHE", str(linked))
    diff(project, two)

    assert set(ran(project).values()) == {1}


def test_what_is_damaged_is_said_and_runs_again(project: Path, two: list[str]) -> None:
    diff(project, two)
    path = kept(project)[0]
    path.write_bytes(b"no gzip")
    code, _, err = diff(project, two)

    assert code in {0, 1}
    assert f"note: {path} is damaged; its cells run again" in err
    assert sorted(ran(project).values()) == [1] * CELLS + [2] * CELLS


def test_fresh_runs_all_again_and_keeps_it(project: Path, two: list[str]) -> None:
    diff(project, two)
    diff(project, two, "--fresh")
    diff(project, two)

    assert set(ran(project).values()) == {2}


def test_two_diffs_at_once_both_end(project: Path, two: list[str]) -> None:
    both = [ended(one) for one in [started(project, two, "--json") for _ in range(2)]]
    _, _, err = diff(project, two)

    assert both[0][:2] == both[1][:2]
    assert f"results of {two[0]} are kept" in err
    assert max(ran(project).values()) <= 2


def test_a_cache_that_cannot_be_written_is_said_and_the_diff_ends(project: Path, two: list[str]) -> None:
    (project.parent / "cache").write_text("no folder")
    code, out, err = diff(project, two)

    assert code in {0, 1}
    assert "note: results cannot be kept" in err
    assert f"{CELLS} cells compared" in out


FULL_DISK = f"""
    if number == {CELLS // 2} and Path("full").exists():
        import resource
        (written,) = Path("../cache").rglob("*.jsonl")
        resource.setrlimit(resource.RLIMIT_FSIZE, (written.stat().st_size, -1))
"""
"""From this cell on no file may be longer than the results are by then, as on a disk that is full."""


def test_a_full_disk_is_an_error_that_keeps_what_was_written(project: Path, two: list[str]) -> None:
    source = SCENARIO.replace("    first = ", f"{FULL_DISK}    first = ")
    (project / "test_resumes.py").write_text(source)
    (project / "full").touch()
    code, out, err = diff(project, two)
    (project / "full").unlink()
    _, shown, _ = diff(project, two, "--json")

    assert (code, out) == (1, "")
    assert "wrote some of its results" in err
    assert "the same command goes on from there" in err
    assert "Traceback" not in err
    assert json.loads(shown)["compared"] == CELLS
    assert ran(project).total() == 2 * CELLS + 1, "the cell that was not written runs again"
