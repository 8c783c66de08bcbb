"""Each mutant leaves out one thing, and a sweep names every survivor that nobody has named, and every name too many."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.tests.mutation.__main__ import HARMLESS, SCENARIOS, STACKS, Named, Sweep, named, sweep, table
from harness.tests.mutation.mutants import Mutant, mutated

if TYPE_CHECKING:
    from pathlib import Path

SOURCE = '''
"""A session resumes (RFC 5246, 7.3)."""

from harness import *

KNOBS = {"tickets": False, "timeout": 60}
pytestmark = scenario(server=KNOBS)

def kept(pair, *, close=Close.BOTH):
    live = pair.open()
    live.exchange()
    return live.close(close)

def test_of_the_file(pair):
    first = pair.connect()
    pair.new_server(timeout=30)
    second = pair.connect(offer=aged(first.session, 60))
    assert second.outcome is RESUMED

@scenario(client={"tickets": BOTH, "timeout": [1, None], "groups": ["X25519", "P-256"]}, close=Close.EOF)
def test_of_its_own(pair):
    first = kept(pair, close=Close.EOF)
    removed = pair.server.remove(b"id")
    assert removed
    assert first.outcome is FULL

@scenario(close=[Close.BOTH, Close.EOF])
def test_of_two_ways_to_close(pair):
    live = pair.open()
    first = live.close(pair.close_how)
    assert first.outcome is FULL
'''


PROGRAM = '''
"""s_client reconnects by a session id (openssl-s_client(1))."""

from harness import *

@scenario(programs=["s_client-reconnect"], versions=[TLSv1_2])
def test_of_a_client_program(client_program):
    first, *later = client_program.run(tickets=False)
    assert first.outcome is FULL
    assert {one.mechanism for one in later} == {Mechanism.SESSION_ID}

@scenario(programs=["nginx"])
def test_of_a_server_program(program):
    server = program(tickets=False)
    server.restart()
    first = server.connect()
    assert first.outcome is FULL
'''
WITHOUT_DOCSTRING = """
from harness import *

pytestmark = scenario(server={"tickets": False})

def test_it(pair):
    assert pair.connect().outcome is FULL
