"""The kinds of steps: what each needs of both ends, and how it fits the steps before it."""

# Without `from __future__ import annotations`: msgspec reads the annotations at run time.

from typing import Annotated

from msgspec import Meta, field

from harness.agent.vocabulary import Capability, ChosenAt
from harness.model.knobs import parse_knob
from harness.model.tampering import SEALED, TARGETS, Part, Tamper
from harness.model.tls import Close, Role
from harness.story.carriers import step_that_fits, tamper_that_fits
from harness.story.step import Following, Held, Number, Offer, Seconds, Step, Texts

Opened = Annotated[Number | None, Meta(description="an open connection; null for the one opened last")]
OfServer = Annotated[Number | None, Meta(description="the server, from 1; null for the present one")]
Of = Annotated[Role, Meta(description="the end")]
OfContext = Annotated[Number | None, Meta(description="which client or server, from 1; null for the present one")]
Knobs = Annotated[Texts, Meta(description="the knobs that change, as a user types them; `unset` restores a default")]
StackName = Annotated[str | None, Meta(description="another `stack` or `stack@build`; null for the present one")]
Offered = Annotated[Offer | None, Meta(description="the session to offer; null for none")]
CloseHow = Annotated[Close, Meta(description="how both ends close")]
LateSeconds = Annotated[Seconds, Meta(description="seconds since the story began; negative ones come before it")]


class Connect(Step, frozen=True):
    """Open a connection, exchange a line in each direction, take the sessions, and close."""

    offer: Offered = None
    close: CloseHow = Close.BOTH
    early_data: Annotated[
        Annotated[int, Meta(ge=0)] | None,
        Meta(description="bytes of early data: a new client is made if the present one's `max_early_data` is another"),
    ] = None

    def plan(self, plan: Following) -> None:
        """See Step."""
        had = plan.knobs(Role.CLIENT).get("max_early_data")
        if self.early_data is not None and had != str(self.early_data):
            plan.make(Role.CLIENT, {"max_early_data": str(self.early_data)}, None)
        number = plan.open(self.offer)
        plan.close(number, self.close)


class Open(Step, frozen=True):
    """Open a connection and leave it open."""

    offer: Offered = None
    thread: Annotated[
        bool,
        Meta(
            description="whether its handshake runs in a thread of the client, and begins with those of the `open` "
            "steps right before and behind it that say so"
        ),
    ] = False

    def plan(self, plan: Following) -> None:
        """See Step."""
        if self.thread:
            step_that_fits(plan.tls, "threads")
            plan.need(Role.CLIENT, Capability.THREADS)
        plan.open(self.offer, thread=self.thread)


class Exchange(Step, frozen=True):
    """Exchange a line of application data in each direction."""

    connection: Opened = None

    def plan(self, plan: Following) -> None:
        """See Step."""
        plan.opened(self.connection)


class Session(Step, frozen=True):
    """Take the session of an open connection now (SSL_get1_session)."""

    connection: Opened = None

    def plan(self, plan: Following) -> None:
        """See Step."""
        plan.take(plan.opened(self.connection))


class Keep(Step, frozen=True):
    """The same as an object in the client's memory, which later events may change; only the same client offers it."""

    connection: Opened = None
    duplicate: Annotated[bool, Meta(description="whether it is a duplicate of the object (SSL_SESSION_dup)")] = False
    older: Annotated[Seconds, Meta(description="seconds by which it is made older (SSL_SESSION_set_time)")] = 0
    timeout: Annotated[
        Seconds | None, Meta(description="seconds of its timeout (SSL_SESSION_set_timeout); null leaves it")
    ] = None
    ssl: Annotated[
        bool,
        Meta(description="whether it is the SSL: the next connection with it is made after SSL_clear, and only one is"),
    ] = False

    def plan(self, plan: Following) -> None:
        """See Step."""
        changed = self.older or self.timeout is not None
        if self.ssl and (self.duplicate or changed):
            plan.misfit("an SSL is kept as it is: leave out `duplicate`, `older` and `timeout`")
        plan.need(Role.CLIENT, Capability.SESSION_IN_MEMORY)
        if self.duplicate:
            plan.need(Role.CLIENT, Capability.SESSION_DUPLICATE)
        if changed:
            plan.need(Role.CLIENT, Capability.SESSION_TIMES)
        if self.ssl:
            step_that_fits(plan.tls, "clear")
            plan.need(Role.CLIENT, Capability.CLEAR)
        plan.take(plan.opened(self.connection), Held.SSL if self.ssl else Held.OBJECT)


