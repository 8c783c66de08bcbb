"""A client, a server and the tap between them: ``connect(offer=)`` returns a Connection."""

from __future__ import annotations

from functools import lru_cache
from itertools import count
from typing import TYPE_CHECKING, Any, TypeVar

from harness.agent.vocabulary import ChosenAt
from harness.model.capability import CLOSE_NEEDS, Capability
from harness.model.errors import (
    EndpointError,
    FirstHandshakeError,
    HarnessError,
    RefusedError,
    UnsupportedError,
    UsageError,
)
from harness.model.knobs import ClientConfig, ServerConfig
from harness.model.setup import Setup
from harness.model.tampering import SEALED, TARGETS, Part, Tamper, Tampering
from harness.model.tls import Close, Outcome, Role, TLSVersion
from harness.pair.audit.counters import Tally
from harness.pair.audit.remembered import remembered
from harness.pair.control import Client, Server
from harness.pair.open_connection import NEVER_CONNECTED, ConnectionSpec, OpenConnection
from harness.pair.relay import ByMemory, ByTap
from harness.runtime.datagram_tap import DatagramTap, Silent
from harness.runtime.tap import Tap
from harness.stacks.agent.endpoints import AgentClientEndpoint
from harness.story.carriers import (
    close_that_fits,
    knobs_that_fit,
    middlebox_that_fits,
    step_that_fits,
    tamper_that_fits,
)
from harness.wire.gates.datagrams import DatagramsInTheMiddle
from harness.wire.gates.man_in_the_middle import ManInTheMiddle
from harness.wire.gates.sealed_datagrams import SealedDatagrams
from harness.wire.judge import issued_ids

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from harness.model.connection import Connection, Counters
    from harness.model.session import Session
    from harness.model.setup import Action
    from harness.model.view import Contradiction
    from harness.pair.control import Counted
    from harness.pair.relay import Relay
    from harness.runtime.loop import Loop
    from harness.runtime.runtime import Runtime
    from harness.runtime.tap import Gate
    from harness.stacks.base import Link, Stack


C = TypeVar("C", ClientConfig, ServerConfig)
T = TypeVar("T")


