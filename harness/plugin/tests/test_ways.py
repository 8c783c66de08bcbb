"""Cells of libssl with itself meet in memory; some go over TCP as well, and one that differs there is an error."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from harness.model.errors import DisagreementError
from harness.model.tls import TLSVersion
from harness.pair.pair import Pair
from harness.plugin.ways import BOTH, compare
from harness.results.reader import kept_run
from harness.stacks.in_memory import InMemory
from harness.tests.raw_agent import libssl_build

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.report.json.shapes import CellObject
    from harness.runtime.runtime import Runtime
    from harness.stacks.libssl import LibsslStack

pytest_plugins = ["pytester"]
ROOT = Path(__file__).parents[3]

CELLS = 4 * BOTH
SCENARIO = f'''
"""A ticket resumes (RFC 8446, 2.2)."""

import pytest
from harness import *

pytestmark = scenario(versions=[TLSv1_3])
RAN = []

@pytest.mark.parametrize("number", range({CELLS}))
def test_it(pair, number):
    first = pair.connect()
    RAN.append(number)
    second = pair.connect(%s)
    assert second.outcome is not ABORTED
    assert first.outcome is FULL
    %s
'''
HONEST = SCENARIO % ("first.session", "assert pair.connections")
DIFFERS = SCENARIO % ("first.session if RAN.count(number) == 1 else None", "assert pair.connections")
FAILS = SCENARIO % ("first.session", "assert RAN.count(number) == 1")


@pytest.fixture
def cells(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[CellObject]]:
    """Run a scenario file with libssl at both ends; return its cells."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.delenv("PYTEST_XDIST_WORKER", raising=False)

    def run(source: str, *options: str) -> list[CellObject]:
        pytester.makeini("[pytest]\npython_files = *.py\n")
        pytester.makeconftest("")
        pytester.makepyfile(ticket=source)
        pytester.runpytest_subprocess(
            *("-p", "harness.plugin.entry", "-p", "no:cacheprovider", "ticket.py", "--resumption-results=out"),
            *("--resumption-client=libssl", "--resumption-server=libssl", *options),
        )
        return kept_run(pytester.path / "out").results["cells"]

    return run


def test_cells_of_libssl_with_itself_meet_in_memory_and_some_do_both(cells: Any) -> None:
    ran = cells(HONEST)

    assert [cell["verdict"] for cell in ran] == ["passed"] * CELLS
    assert {cell["over"] for cell in ran} == {"memory", "both"}
    assert 1 <= sum(cell["over"] == "both" for cell in ran) <= CELLS // 4


def test_all_go_over_tcp_where_the_user_says_so(cells: Any) -> None:
    assert {(cell["verdict"], cell.get("over")) for cell in cells(HONEST, "--resumption-over=tcp")} == {
        ("passed", None)
    }


@pytest.mark.parametrize(
    ("source", "says"),
    [
        (DIFFERS, "connection 2 is not the same in memory and over TCP"),
        (FAILS, "the cell passes in memory, and over TCP it does not: AssertionError"),
    ],
    ids=["differs", "fails"],
)
def test_a_cell_that_is_not_the_same_over_tcp_is_an_error(cells: Any, source: str, says: str) -> None:
    ran = cells(source)

    assert {(cell["over"], cell["verdict"]) for cell in ran} == {("memory", "passed"), ("both", "error")}
    assert {says in cell["reason"] for cell in ran if cell["over"] == "both"} == {True}


def test_a_way_that_is_none_is_refused_with_those_that_are(pytester: pytest.Pytester, cells: Any) -> None:
    del cells  # it sets the environment
    pytester.makepyfile(ticket=HONEST)
    ran = pytester.runpytest_subprocess(
        "-p", "harness.plugin.entry", "-p", "harness.plugin.hooks", "--resumption-over=memry", "ticket.py"
    )

    assert ran.ret == pytest.ExitCode.USAGE_ERROR
    ran.stderr.fnmatch_lines(["ERROR: --over cannot be 'memry'; it is memory or tcp (did you mean 'memory'[?])"])


def test_connections_that_were_not_made_both_ways_are_not_the_same(runtime: Runtime, honest: LibsslStack) -> None:
    joined = InMemory(runtime)
    made = []
    for stack in (joined.of(honest), honest):
        pair = Pair((stack, stack), TLSVersion.TLSv1_2, runtime)
        pair.connect(pair.connect().session)
        pair.close()
        made.append(pair.connections)
    joined.close()
    memory, tcp = made

    compare(memory, tcp)
    with pytest.raises(DisagreementError, match="connection 2 is not the same"):
        compare(memory, tcp[:1])


def test_only_libssl_joins_its_ends(runtime: Runtime) -> None:
    joined = InMemory(runtime)
    stack: Any = object()

    assert joined.of(stack) is stack
    assert libssl_build().libssl is not None
    joined.close()
