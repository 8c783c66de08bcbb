"""Follows a story without running it: whether each step fits the steps before it, and what the steps need."""

from __future__ import annotations

from base64 import b64decode
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NoReturn

from harness.agent.vocabulary import Capability
from harness.model.capability import CLOSE_NEEDS
from harness.model.errors import UsageError
from harness.model.session import parse_edit
from harness.model.tls import Role
from harness.story.carriers import close_that_fits, knobs_that_fit
from harness.story.step import LATEST, Held
from harness.story.story import config_of, values_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.model.tls import Close, TLSVersion
    from harness.story.step import Offer, Texts
    from harness.story.story import Story


class MisfitError(UsageError):
    """A step that cannot follow the steps before it."""


@dataclass(frozen=True, slots=True)
class Planned:
    """A context of the story."""

    role: Role
    stack: str
    """Its ``stack`` or ``stack@build``; empty for the one that whoever runs the story names."""
    knobs: Texts
    """All of its knobs, as a user types them."""
    given: Mapping[str, Any]
    """The values of the knobs that it has or changes."""
    step: str
    """``step 3 (new_server)``; empty for the first of its role."""


@dataclass(frozen=True, slots=True)
class Need:
    """A Capability that a step needs of an end."""

    step: str
    role: Role
    stack: str
    """As in Planned."""
    capability: Capability


