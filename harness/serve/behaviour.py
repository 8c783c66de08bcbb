"""What a client did with the sessions of one kind of server, read off its connections."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from harness.explain.facts.evidence import gather
from harness.model.errors import DisagreementError
from harness.model.tls import Outcome, Role, TLSVersion
from harness.serve.kinds import LIFETIME

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from harness.model.connection import Connection
    from harness.serve.kinds import Kind

NANOSECONDS = 10**9
DISTRUST = {42, 46, 48}
"""Alerts of a client that does not trust the certificate: bad_certificate, certificate_unknown, unknown_ca."""


@dataclass(frozen=True)
class Behaviour:
    """The connections of all runs of a command against one kind of server, in the order in which they began."""

    kind: Kind
    connections: tuple[Connection, ...]
    statuses: tuple[int, ...]
    """How each run of the command ended."""
    output: str = ""
    """All that the command printed."""
    controls: Mapping[int, int] | None = None
    """The numbers of control connections by that of their data connections; None where it is not FTP."""

    def outcome(self, connection: Connection) -> Outcome | None:
        """Its outcome; None if the witnesses disagree."""
        try:
            return connection.observed_outcome()
        except DisagreementError:
            return None

    def count(self, outcome: Outcome) -> int:
        """How many connections have this outcome."""
        return sum(self.outcome(connection) is outcome for connection in self.connections)

    @cached_property
    def offers(self) -> tuple[Connection, ...]:
        """The connections that offered a session."""
        return tuple(connection for connection in self.connections if connection.was_offered)

    @property
    def source(self) -> Connection | None:
        """The connection that gave the session of the first offer; None if none did, or if nothing was offered."""
        if not self.offers:
            return None
        origin = gather(self.connections, self.offers[0]).origin
        return origin.connection if origin else None

    @property
    def which(self) -> str:
        """Which session the first offer is: ``ticket 2 of 2 of connection 1``, ``the id of connection 1``."""
        source = self.source
        if source is None:
            return "one of unknown origin" if self.offers else ""
        tickets = [ticket.ticket for ticket in source.transcript.tickets or ()]
        hello = self.offers[0].transcript.client_hello
        sent = next((one for one in (*hello.psk_tickets, hello.session_ticket) if one in tickets), None)
        if sent is None:
            return f"the id of connection {source.number}"
        return f"ticket {tickets.index(sent) + 1} of {len(tickets)} of connection {source.number}"

    def age(self, connection: Connection) -> float | None:
        """Seconds since the connection began that gave the offered session; None if that is unknown."""
        origin = gather(self.connections, connection).origin
        if origin is None or connection.tcp is None or origin.connection.tcp is None:
            return None
        return (connection.tcp.began - origin.connection.tcp.began) / NANOSECONDS

    @property
    def twice(self) -> bool:
        """Whether a session was offered in more than one connection."""
        return any(gather(self.connections, connection).offers_before for connection in self.offers)

    @property
    def expired(self) -> tuple[Connection, ...]:
        """The connections that offered a session which had expired; for the expiring kind."""
        return tuple(c for c in self.offers if (age := self.age(c)) is not None and age > LIFETIME)

    @property
    def refused(self) -> Connection | None:
        """The first connection whose offer was declined, or aborted."""
        bad = {Outcome.DECLINED, Outcome.ABORTED}
        return next((c for c in self.offers if self.outcome(c) in bad), None)

    @property
    def recovers(self) -> bool | None:
        """Whether the client goes on after its offer was refused; None where its connections do not show it.

        After a decline the handshake is completed, after a new key a later connection resumes, after an abort a later
        one makes a full handshake.
        """
        refused = self.refused
        if refused is None:
            return None
        later = [self.outcome(c) for c in self.connections if c.number > refused.number]
        if self.kind.aborts:
            return Outcome.FULL in later
        if self.outcome(refused) is not Outcome.DECLINED:
            return False
        return (Outcome.RESUMED in later if later else None) if self.kind.rotates else True

    @property
    def data(self) -> tuple[Connection, ...]:
        """The data connections of FTP."""
        return tuple(connection for connection in self.connections if connection.number in (self.controls or {}))

    def of_control(self, connection: Connection) -> bool:
        """Whether a data connection resumed a session that descends from its control connection's."""
        if self.outcome(connection) is not Outcome.RESUMED:
            return False
        control = next(c for c in self.connections if c.number == (self.controls or {})[connection.number])
        return self._root(connection) is self._root(control)

    def _root(self, connection: Connection) -> Connection:
        """The connection whose full handshake a connection descends from, as far as its origin is known."""
        while self.outcome(connection) is Outcome.RESUMED and (origin := gather(self.connections, connection).origin):
            connection = origin.connection
        return connection

    @property
    def completed(self) -> bool:
        """Whether a handshake was completed: without one, nothing is known of the client's sessions."""
        return any(self.outcome(connection) is not Outcome.ABORTED for connection in self.connections)

    @property
    def says(self) -> str:
        """What came of it, in one line."""
        if not self.completed:
            return self._of_aborted()
        return self._of_requests() if self.controls is None else self._of_data()

    def _of_aborted(self) -> str:
        alert = self.connections[0].observed_alert()
        untrusted = alert is not None and alert.sender is Role.CLIENT and alert.number in DISTRUST
        trust = "; let the command trust {ca}" if untrusted else ""
        return f"no handshake is completed: {alert or 'no alert'}{trust}"

    def _of_requests(self) -> str:
        if len(self.connections) == 1 and not self.offers:
            return "one connection offers nothing yet; give --times 2"
        if not self.kind.gives:
            return "wrong: it was given none" if self.offers else "right: there is nothing to offer"
        if self.kind.expires:
            return self._of_expired()
        if not self.offers:
            return "never resumes"
        return self._of_accepted() if self.kind.steady else self._of_refused()

    def _of_accepted(self) -> str:
        resumed = f"{self.count(Outcome.RESUMED)} of {len(self.offers)} offers resumed"
        others = self.count(Outcome.ABORTED)
        return f"{resumed}, {others} aborted" if others else resumed

    def _of_data(self) -> str:
        if not self.data:
            return "no data connection; give a command that lists or fetches"
        right = sum(map(self.of_control, self.data))
        text = f"data: {right} of {len(self.data)} resumed the control connection's session"
        others = [one for one in self.data if not self.of_control(one)]
        if not others:
            return text
        resumed = sum(self.outcome(one) is Outcome.RESUMED for one in others)
        offered = sum(one.was_offered for one in others) - resumed
        why = (f"{resumed} resumed another one" if resumed else "", f"{offered} offered in vain" if offered else "")
        return "; ".join([text, *(filter(None, why) if any(why) else ["nothing was offered"])])

    def _of_expired(self) -> str:
        if self.expired:
            return f"wrong: offers one {self.age(self.expired[0]):.1f} s old"
        return "offers before it expires" if self.offers else "right: does not offer it"

    def _of_refused(self) -> str:
        refused, recovers = self.refused, self.recovers
        if refused is None:
            return "its offer was not refused"
        later = [connection for connection in self.connections if connection.number > refused.number]
        if self.kind.aborts:
            if recovers:
                full = next(c for c in later if self.outcome(c) is Outcome.FULL)
                return f"recovers: connection {full.number} is full"
            again = any(connection.was_offered for connection in later)
            return f"does not recover: {'offers it again' if again else 'none followed'}"
        if self.outcome(refused) is not Outcome.DECLINED:
            return "does not recover: aborted"
        if self.kind.rotates:
            said = {True: "recovers: a later one resumed", False: "declined, and later ones too"}
            return said.get(bool(recovers), "") if recovers is not None else "declined; none followed"
        return "recovers: completes a full one"