class Renegotiate(Step, frozen=True):
    """Make a further TLS 1.2 handshake on an open connection, then exchange a line."""

    connection: Opened = None
    by: Annotated[Role, Meta(description="the end that begins it")] = Role.CLIENT
    abbreviated: Annotated[bool, Meta(description="whether it resumes the connection's session")] = False
    ciphers: Annotated[
        str | None, Meta(description="the ciphers of the end that begins it (SSL_set_cipher_list); null leaves them")
    ] = None
    no_extended_master_secret: Annotated[
        bool, Meta(description="whether the end that begins it takes back the extended master secret")
    ] = False

    def plan(self, plan: Following) -> None:
        """See Step."""
        plan.opened(self.connection)
        step_that_fits(plan.tls, self.kind)
        plan.need(self.by, Capability.RENEGOTIATION)
        if self.abbreviated:
            plan.need(self.by, Capability.ABBREVIATED_RENEGOTIATION)
        if self.ciphers is not None or self.no_extended_master_secret:
            plan.need(self.by, Capability.CHANGED_RENEGOTIATION)


class Authenticate(Step, frozen=True):
    """Let the server ask for the client's certificate on an open TLS 1.3 connection, then exchange two lines."""

    connection: Opened = None

    def plan(self, plan: Following) -> None:
        """See Step."""
        plan.opened(self.connection)
        step_that_fits(plan.tls, self.kind)
        plan.need(Role.SERVER, Capability.AUTHENTICATE)


class NewTicket(Step, frozen=True):
    """Let the server send a further TLS 1.3 ticket with its next write (SSL_new_session_ticket)."""

    connection: Opened = None

    def plan(self, plan: Following) -> None:
        """See Step."""
        plan.opened(self.connection)
        step_that_fits(plan.tls, self.kind)
        plan.need(Role.SERVER, Capability.NEW_TICKET)


class CloseOpen(Step, frozen=True, tag="close"):
    """Close an open connection, and take the sessions that it yielded."""

    connection: Opened = None
    how: CloseHow = Close.BOTH

    def plan(self, plan: Following) -> None:
        """See Step."""
        plan.close(plan.opened(self.connection), self.how)

    @property
    def kind(self) -> str:
        """The word for it in JSON."""
        return "close"


class NewClient(Step, frozen=True):
    """Go over to a new client, with these knobs changed; it takes over no state."""

    knobs: Knobs = field(default_factory=dict)
    stack: StackName = None

    def plan(self, plan: Following) -> None:
        """See Step."""
        plan.make(Role.CLIENT, self.knobs, self.stack)


class NewServer(Step, frozen=True):
    """Go over to a new server, with these knobs changed, as after a restart; the one before keeps running."""

    knobs: Knobs = field(default_factory=dict)
    stack: StackName = None

    def plan(self, plan: Following) -> None:
        """See Step."""
        plan.make(Role.SERVER, self.knobs, self.stack)


class UseClient(Step, frozen=True):
    """Go back to an earlier client, with its knobs and its state."""

    client: Annotated[Number, Meta(description="the client, from 1 in the order in which they were made")]

    def plan(self, plan: Following) -> None:
        """See Step."""
        plan.use(Role.CLIENT, self.client)


