"""What counts as a ticket: what the wire cannot read may be one, and the handle of a cached session has no key name."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from harness.explain.facts.evidence import gather
from harness.explain.facts.offer import Offer
from harness.model.connection import HANDLE
from harness.model.knobs import ServerConfig
from harness.model.tls import TLSVersion
from harness.pair.audit import audit
from harness.pair.pair import Pair

if TYPE_CHECKING:
    from harness.runtime.runtime import Runtime
    from harness.stacks.libssl import LibsslStack


def test_a_ticket_that_the_wire_cannot_read_may_be_the_clients(runtime: Runtime, honest: LibsslStack) -> None:
    pair = Pair((honest, honest), TLSVersion.TLSv1_3, runtime, server=ServerConfig(num_tickets=0))
    try:
        full = pair.connect()
    finally:
        pair.close()
    session = full.session
    lying = replace(full, sessions=(), last_session=replace(session, known={**session.known, "lifetime_hint": 77}))
    unread = replace(lying, transcript=replace(full.transcript, problem="server: a NewSessionTicket is malformed"))

    assert [found.fact for found in audit(lying)] == ["session.lifetime_hint"]
    assert "session.lifetime_hint" not in [found.fact for found in audit(unread)]


def test_a_session_handle_has_no_key_name(runtime: Runtime, honest: LibsslStack) -> None:
    pair = Pair((honest, honest), TLSVersion.TLSv1_3, runtime, server=ServerConfig(tickets=False))
    try:
        first = pair.connect()
        second = pair.connect(first.session)
    finally:
        pair.close()
    offer = Offer(gather(pair.connections, second))

    assert len(offer.identity) == HANDLE
    assert [len(ticket) for ticket in offer.new_tickets] == [HANDLE]
    assert offer.key_names is None
