"""How each kind of step is done with a pair: one function for each."""

from __future__ import annotations

import time
from base64 import b64decode
from functools import singledispatch
from typing import TYPE_CHECKING, Any

from harness.model.capability import CLOCK
from harness.model.errors import HarnessError
from harness.model.session import parse_edit
from harness.model.tampering import Tamper
from harness.model.tls import Role
from harness.pair.control import Server
from harness.story.step import LATEST
from harness.story.steps import (
    AddSession,
    Age,
    AgeSessions,
    Authenticate,
    ChooseContext,
    CloseOpen,
    Connect,
    Exchange,
    Flush,
    Keep,
    MoveClock,
    NewClient,
    NewServer,
    NewTicket,
    Open,
    Release,
    Remove,
    Renegotiate,
    ResizeCache,
    RotateKeys,
    RunClock,
    Session,
    SetTimeouts,
    StopClock,
    StopClocks,
    TamperStep,
    UseClient,
    UseServer,
)
from harness.story.story import values_of
from harness.wire.session.codec import aged, edited, load

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from harness.model import session as model
    from harness.model.connection import Connection
    from harness.pair.control import Client
    from harness.pair.open_connection import OpenConnection
    from harness.pair.pair import Pair
    from harness.stacks.base import Stack
    from harness.story.step import Offer, Step, Texts


class Teller:
    """Does the steps of one story with one pair, in order."""

    def __init__(
        self,
        pair: Pair,
        find: Callable[[Role, str], Stack],
        moved: Collection[Role],
        together: Mapping[int, int],
    ) -> None:
        """``find`` returns the stack that a step names; ``moved`` are the ends whose clock is moved or stopped.

        ``together`` says of a connection how many handshakes begin at once, each in a thread of the client.
        """
        self.pair = pair
        self.find = find
        self.moved = moved
        self.together = together
        self.began = int(time.time())
        self.notes: list[str] = []
        """What was not done as the story says, one sentence each."""
        self.holds = False
        """Whether the tap is to hold a message of the next connection."""
        self.threads: list[OpenConnection] = []
        """The connections whose handshakes wait for others to begin."""
        self.open: dict[int, OpenConnection] = {}
        self.taken: dict[int, list[model.Session | None]] = {}

    def do(self, step: Step) -> None:
        """Do one step."""
        tell(step, self)

    def connection(self, number: int) -> Connection:
        """Return a connection that is over."""
        return next(connection for connection in self.pair.connections if connection.number == number)

    def opened(self, number: int | None) -> OpenConnection:
        """Return the open connection that a step means."""
        return self.open[number if number is not None else max(self.open)]

    def knobs(self, role: Role, knobs: Texts) -> dict[str, Any]:
        """Return the values of changed knobs; a clock that is reset stays one that can be moved."""
        found = values_of(role, knobs)
        return {name: value or 0 if name == CLOCK and role in self.moved else value for name, value in found.items()}

    def stack(self, role: Role, named: str | None) -> Stack | None:
        """Return the stack that a step names; None if it names none."""
        return self.find(role, named) if named else None

    def server(self, number: int | None) -> Server:
        """Return the server that a step means."""
        found = self.context(Role.SERVER, number)
        if not isinstance(found, Server):
            raise HarnessError(f"{found.name} is not a server")
        return found

    def context(self, role: Role, number: int | None) -> Client | Server:
        """Return the client or the server that a step means."""
        if number is not None:
            return self.pair.context(role, number)
        return self.pair.client if role is Role.CLIENT else self.pair.server

    def session(self, offer: Offer | None) -> model.Session | None:
        """Return the session that a connection offers; None, with a note, if there is none."""
        if offer is None:
            return None
        found = self._found(offer)
        number = self.pair.opened + 1
        if found is None:
            self.notes.append(f"{self._none(offer)} yielded no session, so connection {number} offers none")
            return None
        changes = {name: parse_edit(name, text) for name, text in offer.edit.items()}
        if offer.timeout is not None:
            changes["timeout"] = offer.timeout
        if offer.older or changes:
            found = edited(aged(found, offer.older) if offer.older else found, **changes)
        if wanted := self.pair.client_config.max_early_data:
            self.notes += _too_much(found, wanted, number)
        return found

    def _found(self, offer: Offer) -> model.Session | None:
        if offer.session is not None:
            return load(b64decode(offer.session))
        if offer.connection == LATEST:
            sessions = [connection.last_session for connection in self.pair.connections if connection.last_session]
            return sessions[-1] if sessions else None
        number = int(offer.connection)
        if offer.taken is not None:
            return self.taken[number][offer.taken - 1]
        connection = self.connection(number)
        if offer.ticket is not None:
            return connection.sessions[offer.ticket - 1] if offer.ticket <= len(connection.sessions) else None
        return connection.last_session

    def _none(self, offer: Offer) -> str:
        if offer.connection == LATEST:
            return f"connection {len(self.pair.connections)}"
        ticket = f" ticket {offer.ticket} of" if offer.ticket is not None else ""
        return f"{ticket.strip()} connection {offer.connection}".strip()


def _too_much(offered: model.Session, wanted: int, number: int) -> list[str]:
    """Say that a client sends no early data because its session does not allow as much."""
    allowed = offered.get("max_early_data") or 0
    if not isinstance(allowed, int) or wanted <= allowed:
        return []
    what = f"the client's max_early_data is {wanted} bytes and the session allows {allowed}"
    return [f"connection {number} sends no early data: {what}"]


@singledispatch
def tell(step: Step, _teller: Teller) -> None:
    """Do a step; a kind without a function here is a fault of the harness."""
    raise HarnessError(f"no function does the step {step.kind}")


