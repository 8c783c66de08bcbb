"""Makes a story smaller while an oracle objects to the same: fewer steps, fewer knobs, plainer values."""

from __future__ import annotations

import time
from math import inf
from typing import TYPE_CHECKING, Any

from msgspec import NODEFAULT
from msgspec.structs import fields, replace

from harness.model.errors import HarnessError
from harness.model.tls import Role
from harness.story.plan import Plan
from harness.story.smaller import without_step
from harness.story.step import Offer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from msgspec.structs import FieldInfo

    from harness.story.step import Step
    from harness.story.story import Story

MOST = 250
"""Stories that are tried for one finding."""


def shrunk(
    story: Story,
    same: Callable[[Story], bool],
    values: Mapping[Role, Mapping[str, Sequence[str]]],
    until: float = inf,
) -> tuple[Story, bool]:
    """Return the smallest story that was found for which ``same`` holds, and whether all was tried.

    At a time of time.monotonic, ``until``, it tries no more.
    """
    tried: set[str] = {story.text()}
    going_on = True
    while going_on:
        going_on = False
        for smaller in _smaller(story, values):
            text = smaller.text()
            if text in tried:
                continue
            tried.add(text)
            if len(tried) > MOST or time.monotonic() >= until:
                return story, False
            if _is_possible(smaller) and same(smaller):
                story, going_on = smaller, True
                break
    return story, True


def _is_possible(story: Story) -> bool:
    try:
        Plan.of(story)
    except HarnessError:
        return False
    return True


def _smaller(story: Story, values: Mapping[Role, Mapping[str, Sequence[str]]]) -> Iterator[Story]:
    """Yield stories that lack one part; steps come first, from the last, then knobs, then values."""
    for index in reversed(range(len(story.steps))):
        if (made := without_step(story, index)) is not None:
            yield made
    yield from _fewer_knobs(story)
    for index, step in enumerate(story.steps):
        for plainer in _plainer(step):
            yield replace(story, steps=(*story.steps[:index], plainer, *story.steps[index + 1 :]))
    yield from _first_edges(story, values)


def _fewer_knobs(story: Story) -> Iterator[Story]:
    for role in Role:
        knobs = story.end(role).knobs
        if len(knobs) > 1:
            yield _with_knobs(story, role, {})
        for name in knobs:
            yield _with_knobs(story, role, {other: text for other, text in knobs.items() if other != name})


def _first_edges(story: Story, values: Mapping[Role, Mapping[str, Sequence[str]]]) -> Iterator[Story]:
    for role in Role:
        knobs = story.end(role).knobs
        for name, text in knobs.items():
            edges = [str(edge) for edge in values[role].get(name, ())]
            for edge in edges[: edges.index(text) if text in edges else 0]:
                yield _with_knobs(story, role, {**knobs, name: edge})


def _with_knobs(story: Story, role: Role, knobs: Mapping[str, str]) -> Story:
    return replace(story, **{str(role): replace(story.end(role), knobs=dict(knobs))})


def _default(each: FieldInfo) -> Any:
    return each.default_factory() if each.default_factory is not NODEFAULT else each.default


def _plainer(step: Step) -> Iterator[Step]:
    """Yield a step with one field less: its default, a knob less, an offer of the latest session."""
    for each in fields(step):
        value = getattr(step, each.name)
        default = _default(each)
        if isinstance(value, dict):
            for name in value:
                yield replace(step, **{each.name: {other: text for other, text in value.items() if other != name}})
        elif isinstance(value, Offer):
            for part in fields(value):
                if getattr(value, part.name) != _default(part):
                    yield replace(step, **{each.name: replace(value, **{part.name: _default(part)})})
        if not each.required and value != default:
            yield replace(step, **{each.name: default})
