"""The stories that an exploration begins with: those of the scenarios, and those of files that a user names.

``python -m harness.explore.seeds RESULTS...`` writes the shipped ones again from the results.json of runs;
``--check RESULTS...`` says whether they are stale. `tox run -e seeds` makes such a run.
"""

from __future__ import annotations

import json
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from harness.explore.generate import is_playable
from harness.explore.known import parts
from harness.model.capability import CLOCK
from harness.model.errors import UsageError
from harness.model.tls import Role
from harness.results.reader import kept_run
from harness.story.reading import read_story, story_of_json
from harness.story.story import End

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from harness.story.story import Story

SHIPPED = Path(__file__).parent / "seeds.jsonl"
"""One story a line, each with the scenario that it comes from."""
CHECK, COMMAND = "--check", "python -m harness.explore.seeds"
LONGEST = 16
"""Steps of a story that is worth mutating."""
MANY = 16
"""Tickets after a handshake, above which a story takes too long to be repeated a thousand times."""


def shipped() -> list[Story]:
    """Return the stories of the scenarios."""
    with SHIPPED.open(encoding="utf-8") as lines:
        return [story_of_json(json.loads(line), f"{SHIPPED.name}: line {n}") for n, line in enumerate(lines, 1)]


def given(path: Path) -> list[Story]:
    """Return the stories of a file, of a folder, or of a run's results.json; UsageError if one is damaged."""
    if path.is_dir():
        files = sorted(path.glob("*.json"))
        if not files:
            raise UsageError(f"{path} holds no *.json; name a story, a folder of stories, or a results.json")
        return [plain(read_story(file)) for file in files]
    if path.name == "results.json":
        return list(of_results(path))
    return [plain(read_story(path))]


def plain(story: Story) -> Story:
    """Return a story without what it was recorded with: its stacks and what was expected of it."""
    ends = {str(role): End(knobs=story.end(role).knobs) for role in Role}
    steps = tuple(replace(step, stack=None) if getattr(step, "stack", None) else step for step in story.steps)
    return replace(story, **ends, steps=steps, expect=())


def of_results(path: Path, kinds: set[str] | None = None) -> Iterator[Story]:
    """Yield the stories of a run's cells, each kind once; ``kinds`` are those that are already there.

    UsageError if the file, or the folder that holds it, has no results of a run.
    """
    cells = kept_run(path).results["cells"]
    kinds = set() if kinds is None else kinds
    for cell in cells:
        case = cell["case"]
        value: Any = case.get("story") if case else None
        if value and not value.get("gaps") and (kind := _kind(cell["scenario"], value)) not in kinds:
            kinds.add(kind)
            yield replace(plain(story_of_json(value, f"{path}: {cell['cell']}")), about=cell["scenario"])


def tells_as(story: Story, scenario: str) -> bool:
    """Return whether a story has every knob and edit of one that ``scenarios/x.py::test_y`` made, or no other ones.

    What is made smaller has none without which it would not show the same; if it has one that the scenario has not,
    something else is the cause.
    """
    found = _named(story)
    return any(made <= found or (len(found) > 1 and found <= made) for made in _named_by().get(scenario, ()))


def _named(story: Story) -> set[str]:
    """The version, the knobs and the edits of a story, without their values."""
    named = {part for part in parts(story) if part.startswith("tls=") or ("." in part and "=" not in part)}
    return named - {f"{role}.{CLOCK}" for role in Role}


@cache
def _named_by() -> dict[str, list[set[str]]]:
    """What the shipped stories of each scenario name."""
    made: dict[str, list[set[str]]] = {}
    for story in shipped():
        made.setdefault(story.about, []).append(_named(story))
    return made


def _kind(scenario: str, value: Mapping[str, Any]) -> str:
    """What makes a story another kind than the next: its scenario, its steps and the names of its knobs."""
    steps = [(step["do"], step.get("close"), step.get("how"), sorted(step.get("knobs", ()))) for step in value["steps"]]
    knobs = [sorted(value[end].get("knobs", ())) for end in ("client", "server")]
    return repr((scenario, value["tls"], steps, knobs))


def is_small(story: Story) -> bool:
    """Return whether a story takes so little time that it can run thousands of times."""
    tickets = int(story.server.knobs.get("num_tickets", "0"))
    return len(story.steps) <= LONGEST and tickets <= MANY


def made(*results: Path) -> list[dict[str, Any]]:
    """Return the stories of runs that are worth shipping, in order."""
    kinds: set[str] = set()
    found = [
        story.to_json()
        for path in results
        for story in of_results(path, kinds)
        if is_small(story) and is_playable(story)
    ]
    return sorted(found, key=lambda story: (story["about"], json.dumps(story)))


def stale(shipped: Iterable[Mapping[str, Any]], made: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return what one of two lists of stories has and the other has not, a line for each kind of story."""
    old, new = ({_kind(story["about"], story): story["about"] for story in stories} for stories in (shipped, made))
    lacking = [f"{about}: the shipped stories lack one" for kind, about in new.items() if kind not in old]
    gone = [f"{about}: no cell makes a shipped story of it" for kind, about in old.items() if kind not in new]
    return sorted([*lacking, *gone])


def main(first: str, *more: str) -> None:
    """Write the shipped stories, or check them: then it prints what is stale, and the exit code is 1."""
    found = made(*map(Path, more if first == CHECK else (first, *more)))
    if first != CHECK:
        SHIPPED.write_text("".join(f"{json.dumps(story)}\n" for story in found), encoding="utf-8")
    elif lines := stale([story.to_json() for story in shipped()], found):
        sys.exit("\n".join([*lines, f"{SHIPPED.name} is stale: run {COMMAND} RESULTS..."]))


if __name__ == "__main__":
    main(*sys.argv[1:])
