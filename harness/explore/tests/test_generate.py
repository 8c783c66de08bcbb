"""Stories are made from the tables alone, and the same ones from the same seed."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

import pytest

from harness.agent.knobs import knobs_of
from harness.builds.versions import build_version
from harness.case.case import Ends, refusals
from harness.explore.generate import RUNNING, Generator, is_playable, standing
from harness.explore.observe import outcome_of
from harness.explore.play import play
from harness.explore.values import EDGES, OF_HASHES, OF_TIME, accepted, knob_values, limit
from harness.model.tls import Outcome, Role, TLSVersion
from harness.story.plan import Plan
from harness.story.step import Offer
from harness.story.steps import KINDS, AgeSessions, Connect, NewServer, ResizeCache, SetTimeouts, StopClocks
from harness.story.story import End, Story

if TYPE_CHECKING:
    from harness.runtime.runtime import Runtime
    from harness.stacks.libssl import LibsslStack

STORIES = 150
MANY = 10_000
SEEDS = range(1, 5)
"""One or two of MANY stories make the three choices of the test that needs so many; those of one seed may have none."""
AGAIN = Connect(offer=Offer())
OTHER_HASH = NewServer(knobs={"ciphersuites": OF_HASHES["sha256"]})
"""The default list of suites begins with one of SHA-384."""


@pytest.fixture(scope="module")
def made(honest: LibsslStack, seeds: list[Story]) -> list[Story]:
    return stories(honest, seeds, STORIES)


def numbers(seed: int, number: int) -> Random:
    return Random(f"{seed}:{number}")  # noqa: S311 - stories, not keys


def stories(stack: LibsslStack, seeds: list[Story], count: int, seed: int = 1) -> list[Story]:
    generator = Generator(
        knob_values(seeds, [stack]), lambda story, plan: not refusals(story, Ends(stack, stack), plan)
    )
    found = (generator.story(numbers(seed, number), seeds) for number in range(count))
    return [story for story in found if story is not None]


def test_the_same_seed_makes_the_same_stories(honest: LibsslStack, seeds: list[Story], made: list[Story]) -> None:
    assert stories(honest, seeds, 20) == made[:20]


def test_another_seed_makes_other_stories(honest: LibsslStack, seeds: list[Story], made: list[Story]) -> None:
    assert stories(honest, seeds, 20, seed=2) != made[:20]


def test_every_story_fits_and_can_be_run(honest: LibsslStack, made: list[Story]) -> None:
    lacking = [why for story in made for why in refusals(story, Ends(honest, honest), Plan.of(story))]

    assert len(made) > STORIES / 2
    assert lacking == []


@pytest.mark.parametrize("word", sorted(KINDS))
def test_a_step_of_every_kind_is_made_from_its_fields(honest: LibsslStack, seeds: list[Story], word: str) -> None:
    generator = Generator(knob_values(seeds, [honest]), lambda _story, _plan: True)
    found = [step for number in range(10) if (step := generator.step(numbers(1, number), word, seeds[0]))]

    assert {step.kind for step in found} == {word}


def test_stories_of_dtls_are_made_and_run(made: list[Story], honest: LibsslStack, runtime: Runtime) -> None:
    over_udp = next(story for story in made if story.tls is TLSVersion.DTLSv1_2)

    assert not play(over_udp, honest, runtime).ended


def meets_other_hash(story: Story) -> bool:
    """Whether the last connection offers a session to a new server that shares keys and lacks the suite."""
    last = story.steps[-2:]
    return story.tls is TLSVersion.TLSv1_3 and last == (OTHER_HASH, AGAIN) and "ticket_keys" in story.server.knobs


def test_a_ticket_that_opens_meets_a_suite_of_another_hash(honest: LibsslStack, runtime: Runtime) -> None:
    """A change in OpenSSL 3.5.7 needs three choices: shared keys, suites without the session's hash, an offer."""
    plain = standing(Story(tls=TLSVersion.TLSv1_3, steps=(Connect(),)))
    made = (story for seed in SEEDS for story in stories(honest, [plain], MANY, seed) if meets_other_hash(story))
    lasts = (play(story, honest, runtime).connections[-1] for story in made)
    shown = ((outcome_of(last), last.client.cipher) for last in lasts if last.offered)

    assert (Outcome.DECLINED, OF_HASHES["sha256"]) in shown


