"""An explanation that cites what its witness did not see makes the cell an ERROR."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

pytest_plugins = ["pytester"]

ROOT = Path(__file__).parents[3]
CONFTEST = """
import harness.explain
from harness.model.reason import Finding, Question, Reason
from harness.model.tls import Outcome

pytest_plugins = ["harness.plugin.entry", "harness.plugin.short_options", "harness.plugin.hooks"]
SAYS = Finding(Reason.OTHER_ALPN, "it has another protocol", ({line!r},), "offer the same protocols")
harness.explain.FINDERS[Outcome.RESUMED] = (Question.RESUMED_BUT, lambda evidence: (SAYS,))
"""
SCENARIO = """
'''A ticket resumes (RFC 8446, 2.2).'''
from harness import *

pytestmark = scenario(versions=[TLSv1_3])


def test_it(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is RESUMED
"""


def run(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, line: str) -> pytest.RunResult:
    """Run a scenario between real endpoints, with an explanation that has this line of evidence."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.delenv("PYTEST_XDIST_WORKER", raising=False)
    pytester.makeini("[pytest]\npython_files = scenarios/*.py\naddopts = --import-mode=importlib\n")
    pytester.makeconftest(CONFTEST.format(line=line))
    (pytester.mkdir("scenarios") / "ticket.py").write_text(SCENARIO.lstrip())
    return pytester.runpytest_subprocess(
        "-p", "no:cacheprovider", "--results=out", "--client=libssl", "--server=libssl"
    )


def test_a_false_line_is_an_error(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    ran = run(pytester, monkeypatch, "wire: the server chose h2 in connection 2")

    ran.assert_outcomes(errors=1)
    ran.stdout.fnmatch_lines(["*EvidenceError: connection 2, other_alpn: *the server chose h2*is false*"])


def test_a_true_line_passes(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    run(pytester, monkeypatch, "wire: the server chose none in connection 2").assert_outcomes(passed=1)