class Pair:
    """Two endpoints that can connect to each other any number of times.

    Both use the cell's protocol version unless their configs name others.
    """

    def __init__(
        self,
        stacks: tuple[Stack, Stack],
        tls: TLSVersion,
        runtime: Runtime,
        *,
        client: ClientConfig | None = None,
        server: ServerConfig | None = None,
        close: Close = Close.BOTH,
        seconds: Mapping[Role, Stack] | None = None,
    ) -> None:
        runtime.check_room()
        self.client_stack, self.server_stack = stacks
        self._first_server = self.server_stack
        self._seconds = dict(seconds or {})
        self.left: dict[Role, Stack] = {}
        """The stack that the pair used before it switched to the present one, by role."""
        self.declared: list[Any] = []
        """The declared differences (`harness.Differs`) that were asked for and are about this pair."""
        self.tls = tls
        self.runtime = runtime
        self.close_how = close
        self.connections: list[Connection] = []
        """Every connection that was closed, in order."""
        self.read_by_assert: Callable[[], bool] | None = None
        """See `Connection`."""
        self.client_config = self._with_version(client) if client else _plain(ClientConfig, tls)
        self.server_config = self._with_version(server) if server else _plain(ServerConfig, tls)
        self._tapped = 0
        """How many of them went through the tap."""
        self.opened = 0
        """How many connections were opened."""
        self._endpoints: list[Client | Server] = []
        self._contexts = {role: count(1) for role in Role}
        self._actions: list[Action] = []
        """The actions on endpoints since the last connection was opened."""
        self._stopped: int | None = None
        self._passed = 0
        """Seconds by which ``age`` set the clocks forward."""
        self._issued_ids: set[bytes] = set()
        self._open: set[int] = set()
        """The numbers of the connections that are open."""
        self._tallies: dict[tuple[Role, int], tuple[int, Tally]] = {}
        """By role and context how many connections were looked at, and what those of the context can have counted."""
        self._tamperings: list[Tampering] = []
        """What the tap is to do to the next connection."""
        self._made: dict[tuple[Role, int], tuple[Stack, ClientConfig | ServerConfig]] = {}
        """The stack and the knobs of each context, by its role and number."""
        self._at_second = False
        """Whether the present server is the cell's second one."""
        self._servers: dict[tuple[str, bool], Server] = {}
        """The latest server of each stack, by its label and by whether it is the cell's second one."""
        self.server = self._start_server()
        """The present server."""
        self.client = self._start_client()
        """The present client."""
        self._tap: Tap | None = None
        self.datagram_tap = DatagramTap(runtime.loop, lambda: self.server.endpoint.address) if tls.datagrams else None
        """The tap of DTLS and QUIC."""

    @property
    def tap(self) -> Tap:
        """The tap of TCP, which listens from its first use on: connections in memory need none."""
        if self._tap is None:
            self._tap = Tap(self.runtime.loop, lambda: self.server.endpoint.address)
            self._tap.expect_none()
        return self._tap

    def _with_version(self, config: C) -> C:
        if config.versions:
            return config
        changed: C = config.changed(versions=(self.tls,))
        return changed

    def _start_client(self) -> Client:
        knobs_that_fit(self.tls, self.client_config.given())
        client = Client(*self._bound(self.client_config, self.client_stack.client(self.client_config)))
        self._endpoints.append(client)
        self._made[Role.CLIENT, client.context] = self.client_stack, self.client_config
        self._set_clock(client, self.client_config.clock)
        return client

    def _start_server(self) -> Server:
        knobs_that_fit(self.tls, self.server_config.given())
        server = Server(*self._bound(self.server_config, self.server_stack.server(self.server_config)))
        self._endpoints.append(server)
        self._made[Role.SERVER, server.context] = self.server_stack, self.server_config
        self._set_clock(server, self.server_config.clock)
        self._servers[self.server_stack.label, self._at_second] = server
        return server

    def _bound(
        self, config: ClientConfig | ServerConfig, endpoint: T
    ) -> tuple[T, int | None, Loop, int, Callable[[Action], None], Counted]:
        context = next(self._contexts[config.role])
        return endpoint, config.clock, self.runtime.loop, context, self._actions.append, self._counted

    def _set_clock(self, endpoint: Client | Server, offset: int | None) -> None:
        """Let a new endpoint's clock stand as those of the others."""
        if self._stopped is not None:
            endpoint.stop_clock(self._stopped + (offset or 0))
        if self._passed:
            endpoint.pass_time(self._passed)

    def stop_clocks(self, at: int) -> None:
        """Stop the clock of every endpoint, and of those to come, at a time, seconds since the epoch.

        An endpoint's knob ``clock``, which both need, is added to it.
        """
        step_that_fits(self.tls, "stop_clocks")
        self._stopped = at - self._passed
        for endpoint, config in ((self.server, self.server_config), (self.client, self.client_config)):
            endpoint.stop_clock(at + (config.clock or 0))

    def age(self, seconds: int) -> None:
        """Let so many seconds pass for every endpoint, and for those to come: their clocks are set forward.

        All that they hold grows older: sessions in a cache, sessions in tickets, and the client's copy. Both ends need
        the knob ``clock``. `aged` makes the client's copy of a session older, and nothing else.
        """
        for endpoint in self._endpoints:
            endpoint.pass_time(seconds)
        self._passed += seconds

    def new_client(self, stack: Stack | None = None, /, **knobs: object) -> Client:
        """Switch to a new client context, with these knobs changed, on another stack if one is given."""
        if stack is not None and stack is not self.client_stack:
            self.left[Role.CLIENT], self.client_stack = self.client_stack, stack
        self.client_config = self.client_config.changed(**knobs)
        self.client = self._start_client()
        return self.client

    def use_second_client(self) -> Client:
        """Switch to the cell's second client, with the present knobs.

        UsageError if the cell has none: declare it with ``scenario(second_client=True)``.
        """
        self.left[Role.CLIENT], self.client_stack = self.client_stack, self._second(Role.CLIENT)
        return self.new_client()

    def new_server(self, stack: Stack | None = None, /, **knobs: object) -> Server:
        """Switch to a new server with these knobs changed, as after a restart, on another stack if one is given.

        It takes over no state. Ticket keys are shared only through the knob ``ticket_keys``.
        """
        if stack is not None and stack is not self.server_stack:
            self.left[Role.SERVER], self.server_stack = self.server_stack, stack
        self.server_config = self.server_config.changed(**knobs)
        self.server = self._start_server()
        return self.server

    def use_second_server(self) -> Server:
        """Switch to the cell's second server, with the present knobs; both keep running.

        UsageError if the cell has none: declare it with ``scenario(second_server=True)``.
        """
        return self._use_server(self._second(Role.SERVER), second=True)

    def use_first_server(self) -> Server:
        """Switch back to the first server, which keeps its state."""
        return self._use_server(self._first_server, second=False)

    def _second(self, role: Role) -> Stack:
        if role not in self._seconds:
            raise UsageError(f"this pair has no second {role}; say scenario(second_{role}=True)")
        return self._seconds[role]

    def server_default(self, name: str) -> int:
        """Return what the present server's library does where no knob says so, by a field of Library: ``tickets``.

        UnsupportedError if its agent does not say: what is OpenSSL's choice is not expected of every library.
        """
        value: int | None = getattr(self.server_stack.build.library, name)
        if value is None:
            raise UnsupportedError(self.server_stack.label, f"a known default of {name}", "its hello does not say")
        return value

    def _use_server(self, stack: Stack, *, second: bool) -> Server:
        self.left[Role.SERVER], self.server_stack, self._at_second = self.server_stack, stack, second
        self.server = self._servers.get((stack.label, second)) or self._start_server()
        return self.server

    @property
    def actions_since(self) -> tuple[Action, ...]:
        """The actions on endpoints since the last connection was opened."""
        return tuple(self._actions)

    def context(self, role: Role, number: int) -> Client | Server:
        """Return a client or server of the pair by its number, from 1 in the order in which they were made."""
        return next(made for made in self._endpoints if made.role is role and made.context == number)

    def use(self, role: Role, number: int) -> None:
        """Go to an earlier client or server, with its knobs and the state that it kept."""
        stack, config = self._made[role, number]
        made = self.context(role, number)
        if isinstance(made, Client) and isinstance(config, ClientConfig):
            self.left[role], self.client_stack = self.client_stack, stack
            self.client, self.client_config = made, config
        elif isinstance(made, Server) and isinstance(config, ServerConfig):
            self.left[role], self.server_stack = self.server_stack, stack
            self.server, self.server_config = made, config

    def refusal(self, **knobs: object) -> tuple[object, ...]:
        """Request a server that OpenSSL refuses; return the reason codes of its error queue (openssl/sslerr.h).

        The present server stays. HarnessError if the requested one is not refused.
        """
        try:
            server = self.server_stack.server(self.server_config.changed(**knobs))
        except RefusedError as error:
            return tuple(entry.get("reason") for entry in error.queue)
        server.close()
        raise HarnessError(f"{server.name} did not refuse a server with {knobs}")

    def put_middlebox(self, make: Callable[[], Gate]) -> None:
        """Let every later connection pass through a new middlebox in the tap; UsageError if UDP carries it."""
        middlebox_that_fits(self.tls)
        self.tap.gate = make

    def tamper(
        self,
        what: str,
        sender: Role | str,
        message: str = SEALED,
        which: int = 1,
        *,
        part: str | None = None,
        value: bytes = b"",
    ) -> None:
        """Let the tap do something to a message of the connection that is opened next; see harness.model.tampering.

        UsageError for a word that is not known, and for an edit without its part.
        """
        try:
            made = Tampering(Tamper(what), Role(sender), message, which, Part(part) if part else None, value)
        except ValueError as error:
            raise UsageError(
                f"{error}; the tap can {', '.join(Tamper)}, for the {' or the '.join(Role)}, and edit {', '.join(Part)}"
            ) from error
        if message not in TARGETS:
            raise UsageError(f"no message {message!r}; there are: {', '.join(TARGETS)}")
        if (made.what is Tamper.EDIT) != (made.part is not None):
            raise UsageError(f"an edit, and nothing else, names a part: {', '.join(Part)}")
        tamper_that_fits(self.tls, made.what, made.message, made.part)
        self._tamperings.append(made)

    def open_together(self, count: int, offer: Session | None = None) -> tuple[OpenConnection, ...]:
        """Open so many connections at once: the handshake of each runs in a thread of the client.

        ``offer`` is a session in the client's memory (`OpenConnection.keep_session`): each thread takes a reference of
        its own of the same object (SSL_SESSION_up_ref). Capability.THREADS.
        """
        return tuple(self.open(offer, together=count) for _ in range(count))

    def open(self, offer: Session | None = None, *, early: bytes = b"", together: int = 0) -> OpenConnection:
        """Open a connection; SSL_set_session gets a new object made from ``offer``, ``early`` is written early.

        ``together``: in a thread of the client, which begins when so many connections are opened so.
        """
        if together:
            step_that_fits(self.tls, "threads")
        if together and (why := self.client_stack.abilities(Role.CLIENT).lacks(Capability.THREADS)):
            raise UnsupportedError(self.client_stack.label, Capability.THREADS, why)
        setup = Setup(
            self.client_config,
            self.server_config,
            self.client.context,
            self.server.context,
            chosen=self._chosen_config(),
            chooses=bool(self.server.chosen),
            choices=self._choices(),
            before=tuple(self._actions),
            beside=tuple(sorted(self._open)),
            client_library=self.client_stack.build.library,
            server_library=self.server_stack.build.library,
            issued_ids=frozenset(self._issued_ids),
            key_log=self._lacking_key_log(),
        )
        self._actions.clear()
        self.opened += 1
        self._open.add(self.opened)
        ends, relay = self._ends(offer, in_memory=not together)
        spec = ConnectionSpec(self.opened, self.tls, offer, setup, early, together)
        return OpenConnection(spec, self.runtime.loop, relay, ends, self._closed)

    def _lacking_key_log(self) -> Mapping[Role, str]:
        ends = ((Role.CLIENT, self.client_stack), (Role.SERVER, self.server_stack))
        lacks = {role: stack.abilities(role).lacks(Capability.KEY_LOG) for role, stack in ends}
        return {role: why for role, why in lacks.items() if why is not None}

    def _ends(self, offer: Session | None, *, in_memory: bool) -> tuple[tuple[Link, Link], Relay]:
        """Both ends of a connection, and the way of its bytes: in memory if one agent has both and joins them."""
        client, server = self.client.endpoint, self.server.endpoint
        if self.datagram_tap is not None:
            return self._ends_of_datagrams(self.datagram_tap, offer)
        if self._tamperings:
            self.tap.middles[self._tapped + 1] = ManInTheMiddle(self._tamperings)
            self._tamperings = []
        elif (
            in_memory
            and isinstance(client, AgentClientEndpoint)
            and not (self._tap and self._tap.gate)
            and (found := client.joined(server, offer))
        ):
            return found[:2], ByMemory(found[2])
        connecting = client.connect(self.tap.port, offer)
        self.tap.expect(connecting.process)  # before a server that listens only now turns the loop
        ends = connecting, server.accept()
        self._tapped += 1
        return ends, ByTap(self.tap, self._tapped - 1)

    def _ends_of_datagrams(self, tap: DatagramTap, offer: Session | None) -> tuple[tuple[Link, Link], Relay]:
        if self._tamperings:
            middle = SealedDatagrams if self.tls is TLSVersion.QUICv1 else DatagramsInTheMiddle
            tap.middles[self._tapped + 1] = middle(self._tamperings)
            self._tamperings = []
        ends = self.client.endpoint.connect(tap.port, offer), self.server.endpoint.accept()
        tap.expect(ends[0].process, _silent(ends))
        self._tapped += 1
        return ends, ByTap(tap, self._tapped - 1)

    def _chosen_config(self) -> ServerConfig | None:
        """The knobs of the context that the server's client-hello callback will choose; None if it will choose none."""
        number = self.server.chosen.get((ChosenAt.CLIENT_HELLO, self.client_config.server_name or ""))
        found = self._made[Role.SERVER, number][1] if number is not None else None
        return found if isinstance(found, ServerConfig) else None

    def _choices(self) -> Mapping[int, tuple[str, ServerConfig]]:
        """The stack and the knobs of each server to whose context one goes over."""
        servers = (made for made in self._endpoints if isinstance(made, Server))
        numbers = sorted({number for server in servers for number in server.chosen.values()})
        made = ((number, *self._made[Role.SERVER, number]) for number in numbers)
        return {number: (stack.label, config) for number, stack, config in made if isinstance(config, ServerConfig)}

    def _closed(self, connection: Connection) -> None:
        """Keep a connection that is over, with what its server's counters say of all of its context."""
        self.runtime.check_room()
        connection.read_by_assert = self.read_by_assert
        connection.contradictions += remembered(connection, self.connections)
        self.connections.append(connection)
        self._open.discard(connection.number)
        self._issued_ids |= issued_ids(connection.transcript)
        tap = self.datagram_tap or self._tap
        connection.strays = tap.strays() if tap else ()
        if connection.counters is not None and connection.setup is not None:
            context = connection.setup.server_context
            connection.contradictions += self._counted(Role.SERVER, context, connection.counters)

    def _counted(self, role: Role, context: int, counters: Counters) -> tuple[Contradiction, ...]:
        """The counters of a context that its connections contradict.

        None while one of the pair is open, nor of a context that another server goes over to, which counts there too.
        """
        servers = (made for made in self._endpoints if isinstance(made, Server))
        if len(self.connections) < self.opened or any(context in server.chosen.values() for server in servers):
            return ()
        return tuple(self._tally(role, context).contradictions(counters))

    def _tally(self, role: Role, context: int) -> Tally:
        """What the connections of a context can have counted; those that are over since it was asked for are added."""
        known, tally = self._tallies.get((role, context), (0, Tally(role)))
        for connection in self.connections[known:]:
            if connection.setup is not None and connection.setup.context(role) == context:
                tally.add(connection)
        self._tallies[role, context] = len(self.connections), tally
        return tally

    def connect(
        self, offer: Session | None = None, *, close: Close | None = None, presume_full: bool = True
    ) -> Connection:
        """Handshake, exchange one line in each direction, take the sessions, and close.

        FirstHandshakeError if nothing is offered and the handshake is not full: the scenario cannot start. A scenario
        that tests this very handshake passes ``presume_full=False``.
        """
        how = close or self.close_how
        close_that_fits(self.tls, how)
        self._check_close(how)
        live = self.open(offer)
        if how is not Close.UNREAD:
            live.ask_exchange()
        connection = live.close(how)
        if offer is None and presume_full and connection.observed_outcome() is not Outcome.FULL:
            raise FirstHandshakeError(f"a handshake that was to be full was not:\n{connection.describe()}")
        return connection

    def _check_close(self, how: Close) -> None:
        """UsageError if an end cannot close in this way; the pair would wait for it until the deadline."""
        for stack, role in ((self.client_stack, Role.CLIENT), (self.server_stack, Role.SERVER)):
            for capability in CLOSE_NEEDS.get(how, ()):
                if why := stack.abilities(role).lacks(capability):
                    raise UsageError(
                        f"{stack.label} as {role} lacks {capability}: {why}; a scenario that closes a "
                        f"connection so says scenario(close=...), or needs=..."
                    )

    def offered(self, session: Session) -> str:
        """Offer a session that the client may not decode; return the outcome, or the errors of d2i_SSL_SESSION.

        After such an error the pair cannot connect any more: the client sent nothing, or never connected.
        """
        connection = self.try_offer(session)
        if isinstance(connection, EndpointError):
            return connection.output
        outcome = connection.outcome
        return "\n".join(connection.client.errors) if outcome is Outcome.ABORTED else str(outcome)

    def try_offer(self, session: Session) -> Connection | EndpointError:
        """Offer a session; return the connection, or the error of a client that ended without connecting."""
        try:
            return self.connect(session)
        except EndpointError as error:
            if error.what != NEVER_CONNECTED:
                raise
            self._open.discard(self.opened)
            self.opened -= 1
            return error

    def last_counters(self) -> Counters | None:
        """Return the present server's counters, now or as of its last connection; None if its stack has none."""
        abilities = self.server_stack.abilities(Role.SERVER)
        if Capability.COUNTERS in abilities.capabilities:
            return self.server.counters()
        return self.connections[-1].counters if self.connections else None

    def close(self) -> None:
        """Close the endpoints and the tap."""
        for tap in (self._tap, self.datagram_tap):
            if tap is not None:
                tap.close()
        for endpoint in reversed(self._endpoints):
            endpoint.endpoint.close()
        self._endpoints.clear()


@lru_cache
def _plain(kind: type[C], tls: TLSVersion) -> C:
    """The config of an end that has no knobs of its own."""
    return kind(versions=(tls,))


def _silent(ends: tuple[Link, Link]) -> dict[Role, Silent]:
    """The ends that do not say themselves that they leave."""
    return {role: end for role, end in zip(Role, ends, strict=True) if isinstance(end, Silent)}
