"""What the wire shows in place of a client that the harness does not drive: its offer, its sessions, its close."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.model.tls import Close, Role
from harness.model.view import EndpointReport, Saw, View, Witness
from harness.pair.issued import issued, named
from harness.wire.judge import judge

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.model.session import Session
    from harness.model.transcript import Tcp, Transcript

NOT_DRIVEN = "the harness does not drive this client"


def foreign_client(keylog: tuple[str, ...] = ()) -> EndpointReport:
    """The report of a client that is not a witness; ``keylog`` are the lines that it may have written itself."""
    return EndpointReport(View(Witness.CLIENT, Saw.UNKNOWN, (NOT_DRIVEN,), "client"), keylog=keylog, driven=False)


@dataclass(frozen=True)
class Shown:
    """What the wire shows of a client, by the fields of Connection."""

    offered: Session | None
    sessions: tuple[Session, ...]
    close: Close


def shown_by_wire(transcript: Transcript, tcp: Tcp, given: Sequence[Session]) -> Shown:
    """The client's part; ``given`` are the sessions that earlier connections gave."""
    offered = named(transcript, given)
    made = issued(transcript, tcp.began)
    if judge(transcript, offered).mechanism and not transcript.tickets:
        made = (offered,) if offered else ()  # the client keeps what it has resumed
    return Shown(offered, made, _closed(transcript, tcp))


def _closed(transcript: Transcript, tcp: Tcp) -> Close:
    notified = {alert.sender for alert in transcript.alerts if alert.number == 0}
    if notified == set(Role):
        return Close.BOTH
    if notified:
        return Close.CLIENT_ONLY if Role.CLIENT in notified else Close.SERVER_ONLY
    return Close.RST if any(end.reset for end in tcp.ends) else Close.EOF
