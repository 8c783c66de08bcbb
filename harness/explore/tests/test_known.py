"""What is known masks its observable, in stories that have what it needs, between builds that its range parts."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from harness.explore.known import Known, known, masks, parts
from harness.explore.oracles import BROKEN, BUILDS, COUNTERS, KEPT, Suspicion
from harness.model.errors import UsageError
from harness.model.tls import TLSVersion
from harness.story.step import Offer
from harness.story.steps import Connect, NewServer
from harness.story.story import End, Story

ROOT = Path(__file__).parents[3]
ENTRY = Known(
    name="tickets after a hash mismatch",
    oracle=BUILDS,
    observables=("tickets",),
    builds="*@>=3.5.7",
    seen=date(2026, 11, 29),
    evidence="tls_construct_new_session_ticket",
    needs=("client.ciphersuites",),
)
MISMATCH = Story(
    tls=TLSVersion.TLSv1_3, client=End(knobs={"ciphersuites": "TLS_AES_128_GCM_SHA256"}), steps=(Connect(),)
)
REST = 'builds = "*"\nseen = 2026-11-29\nevidence = ""'
OTHER = Story(tls=TLSVersion.TLSv1_3, steps=(Connect(),))


def differs(what: str = "tickets", **values: str) -> Suspicion:
    labels = {f"libssl@{name[1:].replace('_', '.')}": value for name, value in values.items()}
    return Suspicion(BUILDS, what, 2, tuple(labels.items()))


CHANGE = differs(v3_5_6="0", v3_5_7="2")


def test_a_known_difference_is_masked() -> None:
    assert masks([ENTRY], CHANGE, MISMATCH) is ENTRY


@pytest.mark.parametrize(
    ("suspicion", "story"),
    [
        (CHANGE, OTHER),
        (differs("outcome", v3_5_6="full", v3_5_7="declined"), MISMATCH),
        (differs(v3_5_7="0", v3_5_8="2"), MISMATCH),
        (differs(v3_5_5="1", v3_5_6="0", v3_5_7="2"), MISMATCH),
    ],
    ids=["another story", "another observable", "other builds", "a second change"],
)
def test_nothing_else_is_masked(suspicion: Suspicion, story: Story) -> None:
    assert masks([ENTRY], suspicion, story) is None


def test_a_broken_law_is_masked_for_its_builds_only() -> None:
    entry = Known(
        name="hits",
        oracle=COUNTERS,
        observables=("hits",),
        builds="*@>=3.0",
        seen=date(2026, 11, 29),
        evidence="source",
    )
    breaks = Suspicion(COUNTERS, "hits", 2, (("libssl@1.1.1w", KEPT), ("libssl@3.0.20", BROKEN)))
    both = Suspicion(COUNTERS, "hits", 2, (("libssl@1.1.1w", BROKEN), ("libssl@3.0.20", BROKEN)))

    assert masks([entry], breaks, OTHER) is entry
    assert masks([entry], both, OTHER) is None


def test_an_entry_of_several_ranges_parts_builds_by_all_of_them() -> None:
    entry = replace(ENTRY, builds=("*@>=3.0,<3.0.15", "*@>=3.1,<3.1.7"))

    assert masks([entry], differs(v3_0_14="0", v3_0_15="2"), MISMATCH) is entry
    assert masks([entry], differs(v3_1_6="0", v3_1_7="2"), MISMATCH) is entry
    assert masks([entry], differs(v3_0_14="0", v3_1_6="2"), MISMATCH) is None


def test_one_of_two_alternatives_is_enough() -> None:
    entry = replace(ENTRY, needs=("resize_cache|client.ciphersuites",))

    assert masks([entry], CHANGE, MISMATCH) is entry
    assert masks([entry], CHANGE, OTHER) is None


def test_an_offer_that_is_older_or_has_another_timeout_is_an_edit() -> None:
    steps = (Connect(), Connect(offer=Offer(older=-1)), Connect(offer=Offer(timeout=300, edit={"cipher": "0x1301"})))
    found = parts(Story(tls=TLSVersion.TLSv1_3, steps=steps))

    assert {part for part in found if part.startswith("edit.")} == {
        *("edit.older", "edit.older=-1", "edit.timeout", "edit.timeout=300", "edit.cipher", "edit.cipher=0x1301")
    }
    assert not any(part.startswith("edit.") for part in parts(OTHER))


def test_each_shipped_entry_is_pinned_in_a_scenario_that_is_there() -> None:
    assert [entry.name for entry in known() if not (ROOT / entry.scenario).is_file()] == []


def test_each_shipped_entry_has_a_story_that_it_fits() -> None:
    assert [entry.name for entry in known() if entry.example is None or not entry.fits(entry.example)] == []


def test_a_story_that_lacks_what_its_entry_needs_is_refused() -> None:
    with pytest.raises(UsageError, match=r"its story lacks what it needs: client\.ciphersuites"):
        replace(ENTRY, story=OTHER.text())
    with pytest.raises(UsageError, match="tickets after a hash mismatch is not JSON"):
        replace(ENTRY, story="{")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[[known]]\nname = 1", "entry 1"),
        (f'[[known]]\nname = "x"\noracle = "builds"\nobservables = []\n{REST}', "entry 1"),
        ("known = ", "cannot be read"),
    ],
)
def test_a_file_that_is_wrong_is_refused_with_the_place(tmp_path: Path, text: str, why: str) -> None:
    file = tmp_path / "known.toml"
    file.write_text(text)

    with pytest.raises(UsageError, match=why):
        known(file)


def test_a_version_that_a_knob_enables_is_in_a_story() -> None:
    """A story of TLS 1.2 whose ends enable 1.3 alone shows what 1.3 does."""
    server = NewServer(knobs={"versions": "1.2,1.3"})
    story = Story(tls=TLSVersion.TLSv1_2, client=End(knobs={"versions": "1.3"}), steps=(server, Connect()))

    assert {part for part in parts(story) if part.startswith("tls=")} == {"tls=1.2", "tls=1.3"}
    assert {part for part in parts(OTHER) if part.startswith("tls=")} == {"tls=1.3"}