class UseServer(Step, frozen=True):
    """Go to an earlier server, with its knobs and its state."""

    server: Annotated[Number, Meta(description="the server, from 1 in the order in which they were made")]

    def plan(self, plan: Following) -> None:
        """See Step."""
        plan.use(Role.SERVER, self.server)


class ResizeCache(Step, frozen=True):
    """Give a server's session cache another size (SSL_CTX_sess_set_cache_size)."""

    entries: Annotated[int, Meta(ge=0, description="how many sessions it may hold; 0 for no limit")]
    server: OfServer = None

    def plan(self, plan: Following) -> None:
        """See Step."""
        plan.need(Role.SERVER, Capability.RESIZE_CACHE, self.server)


class Flush(Step, frozen=True):
    """Remove the expired sessions of an end (SSL_CTX_flush_sessions)."""

    connection: Annotated[
        Number | None, Meta(description="the connection whose session's time is meant; null removes all sessions")
    ] = None
    seconds: Annotated[Seconds, Meta(description="seconds after the time of that session")] = 0
    of: Of = Role.SERVER
    number: OfContext = None

    def plan(self, plan: Following) -> None:
        """See Step."""
        if self.connection is not None:
            plan.closed(self.connection)
        plan.need(self.of, Capability.FLUSH, self.number)


class Remove(Step, frozen=True):
    """Remove a connection's session from a server's cache (SSL_CTX_remove_session)."""

    connection: Annotated[
        Number, Meta(description="the connection whose session is removed; of an open one, the one that was taken last")
    ]
    server: OfServer = None

    def plan(self, plan: Following) -> None:
        """See Step."""
        plan.closed(self.connection, or_taken=True)
        plan.need(Role.SERVER, Capability.REMOVE_SESSION, self.server)


class ChooseContext(Step, frozen=True):
    """Let a server go over to the context of another one where a client asks for a server name."""

    server_name: Annotated[str, Meta(description="the server name")]
    other: Annotated[Number, Meta(description="the server whose context is chosen")]
    at: Annotated[ChosenAt, Meta(description="the callback that chooses it")] = ChosenAt.SERVER_NAME
    server: OfServer = None

    def plan(self, plan: Following) -> None:
        """See Step."""
        plan.need(Role.SERVER, Capability.CHOOSE_CONTEXT, self.server)
        plan.need(Role.SERVER, Capability.CHOOSE_CONTEXT, self.other)
        if self.at is ChosenAt.CLIENT_HELLO:
            plan.need(Role.SERVER, Capability.CHOOSE_EARLY, self.server)


class RotateKeys(Step, frozen=True):
    """Give a server's ticket key callback another ring of keys while it runs."""

    ring: Annotated[str, Meta(description="the names, as in the knob `ticket_ring`")]
    server: OfServer = None

    def plan(self, plan: Following) -> None:
        """See Step."""
        parse_knob(Role.SERVER, "ticket_ring", self.ring)
        plan.need(Role.SERVER, Capability.ROTATE_KEYS, self.server)


class AddSession(Step, frozen=True):
    """Add a connection's session from the external cache to a server's own (SSL_CTX_add_session)."""

    connection: Annotated[Number, Meta(description="the connection whose session is added")]
    server: OfServer = None

    def plan(self, plan: Following) -> None:
        """See Step."""
        plan.closed(self.connection)
        plan.need(Role.SERVER, Capability.ADD_SESSION, self.server)


class AgeSessions(Step, frozen=True):
    """Backdate the sessions in a server's cache, and the tickets that it issues from now on."""

    seconds: Seconds
    server: OfServer = None

    def plan(self, plan: Following) -> None:
        """See Step."""
        plan.need(Role.SERVER, Capability.AGE_SERVER_SESSION, self.server)


class SetTimeouts(Step, frozen=True):
    """Give the sessions in a server's cache, and the tickets that it issues from now on, another timeout."""

    seconds: Seconds
    server: OfServer = None

    def plan(self, plan: Following) -> None:
        """See Step."""
        plan.need(Role.SERVER, Capability.SET_TIMEOUTS, self.server)


