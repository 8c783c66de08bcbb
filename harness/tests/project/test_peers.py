"""The map of what other test suites know names only what exists, and little is out of reach."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.tests.project.peers import MOST_OUT_OF_REACH, ROOT, State, behaviours, page, wrong

ROWS = behaviours()


def test_each_row_names_what_exists() -> None:
    assert [complaint for row in ROWS if (complaint := wrong(row))] == []


def test_no_behaviour_is_counted_twice() -> None:
    assert len({(row.area, row.behaviour) for row in ROWS}) == len(ROWS)
    assert all(row.known_by for row in ROWS)


def test_little_that_openssl_has_is_out_of_reach() -> None:
    assert sum(row.state is State.OUT for row in ROWS) <= MOST_OUT_OF_REACH


def test_the_page_has_every_row() -> None:
    assert (ROOT / "docs/peers.md").read_text() == page(), "run: python docs/generate.py"


@pytest.mark.parametrize(
    ("state", "where"),
    [
        (State.COVERED, "tls13_ticket::ticket_that_nobody_wrote_a_test_for"),
        (State.COVERED, "no_such_file::ticket_resumes"),
        (State.COVERED, "mutation:NobodyDoesThis"),
        (State.COVERED, "knob:tickets"),
        (State.COVERED, ""),
        (State.EXPRESSIBLE, "knob:no_such_knob"),
        (State.EXPRESSIBLE, "step:no_such_step"),
        (State.EXPRESSIBLE, "tls13_ticket::ticket_resumes"),
        (State.OUT, ""),
        (State.ABSENT, "unsaid"),
    ],
)
def test_a_claim_without_what_it_rests_on_is_found(state: State, where: str) -> None:
    row = replace(ROWS[0], state=state, where=where)

    assert wrong(row).startswith(row.behaviour)
