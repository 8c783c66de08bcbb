"""One case at a desk: a first connection, then resuming ones, with whatever changes between them."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from harness.model.capability import CLOCK, CLOSE_NEEDS, Capability
from harness.model.errors import EndpointError, SetUpError, TimedOutError, UsageError
from harness.model.knobs import ClientConfig, ServerConfig
from harness.model.tls import Close, Role

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.model.connection import Connection, Counters
    from harness.model.session import Session
    from harness.model.tls import TLSVersion
    from harness.pair.pair import Pair
    from harness.runtime.runtime import Runtime
    from harness.stacks.base import Stack

C = TypeVar("C", ClientConfig, ServerConfig)


@dataclass(frozen=True, kw_only=True)
class Case:
    """What is to be done; ``then_*`` are the knobs that change before the second connection."""

    tls: TLSVersion
    client: ClientConfig = field(default_factory=ClientConfig)
    server: ServerConfig = field(default_factory=ServerConfig)
    then_client: Mapping[str, Any] = field(default_factory=dict)
    then_server: Mapping[str, Any] = field(default_factory=dict)
    close: Close = Close.BOTH
    age: int = 0
    """Seconds that pass at both ends before each further connection; negative ones set the clocks back."""
    age_copy: int = 0
    """Seconds by which the client's copy of the offered session alone is made older; negative ones make it younger."""
    offer: Session | None = None
    """A session from elsewhere that the first connection offers."""
    times: int = 1
    """How many connections follow the first; each offers what the one before it yielded."""


@dataclass(frozen=True)
class CaseResult:
    """What was seen: every connection in order, and the last server's counters if its stack reports them."""

    connections: tuple[Connection, ...]
    counters: Counters | None
    notes: tuple[str, ...]
    """What was not done as requested, one sentence each."""


def needs(case: Case, role: Role) -> tuple[Capability, ...]:
    """The Capabilities beyond knobs that the case asks of a role."""
    closing = CLOSE_NEEDS.get(case.close, ())
    elsewhere = case.then_client or case.offer  # another context is another owner
    imports = role is Role.CLIENT and (case.age_copy or elsewhere)
    return (*closing, Capability.SESSION_IMPORT) if imports else closing


NO_TIME = (
    "{role} {stack} cannot let time pass, as its clock cannot be moved: {why}; --age-copy makes the client's copy of "
    "the session older without it"
)


def refusals(stack: Stack, role: Role, case: Case) -> list[str]:
    """Why the stack cannot play the role in this case; empty if it can."""
    abilities = stack.abilities(role)
    config, then = (case.client, case.then_client) if role is Role.CLIENT else (case.server, case.then_server)
    asked = [*config.given().items(), *then.items()]
    found = [
        f"{role} {stack.label} lacks knob {n}: {why}"
        for n, v in asked
        if v is not None and (why := abilities.lacks_knob(n, v))
    ]
    found += [f"{role} {stack.label} lacks {c}: {why}" for c in needs(case, role) if (why := abilities.lacks(c))]
    if case.age and (why := abilities.lacks_knob(CLOCK, 0)):
        found.append(NO_TIME.format(role=role, stack=stack.label, why=why))
    return found


def run(case: Case, client: Stack, server: Stack, runtime: Runtime) -> CaseResult:
    """Do it; UsageError if a stack lacks what the case asks for, SetUpError if the first connection breaks."""
    lacking = [*refusals(client, Role.CLIENT, case), *refusals(server, Role.SERVER, case)]
    if lacking:
        raise UsageError("\n".join([*lacking, "`resumption stacks` shows which stack has which knob"]))
    stops = _stops(case, client, server)
    configs = _with_clock(case.client, stops=stops), _with_clock(case.server, stops=stops)
    try:
        client.prepare(configs[0])
        server.prepare(configs[1])
        from harness.pair.pair import Pair  # noqa: PLC0415 - it loads while the agents start

        pair = Pair((client, server), case.tls, runtime, client=configs[0], server=configs[1], close=case.close)
    except (EndpointError, TimedOutError) as error:
        raise SetUpError(str(error)) from error
    notes = []
    try:
        if stops:
            pair.stop_clocks(int(time.time()))
        offer = _first(pair, case.offer).last_session
        if case.then_client:
            pair.new_client(**_keeping_clock(case.then_client, stops=stops))
        if case.then_server:
            pair.new_server(**_keeping_clock(case.then_server, stops=stops))
        for _ in range(case.times):
            if offer is None:
                notes.append(f"connection {len(pair.connections)} yielded no session, so the next offers none")
            if offer is not None and (wanted := pair.client_config.max_early_data):
                notes += _too_much(offer, wanted, len(pair.connections) + 1)
            if case.age:
                pair.age(case.age)
            connection = pair.connect(_made_older(offer, case.age_copy), presume_full=False)
            offer = connection.last_session or offer
        return CaseResult(tuple(pair.connections), pair.last_counters(), tuple(notes))
    finally:
        pair.close()


def _stops(case: Case, client: Stack, server: Stack) -> bool:
    """Whether both clocks are stopped, so that the age is exact to the second."""
    lacking = client.abilities(Role.CLIENT).lacks_knob(CLOCK, 0) or server.abilities(Role.SERVER).lacks_knob(CLOCK, 0)
    return bool(case.age or (case.age_copy and not lacking))


def _with_clock(config: C, *, stops: bool) -> C:
    moved: C = config.changed(clock=config.clock or 0)
    return moved if stops else config


def _keeping_clock(knobs: Mapping[str, Any], *, stops: bool) -> dict[str, Any]:
    """The changed knobs; a clock that is reset stays one that can be stopped."""
    return {name: value or 0 if name == CLOCK and stops else value for name, value in knobs.items()}


def _first(pair: Pair, offer: Session | None) -> Connection:
    try:
        return pair.connect(offer, presume_full=False)
    except (EndpointError, TimedOutError) as error:
        raise SetUpError(str(error)) from error


def _made_older(session: Session | None, seconds: int) -> Session | None:
    if session is None or not seconds:
        return session
    from harness.wire.session.codec import aged  # noqa: PLC0415 - it loads while the agents start

    return aged(session, seconds)


def _too_much(offer: Session, wanted: int, number: int) -> list[str]:
    """Say that a client sends no early data because its session does not allow as much."""
    allowed = offer.max_early_data or 0
    if wanted <= allowed:
        return []
    what = f"the client's max_early_data is {wanted} bytes and the session allows {allowed}"
    return [f"connection {number} sends no early data: {what}"]
