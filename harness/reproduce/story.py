"""The actions and observations of a case in order, as plain data from which every reproducer is rendered.

A form is a module (``shell``, ``c_program``, ``python``) with two functions. ``lacks(story)`` returns what the form
cannot express, each with the reason; it is empty if the form can express the whole story. ``render(story)`` returns
the source; it is called only if ``lacks`` is empty. For each attempt, in order, a reproducer does:

1. the actions in ``before``, each on the context that it names;
2. the connection between both contexts, with the session in ``offer``, as a new object unless ``kept``;
3. the actions in ``during``, in order: ``exchange`` is one line in each direction, ``session`` and ``keep_session``
   take a session;
4. SSL_get1_session, if a later attempt offers the last session (``action`` is None), and the close.

It prints the result of each connection, compares it with the attempt's ``result`` (see ``compared``), and ends with a
line that starts with ``as observed`` (exit code 0) or ``NOT as observed`` (1). If it cannot run, it exits with 125,
which ``git bisect run`` skips; 2 would count as bad. The same folder contains ``server.crt`` and ``server.key`` (and
the same for each of ``certificates``), and ``authority.pem``, which verifying ends trust.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.agent.vocabulary import release
from harness.model.tls import Outcome, Role
from harness.model.view import Saw

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from harness.model.session import Value
    from harness.model.setup import Action
    from harness.model.tls import Alert, Close, Mechanism, TLSVersion

NAMES_CHECKED = (4,)
"""The first OpenSSL whose SSL_set1_host refuses what is not a host name (PR 29612)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """The observed facts of one connection; None is unknown, or no mechanism and no alert."""

    client: Saw
    server: Saw
    outcome: Outcome | None
    """None if the witnesses disagree."""
    mechanism: Mechanism | None = None
    alert: Alert | None = None
    tickets: int | None = None
    """The number of NewSessionTicket messages."""
    has_ticket: bool | None = None
    """SSL_SESSION_has_ticket of the last session; None without a session, or if its stack cannot report it."""
    ticket_length: int | None = None
    """In bytes; shown, but not compared, because a ticket contains random numbers in DER."""
    cipher: str | None = None
    """The cipher suite, by OpenSSL's name."""
    early_data: str | None = None
    """``accepted``, ``rejected`` or ``not_sent``, from an end that reports it; None if the client should send none."""
    key_exchange: str | None = None
    """``dhe`` or ``none`` of a resumption by a PSK, whether the ServerHello has a key share (RFC 8446, 4.2.9).

    None of any other connection, and where no end sets ``psk_modes``.
    """
    asked: tuple[tuple[tuple[str, ...], int | str], ...] = ()
    """What the user's expectations name beside these facts, with its value (harness.reproduce.asked)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """An SSL_CTX."""

    role: Role
    number: int
    """As in Setup: 1 for the first context of its role."""
    stack: str
    """The observed stack: ``openssl``, ``libssl``, ``pyopenssl`` or ``ssl``."""
    version: str
    """The version of its OpenSSL."""
    given: Mapping[str, object]
    """The given knobs, with the names and values of ClientConfig and ServerConfig."""
    knobs: Mapping[str, object]
    """The given knobs and those that its stack sets by default; a form for another stack sets all of them."""
    certificate: str | None
    """The file name of its .crt and .key without suffix; None for a client without a certificate."""

    @property
    def name(self) -> str:
        """``client 1``."""
        return f"{self.role} {self.number}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """The session that was offered."""

    connection: int
    """The number of the attempt that it comes from."""
    action: int | None = None
    """The index in ``during`` of the action that took it; None if it was taken at the end."""
    ticket: int | None = None
    """The index among the sessions of the new-session callback; None for the last session."""
    kept: bool = False
    """Whether the object in memory is offered, not a new one from its DER."""
    ssl: bool = False
    """Whether the SSL of the earlier connection is used again, after SSL_clear."""
    older: int = 0
    """Seconds by which its time was set back (SSL_SESSION_set_time)."""
    timeout: int | None = None
    """The new timeout (SSL_SESSION_set_timeout); None if it is unchanged."""
    edits: tuple[tuple[str, Value], ...] = ()
    """Other fields with their new values, as `harness.wire.session.codec.edited` takes them."""
    der: bytes | None = None
    """The offered bytes, for display only: no other server can use them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One connection: what to do, and what was observed."""

    number: int
    tls: TLSVersion
    client: Context
    server: Context
    offer: Offer | None
    before: tuple[Action, ...]
    """As in Setup, with ``context`` among the values, except for values that differ in every run:

    ``remove`` has a ``connection``, whose last session is removed, in place of a session id. ``flush`` has a
    ``connection`` and ``seconds`` after the time of its last session in place of ``at``; it keeps an ``at`` of 0,
    which removes all sessions.
    """
    during: tuple[Action, ...]
    beside: tuple[int, ...]
    """The attempts, by number, that were still open when this one was opened."""
    close: Close
    result: Result
    last_session: bytes | None
    """The DER of its last session."""
    lost: tuple[tuple[Role, int], ...] = ()
    """The flights of DTLS that the tap dropped: the sender, and the number among its flights, from 1."""
    choices: tuple[Context, ...] = ()
    """The contexts to which a server goes over by the server name, whether or not a connection begins with them."""
    opened: int = 0
    """When it was opened; see `harness.model.setup.Action`."""
    closed: int = 0
    """When it was over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """A whole case. If ``gaps`` is not empty, no form can express it."""

    attempts: tuple[Attempt, ...]
    gaps: tuple[str, ...] = ()
    expected: tuple[str, ...] = ()
    """What the user expected of the connections."""
    wrong: str = ""
    """What failed, in the words of the failed assert."""

    @property
    def contexts(self) -> tuple[Context, ...]:
        """Return each context once, in order of first use."""
        found = {(c.role, c.number): c for a in self.attempts for c in (a.server, a.client, *a.choices)}
        return tuple(found.values())

    def of(self, role: Role) -> tuple[Context, ...]:
        """Return each context of a role once, in order of first use."""
        return tuple(context for context in self.contexts if context.role is role)

    @property
    def certificates(self) -> tuple[str, ...]:
        """Return the names of all .crt and .key files, without suffix."""
        names = (name for c in self.contexts for name in (c.certificate, c.knobs.get("expected_rpk")))
        return tuple(dict.fromkeys(str(name) for name in names if name))

    def attempt(self, number: int) -> Attempt:
        """Return the attempt with this number."""
        return next(attempt for attempt in self.attempts if attempt.number == number)

    def offers_of(self, attempt: Attempt) -> tuple[Offer, ...]:
        """Return every offer of a session of this attempt, in order."""
        return tuple(a.offer for a in self.attempts if a.offer and a.offer.connection == attempt.number)