def test_clocks_that_run_are_never_tried(made: list[Story]) -> None:
    assert [step for story in made for step in story.steps if isinstance(step, RUNNING)] == []


@pytest.mark.parametrize("role", list(Role))
def test_every_knob_has_values_to_try(honest: LibsslStack, seeds: list[Story], role: Role) -> None:
    assert set(knob_values(seeds, [honest])[role]) == set(honest.abilities(role).knobs) - {*OF_TIME}


def test_the_clocks_of_every_story_stand_still(made: list[Story]) -> None:
    assert all(isinstance(story.steps[0], StopClocks) for story in made)


def test_values_that_a_build_lacks_are_not_tried(honest: LibsslStack) -> None:
    tried: dict[Role, dict[str, tuple[str, ...]]] = {
        Role.CLIENT: {"groups": ("P-256", "nobody's"), "timeout": ("0", "-1")},
        Role.SERVER: {"groups": ("none",)},
    }

    assert accepted(tried, [honest]) == {
        Role.CLIENT: {"groups": ("P-256",), "timeout": ("0", "-1")},
        Role.SERVER: {},
    }


@pytest.mark.parametrize("name", ["timeout", "cache_size", "num_tickets", "max_early_data"])
def test_a_number_has_the_edges_that_its_kind_allows(honest: LibsslStack, seeds: list[Story], name: str) -> None:
    kind = knobs_of(Role.SERVER)[name].kind
    values = knob_values(seeds, [honest])[Role.SERVER][name]

    assert {str(edge) for edge in (*EDGES, limit(kind)) if kind.allows(edge)} <= set(values)


FULL_CACHE = Story(
    tls=TLSVersion.TLSv1_2,
    server=End(knobs={"tickets": "off", "cache_size": "4"}),
    steps=(*(Connect(),) * 3, SetTimeouts(seconds=300), *(Connect(),) * 2, Connect(offer=Offer(connection=1))),
)
"""Three sessions end at the same time, and one of them has to go."""


def test_what_a_full_cache_removes_by_chance_is_not_tried(honest: LibsslStack, runtime: Runtime) -> None:
    story = standing(FULL_CACHE)
    shown = [outcome_of(play(story, honest, runtime).connections[-1]) for _ in range(80)]
    by_order_of_hashes = build_version(honest.build.version) >= build_version("3.0")

    assert not is_playable(FULL_CACHE)
    assert set(shown) == ({Outcome.RESUMED, Outcome.DECLINED} if by_order_of_hashes else {Outcome.DECLINED})


@pytest.mark.parametrize("step", [SetTimeouts(seconds=300), AgeSessions(seconds=1)])
def test_sessions_that_all_change_are_tried_in_a_cache_with_room(step: SetTimeouts | AgeSessions) -> None:
    plain = Story(tls=TLSVersion.TLSv1_2, steps=(Connect(), step))
    resized = Story(tls=TLSVersion.TLSv1_2, steps=(Connect(), ResizeCache(entries=2), Connect(), step))
    full = Story(tls=TLSVersion.TLSv1_2, server=FULL_CACHE.server, steps=(Connect(), Connect()))

    assert [is_playable(story) for story in (plain, full, resized)] == [True, True, False]


@pytest.mark.parametrize("field", ["master_key", "max_fragment_length_mode"])
def test_a_session_whose_records_dtls_drops_is_offered_over_tls_alone(field: str) -> None:
    steps = (Connect(), Connect(offer=Offer(connection=1, edit={field: "1"})))

    assert [is_playable(Story(tls=tls, steps=steps)) for tls in (TLSVersion.TLSv1_2, TLSVersion.DTLSv1_2)] == [
        True,
        False,
    ]
