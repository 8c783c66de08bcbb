"""The stories that an exploration begins with come from scenarios, from files and from the results of runs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

import harness
from harness.cli.explore import declared
from harness.explore.oracles import BROKEN, RULES, Suspicion
from harness.explore.seeds import given, shipped, stale, tells_as
from harness.model.errors import UsageError
from harness.model.knobs import ClientConfig, ServerConfig
from harness.model.tls import TLSVersion
from harness.report.json.brief import brief_case
from harness.report.json.encode import case_json
from harness.report.json.packed import lines
from harness.story.steps import Connect, NewClient
from harness.story.story import End, Story
from harness.tests.made.connections import connection

if TYPE_CHECKING:
    from harness.story.step import Step

SCENARIO = "scenarios/x.py::test_y"
STORY = Story(tls=TLSVersion.TLSv1_3, steps=(Connect(), Connect()))
HEAD = {"schema": 2, "started": "", "clients": [], "servers": [], "finished": "", "exit_status": 0, "unmatched": []}


def cell(name: str, story: dict[str, Any] | None) -> dict[str, Any]:
    """A cell of brief connections, whose story stands in the parts of the run."""
    ends = {"client": "libssl@1", "server": "libssl@1", "tls": "1.3"}
    made = case_json("libssl@1", "libssl@1", TLSVersion.TLSv1_3, [connection()], None, (ClientConfig(), ServerConfig()))
    result = {"verdict": "passed", "reason": "", "seconds": 0.1, "folder": None}
    return {"cell": name, "scenario": SCENARIO, **ends, **result, "case": brief_case({**made, "story": story})}


@pytest.fixture
def results(tmp_path: Path) -> Path:
    file = tmp_path / "results.json"
    cells: Any = [cell("a", STORY.to_json()), cell("b", STORY.to_json()), cell("c", None)]
    file.write_text("".join(lines({**HEAD, "cells": cells})))  # type: ignore[typeddict-item]  # of a few keys
    return file


def test_a_run_gives_each_kind_of_story_once(results: Path) -> None:
    assert [(story.about, story.steps) for story in given(results)] == [(SCENARIO, STORY.steps)]


WITHOUT_STORIES = {
    "clients": "the client is a program",
    "fleet": "its second server is another build",
    "lying_clients": "the client is a liar",
    "lying_servers": "the server is a liar",
    "openssl_programs": "its ends are programs",
    "quic": "the timers of QUIC need a clock that runs",
    "servers": "the server is a program",
    "tampered": "the tap changes messages",
    "why_ticket_unreadable": "its sessions are made by hand",
    "why_unreadable": "its client is another build later",
}
"""The scenarios whose stories no exploration can play."""


def test_every_other_scenario_has_a_story() -> None:
    files = {path.stem for path in (Path(harness.__file__).parent.parent / "scenarios").glob("*.py")}
    having = {story.about.partition("::")[0].removeprefix("scenarios/").removesuffix(".py") for story in shipped()}

    assert files - having == {*WITHOUT_STORIES}
    assert having <= files


def test_what_the_shipped_stories_lack_or_have_in_excess_is_stale() -> None:
    def one(about: str, *steps: str) -> dict[str, Any]:
        return {"about": about, "tls": "1.3", "client": {}, "server": {}, "steps": [{"do": step} for step in steps]}

    twice = [one("a", "connect", "connect"), one("a", "connect", "connect")]

    assert stale([one("a", "connect", "connect")], twice) == []
    assert stale([one("a", "connect")], twice) == [
        "a: no cell makes a shipped story of it",
        "a: the shipped stories lack one",
    ]


BREAKS = "scenarios/why_not_offered.py::test_openssl_client_offers_a_session_without_enabling_its_hash"
CHANGES = NewClient(knobs={"ciphersuites": "TLS_AES_128_GCM_SHA256"})


def story_with(*steps: Step, **server: str) -> Story:
    return Story(tls=TLSVersion.TLSv1_3, server=End(knobs=server), steps=(Connect(), *steps, Connect()))


def test_a_story_tells_as_a_scenario_with_the_same_knobs() -> None:
    assert tells_as(story_with(CHANGES), BREAKS)
    assert tells_as(story_with(CHANGES, timeout="300"), BREAKS)
    assert not tells_as(story_with(timeout="300"), BREAKS)
    assert not tells_as(story_with(), BREAKS)
    assert not tells_as(replace(story_with(CHANGES), tls=TLSVersion.TLSv1_2), BREAKS)


def test_a_broken_rule_is_declared_for_stories_of_its_cause_alone() -> None:
    breaks = Suspicion(RULES, "suite_for_psk_offered", 2, (("libssl@3.5.9", BROKEN),))

    assert declared(story_with(CHANGES), breaks).startswith("declared in scenarios/why_not_offered.py, for *@>=1.1.1")
    assert declared(story_with(timeout="300"), breaks) == ""
    assert declared(story_with(CHANGES), replace_rule(breaks, "session_id_echoed")) == ""


def replace_rule(suspicion: Suspicion, rule: str) -> Suspicion:
    return Suspicion(suspicion.oracle, rule, suspicion.connection, suspicion.values)


def test_results_that_are_damaged_are_named(results: Path) -> None:
    results.write_text(results.read_text()[:-20])

    with pytest.raises(UsageError, match=r"results\.json"):
        given(results)
