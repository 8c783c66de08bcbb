"""The model of resumption agrees with a real OpenSSL, and a model that is wrong is caught by it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from harness.explore.generate import standing
from harness.explore.model import FREE, MUST_NOT, broken, cases
from harness.explore.observe import outcome_of
from harness.explore.play import play
from harness.explore.values import SHARED
from harness.model.tls import USUAL_VERSIONS, Outcome, TLSVersion
from harness.story.step import Offer
from harness.story.steps import Age, AgeSessions, Connect, NewServer
from harness.story.story import Story

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.model.connection import Connection
    from harness.runtime.runtime import Runtime
    from harness.stacks.libssl import LibsslStack

PAGE = Path(__file__).parents[3] / "docs" / "explore.md"
AGAIN = Connect(offer=Offer(connection=1))
PLAIN = (Connect(), AGAIN)
RESTARTED = (Connect(), NewServer(), AGAIN)
EXPIRED = (Connect(), Age(seconds=8000), AGAIN)
BACKDATED = (AgeSessions(seconds=7260), Connect(), AGAIN)
DAMAGED = (Connect(), Connect(offer=Offer(connection=1, edit={"master_key": "flip:0"})))


def run(
    runtime: Runtime, stack: LibsslStack, *steps: object, tls: TLSVersion = TLSVersion.TLSv1_2
) -> Sequence[Connection]:
    return play(standing(Story(tls=tls, steps=steps)), stack, runtime).connections


@pytest.mark.parametrize("tls", USUAL_VERSIONS)
@pytest.mark.parametrize(
    "steps",
    [PLAIN, RESTARTED, EXPIRED, BACKDATED, DAMAGED],
    ids=["plain", "restarted", "expired", "backdated", "damaged"],
)
def test_a_real_openssl_keeps_the_laws(
    runtime: Runtime, honest: LibsslStack, steps: tuple[object, ...], tls: TLSVersion
) -> None:
    assert broken(run(runtime, honest, *steps, tls=tls)) == []


@pytest.mark.parametrize(
    "knobs",
    [{"ticket_keys": "a"}, {"ticket_ring": "a"}, {"external_cache": "a", "tickets": "off"}],
    ids=["ticket_keys", "ticket_ring", "external_cache"],
)
def test_servers_that_share_what_opens_a_session_are_free(
    runtime: Runtime, honest: LibsslStack, knobs: dict[str, str]
) -> None:
    connections = run(runtime, honest, NewServer(knobs=knobs), *RESTARTED)

    assert outcome_of(connections[-1]) == Outcome.RESUMED
    assert broken(connections) == []


@pytest.mark.parametrize("knob", SHARED)
def test_servers_with_a_name_of_their_own_share_nothing(runtime: Runtime, honest: LibsslStack, knob: str) -> None:
    other = (Connect(), NewServer(knobs={knob: "b"}), AGAIN)
    connections = run(runtime, honest, NewServer(knobs={knob: "a"}), *other)

    assert [case.shares(knob) for case in cases(connections)] == [False]
    assert broken(connections) == []


def test_a_law_that_forbids_what_resumes_is_broken(runtime: Runtime, honest: LibsslStack) -> None:
    found = broken(run(runtime, honest, *PLAIN), must_not={"never": lambda _case: True})

    assert [(each.law, each.expect) for each in found] == [("must_not_never", "connection[2].outcome != resumed")]


@pytest.mark.parametrize("steps", [RESTARTED, EXPIRED], ids=["restarted", "expired"])
def test_a_model_that_lacks_a_law_takes_a_refusal_for_a_fault(
    runtime: Runtime, honest: LibsslStack, steps: tuple[object, ...]
) -> None:
    found = broken(run(runtime, honest, *steps), must_not={}, free={})

    assert [each.law for each in found] == ["must_resume"]


@pytest.mark.parametrize("name", [*FREE, *MUST_NOT])
def test_every_law_and_every_freedom_is_on_the_page(name: str) -> None:
    assert f"`{name}`" in PAGE.read_text(encoding="utf-8")
