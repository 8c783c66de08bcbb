"""Combines the observations of a finished connection into a Connection."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.model.connection import Connection, Counters
from harness.wire.judge import judge
from harness.wire.reading import read

if TYPE_CHECKING:
    from harness.model.session import Session
    from harness.model.setup import Setup
    from harness.model.tls import Close, TLSVersion
    from harness.model.view import EndpointReport
    from harness.runtime.tap import Tapped


@dataclass(frozen=True, kw_only=True)
class Observed:
    """What both endpoints reported, by the fields of Connection."""

    number: int
    tls: TLSVersion
    offered: Session | None
    close: Close
    reports: tuple[EndpointReport, EndpointReport]
    """The client's and the server's."""
    last_session: Session | None
    sessions: tuple[Session, ...]
    held_sessions: tuple[Session, ...] = ()
    exchanged: bool
    setup: Setup


def observe(seen: Observed, tapped: Tapped) -> Connection:
    """The connection with its three views; its bytes are read once, with the key log of both ends."""
    client, server = seen.reports
    chunks = tuple(tapped.chunks)
    transcript = read(chunks, (*client.keylog, *server.keylog))
    judgement = judge(transcript, seen.offered)
    counters = server.extra.get("counters")
    return Connection(
        number=seen.number,
        tls=seen.tls,
        client=client,
        server=server,
        wire=judgement.view,
        offered=seen.offered,
        was_offered=judgement.was_offered,
        transcript=transcript,
        sessions=seen.sessions,
        last_session=seen.last_session,
        held_sessions=seen.held_sessions,
        close=seen.close,
        observed_mechanism=judgement.mechanism,
        chunks=chunks,
        tcp=tapped.tcp,
        counters=counters if isinstance(counters, Counters) else None,
        exchanged=seen.exchanged,
        blocked=tapped.blocked,
        setup=seen.setup,
    )
