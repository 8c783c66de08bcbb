"""Probes a server again and again: how long its sessions hold, and when its ticket keys change."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from harness.explain.facts.key_name import proven
from harness.explain.probing.holding import held_answers
from harness.explain.probing.products import software_of
from harness.model.connection import HANDLE
from harness.model.errors import DisagreementError, UnreachableError
from harness.model.probe import Held, Look, Probe, Round
from harness.model.tls import Mechanism, Outcome
from harness.probe.probing import approach, limits_of
from harness.probe.say import server_header
from harness.probe.state import Waiting
from harness.probe.studies import config_of, held_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from harness.model.knobs import ClientConfig
    from harness.probe.probing import Keep, Wanted
    from harness.probe.state import Holding, State
    from harness.probe.visitor import Visitor
    from harness.runtime.address import Target
    from harness.runtime.runtime import Runtime
    from harness.stacks.base import Stack

FRESH = 3
"""Full handshakes of each mechanism in a round: back ends with keys of their own show themselves."""
TRIES = 4
"""Offers of a session before it counts as declined: a balancer may lead each to another back end."""
SPARE = 24
"""Sessions of the first round that are set aside for later ones, if a session resumes only once."""
HEAD = 20
"""Bytes of a ticket that are remembered: a name of a key, and some that differ."""
KEYS = 3
"""Ticket keys whose oldest session is offered in a round."""


class _Look:
    """One round at one mechanism."""

    def __init__(self, visitor: Visitor, base: ClientConfig, mechanism: Mechanism, holding: Holding) -> None:
        self._visitor = visitor
        self._config = config_of(mechanism, base)
        self._mechanism = mechanism
        self._holding = holding
        self.software = ""

    def look(self, later: int) -> Look | None:
        """Make full handshakes, then offer what waits; None if the server issues nothing. ``later`` rounds follow."""
        fresh = [one for _ in range(FRESH) if (one := self._fresh())]
        if not fresh:
            return None
        if self._mechanism not in self._holding.once:
            self._holding.once[self._mechanism] = self._resumes_once(fresh.pop())
        if self._holding.once[self._mechanism] and not self._waiting():
            fresh += [one for _ in range(min(SPARE, later) - len(fresh)) if (one := self._fresh())]
        at = time.time()
        offers = [self._offered(one) for one in self._chosen()]
        self._holding.waiting += fresh
        return Look(at, tuple(sorted({self.name(one.head) for one in fresh})), tuple(offers))

    def name(self, head: bytes) -> str:
        """The name of the key of a ticket, hexadecimal digits; empty if none is proven."""
        return head[: proven(self._holding.heads)].hex()

    def _waiting(self) -> list[Waiting]:
        return [one for one in self._holding.waiting if one.mechanism is self._mechanism and not one.over]

    def _fresh(self) -> Waiting | None:
        visit = self._visitor.full(self._config)
        self.software = self.software or software_of(server_header(visit.answer or b""))
        held = None if visit.outcome is Outcome.ABORTED else held_of(visit.connection, self._mechanism)
        if held is None:
            return None
        named = self._mechanism is not Mechanism.SESSION_ID and len(held.issued.identity) > HANDLE
        head = held.issued.identity[:HEAD] if named else b""
        self._holding.heads += [head] if head else []
        if held.issued.lifetime:
            self._holding.hints[self._mechanism] = held.issued.lifetime
        return Waiting(self._mechanism, time.time(), head, held.session)

    def _resumes_once(self, one: Waiting) -> bool:
        """Whether a session that resumed is declined when it is offered again."""
        return self._outcome(one) is Outcome.RESUMED and self._outcome(one) is not Outcome.RESUMED

    def _chosen(self) -> Iterable[Waiting]:
        """The oldest session of each of the latest keys."""
        oldest: dict[str, Waiting] = {}
        for one in self._waiting():
            oldest.setdefault(self.name(one.head), one)
        return list(oldest.values())[-KEYS:]

    def _outcome(self, one: Waiting) -> Outcome:
        for _ in range(TRIES):
            outcome = self._visitor.visit(self._config, one.session).outcome
            if outcome is not Outcome.DECLINED:
                break
        return outcome

    def _offered(self, one: Waiting) -> Held:
        age = time.time() - one.made
        outcome = self._outcome(one)
        one.over = outcome is not Outcome.RESUMED or self._holding.once[self._mechanism]
        return Held(age, self.name(one.head), outcome)


def hold(
    runtime: Runtime,
    client: Stack,
    target: Target,
    wanted: Wanted,
    state: State,
    *,
    said: Callable[[Round], None],
    kept: Callable[[int], Keep] = lambda _number: lambda _connections: None,
) -> Probe:
    """Make the rounds that are due, each when it is; ``said`` gets each round as it ends, ``kept`` its connections.

    The state is written after each round, and a probe that was killed goes on where it was. UnreachableError if no
    round reached the server.
    """
    begun, made, software = time.monotonic(), 0, wanted.software
    holding = state.holding
    while (number := state.next_round(time.time())) is not None:
        runtime.loop.serve_until(time.monotonic() + max(0.0, state.due(number) - time.time()))
        limits = limits_of(runtime, target, wanted)
        at, looks, error = time.time(), {}, ""
        visitor, base = approach(runtime, client, target, wanted, limits)
        try:
            for mechanism in replace(wanted, versions=base.versions or wanted.versions).mechanisms:
                look = _Look(visitor, base, mechanism, holding)
                seen = look.look(state.rounds - number)
                software = software or look.software
                if seen:
                    looks[mechanism] = seen
        except (UnreachableError, DisagreementError) as problem:
            error = str(problem).partition("\n")[0]
        finally:
            kept(number)(visitor.pair.connections)
            visitor.close()
        made += limits.made
        holding.rounds.append(Round(number, at, looks, error))
        state.write()
        said(holding.rounds[-1])
    if all(one.error for one in holding.rounds):
        raise UnreachableError(holding.rounds[-1].error)
    return Probe(
        address=target.text,
        reached=target.reached,
        client=client.label,
        software=software,
        seed=wanted.seed,
        connections=made,
        seconds=time.monotonic() - begun,
        studies=(),
        answers=tuple(held_answers(holding.rounds, holding.hints, software)),
        rounds=tuple(holding.rounds),
    )
