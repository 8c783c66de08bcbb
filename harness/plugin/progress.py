"""The progress of `resumption run`: finished cells, failures as they happen, and what it waits for.

PYTEST_DONT_REWRITE: it asserts nothing.
"""

from __future__ import annotations

import shutil
import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Any, TextIO

import pytest

from harness.plugin.waits import FOLDER, waits

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from pathlib import Path

TICK = 1.0
"""Seconds between two looks at the time."""
EVERY = 15.0
"""Seconds between two lines where there is no terminal."""
STALLED = 10.0
"""Seconds without the end of a cell after which the progress says what is running."""
WINDOW = 30
"""Number of samples from which the rate is computed."""
NAMED = 3
"""Running cells that are named."""
MINUTE = 60
CLEAR = "\r\x1b[K"
"""Begins the line of a terminal again (ECMA-48, EL)."""


class Progress:
    """A pytest plugin object of the process that the user started, with or without workers of pytest-xdist."""

    def __init__(self, stream: TextIO, *, terminal: bool, clock: Callable[[], float] = time.monotonic) -> None:
        """``stream`` is a stdout that pytest does not capture; ``terminal`` says whether its line can be redrawn."""
        self._stream = stream
        self._terminal = terminal
        self._clock = clock
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._total = 0
        self._done = 0
        self._bad = 0
        self._collecting = 0
        """Workers that have not collected yet."""
        self._running: dict[str, float] = {}
        self._folder: Callable[[], Path | None] = lambda: None
        """Where each process leaves what it waits for; None before the first scenario is collected."""
        self._begun = self._moved = self._said = clock()
        self._seen: deque[tuple[float, int]] = deque(maxlen=WINDOW)
        self._thread = threading.Thread(target=self._watch, name="resumption-progress", daemon=True)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionstart(self, session: pytest.Session) -> None:
        """Replace pytest's own letters."""
        session.config.pluginmanager.getplugin("terminalreporter").showfspath = False
        self._folder = lambda: session.config.stash.get(FOLDER, None)
        self._thread.start()

    @pytest.hookimpl(wrapper=True)
    def pytest_report_teststatus(self) -> Generator[None, Any, Any]:
        """Count a test as pytest does; print no letter for it before the summary."""
        status = yield
        return status if self._over.is_set() else (status[0], "", "")

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_setupnodes(self, specs: list[object]) -> None:
        """Wait for the workers to collect."""
        self._collecting = len(specs)

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, ids: list[str]) -> None:
        """Learn from a worker how many cells there are."""
        self._collecting = max(self._collecting - 1, 0)
        self._begin(len(ids))

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Learn how many cells there are."""
        self._begin(len(session.items))

    def _begin(self, total: int) -> None:
        with self._lock:
            self._total = total
            self._begun = self._moved = self._said = self._clock()

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """Record a started test."""
        with self._lock:
            self._running[nodeid] = self._clock()

    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        """Record a finished test."""
        with self._lock:
            self._running.pop(nodeid, None)
            self._done += 1
            self._moved = self._clock()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Print one line for a cell that did not pass."""
        if report.failed:
            with self._lock:
                self._bad += 1
                word = "FAILED" if report.when == "call" else "ERROR"
                self._line(f"{word} {report.nodeid}: {reason(report)}")

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self) -> None:
        """Clear the line before pytest's summary."""
        self._over.set()
        if self._thread.is_alive():
            self._thread.join()
        with self._lock:
            self._show("")

    def _watch(self) -> None:
        while not self._over.wait(TICK):
            self.tick()

    def tick(self) -> None:
        """Look at the time, and say how far it is if that is due."""
        with self._lock:
            now = self._clock()
            self._seen.append((now, self._done))
            stalled = now - self._moved >= STALLED
            if self._terminal:
                self._show(self.waiting(now) if stalled else self.state(now))
            elif now - self._said >= (STALLED if stalled and self._said <= self._moved else EVERY):
                self._said = now
                self._line(self.waiting(now) if stalled else self.state(now))

    def state(self, now: float) -> str:
        """Return the progress and the estimated time left."""
        if not self._total:
            return self._stage(now)
        bad = f", {self._bad} not passed" if self._bad else ""
        return f"{self._done:,} of {self._total:,} cells in {duration(now - self._begun)}{bad}{self._left()}"

    def _left(self) -> str:
        (first, before), (last, done) = self._seen[0], self._seen[-1]
        if done <= before or self._done >= self._total:
            return ""
        return f"; about {duration((self._total - self._done) * (last - first) / (done - before))} left"

    def _stage(self, now: float) -> str:
        what = f"{self._collecting} workers to start and collect" if self._collecting else "the cells to be collected"
        return f"waiting for {what} ({duration(now - self._begun)})"

    def waiting(self, now: float) -> str:
        """Return what is running if no cell has ended for a while."""
        if not self._total:
            return self._stage(now)
        folder = self._folder()
        found = waits(folder) if folder else {}
        running = [
            f"{name} ({duration(now - since)}{', waiting for ' + found[name] if name in found else ''})"
            for name, since in sorted(self._running.items(), key=lambda one: one[0] not in found)
        ]
        more = f" and {len(running) - NAMED} more" if len(running) > NAMED else ""
        what = f"running: {', '.join(running[:NAMED])}{more}" if running else "no cell is running"
        return f"{self._done:,} of {self._total:,} cells; none ended in {duration(now - self._moved)}; {what}"

    def _line(self, text: str) -> None:
        self._show("")
        self._stream.write(f"{text}\n")
        self._stream.flush()

    def _show(self, text: str) -> None:
        if self._terminal:
            width = shutil.get_terminal_size().columns - 1
            self._stream.write(CLEAR + (text if len(text) <= width else text[: width - 1] + "…"))
            self._stream.flush()


def reason(report: pytest.TestReport) -> str:
    """Return why it failed, on one line."""
    crash = getattr(report.longrepr, "reprcrash", None)
    text = str(crash.message if crash else report.longrepr)
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return "; ".join(lines[:2]).removeprefix("AssertionError: ")


def duration(seconds: float) -> str:
    """Format seconds for people."""
    whole = round(seconds)
    return f"{whole} s" if whole < 2 * MINUTE else f"{whole // MINUTE} min {whole % MINUTE} s"