class Age(Step, frozen=True):
    """Let time pass at both ends: their clocks are set forward, back if negative."""

    seconds: Seconds

    def plan(self, plan: Following) -> None:
        """See Step."""
        plan.clocks(Role.CLIENT, Role.SERVER)


class StopClocks(Step, frozen=True):
    """Stop the clocks of both ends, and of those to come, so that ages are exact to the second."""

    optional: Annotated[bool, Meta(description="whether they go on if an end's clock cannot be moved")] = False

    def plan(self, plan: Following) -> None:
        """See Step."""
        step_that_fits(plan.tls, self.kind)
        plan.clocks(Role.CLIENT, Role.SERVER, optional=self.optional)


class MoveClock(Step, frozen=True):
    """Set one end's clock to the true time plus so many seconds."""

    of: Of
    seconds: Seconds
    number: OfContext = None

    def plan(self, plan: Following) -> None:
        """See Step."""
        plan.clocks(self.of, number=self.number)


class StopClock(Step, frozen=True):
    """Stop one end's clock at a time."""

    of: Of
    seconds: LateSeconds
    number: OfContext = None

    def plan(self, plan: Following) -> None:
        """See Step."""
        step_that_fits(plan.tls, self.kind)
        plan.clocks(self.of, number=self.number)


class RunClock(Step, frozen=True):
    """Let one end's clock run on from a time."""

    of: Of
    seconds: Annotated[float, Meta(description="seconds since the story began")]
    pace: Annotated[float, Meta(gt=0, description="how fast it runs; 1 is as fast as the true time")] = 1
    number: OfContext = None

    def plan(self, plan: Following) -> None:
        """See Step."""
        plan.clocks(self.of, number=self.number)


class TamperStep(Step, frozen=True, tag="tamper"):
    """Let the tap do something to a message of the connection that is opened next."""

    what: Annotated[
        Tamper,
        Meta(
            description="drop, insert, edit, hold or cut; with DTLS repeat or reverse in place of cut; with QUIC drop, "
            "hold, repeat or edit"
        ),
    ]
    sender: Of
    message: Annotated[
        str,
        Meta(
            description="the type of a message that is not encrypted, as `ClientHello`, or `sealed record`; with DTLS "
            "also `flight`; with QUIC `datagram`"
        ),
    ] = SEALED
    which: Annotated[Number, Meta(description="which of the sender's messages of that type, from 1")] = 1
    part: Annotated[
        Part | None, Meta(description="what an edit changes: session_id, binder, trailing, extension or last_byte")
    ] = None
    value: Annotated[str, Meta(description="the bytes that an edit or an insert needs, as hexadecimal digits")] = ""

    def plan(self, plan: Following) -> None:
        """See Step."""
        if self.message not in TARGETS:
            plan.misfit(f"no message {self.message!r}; there are: {', '.join(TARGETS)}")
        tamper_that_fits(plan.tls, self.what, self.message, self.part)
        if (self.what is Tamper.EDIT) != (self.part is not None):
            plan.misfit(f"an edit, and nothing else, names a part: {', '.join(Part)}")
        try:
            bytes.fromhex(self.value)
        except ValueError:
            plan.misfit("`value` is hexadecimal digits")

    @property
    def kind(self) -> str:
        """The word for it in JSON."""
        return "tamper"


class Release(Step, frozen=True):
    """Let the tap relay what it holds of an open connection."""

    connection: Opened = None

    def plan(self, plan: Following) -> None:
        """See Step."""
        plan.opened(self.connection)


KINDS: dict[str, type[Step]] = {
    (kind.__struct_config__.tag if isinstance(kind.__struct_config__.tag, str) else ""): kind
    for kind in Step.__subclasses__()
}
"""Every kind of step by the word for it."""
