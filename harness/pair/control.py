"""Controls an endpoint between connections: counters, cache and clock; each call waits for its result."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from harness.agent.vocabulary import ChosenAt
from harness.model.errors import DisagreementError, UsageError
from harness.model.knobs import knobs_of, parse_knob
from harness.model.setup import Action
from harness.model.tls import Role

if TYPE_CHECKING:
    from harness.model.connection import Counters
    from harness.model.view import CallbackCall, Contradiction
    from harness.runtime.loop import Loop
    from harness.stacks.base import ClientEndpoint, ServerEndpoint

Counted = Callable[["Role", int, "Counters"], "tuple[Contradiction, ...]"]
"""The counters of a context that its connections contradict: role, context, counters."""
E = TypeVar("E", bound="ClientEndpoint | ServerEndpoint")


class Controlled(Generic[E]):
    """The operations that both roles have."""

    role: Role

    def __init__(
        self,
        endpoint: E,
        clock: int | None,
        loop: Loop,
        context: int,
        did: Callable[[Action], None],
        counted: Counted,
    ) -> None:
        self.endpoint = endpoint
        self.name = endpoint.name
        self.context = context
        """1 for the first context of its role in the pair."""
        self._loop = loop
        self._did = did
        self._counted = counted
        self._stands: dict[str, int] | None = {"seconds": clock or 0}
        """How the clock stands, by the argument of ``move_clock`` or ``stop_clock``; None if it runs on from a time."""

    def _control(self, verb: str, **fields: object) -> Any:
        """Carry out a verb on the context; UnsupportedError if the stack lacks it."""
        pending = self.endpoint.control(verb, **fields)
        self._loop.settle([pending])
        return pending.result()

    def _note(self, name: str, **values: object) -> None:
        self._did(Action(name, self.role, {**values, "context": self.context}))

    def counters(self) -> Counters:
        """SSL_CTX_sess_* of the context. Capability.COUNTERS.

        At a server with RUNNING_COUNTERS alone, as they stood in the last connection. DisagreementError if they cannot
        come from the connections of the context.
        """
        counters: Counters = self._control("counters")
        if wrong := self._counted(self.role, self.context, counters):
            raise DisagreementError("\n".join([f"Disagreement about the counters of {self.name}", *map(str, wrong)]))
        return counters

    def flush(self, at: int) -> None:
        """Forget the sessions that have expired at ``at``, seconds since the epoch (SSL_CTX_flush_sessions)."""
        self._control("flush", at=at)
        self._note("flush", at=at)

    def move_clock(self, seconds: int) -> None:
        """Set this endpoint's clock to the true time plus so many seconds; needs the knob ``clock``."""
        self._move(seconds)

    def stop_clock(self, at: int) -> None:
        """Stop this endpoint's clock at a time, seconds since the epoch; needs the knob ``clock``."""
        self._stop(at)

    def run_clock(self, at: float, pace: float = 1) -> None:
        """Let this endpoint's clock run on from a time, seconds since the epoch; needs the knob ``clock``.

        It shows this time, or a moment less, when the endpoint next reads it. At a ``pace`` of 0.1 it then runs ten
        times slower than the true time, so that a slow machine does not leave the second.
        """
        self.endpoint.run_clock(at, pace)
        self._stands = None
        self._note("run_clock", at=at)

    def _move(self, seconds: int, **more: int) -> None:
        self.endpoint.move_clock(seconds)
        self._stands = {"seconds": seconds}
        self._note("move_clock", seconds=seconds, **more)

    def _stop(self, at: int, **more: int) -> None:
        self.endpoint.stop_clock(at)
        self._stands = {"at": at}
        self._note("stop_clock", at=at, **more)

    def pass_time(self, seconds: int) -> None:
        """Set the clock forward by so many seconds, back if negative; a stopped one stays stopped.

        Needs the knob ``clock``. UsageError if the clock runs on from a time (``run_clock``).
        """
        if self._stands is None:
            raise UsageError(f"the clock of {self.name} runs on from a time; set it with run_clock")
        if "at" in self._stands:
            self._stop(self._stands["at"] + seconds, passed=seconds)
        else:
            self._move(self._stands["seconds"] + seconds, passed=seconds)


class Client(Controlled["ClientEndpoint"]):
    """A client context of the pair."""

    role = Role.CLIENT


class Server(Controlled["ServerEndpoint"]):
    """A server of the pair."""

    role = Role.SERVER

    @cached_property
    def chosen(self) -> dict[tuple[ChosenAt, str], int]:
        """The number of the server whose context it goes over to, by callback and server name."""
        return {}

    def resize_cache(self, entries: int) -> None:
        """SSL_CTX_sess_set_cache_size on the running server."""
        self._control("resize_cache", size=entries)
        self._note("resize_cache", entries=entries)

    def remove(self, session_id: bytes) -> bool:
        """SSL_CTX_remove_session; False if no cached session has this id."""
        found: bool = self._control("remove", session_id=session_id)
        self._note("remove", session_id=session_id, found=found)
        return found

    def age_sessions(self, seconds: int) -> None:
        """Backdate the cached sessions, and the tickets issued from now on, by so many seconds."""
        self._control("age_sessions", seconds=seconds)
        self._note("age_sessions", seconds=seconds)

    def set_timeouts(self, seconds: int) -> None:
        """Give the cached sessions, and the tickets issued from now on, another timeout. Capability.SET_TIMEOUTS."""
        self._control("set_timeouts", seconds=seconds)
        self._note("set_timeouts", seconds=seconds)

    def choose(self, server_name: str, other: Server, at: ChosenAt | str = ChosenAt.SERVER_NAME) -> None:
        """Go over to the context of another server of the pair where a client asks for this server name.

        It takes that context's certificate, session id context, verify mode and options; the session cache and the
        ticket keys stay this server's. ``at`` is the callback in which it does so. Capability.CHOOSE_CONTEXT,
        and CHOOSE_EARLY for the client-hello callback.
        """
        place = ChosenAt(at)
        self._control("choose_context", server_name=server_name, other=other.endpoint, at=place.value)
        self.chosen[place, server_name] = other.context
        self._note("choose", server_name=server_name, other=other.context, at=place.value)

    def rotate_keys(self, ring: str) -> None:
        """Give the ticket key callback another ring, in the words of the knob ``ticket_ring``. Capability.ROTATE_KEYS.

        UsageError if it is not a ring.
        """
        kind = knobs_of(Role.SERVER)["ticket_ring"].kind
        self._control("rotate_keys", ring=kind.encode(parse_knob(Role.SERVER, "ticket_ring", ring)))
        self._note("rotate_keys", ring=ring)

    def add_session(self, session_id: bytes) -> bool:
        """SSL_CTX_add_session of a session in the external cache; False if it has none with this id, or if it is there.

        Capability.ADD_SESSION.
        """
        done: bool = self._control("add_session", session_id=session_id)
        self._note("add_session", session_id=session_id, done=done)
        return done

    def callback_calls(self) -> tuple[CallbackCall, ...] | None:
        """Removals from the external cache since the last connection, once; None without callbacks.

        Capability.CALLBACK_CALLS.
        """
        calls: tuple[CallbackCall, ...] | None = self._control("callback_calls")
        return calls

    def has_session(self, session_id: bytes) -> bool:
        """SSL_has_matching_session_id."""
        found: bool = self._control("has_session", session_id=session_id)
        return found
