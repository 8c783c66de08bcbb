"""What the three witnesses observed of a connection, as text, without messages and commands."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from rich.text import Text

from harness.model.errors import DisagreementError
from harness.model.tls import Outcome
from harness.report.text.lines import WIDTH, folded, joined, printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.model.connection import Connection, Counters
    from harness.model.session import Session

STYLES = {
    Outcome.FULL: "cyan",
    Outcome.DECLINED: "yellow",
    Outcome.RESUMED: "green",
    Outcome.ABORTED: "red",
}
EVIDENCE = " " * 41
"""The column where the evidence of a view begins, if there is room."""
LEAST = 30
"""The least width for evidence in a separate column."""


def outcome_line(connection: Connection, of: int | None = None) -> Text:
    """``Connection 2 of 2: resumed by psk``; a disagreement replaces the outcome."""
    text = Text(f"Connection {connection.number}{f' of {of}' if of else ''}: ", "bold")
    try:
        outcome = connection.observed_outcome()
    except DisagreementError:
        return text.append(f"{connection.disagreement}", "bold red")
    text.append(outcome.value, STYLES[outcome])
    if outcome is Outcome.RESUMED and connection.observed_mechanism:
        text.append(f" by {connection.observed_mechanism.value}")
    return text


def witnesses_text(connection: Connection, of: int | None = None, width: int = WIDTH) -> Text:
    """The outcome, each view with its evidence, and other facts about the connection."""
    lines: list[Text | str] = [outcome_line(connection, of), *_views(connection, width)]
    for name, value in _facts(connection):
        first, *more = folded(value, width, f"  {name:<7} ", " " * 10)
        lines += [Text.assemble((first[:9], "bold"), first[9:]), *more]
    return joined(lines)


def disagreement_text(connection: Connection, width: int = WIDTH) -> Text:
    """Which witnesses disagree or do not know, with their evidence; empty if they agree."""
    if not connection.disagreement:
        return Text()
    offered = " (it offered a session)" if connection.was_offered else ""
    head = folded(f"{connection.disagreement} about connection {connection.number}{offered}", width, "", "  ")
    facts = [line for each in connection.contradictions for line in folded(str(each), width, "  ", "    ")]
    return joined([*(Text(line, "bold red") for line in head), *_views(connection, width), *facts])


def _views(connection: Connection, width: int) -> Iterator[str]:
    for view in connection.views:
        begin = f"  {view.witness:<7} {view.name:<20} {view.saw:<9} "
        facts = [evidence for evidence in view.evidence if evidence] or ["no evidence"]
        longest = max(len(word) for evidence in facts for word in [*printable(evidence).split(), ""])
        beside = width - len(EVIDENCE) >= max(LEAST, longest) and len(begin) == len(EVIDENCE)
        if not beside:
            yield begin.rstrip()
        for place, evidence in enumerate(facts):
            rest = EVIDENCE if beside else " " * 6
            yield from folded(evidence, width, begin if beside and not place else rest, rest)


def counters_text(counters: Counters, width: int = WIDTH) -> Text:
    """``Counters of the server: accept 2, hits 1; 0: misses``; zeros come last, unknown ones are left out."""
    known = {name: value for name, value in asdict(counters).items() if value is not None}
    counted = ", ".join(f"{name} {value}" for name, value in known.items() if value)
    zeros = ", ".join(name for name, value in known.items() if not value)
    text = f"Counters of the server: {counted or 'none'}" + (f"; 0: {zeros}" if zeros else "")
    return joined(folded(text, width, "", "  "))


def named(session: Session) -> str:
    """A short name that identifies a session."""
    identity = session.get("session_id")
    name = f"session {identity.hex()[:16]}…" if isinstance(identity, bytes) and identity else "session"
    return " ".join([name, *_origin("taken by", session.taken_by), *_origin("from", session.taken_from)])


def _origin(word: str, who: str) -> list[str]:
    return [f"{word} {printable(who)}"] if who else []


def _facts(connection: Connection) -> Iterator[tuple[str, str]]:
    if connection.offered:
        yield "offered", named(connection.offered) + ("" if connection.was_offered else "; not sent")
    if alert := connection.observed_alert():
        yield "alert", str(alert)
    yield from _exchange(connection)
    yield "tickets", _tickets(connection)
    for call in connection.server.callback_calls or ():
        yield "called", str(call)
    yield "close", connection.close.value
    if connection.blocked:
        yield "blocked", connection.blocked
    for done in connection.tampered:
        yield "changed", done
    for stray in connection.strays:
        yield "aside", f"the tap set aside {stray}"
    for end in (connection.client, connection.server):
        for error in end.errors:
            yield "error", f"{end.view.witness}: {error}"


def _exchange(connection: Connection) -> Iterator[tuple[str, str]]:
    """What was negotiated in this connection, whatever its session has."""
    if (group := connection.observed_group()) is not None:
        keys = {end.peer_temp_key for end in (connection.client, connection.server)} - {None, ""}
        yield "group", (group or "none: no key exchange") + (f" ({', '.join(sorted(map(str, keys)))})" if keys else "")
    if connection.observed_external_psk is not None:
        yield "psk", f"the external one of {connection.observed_external_psk.decode(errors='replace')}"
    if alpn := connection.observed_alpn():
        yield "alpn", alpn
    for end in (connection.client, connection.server):
        if end.peer_chain:
            count = len(end.peer_chain)
            yield "chain", f"the {end.view.witness} holds {count} certificate{'s'[: count > 1]} of its peer"
    if (equal := connection.observed_exporters_equal()) is not None:
        yield "export", f"the exported keying material of both ends is {'equal' if equal else 'different'}"
    if (resumed := connection.observed_renegotiation_resumed()) is not None:
        yield "renew", f"the renegotiation was {'abbreviated' if resumed else 'full'}"
    elif connection.renegotiation_asked:
        yield "renew", "there was no second handshake, although a step asked for one"


def _tickets(connection: Connection) -> str:
    client, wire = connection.ticket_counts()
    if client is not None and wire is not None and client != wire:
        return f"the client counted {client}, the wire shows {wire}"
    known = wire if client is None else client
    return "unknown" if known is None else str(known)
