"""Results of real runs whose tests expect what is not so, for tests of reports; nothing in them is made up."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.cli.runs.inner_run import RUN
from harness.results.reader import kept_run

if TYPE_CHECKING:
    from harness.report.json.shapes import ResultsObject

ROOT = Path(__file__).parents[2]

WRONG = '''"""What is expected here is not so (RFC 8446, 4.6.1; RFC 5077, 4)."""

from harness import DECLINED, FULL, RESUMED, UNSET, Verify, scenario

pytestmark = scenario()


def test_ticket_resumes(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is RESUMED


def test_ticket_resumes_after_a_restart(pair):
    first = pair.connect()
    pair.new_server()
    second = pair.connect(offer=first.session)
    third = pair.connect(offer=second.session)

    assert first.outcome is FULL
    assert third.outcome is RESUMED
    assert second.outcome is RESUMED


@scenario(client={"client_certificate": "client"}, server={"session_id_context": UNSET, "verify": Verify.REQUIRED})
def test_verifying_server_needs_no_context(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is RESUMED


def test_nobody_looks_at_the_second_connection(pair):
    first = pair.connect()
    pair.connect(offer=first.session)

    assert first.outcome is FULL
'''
RIGHT = WRONG.replace("assert second.outcome is RESUMED\n\n\n@", "assert second.outcome is DECLINED\n\n\n@")
"""The same, and one of its expectations is so."""


RESTART = "scenarios%2Fwrong.py%3A%3Atest_ticket_resumes_after_a_restart"
"""As it stands in addresses within the page."""


def run(folder: Path, source: str) -> Path:
    """Run a scenario file between openssl and libssl; the folder of the results."""
    (folder / "scenarios").mkdir()
    (folder / "scenarios" / "wrong.py").write_text(source)
    argv = [
        *RUN,
        "-q",
        "-c",
        os.devnull,
        "--rootdir",
        str(folder),
        "-o",
        "python_files=*.py",
        "--import-mode=importlib",
    ]
    argv += [f"--resumption-{role}={stack}" for role in ("client", "server") for stack in ("openssl", "libssl")]
    argv += ["--resumption-results=results"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [*argv, "scenarios"], cwd=folder, env=environment, check=False, capture_output=True, text=True
    )
    if done.returncode != 1:
        raise AssertionError(f"exit code {done.returncode}\n{done.stdout}\n{done.stderr}")
    return folder / "results"


def read(folder: Path) -> ResultsObject:
    """The results in a folder; each call gives an object of its own."""
    return kept_run(folder).results


def write(results: Any, source: Path, folder: Path) -> Path:
    """A folder of results with the evidence of another one."""
    shutil.copytree(source, folder)
    (folder / "results.json").write_text(json.dumps(results))
    return folder


def multiplied(results: ResultsObject, cells: int) -> ResultsObject:
    """The same cells again and again, as those of other tests, until there are as many."""
    made: list[Any] = []
    while len(made) < cells:
        again = len(made) // len(results["cells"])
        made += [{**cell, "scenario": f"{cell['scenario']}_{again}"} for cell in results["cells"]]
    return {**results, "cells": made[:cells]}


def label(results: Path, stack: str) -> str:
    """The ``stack@build`` of a stack."""
    return next(name for name in read(results)["clients"] if name.startswith(stack))


def cell_address(results: Path, stack: str = "libssl") -> str:
    """The address of a cell that failed, within the page: a stack with itself, over TLS 1.3."""
    end = label(results, stack).replace("@", "%40")
    return f"#/cell/{RESTART}/{end}--{end}-TLSv1.3"
