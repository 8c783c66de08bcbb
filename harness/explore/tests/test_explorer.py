"""An exploration finds, repeats, shrinks and files; it goes on after a kill, and says what is damaged."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import pytest

from benchmarks.explore import WANTED, shown
from harness.cli.explore import said
from harness.explore.corpus import FINDINGS, Folder
from harness.explore.explorer import Explorer
from harness.explore.finding import UNFINISHED
from harness.explore.generate import standing
from harness.explore.known import known, masks
from harness.explore.known import parts as words
from harness.explore.oracles import BROKEN, COUNTERS, Suspicion
from harness.model.errors import UsageError
from harness.model.tls import TLSVersion
from harness.story.reading import read_story
from harness.story.step import Offer
from harness.story.steps import Age, ChooseContext, Connect, NewServer, StopClocks
from harness.story.story import End, Story

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from harness.explore.known import Known
    from harness.runtime.runtime import Runtime
    from harness.stacks.libssl import LibsslStack

RETRIED = Story(
    tls=TLSVersion.TLSv1_3,
    client=End(knobs={"alpn": "h2"}),
    server=End(knobs={"groups": "P-256", "timeout": "300", "cache_size": "7"}),
    steps=(Connect(), Age(seconds=5), Connect(), Connect(offer=Offer(connection=1))),
)
"""One hit too many, among much that has nothing to do with it."""


@dataclass
class Exploring:
    """Makes explorers in a folder."""

    runtime: Runtime
    stack: LibsslStack
    folder: Path
    made: list[Explorer] = field(default_factory=list)

    def close(self) -> None:
        """End the agents of every explorer."""
        for one in self.made:
            one.close()

    def explorer(self, *seeds: Story, known_ones: Sequence[Known] = (), scenario: bool = False) -> Explorer:
        """An explorer that begins with these stories."""
        place = Folder(self.folder, [self.stack.label], 1)
        self.made.append(Explorer(self.runtime, [self.stack], place, seeds, known_ones, with_scenario=scenario))
        return self.made[-1]


@pytest.fixture
def exploring(runtime: Runtime, honest: LibsslStack, tmp_path: Path) -> Iterator[Exploring]:
    made = Exploring(runtime, honest, tmp_path / "explored")
    yield made
    made.close()


@pytest.fixture(scope="module")
def finding(runtime: Runtime, honest: LibsslStack, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of what RETRIED shows."""
    exploring = Exploring(runtime, honest, tmp_path_factory.mktemp("found"))
    explorer = exploring.explorer(RETRIED, scenario=True)
    explorer.program()
    explorer.follow_next()
    exploring.close()
    (found,) = explorer.found
    return found


def test_a_finding_is_the_smallest_story_that_shows_it(finding: Path) -> None:
    story = read_story(finding / "story.json")

    assert [step.kind for step in story.steps] == ["connect", "connect"]
    assert (dict(story.client.knobs), dict(story.server.knobs)) == ({}, {"groups": "P-256"})
    assert story.expect == ("connection[2].hits == 1",)


@pytest.mark.parametrize("name", ["reproduce.c", "capture.pcapng", "builds.txt", "README.md", "scenario.py"])
def test_a_finding_has_all_that_a_report_needs(finding: Path, name: str) -> None:
    assert (finding / name).stat().st_size > 0


def test_the_benchmark_knows_a_finding_by_its_cause(finding: Path) -> None:
    """Its table, read again, is the known behaviour, and none of those that the benchmark looks for elsewhere."""
    about = [one.entry.name for one in WANTED if masks([one.entry], shown(finding), read_story(finding / "story.json"))]

    assert about == ["a HelloRetryRequest counts a resumption twice"]


def test_the_draft_of_a_report_has_story_builds_and_blanks(finding: Path) -> None:
    text = (finding / "report.md").read_text(encoding="utf-8")

    assert "`groups=P-256`" in text
    assert "expected connection[2].hits == 1: connection[2].hits is 2" in text
    assert "- [ ] whether an issue describes it already" in text


def test_a_scenario_of_a_finding_is_python(finding: Path) -> None:
    text = (finding / "scenario.py").read_text(encoding="utf-8")

    compile(text, "scenario.py", "exec")
    assert "c2 = pair.connect(offer=c1.session)" in text
    assert 'server={"groups": "P-256"}' in text


def test_what_is_known_is_filed_apart_and_is_not_new(exploring: Exploring) -> None:
    explorer = exploring.explorer(RETRIED, known_ones=known())
    explorer.program()
    explorer.follow_next()

    assert explorer.found == []
    assert [place.name for place in (exploring.folder / "known").iterdir()] == ["001-counters-hits"]


