"""The progress of a run says how far it is, what failed, and what it waits for."""

from __future__ import annotations

import io
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from harness.plugin.progress import CLEAR, Progress, duration
from harness.plugin.waits import FOLDER, USUAL_VERSIONS, writer

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Begun = Callable[[int], Any]


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        """The present time."""
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def stream() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def plain(stream: io.StringIO, clock: Clock) -> Progress:
    return Progress(stream, terminal=False, clock=clock)


def pass_seconds(progress: Progress, clock: Clock, seconds: int, ending: int = 0) -> None:
    """Let seconds pass, in each of which so many cells end."""
    for second in range(seconds):
        for cell in range(ending):
            progress.pytest_runtest_logstart(f"{second} {cell}")
            progress.pytest_runtest_logfinish(f"{second} {cell}")
        clock.now += 1
        progress.tick()


def test_a_line_says_how_far_it_is_and_how_long_it_takes(plain: Progress, clock: Clock, stream: io.StringIO) -> None:
    plain.pytest_xdist_node_collection_finished(["id"] * 1000)
    pass_seconds(plain, clock, 15, ending=10)

    assert stream.getvalue() == "150 of 1,000 cells in 15 s; about 85 s left\n"


def test_what_runs_is_named_while_nothing_ends(plain: Progress, clock: Clock, stream: io.StringIO) -> None:
    plain.pytest_xdist_node_collection_finished(["id"] * 7)
    for name in "abcde":
        plain.pytest_runtest_logstart(name)
    pass_seconds(plain, clock, 24)

    assert stream.getvalue() == "0 of 7 cells; none ended in 10 s; running: a (10 s), b (10 s), c (10 s) and 2 more\n"


def test_what_a_cell_waits_for_is_shown_with_it(
    plain: Progress, clock: Clock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = SimpleNamespace(
        stash={FOLDER: tmp_path}, pluginmanager=SimpleNamespace(getplugin=lambda _name: SimpleNamespace())
    )
    plain.pytest_sessionstart(SimpleNamespace(config=config))  # type: ignore[arg-type]
    plain.pytest_xdist_node_collection_finished(["id"] * 7)
    for name in "ab":
        plain.pytest_runtest_logstart(name)
    write = writer(tmp_path, "gw1")
    monkeypatch.setenv(USUAL_VERSIONS, "b (call)")
    write("the handshake of\nlibssl; a line; another")
    clock.now += 11

    assert plain.waiting(clock.now).endswith(
        "running: b (11 s, waiting for the handshake of libssl and 2 more), a (11 s)"
    )

    write("")
    assert plain.waiting(clock.now).endswith("running: a (11 s), b (11 s)")
    plain.pytest_sessionfinish()


def test_workers_that_collect_are_waited_for(plain: Progress, clock: Clock, stream: io.StringIO) -> None:
    plain.pytest_xdist_setupnodes([1, 2])
    pass_seconds(plain, clock, 10)

    assert stream.getvalue() == "waiting for 2 workers to start and collect (10 s)\n"


def test_a_failure_is_one_line_at_once(plain: Progress, stream: io.StringIO) -> None:
    crash = SimpleNamespace(message="AssertionError: declined is resumed\n\n  Why connection 2 was declined: x\n  more")
    report = SimpleNamespace(failed=True, when="call", nodeid="x.py::y[z]", longrepr=SimpleNamespace(reprcrash=crash))
    plain.pytest_runtest_logreport(report)  # type: ignore[arg-type]

    assert stream.getvalue() == "FAILED x.py::y[z]: declined is resumed; Why connection 2 was declined: x\n"


def test_a_terminal_has_one_line_that_is_redrawn(
    stream: io.StringIO, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "30")
    progress = Progress(stream, terminal=True, clock=clock)
    progress.pytest_xdist_node_collection_finished(["id"] * 1000)
    pass_seconds(progress, clock, 2, ending=1)

    assert stream.getvalue() == f"{CLEAR}1 of 1,000 cells in 1 s{CLEAR}2 of 1,000 cells in 2 s; abo…"


@pytest.mark.parametrize(("seconds", "text"), [(0, "0 s"), (119.4, "119 s"), (125, "2 min 5 s")])
def test_a_duration_is_in_seconds_or_minutes(seconds: float, text: str) -> None:
    assert duration(seconds) == text
