"""Writes down connections as a story that runs again: what was done, without what was observed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.model.knobs import show_knob
from harness.model.session import show_edit
from harness.model.tls import Role
from harness.reproduce.offers import TAKING
from harness.reproduce.story_builder import FOREIGN, repeatable, story_of
from harness.story import steps as do
from harness.story.step import Offer
from harness.story.story import End, Story

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from harness.model.connection import Connection
    from harness.model.setup import Action
    from harness.model.tls import TLSVersion
    from harness.reproduce.story import Attempt, Context
    from harness.reproduce.story import Offer as Observed
    from harness.story.step import Step

CLOCKS = ("move_clock", "stop_clock", "run_clock")
NANOSECONDS = 10**9
NEW = {Role.CLIENT: do.NewClient, Role.SERVER: do.NewServer}


def recorded(connections: Sequence[Connection], after: Sequence[Action] = (), about: str = "") -> Story | None:
    """Return the story of one pair's connections, in its ``gaps`` what no step can say; None without connections.

    ``after`` are the actions since the last one was opened.
    """
    if not connections or any(connection.setup is None for connection in connections):
        return None
    observed = story_of(connections, still_clocks=True)
    first = min(connections, key=lambda connection: connection.number)
    gaps = [gap for gap in observed.gaps if FOREIGN not in gap]
    last = [repeatable(action, len(connections) + 1, connections, gaps) for action in after]
    recorder = _Recorder(observed.attempts, last, first.tcp.began // NANOSECONDS if first.tcp else 0)
    steps = tuple(recorder.steps())
    attempt = observed.attempts[0]
    return Story(
        tls=first.tls,
        about=about,
        client=_end(attempt.client, first.tls),
        server=_end(attempt.server, first.tls),
        steps=steps,
        gaps=tuple(dict.fromkeys([*gaps, *recorder.gaps])),
    )


def _end(context: Context, tls: TLSVersion) -> End:
    return End(stack=_label(context), knobs=_knobs(context, tls))


def _label(context: Context) -> str:
    return f"{context.stack}@{context.version}" if context.version else context.stack


def _knobs(context: Context, tls: TLSVersion) -> dict[str, str]:
    """The knobs as a user types them, without the protocol version of the story."""
    return {
        name: show_knob(value)
        for name, value in context.given.items()
        if not (name == "versions" and tuple(value) == (tls,))  # type: ignore[arg-type]
    }


class _Recorder:
    """Yields the steps of attempts in the order in which everything was done."""

    def __init__(self, attempts: Sequence[Attempt], after: Sequence[Action], began: int) -> None:
        self._attempts = attempts
        self._after = after
        self._began = began
        used = [(role, context) for attempt in attempts for role, context in _both(attempt)]
        used += [(Role.SERVER, context) for attempt in attempts for context in attempt.choices]
        self._all = {(role, context.number): context for role, context in used}
        self._contexts: dict[Role, list[Context]] = {role: [] for role in Role}
        self._present: dict[Role, int] = {}
        self._aged: set[object] = set()
        """The contexts for which the last `age` was noted."""
        self._fresh: set[object] = set()
        """The contexts that no connection has used yet."""
        self._implied = 0
        """How many of the next exchanges a renegotiation made itself."""
        self._single = self._singles()
        self.gaps: list[str] = []

    def steps(self) -> Iterator[Step]:
        """Yield what was done, in order."""
        for role, context in _both(self._attempts[0]):
            self._contexts[role].append(context)
            self._present[role] = 1
        events: list[tuple[int, Iterator[Step]]] = []
        for place, attempt in enumerate(self._attempts):
            if attempt.number != place + 1:
                self.gaps.append(f"connection {attempt.number} follows one that was never closed")
            events += [(action.order, self._on_context(action)) for action in attempt.before]
            events += [(attempt.opened, self._open(attempt)), (attempt.closed, self._close(attempt))]
            events += [(action.order, self._during(attempt, action)) for action in attempt.during]
        events += [(action.order, self._on_context(action)) for action in self._after]
        for _, made in sorted(events, key=lambda event: event[0]):
            yield from made

    def _singles(self) -> set[int]:
        """The connections that are one step: a line was exchanged, and nothing else happened before their end."""
        acting = [action.order for each in self._attempts for action in each.before]
        orders = [*acting, *(action.order for action in self._after)]
        beside = {number for attempt in self._attempts for number in attempt.beside}
        return {
            attempt.number
            for attempt in self._attempts
            if [action.name for action in attempt.during] == ["exchange"]
            and not attempt.beside
            and attempt.number not in beside
            and not any(attempt.opened < order < attempt.closed for order in orders)
        }

    def _open(self, attempt: Attempt) -> Iterator[Step]:
        for role, context in _both(attempt):
            yield from self._go_to(role, context, attempt.tls)
            self._fresh.discard((role, context.number))
        offer = self._offer(attempt.offer)
        if attempt.number in self._single:
            yield do.Connect(offer=offer, close=attempt.close)
        else:
            yield do.Open(offer=offer, thread=any(action.name == "thread" for action in attempt.during))

    def _close(self, attempt: Attempt) -> Iterator[Step]:
        if attempt.number not in self._single:
            yield do.CloseOpen(connection=attempt.number, how=attempt.close)

    def _is_new(self, context: Context) -> bool:
        return context.number not in [known.number for known in self._contexts[context.role]]

    def _number(self, role: Role, number: object) -> int | None:
        """The number of a context in the story; None if no connection uses it."""
        known = [context.number for context in self._contexts[role]]
        return known.index(number) + 1 if number in known else None

    def _go_to(self, role: Role, context: Context, tls: TLSVersion) -> Iterator[Step]:
        known = self._contexts[role]
        if not self._is_new(context):
            number = self._number(role, context.number) or 1
            if number != self._present[role]:
                yield do.UseClient(client=number) if role is Role.CLIENT else do.UseServer(server=number)
            self._present[role] = number
            return
        before = known[self._present[role] - 1]
        had, has = _knobs(before, tls), _knobs(context, tls)
        changed = {n: has.get(n, "unset") for n in {**had, **has} if had.get(n) != has.get(n)}
        stack = _label(context) if _label(context) != _label(before) else None
        yield NEW[role](knobs=changed, stack=stack)
        known.append(context)
        self._fresh.add((role, context.number))
        self._present[role] = len(known)

    def _on_context(self, action: Action) -> Iterator[Step]:
        role, key = action.role, (action.role, action.values.get("context"))
        context = self._all.get(key)  # type: ignore[arg-type]
        if role is None or context is None:
            if action.name not in CLOCKS:  # a clock of a context that no connection uses changes nothing
                self.gaps.append(f"{action.name} is of a {role or 'context'} that no connection uses")
            return
        for used in (context, *self._named_beside(action)):
            if self._is_new(used):
                yield from self._go_to(role, used, self._attempts[0].tls)
        number = self._number(role, context.number)
        passed = action.values.get("passed")
        if isinstance(passed, int) and key not in self._fresh:
            if not self._aged or key in self._aged:
                self._aged.clear()
                yield do.Age(seconds=passed)
            self._aged.add(key)
            return
        if passed is None:
            self._aged.clear()
        step = self._action(action, role, None if number == self._present[role] else number)
        if action.name == "choose" and self._number(role, action.values["other"]) is None:
            self.gaps.append(
                f"{action.name} is of a {role} with which no connection begins, and whose knobs are unknown"
            )
        elif step is None:
            self.gaps.append(f"no step can say {action.name} of a {role}")
        else:
            yield step

    def _named_beside(self, action: Action) -> list[Context]:
        """The contexts that an action names, beside the one that it is on."""
        other = action.values.get("other")
        found = self._all.get((Role.SERVER, other)) if isinstance(other, int) else None
        return [found] if found else []

    def _action(self, action: Action, role: Role, number: int | None) -> Step | None:
        make = ACTIONS.get(action.name)
        if make is None or (action.name == "remove" and "connection" not in action.values):
            return None
        values = dict(action.values)
        if action.name == "choose":
            values["other"] = self._number(role, values["other"])
        return make(values, role, number, self._began)

    def _during(self, attempt: Attempt, action: Action) -> Iterator[Step]:
        if attempt.number in self._single:
            return
        number = attempt.number
        implied, self._implied = self._implied, 0
        match action.name:
            case "exchange":
                self._implied = max(implied - 1, 0)
                if not implied:
                    yield do.Exchange(connection=number)
            case "session":
                yield do.Session(connection=number)
            case "keep_session":
                changes: dict[str, Any] = dict(action.values)
                yield do.Keep(connection=number, **changes)
            case "thread":
                pass  # its `open` says it
            case "renegotiate":
                by, values = action.role or Role.CLIENT, dict[str, Any](action.values)
                self._implied = 2 if by is Role.SERVER else 1  # see OpenConnection.renegotiate
                yield do.Renegotiate(connection=number, by=by, **values)
            case "authenticate":
                self._implied = 2  # see OpenConnection.authenticate
                yield do.Authenticate(connection=number)
            case "new_ticket":
                yield do.NewTicket(connection=number)
            case _:
                self.gaps.append(f"on connection {number}: no step can say {action.name}")

    def _offer(self, offer: Observed | None) -> Offer | None:
        if offer is None:
            return None
        taken = None
        if offer.action is not None:
            during = self._attempts[offer.connection - 1].during
            taken = sum(action.name in TAKING for action in during[: offer.action + 1])
        ticket = None if offer.ticket is None else offer.ticket + 1
        return Offer(
            connection=offer.connection,
            ticket=ticket,
            taken=taken,
            older=offer.older,
            timeout=offer.timeout,
            edit={name: show_edit(name, value) for name, value in offer.edits},
        )


def _flush(values: dict[str, Any], role: Role, number: int | None, _began: int) -> Step:
    connection, seconds = values.get("connection"), values.get("seconds", 0)
    return do.Flush(connection=connection, seconds=seconds, of=role, number=number)


def _stop_clock(values: dict[str, Any], role: Role, number: int | None, began: int) -> Step:
    return do.StopClock(of=role, seconds=values["at"] - began, number=number)


def _run_clock(values: dict[str, Any], role: Role, number: int | None, began: int) -> Step:
    return do.RunClock(of=role, seconds=round(values["at"] - began, 3), number=number)


ACTIONS: Mapping[str, Callable[[dict[str, Any], Role, int | None, int], Step]] = {
    "flush": _flush,
    "remove": lambda values, _role, number, _began: do.Remove(connection=values["connection"], server=number),
    "choose": lambda values, _role, number, _began: do.ChooseContext(
        server_name=values["server_name"], other=values["other"], at=values["at"], server=number
    ),
    "rotate_keys": lambda values, _role, number, _began: do.RotateKeys(ring=values["ring"], server=number),
    "add_session": lambda values, _role, number, _began: do.AddSession(connection=values["connection"], server=number),
    "resize_cache": lambda values, _role, number, _began: do.ResizeCache(entries=values["entries"], server=number),
    "age_sessions": lambda values, _role, number, _began: do.AgeSessions(seconds=values["seconds"], server=number),
    "set_timeouts": lambda values, _role, number, _began: do.SetTimeouts(seconds=values["seconds"], server=number),
    "move_clock": lambda values, role, number, _began: do.MoveClock(of=role, seconds=values["seconds"], number=number),
    "stop_clock": lambda values, role, number, began: do.StopClock(
        of=role, seconds=values["at"] - began, number=number
    ),
    "run_clock": _run_clock,
}
"""The step for each action on a context: of its values, its role, its number and the time of the first connection."""


def _both(attempt: Attempt) -> tuple[tuple[Role, Context], tuple[Role, Context]]:
    return (Role.SERVER, attempt.server), (Role.CLIENT, attempt.client)
