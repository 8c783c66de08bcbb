"""The sessions that the wire shows are those that a client holds, field by field."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.model.knobs import ServerConfig
from harness.model.tls import TLSVersion
from harness.pair.issued import issued, named
from harness.pair.pair import Pair

if TYPE_CHECKING:
    from harness.runtime.runtime import Runtime
    from harness.stacks.machine import Machine

SLACK = 2
"""Seconds between what a client and the wire take for the session's time."""


@pytest.mark.parametrize(
    ("tls", "server"),
    [
        (TLSVersion.TLSv1_2, ServerConfig()),
        (TLSVersion.TLSv1_2, ServerConfig(tickets=False)),
        (TLSVersion.TLSv1_3, ServerConfig()),
        (TLSVersion.TLSv1_3, ServerConfig(tickets=False, timeout=77)),
        (TLSVersion.TLSv1_3, ServerConfig(max_early_data=99)),
    ],
)
def test_the_wire_shows_what_the_client_holds(
    machine: tuple[Machine, Runtime], tls: TLSVersion, server: ServerConfig
) -> None:
    libssl = machine[0].one("libssl")
    pair = Pair((libssl, libssl), tls, machine[1], server=server)
    first = pair.connect()
    second = pair.connect(first.session)
    pair.close()
    shown = issued(first.transcript, first.tcp.began if first.tcp else 0)
    held = first.sessions if tls is TLSVersion.TLSv1_3 else (first.session,)

    assert len(shown) == len(held)
    for session, other in zip(shown, held, strict=True):
        assert {n: v for n, v in session.known.items() if n != "time"} == {
            n: other.get(n) for n in session.known if n != "time"
        }
        assert abs(session.time - other.time) <= SLACK
    assert named(second.transcript, shown) is shown[-1]
    assert named(first.transcript, shown) is None
