"""Removes every part of a story that does not affect its result, trying each in turn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from msgspec.structs import fields, replace

from harness.model.errors import DisagreementError, HarnessError
from harness.model.tls import Close, Role
from harness.model.view import Saw
from harness.report.expecting import renumbered
from harness.story.plan import Plan
from harness.story.smaller import connection_of, without_step
from harness.story.steps import Exchange

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from harness.case.case import CaseResult
    from harness.story.step import Step
    from harness.story.story import Story


@dataclass(frozen=True)
class Minimal:
    """The smaller story, what was seen of it, and what was left out, in words."""

    story: Story
    result: CaseResult
    left_out: tuple[str, ...]


def minimized(
    story: Story,
    result: CaseResult,
    again: Callable[[Story], CaseResult],
    expected: Callable[[Story, CaseResult], Sequence[str]] = lambda _story, _result: (),
) -> Minimal:
    """Leave out part after part while the last connection stays what it was, and each expectation.

    ``result`` is what was seen of the whole story. A smaller story that cannot be run has another result. ``expected``
    says what each expectation of a story observes.
    """
    wanted = essence(result), tuple(expected(story, result))
    left_out: list[str] = []
    tried: set[str] = set()
    going_on = True
    while going_on:
        going_on = False
        for what, smaller in _smaller(story):
            if (text := smaller.text()) in tried:
                continue
            tried.add(text)
            try:
                Plan.of(smaller)
                seen = again(smaller)
                same = (essence(seen), tuple(expected(smaller, seen))) == wanted
            except HarnessError:
                continue
            if same:
                story, result, going_on = smaller, seen, True
                left_out.append(what)
                break
    return Minimal(story, result, tuple(left_out))


def essence(result: CaseResult) -> tuple[object, ...]:
    """What is not to change of the last connection: whether it was given a session, outcome, mechanism and alert.

    Of the alert, the number and the sender of the one that ended the handshake: a later one shows how it was closed.
    """
    last = result.connections[-1]
    try:
        outcome: object = last.observed_outcome()
    except DisagreementError:
        outcome = tuple(view.saw for view in last.views)
    aborted = Saw.ABORTED in {view.saw for view in last.views}
    alert = last.observed_alert() if aborted else None
    given = last.offered is not None
    return given, outcome, last.observed_mechanism, (alert.number, alert.sender) if alert else None


def _smaller(story: Story) -> Iterator[tuple[str, Story]]:
    """Each story that lacks one part of this one, with the part in words; steps come first, from the last."""
    for index in reversed(range(len(story.steps))):
        step = story.steps[index]
        if isinstance(step, Exchange):
            continue  # a connection that exchanges nothing is the stranger one
        if (made := without_step(story, index)) is not None and (expect := _expect(story, index)) is not None:
            yield f"step {index + 1} ({step.kind})", replace(made, expect=expect)
    for role in Role:
        end = story.end(role)
        for name, text in end.knobs.items():
            knobs = {other: value for other, value in end.knobs.items() if other != name}
            yield f"{role} knob {name}={text}", replace(story, **{str(role): replace(end, knobs=knobs)})
    if len({close for step in story.steps if (close := _close(step))}) == 1 and _close_of(story) is not Close.BOTH:
        yield f"close {_close_of(story)}", replace(story, steps=tuple(map(_closed_by_both, story.steps)))
    for index, step in enumerate(story.steps):
        for what, plainer in _plainer(step):
            steps = (*story.steps[:index], plainer, *story.steps[index + 1 :])
            yield f"{what} of step {index + 1} ({step.kind})", replace(story, steps=steps)


def _expect(story: Story, index: int) -> tuple[str, ...] | None:
    """What is expected without a step; None if an expectation is about the connection that it makes."""
    number = connection_of(story, index)
    found = [text if number is None else renumbered(text, number) for text in story.expect]
    return None if None in found else tuple(filter(None, found))


def _plainer(step: Step) -> Iterator[tuple[str, Step]]:
    """Each step with one field at its default, or without one of the knobs that it changes."""
    for each in fields(step):
        value = getattr(step, each.name)
        if each.name == "knobs":
            for name, text in value.items():
                yield f"{name}={text}", replace(step, knobs={k: v for k, v in value.items() if k != name})
        elif each.name == "offer" and value is not None:
            for part in ("older", "timeout", "ticket"):
                if getattr(value, part):
                    default = 0 if part == "older" else None
                    yield f"{part} {getattr(value, part)}", replace(step, offer=replace(value, **{part: default}))
            for name, text in value.edit.items():
                rest = {k: v for k, v in value.edit.items() if k != name}
                yield f"{name}={text}", replace(step, offer=replace(value, edit=rest))
        elif not each.required and value != each.default and each.name in PLAINER:
            yield f"{each.name} {value}", replace(step, **{each.name: each.default})


PLAINER = ("close", "how", "early_data", "abbreviated", "pace")
"""The fields of steps that are set to their defaults; the others say which connection or end is meant."""


def _close(step: Step) -> Close | None:
    found = getattr(step, "close", None) or getattr(step, "how", None)
    return found if isinstance(found, Close) else None


def _close_of(story: Story) -> Close:
    return next(close for step in story.steps if (close := _close(step)))


def _closed_by_both(step: Step) -> Step:
    name = next((each.name for each in fields(step) if each.name in {"close", "how"}), None)
    return replace(step, **{name: Close.BOTH}) if name else step