COMPARED = ("outcome", "client", "server", "mechanism", "alert", "tickets", "has_ticket", "early_data", "key_exchange")
"""The fields of Result that a reproducer compares, if they are known and its form can observe them."""


def compared(result: Result) -> dict[str, str]:
    """Return the facts that a reproducer compares, as it prints them: the known fields of COMPARED.

    ``alert`` is the number of the alert that ended the handshake, or ``none``. A later alert is not compared, because
    it depends on the close and not every form sees it. For an aborted handshake, only the alert and the outcomes count.
    """
    values: dict[str, object] = {"outcome": result.outcome, "client": result.client, "server": result.server}
    if Saw.ABORTED in {result.client, result.server}:
        values["alert"] = result.alert.number if result.alert else "none"
    else:
        values["mechanism"] = result.mechanism or "none"
        values["tickets"] = result.tickets
        values["has_ticket"] = None if result.has_ticket is None else "yes" if result.has_ticket else "no"
        values["early_data"] = result.early_data
        values["key_exchange"] = result.key_exchange
    return {name: str(values[name]) for name in COMPARED if values.get(name) not in {None, "unknown"}}


def no_common_alpn(attempt: Attempt) -> bool:
    """Return whether both ends have ALPN protocols but none in common; servers differ in what they do then."""
    client, server = attempt.client.knobs.get("alpn"), attempt.server.knobs.get("alpn")
    return isinstance(client, tuple) and isinstance(server, tuple) and not set(client) & set(server)


def name_refused(attempt: Attempt) -> bool:
    """Return whether SSL_set1_host refused the client's ``expected_name``: it then closes TCP without an alert."""
    alert, checks = attempt.result.alert, release(attempt.client.version) >= NAMES_CHECKED
    aborted = attempt.result.outcome is Outcome.ABORTED and (alert is None or alert.sender is Role.SERVER)
    return aborted and checks and "expected_name" in attempt.client.given


def gaps_of(story: Story, reasons: Iterable[str] = ()) -> list[str]:
    """Return the gaps of the story, then the reasons of a form, each once; for ``lacks``."""
    return list(dict.fromkeys((*story.gaps, *reasons)))