@tell.register
def _(step: Connect, teller: Teller) -> None:
    if step.early_data is not None and teller.pair.client_config.max_early_data != step.early_data:
        teller.pair.new_client(max_early_data=step.early_data)
    teller.taken[teller.pair.opened + 1] = []
    teller.pair.connect(teller.session(step.offer), close=step.close, presume_full=False)


@tell.register
def _(step: Open, teller: Teller) -> None:
    together = teller.together.get(teller.pair.opened + 1, 0)
    live = teller.pair.open(teller.session(step.offer), together=together)
    teller.threads += [live] * bool(together)
    if together > len(teller.threads):
        pass  # the handshake begins with the last of them
    elif together:
        for each in teller.threads:
            each.handshake()
        teller.threads.clear()
    elif teller.holds:
        live.await_held()
    else:
        live.handshake()
    teller.holds = False
    teller.open[live.number] = live
    teller.taken[live.number] = []


@tell.register
def _(step: TamperStep, teller: Teller) -> None:
    value = bytes.fromhex(step.value)
    teller.pair.tamper(step.what, step.sender, step.message, step.which, part=step.part, value=value)
    teller.holds = teller.holds or step.what is Tamper.HOLD


@tell.register
def _(step: Release, teller: Teller) -> None:
    live = teller.opened(step.connection)
    live.release()
    live.handshake()


@tell.register
def _(step: Exchange, teller: Teller) -> None:
    teller.opened(step.connection).exchange()


@tell.register
def _(step: Session, teller: Teller) -> None:
    live = teller.opened(step.connection)
    teller.taken[live.number].append(live.session())


@tell.register
def _(step: Keep, teller: Teller) -> None:
    live = teller.opened(step.connection)
    kept = live.keep_session(duplicate=step.duplicate, older=step.older, timeout=step.timeout, ssl=step.ssl)
    teller.taken[live.number].append(kept)


@tell.register
def _(step: Renegotiate, teller: Teller) -> None:
    teller.opened(step.connection).renegotiate(
        step.by,
        abbreviated=step.abbreviated,
        ciphers=step.ciphers,
        no_extended_master_secret=step.no_extended_master_secret,
    )


@tell.register
def _(step: Authenticate, teller: Teller) -> None:
    teller.opened(step.connection).authenticate()


@tell.register
def _(step: NewTicket, teller: Teller) -> None:
    teller.opened(step.connection).new_ticket()


@tell.register
def _(step: CloseOpen, teller: Teller) -> None:
    live = teller.opened(step.connection)
    live.close(step.how)
    del teller.open[live.number]


@tell.register
def _(step: NewClient, teller: Teller) -> None:
    teller.pair.new_client(teller.stack(Role.CLIENT, step.stack), **teller.knobs(Role.CLIENT, step.knobs))


@tell.register
def _(step: NewServer, teller: Teller) -> None:
    teller.pair.new_server(teller.stack(Role.SERVER, step.stack), **teller.knobs(Role.SERVER, step.knobs))


@tell.register
def _(step: UseClient, teller: Teller) -> None:
    teller.pair.use(Role.CLIENT, step.client)


@tell.register
def _(step: UseServer, teller: Teller) -> None:
    teller.pair.use(Role.SERVER, step.server)


@tell.register
def _(step: ResizeCache, teller: Teller) -> None:
    teller.server(step.server).resize_cache(step.entries)


@tell.register
def _(step: Flush, teller: Teller) -> None:
    at = 0
    if step.connection is not None:
        made = teller.connection(step.connection).last_session
        if made is None:
            teller.notes.append(f"connection {step.connection} yielded no session, so nothing was flushed")
            return
        at = made.time + step.seconds
    teller.context(step.of, step.number).flush(at)


@tell.register
def _(step: Remove, teller: Teller) -> None:
    is_open = step.connection in teller.open
    made = teller.taken[step.connection][-1] if is_open else teller.connection(step.connection).last_session
    if made is None:
        teller.notes.append(f"connection {step.connection} yielded no session, so none was removed")
        return
    teller.server(step.server).remove(made.session_id)


@tell.register
def _(step: ChooseContext, teller: Teller) -> None:
    teller.server(step.server).choose(step.server_name, teller.server(step.other), step.at)


@tell.register
def _(step: RotateKeys, teller: Teller) -> None:
    teller.server(step.server).rotate_keys(step.ring)


@tell.register
def _(step: AddSession, teller: Teller) -> None:
    made = teller.connection(step.connection).last_session
    if made is None:
        teller.notes.append(f"connection {step.connection} yielded no session, so none was added")
        return
    teller.server(step.server).add_session(made.cached_id)


@tell.register
def _(step: AgeSessions, teller: Teller) -> None:
    teller.server(step.server).age_sessions(step.seconds)


@tell.register
def _(step: SetTimeouts, teller: Teller) -> None:
    teller.server(step.server).set_timeouts(step.seconds)


@tell.register
def _(step: Age, teller: Teller) -> None:
    teller.pair.age(step.seconds)


@tell.register
def _(step: StopClocks, teller: Teller) -> None:
    if not step.optional or set(teller.moved) == set(Role):
        teller.pair.stop_clocks(teller.began)


@tell.register
def _(step: MoveClock, teller: Teller) -> None:
    teller.context(step.of, step.number).move_clock(step.seconds)


@tell.register
def _(step: StopClock, teller: Teller) -> None:
    teller.context(step.of, step.number).stop_clock(teller.began + step.seconds)


@tell.register
def _(step: RunClock, teller: Teller) -> None:
    teller.context(step.of, step.number).run_clock(teller.began + step.seconds, step.pace)
