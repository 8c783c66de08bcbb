"""The story that the options of `resumption connect` describe: a first connection, then resuming ones."""

from __future__ import annotations

from base64 import b64encode
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from harness.model.errors import UsageError
from harness.model.knobs import ClientConfig, ServerConfig
from harness.model.tls import Close
from harness.story.carriers import can_do
from harness.story.step import LATEST, Offer
from harness.story.steps import Age, CloseOpen, Connect, Exchange, Keep, NewClient, NewServer, Open, StopClocks
from harness.story.story import End, Story, texts_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from harness.model.session import Session
    from harness.model.tls import TLSVersion
    from harness.story.step import Step


class Offering(StrEnum):
    """What of a session a further connection offers."""

    COPY = "copy"
    OBJECT = "object"
    DUPLICATE = "duplicate"
    SSL = "ssl"


KEEPS: Mapping[Offering, Callable[[int], Keep]] = {
    Offering.OBJECT: lambda older: Keep(older=older),
    Offering.DUPLICATE: lambda older: Keep(older=older, duplicate=True),
    Offering.SSL: lambda older: Keep(older=older, ssl=True),
}
"""How it is kept on the connection before, if not a copy, so many seconds older."""
MOST_THREADS = 16
MOST_TIMES = 10_000
"""Connections after the first; a story of more is a load test."""
NO_CLIENT, NO_SERVER = ClientConfig(), ServerConfig()
UNCHANGED: Mapping[str, Any] = {}


def desk(  # noqa: PLR0913 - one parameter for each option of connect
    tls: TLSVersion,
    *,
    client: ClientConfig = NO_CLIENT,
    server: ServerConfig = NO_SERVER,
    then_client: Mapping[str, Any] = UNCHANGED,
    then_server: Mapping[str, Any] = UNCHANGED,
    close: Close = Close.BOTH,
    age: int = 0,
    age_copy: int = 0,
    edit_copy: Mapping[str, str] = UNCHANGED,
    offering: Offering = Offering.COPY,
    threads: int | None = None,
    times: int = 1,
    stacks: tuple[str, str] = ("", ""),
) -> Story:
    """Return the story; each of ``times`` connections after the first offers the latest session.

    ``then_*`` are the knobs that change before the second connection. ``age`` are the seconds that pass at both ends
    before each further connection, ``age_copy`` those by which the client's copy alone is made older; with either,
    both clocks stand still otherwise. ``edit_copy`` are the fields of the client's copy that are changed. With
    ``threads``, each further connection is so many at once.
    """
    stands = (age or age_copy) and can_do(tls, StopClocks().kind)
    steps: list[Step] = [StopClocks(optional=not age)] if stands else []
    keep: tuple[Step, ...] = (Exchange(), KEEPS[offering](age_copy)) if offering in KEEPS else ()
    steps += [Open(), *keep, CloseOpen(how=close)] if keep else [Connect(close=close)]
    if then_client:
        steps.append(NewClient(knobs=texts_of(then_client)))
    if then_server:
        steps.append(NewServer(knobs=texts_of(then_server)))
    latest, made = 1, 1
    for last in (number == times for number in range(1, times + 1)):
        steps += [Age(seconds=age)] if age else []
        copy = Offer(connection=latest if threads else LATEST, older=age_copy, edit=dict(edit_copy))
        offer = Offer(connection=latest, taken=1) if keep else copy
        numbers = range(made + 1, made + 1 + (threads or 1))
        if threads or (keep and not last):
            steps += [Open(offer=offer, thread=bool(threads)) for _ in numbers]
            steps += [Exchange(connection=number) for number in numbers]
            steps += keep[1:]
            steps += [CloseOpen(connection=number, how=close) for number in numbers]
        else:
            steps.append(Connect(offer=offer, close=close))
        latest = made = numbers[-1]
    return Story(
        tls=tls,
        client=End(stack=stacks[0], knobs=texts_of(client)),
        server=End(stack=stacks[1], knobs=texts_of(server)),
        steps=tuple(steps),
    )


def offering(story: Story, session: Session) -> Story:
    """Return the story whose first connection offers a session from elsewhere; UsageError if it offers another."""
    place = next(index for index, step in enumerate(story.steps) if isinstance(step, Connect | Open))
    first = story.steps[place]
    if first.offer is not None:
        raise UsageError("the first connection of the story offers a session; leave out --session-in")
    made = replace(first, offer=Offer(session=b64encode(session.der or b"").decode()))
    return replace(story, steps=(*story.steps[:place], made, *story.steps[place + 1 :]))