"""


@pytest.fixture
def scenarios(tmp_path: Path) -> Path:
    """A scenario file."""
    path = tmp_path / "story.py"
    path.write_text(SOURCE)
    return path


def test_each_mutant_leaves_out_one_thing(scenarios: Path) -> None:
    found = [(mutant.test, mutant.without) for mutant in mutated(scenarios).mutants]

    assert sorted(found) == sorted(
        [
            ("test_of_the_file", "without server knob tickets"),
            ("test_of_the_file", "without server knob timeout"),
            ("test_of_the_file", "without pair.new_server(timeout=30)"),
            ("test_of_the_file", "without timeout of pair.new_server()"),
            ("test_of_the_file", "without offer of pair.connect()"),
            ("test_of_the_file", "without aged()"),
            ("test_of_its_own", "without client knob tickets"),
            ("test_of_its_own", "without client knob timeout"),
            ("test_of_its_own", "without client knob groups"),
            ("test_of_its_own", "closed cleanly"),
            ("test_of_its_own", "without close of kept()"),
            ("test_of_its_own", "without removed = pair.server.remove(b'id')"),
            ("test_of_its_own", "in kept, without live.exchange()"),
            ("test_of_its_own", "in kept, live.close cleanly"),
            ("test_of_two_ways_to_close", "closed cleanly"),
        ]
    )


def test_what_cannot_differ_is_left_out_with_the_reason(scenarios: Path) -> None:
    equal = {mutant.without: mutant.equal for mutant in mutated(scenarios).mutants if mutant.equal}

    assert equal == {
        "without client knob tickets": "its default is one of the values",
        "without client knob timeout": "its default is one of the values",
        "closed cleanly": "a clean close is one of its ways",
    }


def test_a_mutant_is_the_test_with_one_change(scenarios: Path) -> None:
    made = mutated(scenarios)
    by_name = {mutant.without: mutant.name for mutant in made.mutants}
    names: dict[str, object] = {}
    exec(compile(made.source, "story.py", "exec"), names)  # noqa: S102 - the source above
    step = made.source.partition(f"def {by_name['without pair.new_server(timeout=30)']}(")[2].partition("def ")[0]
    helper = made.source.partition(
        f"def kept{by_name['in kept, without live.exchange()'].removeprefix('test_of_its_own')}("
    )

    assert "new_server" not in step
    assert "aged(first.session, 60)" in step
    assert "exchange" not in helper[2].partition("return")[0]
    assert all(mutant.name in names for mutant in made.mutants if not mutant.equal)


def test_a_program_is_driven_by_the_words_of_its_test(tmp_path: Path) -> None:
    path = tmp_path / "program.py"
    path.write_text(PROGRAM)

    assert [mutant.id for mutant in mutated(path).mutants] == [
        "program.py::test_of_a_client_program: without tickets of client_program.run()",
        "program.py::test_of_a_server_program: without server.restart()",
        "program.py::test_of_a_server_program: without tickets of program()",
    ]


def test_a_file_that_cannot_be_swept_is_named_and_hides_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("harness.tests.mutation.__main__.STACKS", ("libssl",))
    good, bad = tmp_path / "good.py", tmp_path / "bad.py"
    good.write_text(PROGRAM.partition('@scenario(programs=["nginx"])')[0])
    bad.write_text(WITHOUT_DOCSTRING)

    found = sweep([good, bad], "0")

    assert [mutant.id for mutant in found.killed] == [
        "good.py::test_of_a_client_program: without tickets of client_program.run()"
    ]
    assert [problem.partition(";")[0] for problem in found.problems(Named())] == ["cannot be swept: bad.py"]
    assert "a scenario file begins with a docstring" in found.unswept["bad.py"]


def test_the_table_has_a_line_for_each_file_and_one_for_all(tmp_path: Path) -> None:
    found = Sweep(killed=[mutant("a")] * 3, survived=[mutant("b"), mutant("c")])
    names = Named(equal={"story.py::test_it: b": "it is the default"}, harmless={"story.py::test_it: c": "why"})
    rows = [line.split() for line in table(found, names, [tmp_path / "story.py", tmp_path / "empty.py"])]

    assert rows == [
        ["file", "killed", "of", "score", "harmless", "equal"],
        ["story.py", "3", "4", "75.0%", "1", "1"],
        ["all", "3", "4", "75.0%", "1", "1"],
    ]


def mutant(without: str) -> Mutant:
    return Mutant("story.py", "test_it", without, "test_it__mutant_0")


def test_a_survivor_that_is_not_named_is_a_problem() -> None:
    found = Sweep(killed=[mutant("a")] * 9, survived=[mutant("b")])

    assert found.problems(Named()) == [
        "still passes: story.py::test_it: b; make the asserts stricter, or name it in harmless.toml with the reason"
    ]
    assert found.problems(Named(harmless={"story.py::test_it: b": "it is harmless"})) == []


def test_a_name_that_is_no_survivor_is_a_problem() -> None:
    found = Sweep(killed=[mutant("a")])
    named = Named(equal={"story.py::test_it: a": "why"}, harmless={"story.py::test_it: c": "why"})

    assert found.problems(named) == [
        "harmless.toml names story.py::test_it: a, which is killed; remove it there",
        "harmless.toml names story.py::test_it: c, which does not exist; remove it there",
    ]


def test_a_mutant_that_a_slow_machine_kills_may_be_named() -> None:
    named = Named(slow={"story.py::test_it: a": "the second does not pass"})

    assert Sweep(killed=[mutant("a")]).problems(named) == []
    assert Sweep(killed=[mutant("b")] * 9, survived=[mutant("a")]).problems(named) == []
    assert Sweep(killed=[mutant("b")]).problems(named) == [
        "harmless.toml names story.py::test_it: a, which does not exist; remove it there"
    ]


def test_a_name_of_both_kinds_and_one_without_a_reason_are_problems() -> None:
    found = Sweep(survived=[mutant("a")])
    why = {"story.py::test_it: a": " "}

    assert found.problems(Named(equal=why, harmless=why)) == [
        "harmless.toml names story.py::test_it: a twice",
        "harmless.toml gives no reason for story.py::test_it: a",
    ]


def test_a_low_score_is_a_problem() -> None:
    found = Sweep(killed=[mutant("a")], survived=[mutant("b")])

    assert found.problems(Named(harmless={"story.py::test_it: b": "why"})) == ["the score is below 90%"]


def test_the_score_leaves_out_what_is_equal() -> None:
    found = Sweep(killed=[mutant("a")] * 3, survived=[mutant("b"), mutant("c")])
    named = Named(equal={"story.py::test_it: b": "it is the default"}, harmless={"story.py::test_it: c": "why"})

    assert found.counted(named) == 4
    assert found.score(named) == 0.75


def test_a_failing_scenario_and_a_mutant_that_was_not_run_are_problems() -> None:
    found = Sweep(not_run=[mutant("a")], broken=["story.py::test_it"])

    assert found.problems(Named()) == [
        "does not pass as it is: story.py::test_it; mend it first",
        f"was not run: story.py::test_it: a; no cell of it is possible on {', '.join(STACKS)}",
    ]


def test_every_name_is_that_of_a_mutant() -> None:
    files = sorted(SCENARIOS.glob("*.py"))
    exist = {mutant.id for path in files for mutant in mutated(path).mutants if not mutant.equal}

    assert HARMLESS.exists()
    assert {*named([path.name for path in files]).reasons} <= exist