def test_a_suspicion_that_does_not_repeat_is_filed_apart(exploring: Exploring, honest: LibsslStack) -> None:
    explorer = exploring.explorer(RETRIED)
    once = Suspicion(COUNTERS, "hits", 2, ((honest.label, BROKEN),))
    explorer.follow(standing(replace_server(RETRIED)), once)

    assert explorer.found == []
    assert [place.name for place in (exploring.folder / "flaky").iterdir()] == ["001-counters-hits"]


def test_what_cannot_be_told_over_tcp_repeats_in_memory(exploring: Exploring) -> None:
    contexts = (NewServer(), ChooseContext(server_name="other.example", other=1, server=2))
    steps = (StopClocks(), *contexts, Connect(), Connect(offer=Offer(connection=1)))
    story = Story(tls=RETRIED.tls, server=RETRIED.server, steps=steps)
    explorer = exploring.explorer(story)
    explorer.program()
    explorer.follow_next()

    (found,) = explorer.found
    assert [step.kind for step in read_story(found / "story.json").steps] == ["connect", "connect"]
    assert not (exploring.folder / "flaky").exists()


def test_a_finding_is_filed_as_it_is_when_the_time_is_over(exploring: Exploring) -> None:
    explorer = exploring.explorer(RETRIED)
    explorer.program()
    explorer.run(0.0)
    explorer.follow_next()
    (found,) = explorer.found

    assert UNFINISHED in said(found)
    assert UNFINISHED in (found / "report.md").read_text(encoding="utf-8")
    assert dict(read_story(found / "story.json").client.knobs) == {"alpn": "h2"}


def test_what_is_known_is_new_if_its_smallest_story_lacks_the_cause(exploring: Exploring) -> None:
    """The story has what a known behaviour needs, and something else is the cause."""
    counts_twice = next(one for one in known() if one.oracle == COUNTERS)
    needs_alpn = replace(counts_twice, needs=("client.alpn",), story="")
    explorer = exploring.explorer(RETRIED, known_ones=[needs_alpn])
    explorer.program()
    explorer.follow_next()

    assert [place.name for place in explorer.found] == ["001-counters-hits"]
    assert not (exploring.folder / "known").exists()


def test_stories_that_cannot_be_explored_are_left_out(exploring: Exploring, honest: LibsslStack) -> None:
    lines: list[str] = []
    place = Folder(exploring.folder, [honest.label], 1)
    own = [Story(tls=TLSVersion.QUICv1, steps=(Connect(),)), RETRIED]
    exploring.made.append(Explorer(exploring.runtime, [honest], place, [], [], own=own, report=lines.append))

    assert exploring.made[-1].first == [standing(RETRIED)]
    assert lines == [
        "1 stories of --from are left out: those of 1.2, 1.3, dtls1.2 without a man in the middle can be explored"
    ]
    with pytest.raises(UsageError, match=r"no story of --from can be explored"):
        Explorer(exploring.runtime, [honest], place, [], [], own=own[:1])


def replace_server(story: Story) -> Story:
    return Story(tls=story.tls, steps=story.steps)


def test_a_killed_exploration_goes_on_with_the_next_program(exploring: Exploring) -> None:
    plain = Story(tls=TLSVersion.TLSv1_2, steps=(Connect(),))
    first = exploring.explorer(plain)
    first.run(0.2)
    second = exploring.explorer(plain)

    assert second.folder.state.programs == first.folder.state.programs > 0
    assert second.folder.state.corpus == first.folder.state.corpus != []
    assert len(second.folder.stories()) == len(first.folder.state.corpus)


def test_what_waits_is_followed_up_after_a_kill(exploring: Exploring) -> None:
    killed = exploring.explorer(RETRIED)
    killed.program()
    killed.folder.save()
    later = exploring.explorer(RETRIED)

    assert [one.suspicion.what for one in later.folder.state.waiting] == ["hits"]
    assert later.follow_next()
    assert [place.name for place in later.found] == ["001-counters-hits"]
    assert not later.follow_next()


def test_shards_file_a_finding_once(exploring: Exploring, honest: LibsslStack) -> None:
    shards = [Folder(exploring.folder, [honest.label], seed) for seed in (1, 2)]
    filed = [shard.file("key", shard.settle(shard.new(FINDINGS, "hits"))) for shard in shards]

    assert filed == [True, False]
    assert [place.name for place in (exploring.folder / FINDINGS).iterdir()] == ["001-hits"]
    assert shards[1].found("key")


def test_shards_begin_with_different_stories(exploring: Exploring, honest: LibsslStack) -> None:
    stories = [Story(tls=TLSVersion.TLSv1_2, steps=(Connect(),) * count) for count in (1, 2, 3)]
    lengths = []
    for number in range(2):
        place = Folder(exploring.folder, [honest.label], number)
        explorer = Explorer(exploring.runtime, [honest], place, [], [], own=stories, part=(number, 2))
        exploring.made.append(explorer)
        lengths.append([len(story.steps) - 1 for story in explorer.first])

    assert lengths == [[1, 3], [2]]


