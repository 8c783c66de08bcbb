"""Collects the cells that pytest reports, and writes the results and the summary of the run."""

from __future__ import annotations

import json
import shlex
import shutil
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.text import Text

from harness.matrix.cells import parse_id
from harness.model.tls import TLSVersion
from harness.model.verdict import CellResult, Verdict
from harness.report.run.matrix_text import Matrix, broken_rules, totals, unsupported
from harness.results.code import digests
from harness.results.retention import Limits, tidy

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.console import RenderableType

    from harness.results.writer import Results

WIDTH = 120
"""Columns where there is no terminal."""

MOST_UNMATCHED = 3
"""How many declared differences that are about no build of this run are shown."""
NO_LIMITS = Limits()
NOT_WHOLE = 1
"""Exit code of a run whose cells passed and whose results could not be written."""


class Recorder:
    """A pytest plugin object of the process that the user started, not of a worker of pytest-xdist."""

    def __init__(self, results: Results, limits: Limits = NO_LIMITS) -> None:
        """``limits`` are those of the runs in the folder above."""
        self.results = results
        self._limits = limits
        self._removed = 0
        self.cells: list[CellResult] = []
        self.unmatched: set[str] = set()
        """Declared differences whose range held no build of this run."""
        self.path: Path | None = None
        self.trouble: OSError | None = None
        """The last error that prevented results from being written."""

    def take(self, report: Any) -> None:
        """Take the record that the last report of a cell carries; a worker that died leaves none, so make it.

        It is written at once and not kept: pytest's terminal reporter keeps every report to the end of the run.
        """
        encoded = vars(report).pop("resumption", None)
        record = json.loads(encoded) if encoded else self._of_crash(report)
        if record:
            self.cells.append(result_of(record))
            try:
                self.results.add(record)
            except OSError as error:
                self.trouble = error

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
            "seconds": 0.0,
            "folder": None,
            "lost": True,
            "case": None,
        }

    def worker_ended(self, node: Any) -> None:
        """Take over what a worker that ended well has to say."""
        self.unmatched.update(getattr(node, "workeroutput", {}).get("resumption_unmatched", ()))

    def pytest_sessionfinish(self, session: Any, exitstatus: int) -> None:
        """Assemble results.json, however the run ended; a run whose results are not whole does not pass.

        Those stay as they are in results.jsonl, which says that cells may be missing.
        """
        try:
            ending = {"exit_status": int(exitstatus), "unmatched": sorted(self.unmatched)}
            if session.config.getoption("splits", None):
                files = (cell.name.partition("::")[0] for cell in self.cells)
                ending["code"] = digests(session.config.rootpath, files)
            self.path = None if self.trouble else self.results.finish(ending)
            self._removed = tidy(self.results.folder.parent, self._limits) if self.path else 0
        except OSError as error:
            self.trouble = error
        if self.trouble and not exitstatus:
            session.exitstatus = NOT_WHOLE

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Print the table, what was unsupported and why, and where the evidence is; nothing with `--no-summary`."""
        if not self.cells or terminalreporter.config.getoption("no_summary", default=False):
            return
        terminalreporter.section("resumption")
        cells = sorted(self.cells, key=lambda cell: (cell.client, cell.server, cell.name))
        parts: list[RenderableType] = [Matrix(cells), totals(cells), unsupported(cells), broken_rules(cells)]
        shown = [part for part in parts if not isinstance(part, Text) or part.plain]
        terminalreporter.write(rendered(shown, colour=terminalreporter.hasmarkup))
        lines = sorted(self.unmatched)
        for line in lines[:MOST_UNMATCHED]:
            terminalreporter.line(f"matched nothing in this run: {line}")
        if len(lines) > MOST_UNMATCHED:
            more = len(lines) - MOST_UNMATCHED
            terminalreporter.line(f"matched nothing in this run: {more} more declared differences, see results.json")
        if self.trouble:
            terminalreporter.line(f"ERROR: the results are incomplete, they could not be written: {self.trouble}")
        terminalreporter.line(f"results: {self.path or self.results.folder}")
        if self._removed:
            runs = "1 run" if self._removed == 1 else f"{self._removed} runs"
            terminalreporter.line(f"removed: {runs} {self._limits} (--keep-results)")
        if any(cell.folder for cell in self.cells):
            terminalreporter.line(f"evidence: {self.results.folder / 'cells'}")
        terminalreporter.line(f"report: resumption report {shlex.quote(str(self.results.folder))}")


def result_of(record: Mapping[str, Any]) -> CellResult:
    """The record of a cell as the tables take it."""
    return CellResult(
        cell=record["cell"],
        scenario=record["scenario"],
        client=record["client"],
        server=record["server"],
        tls=TLSVersion(record["tls"]),
        verdict=Verdict(record["verdict"]),
        reason=record["reason"],
        seconds=record["seconds"],
        folder=Path(record["folder"]) if record["folder"] else None,
        breaches=frozenset(
            f"{breach['level']} {breach['rule']}"
            for connection in (record["case"] or {"connections": ()})["connections"]
            for breach in connection.get("breaches", ())
        ),
    )


def rendered(parts: Sequence[RenderableType], *, colour: bool) -> str:
    """What rich makes of them, as wide as the terminal."""
    width = shutil.get_terminal_size((WIDTH, 1)).columns
    console = Console(file=StringIO(), width=width, force_terminal=colour, highlight=False, emoji=False)
    with console.capture() as capture:
        for part in parts:
            console.print(part)
    return capture.get()
