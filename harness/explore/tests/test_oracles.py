"""Each oracle catches an end that lies, dies or leaks, or a build that behaves differently."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from harness.explore.generate import standing
from harness.explore.oracles import BUILDS, COUNTERS, ENDS, RULES, WITNESSES, suspicions
from harness.explore.play import CRASHED, play
from harness.model.tls import Role, TLSVersion
from harness.story.step import Offer
from harness.story.steps import Connect, NewClient, StopClock
from harness.story.story import End, Story

if TYPE_CHECKING:
    from harness.explore.oracles import Suspicion
    from harness.runtime.runtime import Runtime
    from harness.stacks.base import Stack
    from harness.stacks.libssl import LibsslStack
    from harness.tests.liars.lying import Liars

AGAIN = Connect(offer=Offer())
TWICE = (Connect(), AGAIN)
LATER = "9.9.9"


def story(*steps: object, tls: TLSVersion = TLSVersion.TLSv1_3, **server: str) -> Story:
    return standing(Story(tls=tls, server=End(knobs=server), steps=steps))


def found(runtime: Runtime, one: Story, *stacks: Stack) -> list[Suspicion]:
    played = [play(one, stack, runtime) for stack in stacks]
    return suspicions([replace(each, label=f"libssl@{n}") for n, each in enumerate(played, 1)])


def test_an_honest_build_raises_no_suspicion(runtime: Runtime, honest: LibsslStack) -> None:
    assert found(runtime, story(*TWICE), honest, honest) == []


def test_a_build_with_another_counter_differs(runtime: Runtime, honest: LibsslStack, liars: Liars) -> None:
    other = liars.stack(counters={"overflows": 3})
    first = found(runtime, story(*TWICE), honest, other)[0]

    assert (first.oracle, first.what, first.connection) == (BUILDS, "overflows", 1)
    assert first.values == (("libssl@1", "+0"), ("libssl@2", "+3"))
    assert first.expect == "connection[1].overflows == 0"


def test_a_hit_that_is_not_a_resumption_breaks_the_counters(runtime: Runtime, honest: LibsslStack) -> None:
    """A HelloRetryRequest lets every OpenSSL since 1.1.1 count twice: see scenarios/retry_counters.py."""
    first = found(runtime, story(*TWICE, groups="P-256"), honest)[0]

    assert (first.oracle, first.what, first.expect) == (COUNTERS, "hits", "connection[2].hits == 1")


def test_an_end_that_lies_is_a_disagreement_of_the_witnesses(runtime: Runtime, liars: Liars) -> None:
    liar = liars.stack(facts={"reused": False}, only={"reused": True})
    first = found(runtime, story(*TWICE), liar)[0]

    assert (first.oracle, first.what) == (WITNESSES, "outcome")
    assert first.expect == "connection[2].disagreement == none"


def test_a_broken_rule_of_an_rfc_is_found(runtime: Runtime, honest: LibsslStack) -> None:
    """The client offers a ticket one second too late: see scenarios/expiry.py."""
    late = story(
        StopClock(of=Role.CLIENT, seconds=0), Connect(), StopClock(of=Role.CLIENT, seconds=301), AGAIN, timeout="300"
    )
    names = {each.what for each in found(runtime, late, honest) if each.oracle == RULES}

    assert names == {"ticket_not_too_old"}


def test_an_agent_that_dies_is_a_crash(runtime: Runtime, mortal: LibsslStack) -> None:
    first = found(runtime, Story(tls=TLSVersion.TLSv1_3, steps=(Connect(),)), mortal)[0]

    assert (first.oracle, first.what) == (ENDS, CRASHED)


def test_a_step_that_one_build_refuses_is_a_difference(runtime: Runtime, honest: LibsslStack, liars: Liars) -> None:
    other = liars.stack(knobs={"session_id_context": "61" * 33})
    first = found(runtime, story(*TWICE, NewClient()), honest, other)[0]

    assert (first.oracle, first.what) == (BUILDS, "steps")
    assert "reason 273" in dict(first.values)["libssl@2"]


def test_what_a_build_does_not_report_is_no_difference(runtime: Runtime, honest: LibsslStack, liars: Liars) -> None:
    """As OpenSSL 1.0.2 and 1.1.0 report nothing of early data."""
    silent = liars.stack(facts={"early_data": None})

    assert found(runtime, story(*TWICE), honest, silent) == found(runtime, story(*TWICE), silent, honest) == []