def _offers(behaviour: Behaviour) -> bool:
    return bool(behaviour.offers)


def _resumes(behaviour: Behaviour) -> bool:
    return behaviour.count(Outcome.RESUMED) > 0


def _once(behaviour: Behaviour) -> bool:
    return behaviour.completed and not behaviour.twice


def _recovers(behaviour: Behaviour) -> bool:
    return behaviour.recovers is True


def _data(behaviour: Behaviour) -> bool:
    return bool(behaviour.data) and all(map(behaviour.of_control, behaviour.data))


def _drops(behaviour: Behaviour) -> bool:
    return behaviour.completed and not behaviour.expired and len(behaviour.connections) > 1


@dataclass(frozen=True)
class Claim:
    """Something that a user may expect of a client."""

    meaning: str
    holds: Callable[[Behaviour], bool]
    of: Callable[[Kind], bool]
    """Whether it can be asked of a kind of server."""
    ftps: bool = False
    """Whether it can be asked of FTP alone."""


CLAIMS: Mapping[str, Claim] = {
    "offers": Claim("it offers a session", _offers, lambda kind: kind.gives and not kind.expires),
    "resumes": Claim("it resumes one", _resumes, lambda kind: kind.gives and (kind.accepts or kind.rotates)),
    "once": Claim(
        "it offers no TLS 1.3 ticket twice (RFC 8446, C.4)",
        _once,
        lambda kind: kind.gives and kind.knobs["versions"] == (TLSVersion.TLSv1_3,),
    ),
    "recovers": Claim(
        "after a decline, a new key or an abort it goes on",
        _recovers,
        lambda kind: kind.restarts or kind.rotates or kind.aborts,
    ),
    "data-resumes": Claim(
        "each data connection of FTP resumes the session of its control connection",
        _data,
        lambda kind: kind.steady,
        ftps=True,
    ),
    "drops-expired": Claim("it does not offer an expired session", _drops, lambda kind: kind.expires),
}
"""What `--expect` takes."""
