"""What the wire shows of a fact, and the contradiction with what an endpoint reports."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, wraps
from typing import TYPE_CHECKING

from harness.model.tls import Role, TLSVersion
from harness.model.view import Contradiction, Saw, Witness
from harness.pair.audit.handshakes import handshakes
from harness.wire.judge import external_psk

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Container, Iterable, Mapping, Sequence
    from typing import Any

    from harness.model.connection import Connection
    from harness.model.tls import Alert
    from harness.model.transcript import ExternalPsk, ServerHello, Transcript
    from harness.model.view import EndpointReport
    from harness.pair.audit.handshakes import Handshake

MOST_NAMED = 4
"""Values that a contradiction names."""
SHOWN_BYTES = 16
"""Bytes of a ticket or an id that a contradiction repeats."""


@dataclass(slots=True)
class Shown:
    """What the wire shows: the values that a truthful endpoint can report, and where."""

    allowed: Container[object]
    where: str | Callable[[], str]
    """For people, after ``the wire shows``; a function where it is long to make, as only a contradiction needs it."""
    values: Collection[object] = ()
    """What is named before it; made into text only where an end contradicts it, as a connection can have many."""

    @property
    def text(self) -> str:
        """The values and where they are."""
        named = sorted(map(readable, self.values))
        more = f" or {len(named) - MOST_NAMED} others" if len(named) > MOST_NAMED else ""
        where = self.where if isinstance(self.where, str) else self.where()
        return " ".join(filter(None, [" or ".join(named[:MOST_NAMED]) + more, where]))


def exactly(value: object, where: str) -> Shown:
    """One value and no other."""
    return Shown((value,), f"({where})", (value,))


class _Any:
    """Every value of one of these."""

    def __init__(self, containers: Iterable[Container[object]]) -> None:
        self._containers = tuple(containers)

    def __contains__(self, reported: object) -> bool:
        return any(reported in each for each in self._containers)


def either(shown: Sequence[Shown | None], before: Container[object] = ()) -> Shown | None:
    """What one of these shows, or a value of ``before``, of an end that has not come so far; None if one is None."""
    found = [each for each in shown if each is not None]
    if not found or len(found) < len(shown):
        return None
    allowed = _Any([*(each.allowed for each in found), before])
    return Shown(allowed, lambda: " or ".join(dict.fromkeys(each.text for each in found)))


class Among:
    """Every tuple of these."""

    def __init__(self, allowed: set[str]) -> None:
        self._allowed = allowed

    def __contains__(self, reported: object) -> bool:
        return isinstance(reported, tuple) and self._allowed.issuperset(reported)


def readable(value: object) -> str:
    """A value for people; long bytes are cut."""
    if isinstance(value, bytes):
        cut = value[:SHOWN_BYTES].hex() + ("…" if len(value) > SHOWN_BYTES else "")
        return f"{len(value)} bytes {cut}" if value else "nothing"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return ", ".join(map(readable, value)) or "none"
    if isinstance(value, TLSVersion):
        return value.label
    return "none" if value in {None, ""} else str(value)


UNMADE = Shown((), "not looked for")
"""In place of what `once` has not made so far."""


def contradiction(role: Role, fact: str, reported: object, shown: Shown) -> Contradiction:
    """An end reports what is not allowed by what the wire shows."""
    return Contradiction(Witness(role.value), fact, readable(reported), f"the wire shows {shown.text}")


def once(shows: Callable[[Wire, Role], Shown | None]) -> Callable[[Wire, Role], Shown | None]:
    """Make what the wire shows of a fact once, as it is the same for both ends."""

    @wraps(shows)
    def kept(wire: Wire, role: Role) -> Shown | None:
        found = wire.kept.get(shows, UNMADE)
        if found is UNMADE:
            found = wire.kept[shows] = shows(wire, role)
        return found

    return kept


class Wire:
    """A connection with what several facts need of its wire; one for both ends, unless they saw other bytes."""

    def __init__(self, connection: Connection, transcript: Transcript | None = None, begun: int = 0) -> None:
        self.connection = connection
        self.transcript = transcript or connection.transcript
        """What the end sent and got that is compared; the same for both, unless the tap changed messages."""
        self.kept: dict[Any, Shown | None] = {}
        """What `once` has made."""
        self._begun = begun
        """How many handshakes are taken for completed, where not all of them were; 0 for those that were."""

    def report(self, role: Role) -> EndpointReport:
        """The report of an end."""
        return self.connection.client if role is Role.CLIENT else self.connection.server

    def mutated(self, role: Role) -> bool:
        """Whether an end is set to break a rule, so that it does not send what it was given or configured with."""
        setup = self.connection.setup
        return setup is not None and setup.config(role).mutation is not None

    @cached_property
    def cut(self) -> bool:
        """Whether bytes of an end may be missing on the wire: the tap cut the connection, or TCP was reset."""
        tcp = self.connection.tcp
        ended = any(end.reset or end.sender is None for end in tcp.ends) if tcp else True
        return ended or bool(self.connection.blocked) or bool(self.transcript.problem)

    @cached_property
    def tickets(self) -> frozenset[object]:
        """The ticket of each NewSessionTicket."""
        return frozenset(ticket.ticket for ticket in self.transcript.tickets or ())

    @cached_property
    def ticket_lengths(self) -> frozenset[object]:
        """The length of each ticket, in bytes."""
        return frozenset(len(ticket.ticket) for ticket in self.transcript.tickets or ())

    @cached_property
    def _types(self) -> Mapping[Role, frozenset[str]]:
        return {role: frozenset(self.transcript.types(role)) for role in Role}

    def types(self, role: Role) -> frozenset[str]:
        """The types of an end's messages."""
        return self._types[role]

    def unread_chain(self, role: Role) -> bool:
        """Whether an end sent its chain compressed by what the harness cannot undo: brotli or zstd (RFC 8879, 3)."""
        return "CompressedCertificate" in self.types(role) and role not in self.transcript.certificates

    def agreed(self, hello: ServerHello) -> Mapping[int, bytes] | None:
        """The extensions with which a server answers: in TLS 1.3 they are in EncryptedExtensions, None if sealed."""
        return self.transcript.encrypted_extensions if hello.version is TLSVersion.TLSv1_3 else hello.extensions

    @cached_property
    def renegotiation_hidden(self) -> bool:
        """Whether there may have been a renegotiation that no key opens."""
        sent = [m for m in self.transcript.messages if m.type == "EncryptedHandshake"]
        return any(sum(m.sender is role for m in sent) > 1 for role in Role)

    @cached_property
    def _answered(self) -> tuple[ServerHello, ...]:
        """The ServerHello of each handshake, completed or not."""
        return tuple(hello for hello in self.transcript.server_hellos if not hello.hello_retry_request)

    @cached_property
    def answers(self) -> tuple[ServerHello, ...]:
        """The ServerHello of each completed handshake; empty if the last is not complete, or may be hidden."""
        found = self._answered
        if self._begun:
            return found[: self._begun]
        if self.renegotiation_hidden or self.connection.wire.saw not in {Saw.FULL, Saw.RESUMED}:
            return ()
        if len(found) == 1:
            return found
        finished = [m.sender for m in self.transcript.messages if m.type == "Finished"]
        return found if all(finished.count(role) == len(found) for role in Role) else ()

    @cached_property
    def stages(self) -> tuple[Wire, ...]:
        """Where the last handshake was not completed, what an end may have come to know: up to each ServerHello.

        Empty if it was completed, or if the wire may not show all of it.
        """
        if self.answers or self.renegotiation_hidden or self.transcript.problem:
            return ()
        return tuple(Wire(self.connection, self.transcript, n + 1) for n in range(len(self._answered)))

    @cached_property
    def unanswered(self) -> bool:
        """Whether the connection was aborted before any ServerHello."""
        aborted = self.connection.wire.saw is Saw.ABORTED and not self.cut
        return aborted and bool(self.transcript.client_hellos) and not self._answered

    def finished(self, role: Role) -> bool:
        """Whether an end has sent its Finished in the last handshake, as far as the wire can be read."""
        types = [m.type for m in self.transcript.messages if m.sender is role]
        return "Finished" in types and "ClientHello" not in types[len(types) - types[::-1].index("Finished") :]

    @cached_property
    def after_first(self) -> Wire:
        """What an end knew when the first handshake was complete."""
        return Wire(self.connection, self.transcript, 1)

    @cached_property
    def handshakes(self) -> tuple[Handshake, ...]:
        """Those of `answers`."""
        return handshakes(self.transcript, self.connection.wire.saw)[: len(self.answers)]

    @cached_property
    def unfinished(self) -> bool:
        """Whether a renegotiation began after the last handshake that was completed."""
        types = self.transcript.types()
        return "Finished" in types and "ClientHello" in types[len(types) - types[::-1].index("Finished") :]

    @cached_property
    def first(self) -> ServerHello | None:
        """The ServerHello of the only handshake; None if there are others, or none that was completed."""
        return self.answers[0] if len(self.answers) == 1 else None

    @cached_property
    def selected_psk(self) -> ExternalPsk | None:
        """The external PSK that a TLS 1.3 server selected in the only handshake."""
        hellos = self.handshakes[0].hellos if self.first and self.handshakes else ()
        return external_psk(hellos[-1], self.first) if self.first and hellos else None

    @cached_property
    def resumed(self) -> bool:
        """Whether the first handshake resumed a session."""
        return self.handshakes[0].resumed if self.handshakes else self.connection.wire.saw is Saw.RESUMED

    def opened(self, role: Role) -> bool:
        """Whether every record that this role sent could be read."""
        return not self.transcript.sealed.get(role) and not self.transcript.problem

    @cached_property
    def _alerts(self) -> Mapping[Role, tuple[Alert, ...] | None]:
        if self.transcript.problem:
            return dict.fromkeys(Role)
        sealed = {"EncryptedAlert", "EncryptedRecord"} | ({"EncryptedHandshake"} if self.transcript.quic else set())
        hidden = {m.sender for m in self.transcript.messages if m.type in sealed}
        return {
            role: None if role in hidden else tuple(alert for alert in self.transcript.alerts if alert.sender is role)
            for role in Role
        }

    def alerts(self, sender: Role) -> tuple[Alert, ...] | None:
        """The alerts of one end in order; None where some may be sealed."""
        return self._alerts[sender]

    def fold(self, of: Callable[[ServerHello], object], hellos: Iterable[ServerHello] = ()) -> set[object]:
        """What each completed handshake, or each of ``hellos``, shows."""
        return {of(hello) for hello in hellos or self.answers}