@dataclass
class Plan:
    """The state of a story after some of its steps."""

    story: Story
    contexts: dict[Role, list[Planned]] = field(default_factory=lambda: {role: [] for role in Role})
    needs: list[Need] = field(default_factory=list)
    clock_of: set[Role] = field(default_factory=set)
    """The roles whose clock is moved or stopped."""
    clock_steps: dict[Role, str] = field(default_factory=dict)
    """The first step that moves the clock of a role."""
    stops_if_possible: bool = False
    secret: bool = False
    """Whether it holds a session from elsewhere, with its secrets."""
    count: int = 0
    """How many connections were opened."""
    _open: list[int] = field(default_factory=list)
    together: dict[int, int] = field(default_factory=dict)
    """How many handshakes begin with that of a connection, each in a thread of the client; by connection."""
    _threads: list[int] = field(default_factory=list)
    """The connections of threads that the latest steps opened, one right behind the other."""
    _taken: dict[int, list[Held]] = field(default_factory=dict)
    _client_of: dict[int, int] = field(default_factory=dict)
    _present: dict[Role, int] = field(default_factory=lambda: dict.fromkeys(Role, 1))
    _step: str = ""

    @classmethod
    def of(cls, story: Story) -> Plan:
        """Follow all of a story; UsageError names the step that does not fit, and why."""
        plan = cls(story)
        for role in Role:
            end = story.end(role)
            config_of(role, end.knobs)
            plan.contexts[role].append(Planned(role, end.stack, end.knobs, values_of(role, end.knobs), ""))
            knobs_that_fit(story.tls, values_of(role, end.knobs))
        for number, step in enumerate(story.steps, 1):
            plan._step = f"step {number} ({step.kind})"
            threads = len(plan._threads)
            try:
                step.plan(plan)
            except MisfitError:
                raise
            except UsageError as error:
                raise UsageError(f"{plan._step}: {error}") from error
            if len(plan._threads) == threads:
                plan._threads.clear()
        if not plan.count:
            raise MisfitError("the story makes no connection; give it a step such as {'do': 'connect'}")
        if plan._open:
            raise MisfitError(
                f"connection {plan._open[0]} is never closed; add {{'do': 'close', 'connection': {plan._open[0]}}}"
            )
        return plan

    @property
    def tls(self) -> TLSVersion:
        """The protocol version of the story."""
        return self.story.tls

    def misfit(self, why: str) -> NoReturn:
        """Raise the error of a step that does not fit."""
        raise MisfitError(f"{self._step} does not fit: {why}")

    def knobs(self, role: Role) -> Texts:
        """The knobs of the present client or server."""
        return self.present(role).knobs

    def present(self, role: Role) -> Planned:
        """Return the present context of a role."""
        return self.contexts[role][self._present[role] - 1]

    def make(self, role: Role, knobs: Texts, stack: str | None) -> None:
        """Go over to a new context."""
        before = self.present(role)
        merged = {name: text for name, text in {**before.knobs, **knobs}.items() if text != "unset"}
        config_of(role, merged)
        knobs_that_fit(self.story.tls, values_of(role, merged))
        named = before.stack if stack is None else stack
        self.contexts[role].append(Planned(role, named, merged, values_of(role, knobs), self._step))
        self._present[role] = len(self.contexts[role])

    def use(self, role: Role, number: int) -> None:
        """Go back to an earlier context."""
        self._context(role, number)
        self._present[role] = number

    def _context(self, role: Role, number: int | None) -> Planned:
        if number is None:
            return self.present(role)
        if number > len(self.contexts[role]):
            made = len(self.contexts[role])
            self.misfit(f"there is no {role} {number}; the steps before it made {made}")
        return self.contexts[role][number - 1]

    def need(self, role: Role, capability: Capability, number: int | None = None) -> None:
        """Note that the step needs this of an end."""
        self.needs.append(Need(self._step, role, self._context(role, number).stack, capability))

    def clocks(self, *roles: Role, number: int | None = None, optional: bool = False) -> None:
        """Note that the step moves the clocks of these ends; ``optional`` if it may leave them."""
        if optional:
            self.stops_if_possible = True
            return
        for role in roles:
            self._context(role, number)
            self.clock_of.add(role)
            self.clock_steps.setdefault(role, self._step)

    def open(self, offer: Offer | None, *, thread: bool = False) -> int:
        """Open a connection that offers a session; return its number."""
        if offer is not None:
            for name, text in offer.edit.items():
                parse_edit(name, text)
            self._check(offer)
        if self._open:
            self.need(Role.CLIENT, Capability.CONCURRENT)
            self.need(Role.SERVER, Capability.CONCURRENT)
        self.count += 1
        self._open.append(self.count)
        self._taken[self.count] = []
        self._client_of[self.count] = self._present[Role.CLIENT]
        if thread:
            self._threads.append(self.count)
            self.together.update(dict.fromkeys(self._threads, len(self._threads)))
        return self.count

    def _check(self, offer: Offer) -> None:
        if offer.session is not None:
            self.secret = True
            self._check_session(offer)
            return
        if not self.count:
            self.misfit("no connection comes before it whose session it could offer")
        number = self.count if offer.connection == LATEST else offer.connection
        if not isinstance(number, int) or number > self.count:
            self.misfit(f"it offers a session of connection {number}, and {self.count} come before it")
        taken = self._taken[number]
        if offer.taken is not None and offer.ticket is not None:
            self.misfit("an offer has a `ticket` or a `taken`, and not both")
        if offer.taken is not None and offer.taken > len(taken):
            self.misfit(f"it offers session {offer.taken} taken on connection {number}, and {len(taken)} were taken")
        if offer.taken is None and number in self._open:
            self.misfit(f"connection {number} is still open: take its session first, with the step `session` or `keep`")
        if offer.ticket is not None:
            self.need(Role.CLIENT, Capability.EVERY_TICKET)
        same = self._client_of[number] == self._present[Role.CLIENT]
        edited = offer.older or offer.timeout is not None or offer.edit
        if offer.taken is not None:
            taken[offer.taken - 1] = self._held(taken[offer.taken - 1], number, as_it_is=same and not edited)
        if edited or not same:
            self.need(Role.CLIENT, Capability.SESSION_IMPORT)

    def _held(self, held: Held, number: int, *, as_it_is: bool) -> Held:
        """Check the offer of a session that was taken on a connection; return what the client has of it then."""
        if held is Held.DATA:
            return held
        if not as_it_is:
            self.misfit("a kept session is the object in its client's memory: that client offers it, and as it is")
        if held is Held.OBJECT:
            return held
        if held is Held.SPENT:
            self.misfit("that SSL has connected again already: keep it again on the connection that it made")
        if number in self._open:
            self.misfit(f"connection {number} is still open, and its SSL has one connection at a time; close it first")
        return Held.SPENT

    def _check_session(self, offer: Offer) -> None:
        self.need(Role.CLIENT, Capability.SESSION_IMPORT)
        if offer.connection != LATEST or offer.ticket is not None or offer.taken is not None:
            self.misfit("an offer has a `session`, or names one of a connection, and not both")
        try:
            b64decode(offer.session or "", validate=True)
        except ValueError:
            self.misfit("`session` of an offer is the DER of a session in Base64")

    def opened(self, number: int | None) -> int:
        """Return the open connection that is meant."""
        if not self._open:
            self.misfit("no connection is open; open one with the step `open`")
        if number is not None and number not in self._open:
            self.misfit(f"connection {number} is not open; open are: {', '.join(map(str, self._open))}")
        return number or self._open[-1]

    def closed(self, number: int, *, or_taken: bool = False) -> None:
        """Check that a connection is over, or that its session was taken."""
        if number > self.count or (number in self._open and not (or_taken and self._taken[number])):
            self.misfit(f"connection {number} is not over before it")
        if number in self._open and self._taken[number][-1] is not Held.DATA:
            self.misfit(
                f"connection {number} is open, and what `keep` took of it stays in its client's memory, where no id "
                "shows; take its session with the step `session`"
            )

    def take(self, number: int, held: Held = Held.DATA) -> None:
        """Take a session on an open connection."""
        self._taken[number].append(held)

    def close(self, number: int, how: Close) -> None:
        """Close a connection."""
        self._open.remove(number)
        close_that_fits(self.story.tls, how)
        for role in Role:
            for capability in CLOSE_NEEDS.get(how, ()):
                self.need(role, capability)
