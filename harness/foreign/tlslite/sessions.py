"""Sessions of a client as bytes, in a format of this agent: JSON."""

from __future__ import annotations

import hashlib
import json
import time
from typing import TYPE_CHECKING, Any

from tlslite.messages import NewSessionTicket
from tlslite.session import Session, Ticket

if TYPE_CHECKING:
    from collections.abc import Mapping

TLS13 = (3, 4)
EARLY_DATA = 42


def exported(session: Session, version: tuple[int, int], ticket: Any) -> dict[str, Any]:
    """A session object of the protocol, with one ticket or none."""
    tls13 = version == TLS13
    known: dict[str, Any] = {
        "version": "1.3" if tls13 else "1.2",
        "cipher": session.cipherSuite,
        "server_name": session.serverName or "",
        "extended_master_secret": bool(session.extendedMasterSecret),
        "alpn": bytes(session.appProto or b"").hex(),
    }
    lifetime = ticket.ticket_lifetime if ticket else 0
    body = bytes(ticket.ticket) if ticket else b""
    made = (ticket.time if tls13 else ticket.time_received) if ticket else time.time()
    name = bytes(session.sessionID or b"") if not tls13 else b""
    if not name and body and not tls13:
        name = hashlib.sha256(body).digest()  # so that the server's answer says whether it resumed (RFC 5077, 3.4)
    fields = {
        **known,
        "has_ticket": bool(body),
        "ticket": body.hex(),
        "ticket_length": len(body),
        "lifetime_hint": lifetime,
        "time": int(made),
    }
    kept = {
        **known,
        "secret": bytes(session.resumptionMasterSecret if tls13 else session.masterSecret).hex(),
        "session_id": name.hex(),
        "ticket": body.hex(),
        "lifetime": lifetime,
        "time": made,  # with its fraction: a second too much in ticket_age, and a server may refuse early data
    }
    if tls13:
        allowed = _allowed(ticket)
        fields |= {"age_add": ticket.ticket_age_add, "max_early_data": allowed, "extended_master_secret": False}
        kept |= {"age_add": ticket.ticket_age_add, "nonce": bytes(ticket.ticket_nonce).hex(), "early": allowed}
    else:
        fields |= {"session_id": name.hex()}
    opaque = json.dumps(kept).encode().hex()
    return {"der": None, "handle": None, "resumable": None, "opaque": opaque, "fields": fields}


def _allowed(ticket: NewSessionTicket) -> int:
    found = [each for each in ticket.extensions if each.extType == EARLY_DATA]
    return int.from_bytes(bytes(found[0].extData), "big") if found else 0


def imported(opaque: str, server_name: str | None) -> tuple[Session, int]:
    """The session, for a connection to that name, and how much early data its ticket allows."""
    kept: Mapping[str, Any] = json.loads(bytes.fromhex(opaque))
    session = Session()
    secret, body = bytearray.fromhex(kept["secret"]), bytearray.fromhex(kept["ticket"])
    tls13 = kept["version"] == "1.3"
    tickets: list[Any] = []
    older: list[Any] = []
    if tls13:
        made = NewSessionTicket().create(kept["lifetime"], kept["age_add"], bytearray.fromhex(kept["nonce"]), body, [])
        made.time = kept["time"]
        tickets.append(made)
    elif body:
        held = Ticket(body, kept["lifetime"] or 7200, secret, kept["cipher"])
        held.time_received = kept["time"]
        older.append(held)
    session.create(
        bytearray() if tls13 else secret,
        bytearray() if tls13 else bytearray.fromhex(kept["session_id"]),
        kept["cipher"],
        None,
        None,
        None,
        None,
        False,  # noqa: FBT003 - tlslite-ng's signature
        server_name,
        extendedMasterSecret=kept["extended_master_secret"],
        resumptionMasterSecret=secret if tls13 else bytearray(),
        tickets=tickets,
        tls_1_0_tickets=older,
    )
    return session, kept.get("early", 0)
