"""Runs a story between two stacks, and says what an end cannot do of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from harness.model.capability import CLOCK, of_version
from harness.model.errors import EndpointError, SetUpError, TimedOutError, UnsupportedError, UsageError
from harness.model.knobs import ClientConfig, ServerConfig
from harness.model.tls import Role
from harness.story.plan import Plan
from harness.story.story import config_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from harness.case.tell import Teller
    from harness.model.connection import Connection, Counters
    from harness.report.json.shapes import CaseObject
    from harness.runtime.runtime import Runtime
    from harness.stacks.base import Stack
    from harness.story.plan import Planned
    from harness.story.step import Step
    from harness.story.story import Story

Knobs = Mapping[Role, Mapping[str, str]]
C = TypeVar("C", ClientConfig, ServerConfig)


@dataclass(frozen=True)
class CaseResult:
    """What was seen: every connection in order, and the last server's counters if its stack reports them."""

    connections: tuple[Connection, ...]
    counters: Counters | None
    notes: tuple[str, ...]
    """What was not done as requested, one sentence each."""


NO_TIME = (
    "{role} {stack} cannot do {step}, as its clock cannot be moved: {why}; an offer that is `older` (--age-copy) makes "
    "the client's copy of the session older without it"
)


@dataclass(frozen=True)
class Ends:
    """The stacks of a story: the first of each role, and where those that its steps name come from."""

    client: Stack
    server: Stack
    find: Callable[[str], Stack] | None = None
    """Returns the stack of a ``stack@build``; None if the story names none but the first."""

    def of(self, story: Story, role: Role, named: str) -> Stack:
        """Return the stack that a context of the story names; UsageError if it is not there."""
        if named == story.end(role).stack:
            return self.client if role is Role.CLIENT else self.server
        if self.find is None:
            raise UsageError(f"the story goes over to {named}, and no stack but its first two is there")
        return self.find(named)


def refusals(story: Story, ends: Ends, plan: Plan | None = None) -> list[str]:
    """Return why the ends cannot tell the story, with the step that needs it; empty if they can."""
    plan = plan or Plan.of(story)
    stacks = {
        (role, planned.stack): ends.of(story, role, planned.stack) for role in Role for planned in plan.contexts[role]
    }
    unspoken = [
        f"{role} {stack.label} lacks {capability}: {why}"
        for (role, _), stack in stacks.items()
        for capability in of_version(story.tls)
        if (why := stack.abilities(role).lacks(capability))
    ]
    found = unspoken + [
        why for role in Role for one in plan.contexts[role] for why in _knobs_lacking(one, stacks[role, one.stack])
    ]
    for need in plan.needs:
        stack = stacks[need.role, need.stack]
        if why := stack.abilities(need.role).lacks(need.capability):
            found.append(f"{need.step}: {need.role} {stack.label} lacks {need.capability}: {why}")
    for role, step in plan.clock_steps.items():
        found += [
            NO_TIME.format(role=role, stack=stack.label, step=step, why=why)
            for (at, _), stack in stacks.items()
            if at is role and (why := stack.abilities(role).lacks_knob(CLOCK, 0))
        ]
    return list(dict.fromkeys(found))


def _knobs_lacking(planned: Planned, stack: Stack) -> Iterator[str]:
    abilities = stack.abilities(planned.role)
    where = f"{planned.step}: " if planned.step else ""
    for name, value in planned.given.items():
        if value is not None and (why := abilities.lacks_knob(name, value)):
            yield f"{where}{planned.role} {stack.label} lacks knob {name}: {why}"


def run(
    story: Story, client: Stack, server: Stack, runtime: Runtime, find: Callable[[str], Stack] | None = None
) -> CaseResult:
    """Tell the story; UsageError if a stack lacks what it asks for, SetUpError if the first connection breaks.

    ``find`` returns the stack of a ``stack@build``, for a story whose steps name more than the first of each role.
    """
    plan, ends = Plan.of(story), Ends(client, server, find)
    if lacking := refusals(story, ends, plan):
        raise UsageError("\n".join([*lacking, "`resumption stacks` shows which stack has which knob"]))
    teller = begin(story, ends, runtime, plan)
    pair = teller.pair
    try:
        for number, step in enumerate(story.steps, 1):
            try:
                teller.do(step)
            except UnsupportedError as error:
                raise _at(number, step, error) from error
            except (EndpointError, TimedOutError) as error:
                if pair.connections:
                    raise
                raise SetUpError(str(error)) from error
        return CaseResult(tuple(pair.connections), pair.last_counters(), tuple(teller.notes))
    finally:
        pair.close()


def begin(story: Story, ends: Ends, runtime: Runtime, plan: Plan) -> Teller:
    """Return what runs the steps of a story, with both ends started; the caller closes its pair.

    SetUpError if an end does not start, UsageError if the story was recorded with gaps.
    """
    if story.gaps:
        raise UsageError("\n".join(["the story was recorded with gaps, and cannot be run:", *story.gaps]))
    moved = _moved(plan, ends.client, ends.server)
    configs = (
        _with_clock(config_of(Role.CLIENT, story.client.knobs), moves=Role.CLIENT in moved),
        _with_clock(config_of(Role.SERVER, story.server.knobs), moves=Role.SERVER in moved),
    )
    try:
        ends.client.prepare(configs[0])
        ends.server.prepare(configs[1])
        from harness.case.tell import Teller  # noqa: PLC0415 - it loads while the agents start
        from harness.pair.pair import Pair  # noqa: PLC0415

        pair = Pair((ends.client, ends.server), story.tls, runtime, client=configs[0], server=configs[1])
    except (EndpointError, TimedOutError) as error:
        raise SetUpError(str(error)) from error
    return Teller(pair, partial(ends.of, story), moved, plan.together)


def case_object(story: Story, labels: tuple[str, str], result: CaseResult) -> CaseObject:
    """Return the JSON object of a story that was run; ``labels`` are the ``stack@build`` of its first ends."""
    from harness.report.json.encode import case_json  # noqa: PLC0415 - a third of the time that `connect` takes to load

    plan = Plan.of(story)
    first = {role: plan.contexts[role][0].knobs for role in Role}
    last = {role: plan.contexts[role][-1].knobs for role in Role}
    then = {
        role: {name: last[role].get(name) for name in {**first[role], **last[role]} if _differ(first, last, role, name)}
        for role in Role
    }
    return case_json(
        *labels,
        story.tls,
        result.connections,
        result.counters,
        (config_of(Role.CLIENT, first[Role.CLIENT]), config_of(Role.SERVER, first[Role.SERVER])),
        then=(then[Role.CLIENT], then[Role.SERVER]),
        story=None if plan.secret else story,  # this JSON holds no secrets
    )


def _differ(first: Knobs, last: Knobs, role: Role, name: str) -> bool:
    return first[role].get(name) != last[role].get(name)


def _at(number: int, step: Step, error: UnsupportedError) -> UnsupportedError:
    return UnsupportedError(f"step {number} ({step.kind}): {error.stack}", error.capability, error.reason)


def _moved(plan: Plan, client: Stack, server: Stack) -> frozenset[Role]:
    """The ends whose clock is moved or stopped: those that steps name, and both if both can stop and a step asks."""
    able = not client.abilities(Role.CLIENT).lacks_knob(CLOCK, 0) and not server.abilities(Role.SERVER).lacks_knob(
        CLOCK, 0
    )
    return frozenset(Role) if plan.stops_if_possible and able else frozenset(plan.clock_of)


def _with_clock(config: C, *, moves: bool) -> C:
    moved: C = config.changed(clock=config.clock or 0)
    return moved if moves else config
