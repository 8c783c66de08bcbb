"""Runs scenarios with pytest inside another command and returns the results as data."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from harness.cli.runs.run import processes, refuse_bytes, what_to_run
from harness.model.errors import HarnessError, UsageError
from harness.results.reader import kept_run
from harness.results.writer import SCHEMA
from harness.runtime.warden import Warden

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from harness.report.json.shapes import ResultsObject

RUN = (sys.executable, "-m", "harness.plugin", "-p", "no:cacheprovider", "--no-header", "--no-summary")
"""pytest with the harness's plugin and progress, for commands that show the results themselves."""
ALL_SKIPPED, BAD_USAGE, NOTHING = 0, 2, 5
"""Exit codes for tests without a cell, bad usage and an empty selection; 1 (failed tests) is a result, not an error."""


def results_of(
    clients: Sequence[str],
    servers: Sequence[str],
    arguments: Sequence[str],
    *,
    quiet: bool = False,
    folder: Path | None = None,
    without: Sequence[str] = (),
    maybe_none: bool = False,
) -> ResultsObject:
    """Run the scenarios between clients and servers, each a ``stack@build``, and return results.json.

    ``arguments`` go to pytest. The results are written to ``folder``, which stays; by default nothing stays. The cells
    ``without``, by pytest's names of their tests, do not run. UsageError if pytest refuses the arguments, one of them
    is not UTF-8, or pytest finds no scenario, unless there is ``maybe_none``; HarnessError if it was interrupted, or
    could not write everything. pytest and its workers are in the process group of a warden, which ends them with this
    process.
    """
    refuse_bytes(arguments)
    labels = list(dict.fromkeys([*clients, *servers]))
    roles = [f"--resumption-client={label}" for label in clients]
    roles += [f"--resumption-server={label}" for label in servers]
    warden = Warden()
    try:
        results = folder or warden.folder / "results"
        argv = [*RUN, *(["-q"] if quiet else []), *roles, f"--resumption-results={results}", *what_to_run(arguments)]
        argv += [f"--basetemp={warden.folder / 'pytest'}"]
        if without:
            names = warden.folder / "without"
            names.write_text("".join(f"{name}\n" for name in without), encoding="utf-8")
            argv += [f"--resumption-without={names}"]
        done = subprocess.run(
            [*argv, *processes(arguments), *arguments],
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL if quiet else sys.stderr,
            process_group=warden.group,
        )
        written = (results / "results.json").is_file()
        if done.returncode == NOTHING and (without or maybe_none):
            return _of_nothing(clients, servers)
        if not written and done.returncode == ALL_SKIPPED and maybe_none:
            return _of_nothing(clients, servers)
        if not written and done.returncode in {BAD_USAGE, NOTHING}:
            what = "found no scenario to run" if done.returncode == NOTHING else "refused its arguments"
            raise UsageError(f"pytest {what} with {' '.join([*labels, *arguments])}; see its output above")
        if not written:
            some = "some of its" if (results / "results.jsonl").is_file() else "no"
            space = "; is there space?" if some != "no" else ""
            raise HarnessError(
                f"the run with {', '.join(labels)} wrote {some} results to {results} (pytest's exit code "
                f"{done.returncode}){space}"
            )
        return kept_run(results).results
    finally:
        warden.close()


def _of_nothing(clients: Sequence[str], servers: Sequence[str]) -> ResultsObject:
    """The results of a run without a cell, such as one of which every cell is kept."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    return {
        "schema": SCHEMA,
        "started": now,
        "clients": list(clients),
        "servers": list(servers),
        "finished": now,
        "exit_status": 0,
        "unmatched": [],
        "cells": [],
    }
