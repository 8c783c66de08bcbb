"""A connection counts as asserted if an assert uses what was read from it, and not if it was merely read."""

from __future__ import annotations

import ast
from textwrap import indent
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from _pytest.assertion.rewrite import rewrite_asserts

from harness.model.view import Saw
from harness.plugin.asserting import read_by_assert
from harness.tests.fakes import connection, fake_stack

if TYPE_CHECKING:
    from pathlib import Path

    from harness.model.connection import Connection

HELPERS = """
from contextlib import suppress

from harness import *

def outcome_of(connection):
    return connection.outcome

def same(one, other):
    return one.outcome is other.outcome

def same_by_branches(one, other):
    if one.outcome is not other.outcome:
        return False
    return True

def outcomes(connections):
    return [connection.outcome for connection in connections]

def collected(connections):
    found = []
    for connection in connections:
        found.append(connection.outcome)
    return found

def each(connections):
    for connection in connections:
        yield connection.outcome

def read(connection):
    print(connection.outcome)
    return True

def read_by_name(connection):
    outcome = connection.outcome
    print(outcome)
    return True

def check(connection):
    assert connection.outcome is FULL

def check_value(outcome, *, wanted):
    assert outcome is wanted

def check_nothing(outcome):
    print(outcome)

def early(connection):
    outcome = connection.outcome
    if connection:
        return None
    assert outcome is FULL
"""

USED = r"""
assert first.outcome is FULL
assert (first.outcome, 1) == (FULL, 1)
assert first.messages is not None and first.outcome is FULL
assert not first.outcome is RESUMED
assert {"full": 1}[first.outcome]
assert str(first.outcome) == "full"
assert same(first, first)
assert same_by_branches(first, first)
assert all(c.outcome is FULL for c in [first])
assert (lambda: first.outcome)() is FULL
assert outcome_of(first) is FULL
assert outcomes([first]) == [FULL]
assert collected([first]) == [FULL]
assert list(each([first])) == [FULL]
check(first)
check_value(first.outcome, wanted=FULL)
value = first.outcome; check_value(value, wanted=FULL)
value = first.outcome; assert value is FULL
value = first.outcome; assert FULL is value is FULL
value = outcome_of(first); assert value is FULL
value, other = first.outcome, 1; assert value is FULL
value = str(first.outcome); other = value.upper(); assert other == "FULL"
value: object = first.outcome; assert value
found = []; found.append(first.outcome); assert found == [FULL]
found = {}; found["first"] = first.outcome; assert found == {"first": FULL}
found = []; found += [first.outcome]; assert found
found = outcomes([first]); assert found == [FULL]
found = {c: c.outcome for c in [first]}; assert found
lazily = (c.outcome for c in [first]); assert list(lazily) == [FULL]
get = lambda: first.outcome; assert get() is FULL
for value in [first.outcome]: assert value is FULL
for c in [first]: value = c.outcome; assert value is FULL
if (value := first.outcome) is FULL: pass\nassert value is FULL
messages = first.messages; assert messages
why = reasons(pair, first); assert why == ()
assert reasons(pair, first) == ()
"""

UNUSED = r"""
first.outcome
str(first.outcome)
print(first.outcome)
value = first.outcome
value = str(first.outcome); print(value)
_ = first.outcome is FULL
if first.outcome: pass
if first.outcome is not FULL: raise ValueError
while not first.outcome: pass
for _ in outcomes([first]): pass
[c.outcome for c in [first]]
outcomes([first])
read(first)
assert read(first)
assert read_by_name(first)
assert True or first.outcome
assert first or first.outcome
assert first.outcome or True
assert True if True else first.outcome
assert (lambda: first.outcome)
assert True, first.outcome
assert first.number == 1
value = first.outcome; assert True or value
value = first.outcome; assert value or True
value = first.outcome; assert 1 if 1 else value
value = first.outcome; value = FULL; assert value is FULL
value = first.outcome; other = 1; assert other
if False: assert first.outcome is FULL
value = first.outcome\nif False: assert value is FULL
value = first.outcome\nfor _ in (): assert value is FULL
value = first.outcome\nwhile False: assert value is FULL
try: assert first.outcome is RESUMED\nexcept AssertionError: pass
with suppress(AssertionError): assert first.outcome is RESUMED
value = first.outcome\ntry: assert value is RESUMED\nexcept AssertionError: pass
early(first)
check_nothing(first.outcome)
reasons(pair, first)
first.messages
first.mechanism
first.alert
"""


def looked_at(number: int) -> Connection:
    """A connection whose reads are looked at."""
    made = connection(number, [Saw.FULL] * 3, offered=False, stacks=[fake_stack("libssl", "3.5.9")] * 2)
    made.read_by_assert = read_by_assert
    return made


@pytest.fixture
def first() -> Connection:
    """The first one."""
    return looked_at(1)


@pytest.fixture(params=["rewritten", "plain"])
def story(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    """Run the lines of a story in a module, with pytest's rewriting of asserts or without."""

    def run(lines: str, first: Connection, *more: Connection) -> None:
        path = tmp_path / "story.py"
        body = indent(lines.replace("\\n", "\n"), "    ")
        path.write_text(f"{HELPERS}\ndef test_story(pair, first):\n{body}\n")
        tree = ast.parse(path.read_bytes())
        if request.param == "rewritten":
            rewrite_asserts(tree, path.read_bytes(), str(path))
        names: dict[str, Any] = {"__name__": "story", "__file__": str(path)}
        exec(compile(tree, str(path), "exec"), names)  # noqa: S102 - the lines of this test
        names["test_story"](SimpleNamespace(connections=[first, *more]), first)

    return run


@pytest.mark.parametrize("lines", USED.strip().splitlines())
def test_what_an_assert_uses_counts(story: Any, first: Connection, lines: str) -> None:
    story(lines, first)

    assert first.asserted is True


@pytest.mark.parametrize("lines", UNUSED.strip().splitlines())
def test_what_no_assert_uses_does_not_count(story: Any, first: Connection, lines: str) -> None:
    story(lines, first)

    assert first.asserted is False


SWAPPED = r"""
def judge(outcome):
    assert outcome is FULL
def glance(outcome):
    print(outcome)
for connection, helper in zip(pair.connections, HELPERS):
    helper(connection.outcome)
"""
NESTED = r"""
def through(outcome):
    inner(outcome)
def judge(outcome):
    assert outcome is FULL
def glance(outcome):
    print(outcome)
globals()["through"] = through
for connection, helper in zip(pair.connections, HELPERS):
    globals()["inner"] = helper
    through(connection.outcome)
"""


@pytest.mark.parametrize("helpers", ["[judge, glance]", "[glance, judge]"])
@pytest.mark.parametrize("lines", [SWAPPED, NESTED])
def test_a_place_that_calls_another_function_is_followed_again(
    story: Any, first: Connection, lines: str, helpers: str
) -> None:
    second = looked_at(2)

    story(lines.replace("HELPERS", helpers), first, second)

    assert (first.asserted, second.asserted) == ((True, False) if helpers.startswith("[judge") else (False, True))
