"""The stories that an exploration begins with: those of the scenarios, and those of files that a user names.

``python -m harness.explore.seeds RESULTS...`` writes the shipped ones again from the results.json of runs.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from harness.model.errors import UsageError
from harness.model.tls import Role
from harness.results.reader import kept_run
from harness.story.reading import read_story, story_of_json
from harness.story.story import End

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from harness.story.story import Story

SHIPPED = Path(__file__).parent / "seeds.jsonl"
"""One story a line, each with the scenario that it comes from."""
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
        if value and not value.get("gaps") and _kind(cell, value) not in kinds:
            kinds.add(_kind(cell, value))
            yield replace(plain(story_of_json(value, f"{path}: {cell['cell']}")), about=cell["scenario"])


def _kind(cell: Mapping[str, Any], value: Mapping[str, Any]) -> str:
    """What makes a story another kind than the next: its scenario, its steps and the names of its knobs."""
    steps = [(step["do"], step.get("close"), step.get("how"), sorted(step.get("knobs", ()))) for step in value["steps"]]
    knobs = [sorted(value[end].get("knobs", ())) for end in ("client", "server")]
    return repr((cell["scenario"], value["tls"], steps, knobs))


def is_small(story: Story) -> bool:
    """Return whether a story takes so little time that it can run thousands of times."""
    tickets = int(story.server.knobs.get("num_tickets", "0"))
    return len(story.steps) <= LONGEST and tickets <= MANY


def main(*results: Path) -> None:
    """Write the shipped stories again."""
    kinds: set[str] = set()
    found = [story.to_json() for path in results for story in of_results(path, kinds) if is_small(story)]
    found.sort(key=lambda story: (story["about"], json.dumps(story)))
    SHIPPED.write_text("".join(f"{json.dumps(story)}\n" for story in found), encoding="utf-8")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
