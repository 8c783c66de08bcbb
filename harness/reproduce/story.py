"""What was done and what was seen, as plain data in order; every reproducer is rendered from it. It renders nothing.

A form is a module (``shell``, ``c_program``, ``python``) with two functions. ``lacks(story)`` gives what the form
cannot express, one text for each thing, with the reason; empty if it can express all. ``render(story)`` gives its
source, and is called only where ``lacks`` is empty. A reproducer does what the attempts say, in order:

1. the actions of ``before``, each on the context that it names;
2. the connection, between the contexts of the attempt, offering what ``offer`` says, a fresh object if not ``kept``;
3. the actions of ``during``, in order: ``exchange`` is a line each way, ``session``, ``keep_session`` take a session;
4. SSL_get1_session, if a later attempt offers what was taken at the end (``action`` None), and the close.

It prints each connection's result, compares each with the attempt's ``result`` as ``compared`` gives it, and its last
line begins with ``as observed`` (exit code 0) or ``NOT as observed`` (1). What could not be set up or run exits with
125, which ``git bisect run`` skips; 2 would be a verdict to it. Beside it lie ``server.crt`` and ``server.key`` (and
so on for each of ``certificates``), and ``authority.pem``, which a verifying end trusts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.model.view import Saw

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from harness.model.setup import Action
    from harness.model.tls import Alert, Close, Mechanism, Outcome, Role, TLSVersion


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What was seen of one connection; None is unknown, or for mechanism and alert that there was none."""

    client: Saw
    server: Saw
    outcome: Outcome | None
    """None if the witnesses disagree."""
    mechanism: Mechanism | None = None
    alert: Alert | None = None
    tickets: int | None = None
    """NewSessionTicket messages."""
    has_ticket: bool | None = None
    """SSL_SESSION_has_ticket of the session at the end; None if there was none, or its stack cannot tell."""
    ticket_length: int | None = None
    """Bytes, to be shown; not to be compared, for it holds random numbers in DER."""
    cipher: str | None = None
    """OpenSSL's name."""
    early_data: str | None = None
    """``accepted``, ``rejected``, ``not_sent`` by whichever end can tell; None if the client was to send none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """An SSL_CTX."""

    role: Role
    number: int
    """As in Setup: 1 for the first of its role."""
    stack: str
    """``openssl``, ``libssl``, ``pyopenssl`` or ``ssl``: what it was when it was seen."""
    version: str
    """Of its OpenSSL."""
    given: Mapping[str, object]
    """The knobs that were given, by the names and with the values of ClientConfig and ServerConfig."""
    knobs: Mapping[str, object]
    """The same with what its stack sets by itself; to be set by a form that is not a program of the same stack."""
    certificate: str | None
    """The stem of its .crt and .key, None for a client without one."""

    @property
    def name(self) -> str:
        """``client 1``."""
        return f"{self.role} {self.number}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """Which session was offered."""

    connection: int
    """Number of the attempt that yielded it."""
    action: int | None = None
    """Index into that attempt's ``during`` of the action that took it, None if it was taken at the end."""
    ticket: int | None = None
    """If it is not the last one: which of the new-session callback's sessions, 0 for the first."""
    kept: bool = False
    """Offered as the very object in memory, not as a fresh one from its DER."""
    older: int = 0
    """Seconds that were taken off its time (SSL_SESSION_set_time)."""
    timeout: int | None = None
    """What its timeout was set to (SSL_SESSION_set_timeout), None if it was left."""
    der: bytes | None = None
    """The bytes that were offered, as they were seen; for people, since they are of no use to another server."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One connection: what is to be done, and what was seen."""

    number: int
    tls: TLSVersion
    client: Context
    server: Context
    offer: Offer | None
    before: tuple[Action, ...]
    """As in Setup, with ``context`` among the values; but for two that would name what another run has not:

    ``remove`` has ``connection`` in place of a session id: that of the session of this attempt. ``flush`` has
    ``connection`` and ``seconds`` in place of ``at``: so many seconds after the time of the session of this attempt. At
    0, which forgets all sessions, it has ``at``.
    """
    during: tuple[Action, ...]
    beside: tuple[int, ...]
    """Numbers of attempts that were still open when this one began; they were closed in it or later."""
    close: Close
    result: Result
    last_session: bytes | None
    """DER of the session at its end, as it was seen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """All of it. Where ``gaps`` is not empty, nothing can be rendered: every form lacks what they name."""

    attempts: tuple[Attempt, ...]
    gaps: tuple[str, ...] = ()
    expected: Outcome | None = None
    """What the last connection was expected to be, if a user said it."""
    wrong: str = ""
    """What did not hold, in the words of the failed assert."""

    @property
    def contexts(self) -> tuple[Context, ...]:
        """Each context once, in the order in which they are first used."""
        found = {(c.role, c.number): c for a in self.attempts for c in (a.server, a.client)}
        return tuple(found.values())

    def of(self, role: Role) -> tuple[Context, ...]:
        """Each context of a role, in the order in which they are first used."""
        return tuple(context for context in self.contexts if context.role is role)

    @property
    def certificates(self) -> tuple[str, ...]:
        """The stems of all .crt and .key files."""
        return tuple(dict.fromkeys(c.certificate for c in self.contexts if c.certificate))

    def attempt(self, number: int) -> Attempt:
        """The attempt with this number."""
        return next(attempt for attempt in self.attempts if attempt.number == number)

    def offers_of(self, attempt: Attempt) -> tuple[Offer, ...]:
        """Every offer, in order, of a session that this attempt yielded."""
        return tuple(a.offer for a in self.attempts if a.offer and a.offer.connection == attempt.number)


COMPARED = ("outcome", "client", "server", "mechanism", "alert", "tickets", "has_ticket", "early_data")
"""The fields of Result that a reproducer compares, where they are known and its form can tell them."""


def compared(result: Result) -> dict[str, str]:
    """What a reproducer compares, as it prints it: each field of COMPARED that is known and that says something.

    ``alert`` is the number of the alert that ended the handshake, or ``none``: one that comes later tells how the
    connection was closed, and not each form sees it. Of a handshake that was aborted, nothing but that is compared.
    """
    values: dict[str, object] = {"outcome": result.outcome, "client": result.client, "server": result.server}
    if Saw.ABORTED in {result.client, result.server}:
        values["alert"] = result.alert.number if result.alert else "none"
    else:
        values["mechanism"] = result.mechanism or "none"
        values["tickets"] = result.tickets
        values["has_ticket"] = None if result.has_ticket is None else "yes" if result.has_ticket else "no"
        values["early_data"] = result.early_data
    return {name: str(values[name]) for name in COMPARED if values.get(name) not in {None, "unknown"}}


def no_common_alpn(attempt: Attempt) -> bool:
    """Whether both ends have ALPN protocols, and none in common: some servers refuse that, others go on without one."""
    client, server = attempt.client.knobs.get("alpn"), attempt.server.knobs.get("alpn")
    return isinstance(client, tuple) and isinstance(server, tuple) and not set(client) & set(server)


def gaps_of(story: Story, reasons: Iterable[str] = ()) -> list[str]:
    """What ``lacks`` of every form begins with: the story's own gaps, then the form's, each once."""
    return list(dict.fromkeys((*story.gaps, *reasons)))
