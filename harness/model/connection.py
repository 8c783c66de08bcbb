"""A Connection: one attempt with its three views, its messages, the sessions that it yielded, and how it was closed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from harness.agent.vocabulary import Capability
from harness.model.errors import DisagreementError, HarnessError, UnsupportedError
from harness.model.setup import ORDER
from harness.model.tls import Mechanism, Outcome, Role, TLSVersion
from harness.model.transcript import SealedTranscript
from harness.model.view import Saw

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.model.session import Session
    from harness.model.setup import Setup
    from harness.model.tls import Alert, Close
    from harness.model.transcript import Chunk, Tcp, Transcript
    from harness.model.view import Contradiction, EndpointReport, View

HANDLE = 32
"""Bytes of a TLS 1.3 ticket that is the id of a cached session (tls_get_stateful_ticket)."""


@dataclass(frozen=True, slots=True)
class Counters:
    """SSL_CTX_sess_* of a context; None where the stack does not report it."""

    items: int | None = None
    connect: int | None = None
    connect_good: int | None = None
    connect_renegotiate: int | None = None
    accept: int | None = None
    accept_good: int | None = None
    accept_renegotiate: int | None = None
    hits: int | None = None
    callback_hits: int | None = None
    misses: int | None = None
    timeouts: int | None = None
    overflows: int | None = None
    cache_size: int | None = None


@dataclass(eq=False, repr=False)
class Connection:
    """One attempt. An assert on ``outcome`` (or another observable) marks it as asserted; views that differ raise."""

    number: int
    """1 for the first connection of the pair."""
    tls: TLSVersion
    client: EndpointReport
    server: EndpointReport
    wire: View
    offered: Session | None
    """The session that was given to the client; whether it was sent is ``was_offered``."""
    was_offered: bool
    """Whether the wire shows an offer: pre_shared_key, a ticket, or a session id that is the session's own."""
    transcript: Transcript = field(repr=False)
    """The messages, decrypted where the key log has their keys; reading it marks nothing as asserted."""
    sessions: tuple[Session, ...]
    """Every session that the client was given, in order; with a stack that sees only the last, at most one."""
    last_session: Session | None
    """What SSL_get1_session gave after the exchange of application data."""
    close: Close
    held_sessions: tuple[Session, ...] = ()
    """What SSL_get1_session gave where it was asked between the handshake and the end, in order."""
    observed_mechanism: Mechanism | None = None
    observed_external_psk: bytes | None = None
    chunks: tuple[Chunk, ...] = field(default=(), repr=False)
    tcp: Tcp | None = field(default=None, repr=False)
    """How TCP carried the chunks; None without a tap."""
    counters: Counters | None = None
    """The server's counters as they stood after the connection, or, from a running program, at its application data;
    None where its stack reports none."""
    claims: tuple[tuple[Role, str], ...] = ()
    """Each step that an end says it carried out and the wire shows: ``renegotiate`` or ``authenticate``."""
    exchanged: bool = True
    """Whether each line of application data that was sent before any renegotiation arrived whole at the other end."""
    blocked: str | None = None
    """Why a middlebox in the tap blocked it, empty if it let it pass; None if there was none."""
    tampered: tuple[str, ...] = ()
    """What the tap did to messages on their way, one sentence each."""
    setup: Setup | None = field(default=None, repr=False)
    """The knobs, contexts and actions; None for a connection that no pair made."""
    strays: tuple[str, ...] = ()
    """Connections of others to the tap that were set aside since the previous connection ended."""
    contradictions: tuple[Contradiction, ...] = ()
    """The facts in which an endpoint contradicts the wire."""
    order: int = field(default_factory=ORDER.__next__, repr=False)
    """When it was over; see `harness.model.setup.Action`."""
    asserted: bool = field(default=False, repr=False)
    read_by_assert: Callable[[], bool] | None = field(default=None, repr=False)
    """Whether an assert uses what is being read now; None where each read marks the connection as asserted."""

    def __repr__(self) -> str:
        return f"<connection {self.number}>"

    def note_read(self) -> None:
        """Mark the connection as asserted if an assert uses what the caller is about to read."""
        self.asserted = self.asserted or self.read_by_assert is None or self.read_by_assert()

    @property
    def views(self) -> tuple[View, ...]:
        """The client's, the server's and the wire's, without that of an endpoint that the harness does not drive."""
        ends = (report.view for report in (self.client, self.server) if report.driven)
        return *ends, self.wire

    @property
    def disagreement(self) -> str | None:
        """Why there is no outcome: two witnesses differ, or one that is needed is unknown. None if they agree.

        That a handshake was completed takes every witness; that it was aborted, those that know.
        """
        saw = {view.saw for view in self.views}
        if len(saw - {Saw.UNKNOWN}) == 1 and (Saw.UNKNOWN not in saw or Saw.ABORTED in saw):
            if self.contradictions:
                return "Disagreement"
            lost = not self.exchanged and Saw.ABORTED not in saw
            return "No verdict: the handshake was completed, but application data was lost" if lost else None
        if Saw.UNKNOWN in saw:
            blind = ", ".join(view.witness for view in self.views if view.saw is Saw.UNKNOWN)
            return f"No verdict: {blind} could not know"
        return "Disagreement"

    @property
    def outcome(self) -> Outcome:
        """FULL, DECLINED, RESUMED or ABORTED; DisagreementError with all the evidence if the witnesses differ."""
        self.note_read()
        return self.observed_outcome()

    def observed_outcome(self) -> Outcome:
        """The outcome without marking the connection as asserted."""
        if self.disagreement:
            raise DisagreementError(self.describe())
        saw = {view.saw for view in self.views}
        if Saw.ABORTED in saw:
            return Outcome.ABORTED
        if Saw.RESUMED in saw:
            return Outcome.RESUMED
        return Outcome.DECLINED if self.was_offered else Outcome.FULL

    def describe(self) -> str:
        """The disagreement with the three views, one line each piece of evidence."""
        offered = " (it offered a session)" if self.was_offered else ""
        verdict = self.disagreement or "The witnesses agree"
        lines = [f"{verdict} about connection {self.number}{offered}"]
        for view in self.views:
            first, *more = view.evidence or ("no evidence",)
            lines.append(f"  {view.witness:<7} {view.name:<20} {view.saw:<9} {first}")
            lines += [f"  {'':<38} {line}" for line in more]
        lines += [f"  {contradiction}" for contradiction in self.contradictions]
        return "\n".join(lines)

    @property
    def mechanism(self) -> Mechanism | None:
        """How the session was resumed; None if it was not."""
        self.note_read()
        return self.observed_mechanism if self.observed_outcome() is Outcome.RESUMED else None

    @property
    def external_psk(self) -> bytes | None:
        """The identity of the external PSK with which the handshake was made; None if it was made without one.

        Such a handshake is not a resumption: it is FULL, or DECLINED if a session was offered too. A session that comes
        from it resumes by its own ticket or id, and then there is none.
        """
        self.note_read()
        self.observed_outcome()
        return self.observed_external_psk

    @property
    def from_cache(self) -> bool | None:
        """Whether the resumed session was in the server's cache, and not in the client's ticket; None if none was.

        The client names a cached session by its id, or in TLS 1.3 by a ticket that is only a name: of OpenSSL's
        servers, 32 bytes (tls_get_stateful_ticket). Distinguishes them where `mechanism` is PSK for both.
        """
        mechanism = self.mechanism
        if mechanism is Mechanism.PSK:
            return len(self.transcript.client_hellos[-1].psk_tickets[0]) <= HANDLE
        return mechanism is Mechanism.SESSION_ID if mechanism else None

    @property
    def alert(self) -> Alert | None:
        """The first fatal alert and who sent it, from whichever witness saw it; None if there was none.

        UnsupportedError if the connection was aborted, no end reports the alert and neither has a key log.
        """
        self.note_read()
        found = self.observed_alert()
        aborted = any(view.saw is Saw.ABORTED for view in self.views)
        if found is None and aborted and (why := self.sealed()) is not None:
            raise why
        return found

    def observed_alert(self) -> Alert | None:
        """The alert without marking the connection as asserted."""
        alerts = [view.alert for view in (self.wire, self.client.view, self.server.view) if view.alert]
        return next((a for a in alerts if a.sender), alerts[0] if alerts else None)

    @property
    def alpn(self) -> str | None:
        """The ALPN protocol of this connection, whatever its session's; None if none was chosen."""
        self.asserted = True
        return self.observed_alpn()

    def observed_alpn(self) -> str | None:
        """The protocol without marking the connection as asserted."""
        return self.client.alpn or self.server.alpn

    @property
    def group(self) -> str | None:
        """The group of this connection's key exchange, whatever its session's, by IANA's name.

        Empty if it had none, as a TLS 1.2 resumption; None if neither end reports it. Capability.NEGOTIATED_GROUP.
        """
        self.asserted = True
        return self.observed_group()

    def observed_group(self) -> str | None:
        """The group without marking the connection as asserted."""
        return self.server.group if self.client.group is None else self.client.group

    @property
    def exporters_equal(self) -> bool | None:
        """Whether both ends exported the same keying material; None if one does not report it. Capability.EXPORTER."""
        self.asserted = True
        return self.observed_exporters_equal()

    def observed_exporters_equal(self) -> bool | None:
        """The same without marking the connection as asserted."""
        ends = (self.client.exporter, self.server.exporter)
        return None if None in ends else ends[0] == ends[1]

    @property
    def renegotiation_resumed(self) -> bool | None:
        """Whether its last renegotiation was abbreviated; None if it had none (it may be refused), or if unknown."""
        self.asserted = True
        return self.observed_renegotiation_resumed()

    def observed_renegotiation_resumed(self) -> bool | None:
        """The same without marking the connection as asserted."""
        if self.transcript.handshakes <= 1 and not (self.renegotiation_asked and self._hides_handshakes):
            return None
        reported = self.client.reused_at_end
        return self.server.reused_at_end if reported is None else reported

    @property
    def renegotiation_asked(self) -> bool:
        """Whether a step of it was to renegotiate, whatever came of that."""
        return self.setup is not None and any(action.name == "renegotiate" for action in self.setup.during)

    @property
    def _hides_handshakes(self) -> bool:
        """Whether handshake messages are sealed, so that a second handshake would not be seen."""
        return "EncryptedHandshake" in self.transcript.types()

    @property
    def tickets(self) -> int:
        """How many NewSessionTicket messages arrived; DisagreementError if counts differ or none can count.

        UnsupportedError if the client does not count them and neither end has a key log.
        """
        self.note_read()
        client, wire = self.ticket_counts()
        counts = {count for count in (client, wire) if count is not None}
        if not counts and (why := self.sealed()) is not None:
            raise why
        if len(counts) != 1:
            raise DisagreementError(
                f"the tickets of connection {self.number}: the client counted {client}, the wire shows {wire}"
            )
        return counts.pop()

    def ticket_counts(self) -> tuple[int | None, int | None]:
        """The number that the client counts and the wire shows, None for unknown; marks nothing as asserted."""
        on_wire = self.transcript.tickets
        return self.client.view.tickets, None if on_wire is None else len(on_wire)

    @property
    def messages(self) -> Transcript:
        """The messages; marks the connection as asserted.

        To read of them what TLS 1.3 encrypts is an UnsupportedError if neither end has a key log.
        """
        self.note_read()
        why = self.sealed()
        return self.transcript if why is None else SealedTranscript.of(self.transcript, why)

    def sealed(self) -> UnsupportedError | None:
        """Why the wire cannot read what TLS 1.3 encrypts; None if it can, or if an end that has a key log lost it."""
        lacks = {} if self.setup is None else self.setup.key_log
        if self.transcript.tickets is not None or len(lacks) < len(Role):
            return None
        stack = self.client.view.name
        reason = f"{lacks[Role.CLIENT]}; {self.server.view.name} has none either: {lacks[Role.SERVER]}"
        return UnsupportedError(stack, Capability.KEY_LOG, reason)

    @property
    def _least_hint(self) -> int:
        return 0 if self.setup is None else self.setup.client_library.least_hint

    def _dropped_hint(self) -> int | None:
        """The longest lifetime hint of the tickets, in seconds, if it is why the client holds none of them."""
        tickets, held = self.transcript.tickets or (), self.last_session
        longest = max((ticket.lifetime for ticket in tickets), default=None)
        if longest is None or longest >= self._least_hint or self.tls is TLSVersion.TLSv1_3:
            return None
        return longest if held is None or (held.ticket and held.ticket not in {t.ticket for t in tickets}) else None

    @property
    def session(self) -> Session:
        """The session that the client would offer next (SSL_get1_session); HarnessError if there is none.

        UnsupportedError if the client's library drops each ticket that arrived, for its lifetime hint.
        """
        if (dropped := self._dropped_hint()) is not None:
            least = f"its client drops a TLS 1.2 ticket whose lifetime hint is less than {self._least_hint} s"
            raise UnsupportedError(self.client.view.name, f"tickets with a lifetime hint of {dropped} s", least)
        if self.last_session is None:
            raise HarnessError(f"connection {self.number} yielded no session\n{self.describe()}")
        return self.last_session
