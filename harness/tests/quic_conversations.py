"""Two conversations of QUIC between real OpenSSLs, recorded: a full handshake, and one that resumes its session.

The machine's own OpenSSL may have no QUIC; these bytes are there in every test.
"""

from __future__ import annotations

import json
from base64 import b64decode
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from harness.model.knobs import ClientConfig, ServerConfig
from harness.model.setup import Action, Setup
from harness.model.tls import Close, Ending, Role, TLSVersion
from harness.model.transcript import Chunk, Tcp
from harness.model.view import EndpointReport, Saw, View, Witness
from harness.pair.observe import Observed, observe
from harness.wire.session.codec import decode

if TYPE_CHECKING:
    from harness.model.connection import Connection
    from harness.pair.relay import Recorded

RECORDED = Path(__file__).parent / "quic_conversations.json"
QUIC = TLSVersion.QUICv1
FULL, RESUMED = 1, 2
"""The numbers of the two connections."""


@dataclass
class Replayed:
    """What the tap recorded."""

    chunks: list[Chunk]
    sent: tuple[Chunk, ...] = ()
    tampered: tuple[str, ...] = ()
    blocked: str | None = None
    tcp: Tcp = field(default_factory=lambda: Tcp(0, 1, 2, 3, datagrams=True))


def report(role: Role, number: int, keylog: tuple[str, ...], **lies: Any) -> EndpointReport:
    """What an end reports of a connection, but for its lies."""
    reused, tickets = number == RESUMED, 1 if number == RESUMED else 2
    seen = View(Witness(role.value), Saw.RESUMED if reused else Saw.FULL, ("SSL_session_reused",), tickets=tickets)
    honest = EndpointReport(
        view=seen,
        version=QUIC,
        cipher="TLS_AES_256_GCM_SHA384",
        alpn="resumption",
        ending=Ending.CLOSE_NOTIFY,
        keylog=keylog,
        alerts=(),
        reused_at_end=reused,
        group="X25519MLKEM768",
        new_sessions=tickets if role is Role.CLIENT else None,
    )
    changed = {name: value for name, value in lies.items() if name not in {"saw", "tickets"}}
    view = replace(seen, **{name: value for name, value in lies.items() if name in {"saw", "tickets"}})
    return replace(honest, view=view, **changed)


def connection(number: int, liar: Role = Role.CLIENT, **lies: Any) -> Connection:
    """One of the two recorded connections, of which one end may lie."""
    kept = json.loads(RECORDED.read_text())["connections"]
    found = kept[number - 1]
    keylog = tuple(found["keylog"])
    chunks = [Chunk(Role(sender), at, b64decode(data)) for sender, at, data in found["chunks"]]
    reports = [report(role, number, keylog, **(lies if role is liar else {})) for role in Role]
    offered = decode(b64decode(kept[0]["session"])) if number == RESUMED else None
    knobs = ClientConfig(versions=(QUIC,)), ServerConfig(versions=(QUIC,))
    seen = Observed(
        number=number,
        tls=QUIC,
        offered=offered,
        close=Close.BOTH,
        reports=(reports[0], reports[1]),
        last_session=None,
        sessions=(),
        exchanged=True,
        setup=Setup(*knobs, 1, 1, during=(Action("exchange"),)),
    )
    return observe(seen, cast("Recorded", Replayed(chunks)))
