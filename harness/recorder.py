"""Gathers the cells of a run where pytest reports them, writes its results and its summary; runs no test."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from harness.matrix import parse_id
from harness.model.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from harness.results import Results


class Recorder:
    """A pytest plugin object of the process that the user started, not of a worker of pytest-xdist."""

    def __init__(self, results: Results) -> None:
        self.results = results
        self.cells: list[dict[str, Any]] = []
        self.unmatched: set[str] = set()
        """Declared differences whose range held no build of this run."""
        self.path: Path | None = None

    def pytest_runtest_logreport(self, report: Any) -> None:
        """Keep the record that the last report of a cell carries; a worker that died leaves none, so make it."""
        record = getattr(report, "resumption", None) or self._of_crash(report)
        if record:
            self.cells.append(record)
            self.results.add(record)

    @staticmethod
    def _of_crash(report: Any) -> dict[str, Any] | None:
        scenario, bracket, cell = report.nodeid.removesuffix("]").partition("[")
        if report.when != "???" or not bracket:
            return None
        try:
            client, server, tls = parse_id(cell)
        except ValueError:
            return None
        return {
            "cell": cell,
            "scenario": scenario,
            "client": client,
            "server": server,
            "tls": tls.value,
            "verdict": Verdict.ERROR.value,
            "reason": f"the worker process died: {report.longrepr}",
        }

    def pytest_testnodedown(self, node: Any, error: object) -> None:
        """Take over what a worker that ended well has to say."""
        if error is None:
            self.unmatched.update(getattr(node, "workeroutput", {}).get("resumption_unmatched", ()))

    def pytest_sessionfinish(self, exitstatus: int) -> None:
        """Assemble results.json, however the run ended."""
        self.path = self.results.finish({"exit_status": int(exitstatus), "unmatched": sorted(self.unmatched)})

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """The table, what was unsupported and why, and where the evidence lies."""
        if not self.cells:
            return
        terminalreporter.section("resumption")
        for line in summary(self.cells):
            terminalreporter.line(line)
        for line in sorted(self.unmatched):
            terminalreporter.line(f"matched nothing in this run: {line}")
        terminalreporter.line(f"results: {self.path}")


def summary(cells: Sequence[Mapping[str, Any]]) -> list[str]:
    """How many cells of each verdict each client and server have, and the unsupported ones by reason."""
    counts = Counter((cell["client"], cell["server"], cell["verdict"]) for cell in cells)
    ends = sorted({(cell["client"], cell["server"]) for cell in cells})
    lines = [
        f"{client} -> {server}: "
        + ", ".join(f"{n} {verdict}" for verdict in Verdict if (n := counts[client, server, verdict.value]))
        for client, server in ends
    ]
    reasons = Counter(cell["reason"] for cell in cells if cell["verdict"] == Verdict.UNSUPPORTED.value)
    return lines + [f"unsupported {n}: {reason}" for reason, n in reasons.most_common()]