def test_exploration_without_stories_tries_each_value_once(exploring: Exploring, honest: LibsslStack) -> None:
    """A session is offered after each close, and with each value of each knob; shards share these stories."""
    first = []
    for number in range(2):
        place = Folder(exploring.folder, [honest.label], number)
        explorer = Explorer(exploring.runtime, [honest], place, [RETRIED], [], blank=True, part=(number, 2))
        exploring.made.append(explorer)
        first += explorer.first

    assert {len(story.steps) for story in first} == {3}
    assert {"server.groups=P-256", "server.timeout=-1", "client.alpn=h2", "rst", "eof"} <= set.union(*map(words, first))


def test_more_shards_than_stories_all_have_one(exploring: Exploring, honest: LibsslStack) -> None:
    place = Folder(exploring.folder, [honest.label], 1)
    explorer = Explorer(exploring.runtime, [honest], place, [RETRIED], [], part=(2, 3))
    exploring.made.append(explorer)

    assert explorer.first == [standing(RETRIED)]


def test_a_behaviour_is_found_from_no_story(exploring: Exploring, honest: LibsslStack, seeds: list[Story]) -> None:
    """One hit too many, where no scenario and no entry of known.toml says anything of it."""
    place = Folder(exploring.folder, [honest.label], 1)
    explorer = Explorer(exploring.runtime, [honest], place, seeds, [], blank=True)
    exploring.made.append(explorer)
    state = explorer.folder.state
    while state.programs < len(explorer.first) and not any(one.suspicion.oracle == COUNTERS for one in state.waiting):
        explorer.program()

    assert [one.suspicion.what for one in state.waiting if one.suspicion.oracle == COUNTERS] == ["hits"]


def test_shards_share_their_corpus(exploring: Exploring, honest: LibsslStack) -> None:
    first = exploring.explorer(Story(tls=TLSVersion.TLSv1_2, steps=(Connect(),)))
    first.program()
    other = Folder(exploring.folder, [honest.label], 2)

    assert (other.state.programs, len(other.stories())) == (0, 1)


def test_a_damaged_story_of_the_corpus_is_named(exploring: Exploring) -> None:
    explorer = exploring.explorer(Story(tls=TLSVersion.TLSv1_2, steps=(Connect(),)))
    explorer.program()
    explorer.folder.save()
    (file,) = (exploring.folder / "corpus").iterdir()
    file.write_text('{"story": 1')

    with pytest.raises(UsageError, match=rf"(?s)corpus is damaged: .*{file.name}.*remove"):
        exploring.explorer()

    file.unlink()
    assert exploring.explorer().folder.state.corpus == []


def test_what_a_kill_left_half_written_is_no_finding(tmp_path: Path) -> None:
    killed = Folder(tmp_path, ["libssl@3.5.6"], 1).new(FINDINGS, "hits")
    (killed / "story.json").write_text("{")
    folder = Folder(tmp_path, ["libssl@3.5.6"], 1)
    place = folder.settle(folder.new(FINDINGS, "hits"))

    assert [one.name for one in (tmp_path / FINDINGS).iterdir()] == ["001-hits"] == [place.name]
    assert list(place.iterdir()) == []


OF_OTHER_STEPS = """{"builds": [], "seed": 1, "waiting": [{"story": {"story": 1, "tls": "1.3"}, "where": "",
 "suspicion": {"oracle": "builds", "what": "hits", "connection": 1, "values": []}}]}"""


@pytest.mark.parametrize("text", ["{", '{"builds": 1}', OF_OTHER_STEPS])
def test_a_damaged_state_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "state-1.json").write_text(text)

    with pytest.raises(UsageError, match=r"state-1\.json is damaged: .*; remove it to begin again"):
        Folder(tmp_path, [], 1)


def test_a_state_of_a_newer_version_is_not_damaged(tmp_path: Path) -> None:
    """It may have other types, so that nobody must be led to remove it."""
    (tmp_path / "state-1.json").write_text('{"builds": {"libssl": "3.5.6"}, "schema": 2}')

    with pytest.raises(UsageError, match=r"state-1\.json has schema 2, and this harness reads 1; name a new --to"):
        Folder(tmp_path, [], 1)


def test_a_folder_of_other_builds_is_refused(tmp_path: Path) -> None:
    folder = Folder(tmp_path, ["libssl@3.5.6"], 1)
    folder.save()

    with pytest.raises(UsageError, match=r"exploration of libssl@3\.5\.6"):
        Folder(tmp_path, ["libssl@3.5.7"], 1)
