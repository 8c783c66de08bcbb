"""The kinds of server that `resumption watch` puts before a client, each with what it does to a session."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from harness.model.knobs import UNSET, CacheMode, Verify
from harness.model.tls import TLSVersion
from harness.serve.visit import Manner

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.serve.served import Served

TLS12, TLS13 = {"versions": (TLSVersion.TLSv1_2,)}, {"versions": (TLSVersion.TLSv1_3,)}
LIFETIME = 1
"""Seconds that a session of the expiring server lasts."""
OLDER = 3.0
"""Seconds before the expiring server answers: a client that goes on after the answer has an expired session."""
ROTATES_AFTER = 1
"""How many connections a server with a rotating key has before its key is new."""


@dataclass(frozen=True)
class Kind:
    """One kind of server; its name is what a user types."""

    name: str
    meaning: str
    knobs: Mapping[str, Any]
    manner: Manner = field(default_factory=Manner)
    restarts: bool = False
    """Whether each later connection meets a new server, which declines what the last one gave."""
    rotates: bool = False
    """Whether the server is new once, after ROTATES_AFTER connections."""
    gives: bool = True
    """Whether it gives anything that can be resumed."""
    accepts: bool = True
    """Whether it resumes what is fresh and its own."""

    expires: bool = False
    """Whether what it gives expires before the client goes on."""
    aborts: bool = False
    """Whether it answers each offer with a fatal alert."""

    @property
    def steady(self) -> bool:
        """Whether it gives sessions and resumes them all the time."""
        return self.gives and self.accepts and not self.rotates

    def begin(self, served: Served) -> None:
        """Make an open server behave so."""
        if self.restarts:
            served.begun = lambda _number: served.restart()
        elif self.rotates:
            served.begun = lambda number: served.restart() if number == ROTATES_AFTER else None


KINDS = (
    Kind("tls12-id", "TLS 1.2, session ids alone", {**TLS12, "tickets": False}),
    Kind("tls12-ticket", "TLS 1.2, tickets alone", {**TLS12, "cache_mode": frozenset({CacheMode.OFF})}),
    Kind("tls13", "TLS 1.3, two tickets", TLS13),
    Kind("one-ticket", "TLS 1.3, one ticket", {**TLS13, "num_tickets": 1}),
    Kind("none", "TLS 1.3, no ticket", {**TLS13, "num_tickets": 0}, gives=False),
    Kind(
        "expiring",
        f"TLS 1.3, tickets that last {LIFETIME} s, and an answer after {OLDER:g} s",
        {**TLS13, "timeout": LIFETIME},
        manner=Manner(waits=OLDER),
        accepts=False,
        expires=True,
    ),
    Kind("declining", "TLS 1.3, every ticket is declined", TLS13, restarts=True, accepts=False),
    Kind(
        "aborting",
        "TLS 1.3, every resumption ends in a fatal alert",
        {**TLS13, "verify": Verify.OPTIONAL, "session_id_context": UNSET},
        accepts=False,
        aborts=True,
    ),
    Kind("unclean", "TLS 1.3, TCP ends without close_notify", TLS13, manner=Manner(notifies=False)),
    Kind("rotating", "TLS 1.3, a new ticket key after the first connection", TLS13, rotates=True),
)
"""Every kind, in the order in which a client meets them."""
BY_NAME = {kind.name: kind for kind in KINDS}
