"""The sentences about a story that programs and README share, as plain text; their users quote them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.model.knobs import show_knob
from harness.model.session import show_edit
from harness.model.tls import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harness.model.setup import Action
    from harness.reproduce.story import Attempt, Context, Offer, Result, Story

UNSCRIPTED = {
    "thread": "a handshake in a thread of its own is not scripted",
    "new_ticket": "a further ticket is not scripted",
    "renegotiate": "a renegotiation is not scripted",
    "authenticate": "authentication after the handshake is not scripted",
}
"""The actions on an open connection that only the program in C has, by name."""


def title(story: Story) -> str:
    """Return the outcome of the last connection in one line."""
    if not story.attempts:
        return "no connection was made"
    last = story.attempts[-1]
    name = f"connection {last.number} of {len(story.attempts)}" if len(story.attempts) > 1 else "the connection"
    ends = f"client {_label(last.client)}, server {_label(last.server)}"
    return f"{last.tls.label}: {name} is {outcome(last.result)} ({ends})"


def _label(context: Context) -> str:
    return f"{context.stack}@{context.version}"


def outcome(result: Result) -> str:
    """Return ``resumed by psk``, ``aborted with handshake_failure (40) sent by the server``, or both ends' claims."""
    if result.outcome is None:
        return f"the endpoints disagree: {result.client} by the client, {result.server} by the server"
    if result.outcome is Outcome.ABORTED and result.alert:
        return f"aborted with {result.alert}"
    by = f" by {result.mechanism}" if result.mechanism else ""
    return f"{result.outcome}{by}"


def tickets(result: Result) -> str:
    """Return ``2 tickets, the session's of 208 bytes``; empty if the handshake was aborted or the number is unknown."""
    if result.outcome is Outcome.ABORTED or result.tickets is None:
        return ""
    counted = f"{result.tickets} ticket{'' if result.tickets == 1 else 's'}"
    return f"{counted}, the session's of {result.ticket_length} bytes" if result.ticket_length else counted


def summary(attempt: Attempt) -> str:
    """Return ``client 1 to server 2, offers the session of connection 1, close both: resumed``."""
    offered = f"offers {offer(attempt.offer)}" if attempt.offer else "offers nothing"
    ends = f"{attempt.client.name} to {attempt.server.name}"
    return f"{ends}, {offered}, close {attempt.close}: {outcome(attempt.result)}"


def offer(given: Offer) -> str:
    """Return which session is offered, and how it was edited."""
    which = f"the session of connection {given.connection}"
    if given.ticket is not None:
        which = f"session {given.ticket + 1} of those of connection {given.connection}"
    if given.action is not None:
        which = f"the session taken within connection {given.connection}"
    edits = []
    if given.older:
        edits.append(f"{abs(given.older)} s {'older' if given.older > 0 else 'younger'}")
    if given.timeout is not None:
        edits.append(f"with the timeout {given.timeout} s")
    edits += [f"with the {name.replace('_', ' ')} {show_edit(name, value)}" for name, value in given.edits]
    if given.kept:
        edits.append("the SSL itself, cleared" if given.ssl else "the object in memory")
    return f"{which} ({', '.join(edits)})" if edits else which


def action(done: Action) -> str:
    """Return ``flush of the server: connection 1, seconds 301``."""
    values = ", ".join(f"{name} {value}" for name, value in done.values.items() if name != "context")
    return f"{done.name}{f' of the {done.role}' if done.role else ''}{f': {values}' if values else ''}"


def knobs(context: Context) -> list[str]:
    """Return ``num_tickets=1`` and so on for each given knob except the protocol version."""
    return [f"{name}={show_knob(value)}" for name, value in context.given.items() if name != "versions"]


def grouped(reasons: Iterable[tuple[str, int]]) -> list[str]:
    """Return ``connections 1, 2: why`` for each reason."""
    numbers: dict[str, list[str]] = {}
    for why, number in reasons:
        numbers.setdefault(why, []).append(str(number))
    return [f"connection{'s' if len(found) > 1 else ''} {', '.join(found)}: {why}" for why, found in numbers.items()]
