"""Installed, the plugin works in any project, and costs nothing where no scenario is used."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

pytest_plugins = ["pytester"]

TICKET = '''
"""A ticket resumes (RFC 8446, 2.2)."""

from harness import FULL, RESUMED, TLSv1_3, scenario

pytestmark = scenario(versions=[TLSv1_3], same_stack=True)

def test_ticket_resumes(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)
    assert first.outcome is FULL
    assert second.outcome is {outcome}
'''
PLAIN = """
import sys

HEAVY = ("harness.plugin.hooks", "harness.pair.pair", "cryptography", "cffi", "psutil", "trustme")

def test_nothing_heavy_is_loaded():
    assert [name for name in HEAVY if name in sys.modules] == []
"""
CHOSEN = ("--resumption-client=libssl", "--resumption-results=out")


@pytest.fixture
def run(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Callable[..., pytest.RunResult]:
    """pytest, in a process and a project of its own."""
    monkeypatch.delenv("PYTEST_XDIST_WORKER", raising=False)
    monkeypatch.setenv("XDG_STATE_HOME", str(pytester.path / "state"))

    def run(*arguments: str) -> pytest.RunResult:
        return pytester.runpytest_subprocess("-p", "no:cacheprovider", "-W", "error", *arguments)

    return run


@pytest.mark.parametrize("workers", ["-n0", "-n2"])
def test_nothing_is_loaded_or_written_where_no_scenario_is(
    run: Callable[..., pytest.RunResult], pytester: pytest.Pytester, workers: str
) -> None:
    pytester.makepyfile(test_plain=PLAIN)
    ran = run(workers)

    ran.assert_outcomes(passed=1)
    ran.stdout.no_fnmatch_line("*openssl*")
    assert not (pytester.path / "state").exists()


@pytest.mark.parametrize("workers", ["-n0", "-n2"])
def test_the_pair_works_beside_plain_tests(
    run: Callable[..., pytest.RunResult], pytester: pytest.Pytester, workers: str
) -> None:
    pytester.makepyfile(test_a_plain="def test_it():\n    assert True\n", test_ticket=TICKET.format(outcome="RESUMED"))
    ran = run(workers, *CHOSEN)

    ran.assert_outcomes(passed=2)
    ran.stdout.fnmatch_lines(["*1 cell: 1 passed*", "results: *"])
    results = json.loads((pytester.path / "out/results.json").read_text())
    assert [cell["scenario"] for cell in results["cells"]] == ["test_ticket.py::test_ticket_resumes"]


@pytest.mark.parametrize("workers", ["-n0", "-n2"])
def test_a_failure_is_explained_and_its_evidence_kept(
    run: Callable[..., pytest.RunResult], pytester: pytest.Pytester, workers: str
) -> None:
    pytester.makepyfile(test_ticket=TICKET.format(outcome="FULL"))
    ran = run(workers, *CHOSEN)

    ran.assert_outcomes(failed=1)
    ran.stdout.fnmatch_lines(["*- messages of connections 1 and 2 -*", "*evidence is kept in*"])
    assert list((pytester.path / "out/cells").rglob("evidence.txt"))


def test_the_stacks_are_named_once(run: Callable[..., pytest.RunResult], pytester: pytest.Pytester) -> None:
    pytester.makepyfile(test_ticket=TICKET.format(outcome="RESUMED"))

    lines = [line for line in run(*CHOSEN).outlines if line.startswith("libssl@") and "(client" in line]

    assert len(lines) == 1


def test_a_glob_that_matches_nothing_fails_the_scenario_alone(
    run: Callable[..., pytest.RunResult], pytester: pytest.Pytester
) -> None:
    pytester.makepyfile(test_a_plain="def test_it():\n    assert True\n", test_ticket=TICKET.format(outcome="RESUMED"))
    ran = run("--resumption-client=nss", "--continue-on-collection-errors")

    ran.assert_outcomes(passed=1, errors=1)
    ran.stdout.fnmatch_lines(["*no stack matches 'nss' (did you mean 'ssl'?); this machine has: *"])


def test_other_projects_may_have_a_pair_and_short_options_of_their_own(
    run: Callable[..., pytest.RunResult], pytester: pytest.Pytester
) -> None:
    pytester.makeconftest(
        "import pytest\n"
        "def pytest_addoption(parser):\n    parser.addoption('--client')\n    parser.addoption('--results')\n"
        "@pytest.fixture\ndef pair():\n    return 1, 2\n"
    )
    pytester.makepyfile("def test_it(pair):\n    assert pair == (1, 2)\n")

    run("--client=a", "--results=b").assert_outcomes(passed=1)


def test_a_pair_without_a_scenario_says_what_it_needs(
    run: Callable[..., pytest.RunResult], pytester: pytest.Pytester
) -> None:
    pytester.makepyfile("def test_it(pair):\n    assert pair\n")
    ran = run()

    ran.assert_outcomes(errors=1)
    ran.stdout.fnmatch_lines(["`pair` needs `pytestmark = scenario(...)` in this file*"])
