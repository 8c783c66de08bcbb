"""One handshake of a connection as the wire shows it, and the handshake that made the session which it offers."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from harness.explain.facts.clocks import NANOSECONDS, age_at_client, shown_now
from harness.explain.facts.evidence import gather
from harness.explain.facts.history import CLOCK_ACTIONS, actions
from harness.explain.facts.index import index_of
from harness.model.tls import Role, TLSVersion
from harness.model.transcript import (
    EARLY_DATA,
    Certificate,
    ClientHello,
    EncryptedExtensions,
    NewSessionTicket,
    ServerHello,
)
from harness.wire.judge import FULL_ONLY

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.explain.facts.evidence import Evidence
    from harness.model.connection import Connection
    from harness.model.transcript import Message

UNREAD = frozenset({"EncryptedRecord", "EncryptedHandshake", "EncryptedAlert"})


class Issued(NamedTuple):
    """A ticket that was offered, and the handshake after which it was issued."""

    ticket: NewSessionTicket
    handshake: Handshake


@dataclass(frozen=True, eq=False)
class Handshake:
    """The messages from a ClientHello up to that of a renegotiation. What the wire does not show is None."""

    connection: Connection
    earlier: Sequence[Connection]
    """The connections of the pair that began before, in the order of their numbers."""
    messages: tuple[Message, ...]
    before: tuple[Handshake, ...] = ()
    """The earlier handshakes of this connection."""

    @property
    def first(self) -> bool:
        """Whether it is not a renegotiation."""
        return not self.before

    @cached_property
    def readable(self) -> bool:
        """Whether every message could be read."""
        return not any(message.type in UNREAD for message in self.messages)

    @cached_property
    def hellos(self) -> tuple[ClientHello, ...]:
        """The ClientHellos: two after a HelloRetryRequest."""
        return tuple(m.content for m in self.messages if isinstance(m.content, ClientHello))

    @cached_property
    def answers(self) -> tuple[ServerHello, ...]:
        """The ServerHello, and the HelloRetryRequests before it."""
        return tuple(m.content for m in self.messages if isinstance(m.content, ServerHello))

    @cached_property
    def retries(self) -> tuple[ServerHello, ...]:
        """The HelloRetryRequests."""
        return tuple(answer for answer in self.answers if answer.hello_retry_request)

    @cached_property
    def answer(self) -> ServerHello | None:
        """The ServerHello."""
        return next((answer for answer in self.answers if not answer.hello_retry_request), None)

    @cached_property
    def asked(self) -> ClientHello | None:
        """The ClientHello that the ServerHello answers."""
        return self.hellos[min(len(self.retries), len(self.hellos) - 1)] if self.hellos else None

    @cached_property
    def tls13(self) -> bool | None:
        """Whether the server chose TLS 1.3, which a HelloRetryRequest implies; None if it chose nothing."""
        if self.retries:
            return True
        return self.answer.version is TLSVersion.TLSv1_3 if self.answer else None

    @cached_property
    def encrypted_extensions(self) -> EncryptedExtensions | None:
        """Of TLS 1.3."""
        return next((m.content for m in self.messages if isinstance(m.content, EncryptedExtensions)), None)

    @cached_property
    def tickets(self) -> tuple[NewSessionTicket, ...]:
        """The NewSessionTickets that could be read."""
        return tuple(m.content for m in self.messages if isinstance(m.content, NewSessionTicket))

    def place(self, kind: str, sender: Role) -> int | None:
        """The index of the first message of this type and sender."""
        return next((i for i, m in enumerate(self.messages) if m.sender is sender and m.type == kind), None)

    def sent(self, kind: str, sender: Role) -> bool:
        """Whether there is a message of this type and sender."""
        return self.place(kind, sender) is not None

    def flight(self, sender: Role, until: str) -> Iterator[Message]:
        """The sender's messages before its first of type ``until``; all of them if there is none."""
        for message in self.messages:
            if message.sender is sender:
                if message.type == until:
                    return
                yield message

    @cached_property
    def completed(self) -> bool:
        """Whether both Finished are there."""
        return all(
            any(m.type in {"Finished", "EncryptedHandshake"} and m.sender is role for m in self.messages)
            for role in Role
        )

    # TLS 1.3

    @cached_property
    def server_extensions(self) -> tuple[tuple[str, dict[int, bytes]], ...]:
        """Each message of the server that answers extensions, by its name, with the extensions."""
        named = [
            ("HelloRetryRequest" if answer.hello_retry_request else "ServerHello", dict(answer.extensions))
            for answer in self.answers
        ]
        rest = self.encrypted_extensions
        return (*named, ("EncryptedExtensions", dict(rest.extensions))) if rest else tuple(named)

    @cached_property
    def selected(self) -> bytes | None:
        """The identity that the server selected; also None if the client did not offer it."""
        if self.answer is None or self.asked is None or self.answer.selected_psk is None:
            return None
        identities = self.asked.psk_identities
        return identities[self.answer.selected_psk] if self.answer.selected_psk < len(identities) else None

    @property
    def early_data_accepted(self) -> bool:
        """Whether EncryptedExtensions says so."""
        return self.encrypted_extensions is not None and EARLY_DATA in self.encrypted_extensions.extensions

    # TLS 1.2

    @cached_property
    def abbreviated(self) -> bool | None:
        """Whether it is an abbreviated handshake (RFC 5246, 7.3); None if the wire does not show it."""
        if self.tls13 is not False or not (self.sent("ChangeCipherSpec", Role.SERVER) or self.completed):
            return None
        types = {m.type for m in self.messages if m.sender is Role.SERVER}
        if types & set(FULL_ONLY):
            return False
        return True if self.first or self.readable else None

    # the session

    @property
    def offered_by_ticket(self) -> bytes:
        """The ticket of TLS 1.2 that the client offers; empty if none."""
        return (self.asked.session_ticket or b"") if self.asked else b""

    def issue_of(self, identity: bytes) -> Issued | None:
        """The ticket and its handshake, if a connection of the pair shows it, and no other one with these bytes.

        A server that chooses its session ids can give two stateful tickets one id: which of them is offered is hidden.
        """
        if identity not in self._issued:
            self._issued[identity] = self._find(identity)
        return self._issued[identity]

    @cached_property
    def _issued(self) -> dict[bytes, Issued | None]:
        """What was looked for so far: several rules ask for the same ticket."""
        return {}

    def _find(self, identity: bytes) -> Issued | None:
        made = list(self.before)
        for place in index_of(self.earlier).issuing(identity, len(self.earlier)):
            made += handshakes(self.earlier[place], self.earlier[:place])
        found = [Issued(t, h) for h in made for t in h.tickets if t.ticket == identity]
        return found[-1] if len({each.ticket for each in found}) == 1 else None

    @cached_property
    def made_in(self) -> Handshake | None:
        """Before TLS 1.3: the handshake of the session that is offered, by its ticket or else by its session id."""
        if self.asked is None:
            return None
        if self.offered_by_ticket:
            issued = self.issue_of(self.offered_by_ticket)
            return issued.handshake if issued else None
        session_id = self.asked.session_id
        named = (h for h in self._past if h.tls13 is False and h.answer and h.answer.session_id == session_id)
        return next(named, None) if session_id else None

    @property
    def _past(self) -> Iterator[Handshake]:
        """Every earlier handshake of the pair, the latest first."""
        yield from reversed(self.before)
        for place in range(len(self.earlier) - 1, -1, -1):
            yield from reversed(handshakes(self.earlier[place], self.earlier[:place]))

    @property
    def extended_master_secret(self) -> bool:
        """Whether both hellos have it (RFC 7627)."""
        both = self.asked, self.answer
        return all(hello is not None and hello.extended_master_secret for hello in both)

    @property
    def alpn(self) -> str:
        """The protocol that the server chose; empty if none."""
        chosen = self.encrypted_extensions if self.tls13 else self.answer
        return next(iter(chosen.alpn), "") if chosen else ""

    @cached_property
    def server_certificate(self) -> bytes | None:
        """The DER of the server's certificate, from this handshake or from that whose session it resumes."""
        for message in self.messages:
            if message.sender is Role.SERVER and isinstance(message.content, Certificate) and message.content.chain:
                return message.content.chain[0]
        issued = self.issue_of(self.selected) if self.selected else None
        return issued.handshake.server_certificate if issued else None

    @cached_property
    def edited(self) -> bool:
        """Whether the harness changed the session that the client was given, so that the client cannot know it.

        A connection that is aborted, or resumed, can yield a session that was changed before.
        """
        return _was_edited(self._evidence, self.earlier)

    @cached_property
    def _evidence(self) -> Evidence:
        return gather([*self.earlier, self.connection], self.connection)

    @cached_property
    def age(self) -> tuple[int, int] | None:
        """The least and the greatest age of the offered session by its client's clock, in seconds; None if unknown.

        Times are whole seconds, so that an age is only known to a second, unless the clock stands still. The client
        makes its hello between the request for the connection and the moment at which the hello is relayed. A clock
        that was set to run shows no less than that time.
        """
        evidence = self._evidence
        age = age_at_client(evidence)
        if age is None or evidence.now is None or shown_now(evidence, Role.CLIENT) is None:
            return None
        until = [*self.earlier, self.connection]
        moved = actions(until, Role.CLIENT, evidence.now.client_context, *CLOCK_ACTIONS)
        how = moved[-1].name if moved else ""
        if how == "stop_clock":
            return age, age
        before, after = self._seconds_around(evidence.now.asked)
        return age - 1 - (0 if how == "run_clock" else before), age + 1 + after

    def _seconds_around(self, asked: int) -> tuple[int, int]:
        """Whole seconds from the request for the connection to its beginning at the tap, and on to its hello."""
        tcp = self.connection.tcp
        if tcp is None:
            return 0, 0
        hellos = [message.at for message in self.messages if message.type == "ClientHello"]
        relayed = tcp.began + round(max(hellos, default=0) * NANOSECONDS)
        begins = tcp.began // NANOSECONDS
        return begins - min(asked, tcp.began) // NANOSECONDS, relayed // NANOSECONDS - begins


def _was_edited(evidence: Evidence, earlier: Sequence[Connection]) -> bool:
    origin = evidence.origin
    if origin is None or set(origin.edits) - {"time"}:
        return origin is not None
    made = origin.connection
    place = next((place for place, one in enumerate(earlier) if one is made), None)
    if made.offered is None or place is None:
        return False
    before = earlier[:place]
    if handshakes(made, before)[-1].abbreviated is False:
        return False
    return _was_edited(gather([*before, made], made), before)


def handshakes(connection: Connection, earlier: Sequence[Connection]) -> tuple[Handshake, ...]:
    """The handshakes of a connection, in order; the last one holds all messages up to the end."""
    made: tuple[Handshake, ...] = ()
    begin, answered = 0, False
    messages = connection.transcript.messages
    for index, message in enumerate(messages):
        if message.type == "ClientHello" and answered:
            made = (*made, Handshake(connection, earlier, messages[begin:index], made))
            begin, answered = index, False
        answered = answered or message.type == "ServerHello"
    return (*made, Handshake(connection, earlier, messages[begin:], made))
