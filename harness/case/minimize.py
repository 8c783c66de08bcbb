"""Removes every part of a case that does not affect its result, trying each in turn."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from harness.model.errors import DisagreementError, HarnessError
from harness.model.knobs import show_knob
from harness.model.tls import Close
from harness.model.view import Saw

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from harness.case.case import Case, CaseResult


@dataclass(frozen=True)
class Minimal:
    """The smaller case, what was seen of it, and the options that were left out, as a user types them."""

    case: Case
    result: CaseResult
    left_out: tuple[str, ...]


def minimized(case: Case, result: CaseResult, again: Callable[[Case], CaseResult]) -> Minimal:
    """Leave out part after part while the last connection's outcome, mechanism and alert stay what they were.

    ``result`` is what was seen of the whole case. A smaller case that cannot be run has another result.
    """
    wanted = essence(result)
    left_out: list[str] = []
    going_on = True
    while going_on:
        going_on = False
        for option, smaller in _smaller(case):
            try:
                seen = again(smaller)
            except HarnessError:
                continue
            if essence(seen) == wanted:
                case, result, going_on = smaller, seen, True
                left_out.append(option)
                break
    return Minimal(case, result, tuple(left_out))


def essence(result: CaseResult) -> tuple[object, ...]:
    """What is not to change of the last connection: outcome, mechanism, number and sender of the alert that ended it.

    An alert that comes later shows how it was closed.
    """
    last = result.connections[-1]
    try:
        outcome: object = last.observed_outcome()
    except DisagreementError:
        outcome = tuple(view.saw for view in last.views)
    aborted = Saw.ABORTED in {view.saw for view in last.views}
    alert = last.observed_alert() if aborted else None
    return outcome, last.observed_mechanism, (alert.number, alert.sender) if alert else None


def _smaller(case: Case) -> Iterator[tuple[str, Case]]:
    """Each case that lacks one part of this one, with the option that gives the part."""
    for name, value in case.then_client.items():
        yield (
            f"--then-client-set {name}={show_knob(value)}",
            replace(case, then_client=_without(case.then_client, name)),
        )
    for name, value in case.then_server.items():
        yield (
            f"--then-server-set {name}={show_knob(value)}",
            replace(case, then_server=_without(case.then_server, name)),
        )
    for name, value in case.client.given().items():
        yield f"--client-set {name}={show_knob(value)}", replace(case, client=case.client.changed(**{name: None}))
    for name, value in case.server.given().items():
        yield f"--server-set {name}={show_knob(value)}", replace(case, server=case.server.changed(**{name: None}))
    if case.close is not Close.BOTH:
        yield f"--close {case.close}", replace(case, close=Close.BOTH)
    if case.age:
        yield f"--age {case.age}", replace(case, age=0)
    if case.age_copy:
        yield f"--age-copy {case.age_copy}", replace(case, age_copy=0)
    if case.times > 1:
        yield f"--times {case.times}", replace(case, times=1)
        yield f"--times {case.times}: {case.times - 1} will do", replace(case, times=case.times - 1)


def _without(knobs: Mapping[str, Any], name: str) -> dict[str, Any]:
    return {other: value for other, value in knobs.items() if other != name}
