"""A brief case says what `diff` compares, and what many cells share stands once in a file."""

from __future__ import annotations

import json
from typing import Any

import pytest

from harness.model.knobs import ClientConfig, ServerConfig
from harness.model.tls import TLSVersion
from harness.report.diff.difference import differences
from harness.report.json.brief import brief_case, named_story
from harness.report.json.check import ShapeError, checked
from harness.report.json.encode import case_json
from harness.report.json.packed import PackedResults, lines, unpacked
from harness.report.json.shapes import CaseObject, CellObject
from harness.report.tests.real_cases import connections
from harness.story.step import Offer
from harness.story.steps import Connect
from harness.story.story import End, Story
from harness.tests.made.connections import disagreeing

RANDOM = ("session_id", "time", "peer_certificate", "ticket")


@pytest.fixture(scope="module", params=[TLSVersion.TLSv1_2, TLSVersion.TLSv1_3])
def cell(request: pytest.FixtureRequest) -> Any:
    """A passed cell of a full and a resumed connection of libssl, whole."""
    end = End(stack="libssl@1")
    story = Story(
        tls=request.param, steps=(Connect(), Connect(offer=Offer())), about="x.py::y[z]", client=end, server=end
    )
    made = connections("libssl", "libssl", Story(tls=request.param, steps=story.steps))
    case = case_json("libssl@1", "libssl@1", request.param, made, None, (ClientConfig(), ServerConfig()), story=story)
    names = {"cell": "z", "scenario": "x.py::y", "client": "libssl@1", "server": "libssl@1", "tls": request.param.value}
    return {**names, "verdict": "passed", "reason": "", "seconds": 0.1, "folder": None, "case": case}


def brief(cell: Any) -> Any:
    return {**cell, "case": brief_case(cell["case"])}


def run_of(*cells: Any) -> Any:
    head = {"schema": 2, "started": "", "clients": [], "servers": [], "finished": "", "exit_status": 0, "unmatched": []}
    return {**head, "cells": list(cells)}


def test_a_brief_cell_differs_from_the_whole_one_in_nothing(cell: Any) -> None:
    assert differences(CellObject, cell, brief(cell)) == []
    assert differences(CellObject, brief(cell), brief(brief(cell))) == []


def test_a_brief_cell_still_differs_where_the_whole_one_does(cell: Any) -> None:
    changed = json.loads(json.dumps(cell))
    changed["case"]["connections"][1]["session"]["timeout"] = 5
    changed["case"]["connections"][0]["session"]["session_id"] = "00"
    changed["case"]["connections"][1]["messages"].pop()

    assert differences(CellObject, brief(cell), brief(changed)) == differences(CellObject, cell, changed)
    assert len(differences(CellObject, cell, changed)) == 3


def test_a_brief_connection_has_every_key_that_is_required(cell: Any) -> None:
    assert checked(CaseObject, brief(cell)["case"])["connections"][1]["brief"] is True


def test_a_brief_session_has_no_random_bytes(cell: Any) -> None:
    whole, short = (one["case"]["connections"][1] for one in (cell, brief(cell)))

    assert {short["session"][name] for name in RANDOM} <= {"present", "32 bytes", "", "0 bytes"}
    assert short["session"]["timeout"] == whole["session"]["timeout"]
    assert short["commands"] == {"client": [], "server": []}


def test_a_connection_that_somebody_must_look_at_stays_whole() -> None:
    knobs = ClientConfig(), ServerConfig()
    case = case_json("libssl@1", "libssl@1", TLSVersion.TLSv1_3, [disagreeing()], None, knobs)

    assert brief_case(case)["connections"] == case["connections"]


def test_the_story_gets_the_names_of_its_ends_back(cell: Any) -> None:
    short = brief(cell)["case"]

    assert short["story"]["client"] == {}
    assert named_story(short, "x.py::y[z]") == cell["case"]["story"]


def test_what_cells_share_stands_once_and_is_read_again(cell: Any) -> None:
    one, other = brief(cell), brief({**cell, "cell": "other"})
    text = "".join(lines(run_of(one, other)))
    found = unpacked(checked(PackedResults, json.loads(text)))

    assert found == run_of(one, other)
    assert text.count('"hellos"') == 2, "one part for each connection, not for each cell"
    assert found["cells"][0]["case"]["connections"][0] is found["cells"][1]["case"]["connections"][0]  # type: ignore[index]


def test_the_parts_of_a_cell_take_little_room(cell: Any) -> None:
    first = "".join(lines(run_of(brief(cell))))
    second = "".join(lines(run_of(brief(cell), brief({**cell, "cell": "other"}))))

    assert len(second) - len(first) < 1000


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (
            lambda found: found["cells"][0]["case"]["connections"][0].update(parts=[99]),
            "cells[0].case.connections[0].parts has 99, and the run has {parts} parts",
        ),
        (lambda found: found["cells"][0]["case"]["parts"].clear(), "cells[0].case has no 'knobs', which is required"),
        (lambda found: found["parts"][0].clear(), "parts[0] has no 'message', which is required"),
    ],
)
def test_a_part_that_is_missing_is_named(cell: Any, edit: Any, message: str) -> None:
    found = json.loads("".join(lines(run_of(brief(cell)))))
    edit(found)

    with pytest.raises(ShapeError, match=r".") as raised:
        unpacked(checked(PackedResults, found))
    assert str(raised.value) == message.format(parts=len(found["parts"]))


def test_messages_beside_parts_are_those_of_the_connection(cell: Any) -> None:
    found = json.loads("".join(lines(run_of(brief(cell)))))
    own = cell["case"]["connections"][0]["messages"][:1]
    found["cells"][0]["case"]["connections"][0]["messages"] = own

    assert unpacked(checked(PackedResults, found))["cells"][0]["case"]["connections"][0]["messages"] == own  # type: ignore[index]
