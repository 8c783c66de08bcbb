"""An expectation is read by a small grammar, judged on the JSON of a case, and never holds of what is unknown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import pytest

from harness.model.errors import UsageError
from harness.report.expecting import Expectation, renumbered

if TYPE_CHECKING:
    from harness.report.json.shapes import CaseObject


def connection(number: int, **values: Any) -> dict[str, Any]:
    """A connection's object, with what the test says."""
    return {
        "number": number,
        "outcome": "full",
        "mechanism": None,
        "alert": None,
        "tickets": 2,
        "session": None,
        "counters": None,
        "explanation": None,
        "breaches": [],
        "messages": [{"sender": "client", "type": "ClientHello"}],
        **values,
    }


CASE = cast(
    "CaseObject",
    {
        "counters": {"hits": 3},
        "connections": [
            connection(1),
            connection(
                2,
                outcome="declined",
                alert={"number": 40},
                counters={"hits": 1, "misses": None},
                session={"lifetime_hint": 7200},
                explanation={"findings": [{"reason": "no_ticket_key"}]},
            ),
        ],
    },
)


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("declined", True),
        ("resumed", False),
        ("connection[1].outcome == full", True),
        ("connection[2].hits == 1", True),
        ("1 == connection[2].hits", True),
        ("connection[2].hits != 1", False),
        ("connection[-1].alert == 40", True),
        ("connection[1].alert == none", True),
        ("connection[1].alert != 40", False),
        ("not connection[1].alert == 40", False),
        ("connection[2].misses == 0", False),
        ("connection[2].misses != 0", False),
        ("connection[2].misses == none", True),
        ("connection[1].hits == none and connection[1].tickets >= 2", True),
        ("connection[1].tickets < 2 or connection[2].tickets > 1", True),
        ("connection[1].session.lifetime_hint == 7200", False),
        ("connection[2].session.lifetime_hint in [300, 7200]", True),
        ("connection[2].outcome not in (full, declined)", False),
        ("no_ticket_key in connection[2].reasons", True),
        ("'client.ClientHello' in connection[1].message_names", True),
        ("connection[2].alert == connection[1].alert", False),
        ("counters.hits == 3", True),
    ],
)
def test_an_expectation_holds_or_not(text: str, *, holds: bool) -> None:
    assert Expectation.parse(text).holds(CASE) is holds


def test_what_does_not_hold_is_shown_with_what_is_so() -> None:
    assert Expectation.parse("resumed").failure(CASE) == "connection 2 was expected to be resumed and is declined"
    assert (
        Expectation.parse("connection[2].hits == 2 and connection[1].tickets == 2").failure(CASE)
        == "expected connection[2].hits == 2 and connection[1].tickets == 2: connection[2].hits is 1, "
        "connection[1].tickets is 2"
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "resmued",
            "'resmued' is not an outcome (did you mean 'resumed'?) and is not a comparison; give ",
        ),
        ("", "cannot be read"),
        ("connection[2].hits = 1", "cannot be read"),
        ("connection[2].hits == 1" * 60, "characters; the longest allowed has 1000"),
        ("(" * 500, "cannot be read"),
        ("connection[2]", "is not a comparison"),
        ("connection[2] == 1", "is a whole object; name one of its keys: number, "),
        ("connection[0].hits == 1", "a connection is connection[1]"),
        ("connection[x].hits == 1", "a connection is connection[1]"),
        ("connection[2].hitz == 1", "there is no 'hitz' (did you mean 'hits'?)"),
        ("connection[2].hits == one", "cannot be one; it is an integer, or none"),
        ("connection[2].outcome == resmued", "cannot be resmued; it is full, declined, resumed, aborted, or none"),
        ("connection[2].outcome < resumed", "is not a number"),
        ("connection[2].hits in 1", "`in` needs a list"),
        ("connection[2].hits == [1]", "a list is compared with `in`"),
        ("1 < connection[2].hits < 3", "a comparison has two sides"),
        ("1 == 1", "one of them is of a connection"),
        ("connection[2].hits == 1 + 1", "is not a number, a word"),
        ("__import__('os').system('true') == 0", "a comparison has two sides"),
        ("connection[2].__class__ == 1", "there is no '__class__'"),
        ("(lambda: 1)() == connection[1].tickets", "is not a number, a word"),
        ("connection[1].tickets == open('x')", "is not a number, a word"),
    ],
)
def test_what_cannot_be_expected_is_refused_with_what_can(text: str, message: str) -> None:
    with pytest.raises(UsageError) as error:
        Expectation.parse(text)

    assert message in str(error.value)


def test_an_expectation_is_renumbered_without_a_connection() -> None:
    assert renumbered("connection[3].hits == 1 and connection[1].hits == 0", 2) == (
        "connection[2].hits == 1 and connection[1].hits == 0"
    )
    assert renumbered("connection[2].hits == 1", 2) is None
