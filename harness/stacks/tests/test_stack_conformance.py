"""Every stack resumes, shows an effect of each verb that it says it has, and refuses the others with its reason."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import pytest

from harness.agent.library import NO_CODE
from harness.agent.verbs import CONTEXT, OPTIONAL
from harness.model.capability import Abilities, Capability
from harness.model.errors import UnsupportedError
from harness.model.knobs import ClientConfig, ServerConfig
from harness.model.tls import USUAL_VERSIONS, Close, Ending, Outcome, Role, TLSVersion
from harness.model.view import Saw
from harness.pair.pair import Pair
from harness.runtime.clock import MISSING, library
from harness.stacks.machine import STACKS
from harness.stacks.openssl.abilities import NO_COMMAND

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from harness.agent.fields import Field
    from harness.agent.verbs import Verb
    from harness.model.session import Session
    from harness.runtime.runtime import Runtime
    from harness.stacks.base import Stack
    from harness.stacks.machine import Machine

NO_REASON = Abilities(Role.CLIENT, {}).lacks(Capability.CLOCK)
"""What is said where no reason is given."""
EXPIRED = 7300
"""Seconds after which a session of the default timeout, 7200 seconds, has expired."""
VERBS = pytest.mark.parametrize("verb", OPTIONAL, ids=lambda verb: verb.name)
ROLES = pytest.mark.parametrize("role", list(Role))


@pytest.fixture
def runtime(machine: tuple[Machine, Runtime]) -> Runtime:
    return machine[1]


@pytest.fixture(params=STACKS)
def stack(request: pytest.FixtureRequest, machine: tuple[Machine, Runtime]) -> Stack:
    [found] = [each for each in machine[0].own if each.name == request.param]
    return found


@contextmanager
def pair_of(stack: Stack, runtime: Runtime, tls: TLSVersion = TLSVersion.TLSv1_2, **knobs: Any) -> Iterator[Pair]:
    """A pair of the stack with itself, whose TLS 1.2 sessions are in the server's cache."""
    server = ServerConfig(tickets=tls is TLSVersion.TLSv1_3, client_renegotiation=True, **knobs)
    pair = Pair((stack, stack), tls, runtime, client=ClientConfig(**knobs), server=server)
    try:
        yield pair
    finally:
        pair.close()


def taken(pair: Pair) -> Session:
    session = pair.connect().session
    assert session is not None
    return session


def counts(pair: Pair, role: Role) -> None:
    session = taken(pair)
    pair.connect(offer=session)
    counters = (pair.client if role is Role.CLIENT else pair.server).counters()
    good = counters.connect_good if role is Role.CLIENT else counters.accept_good

    assert (good, counters.hits) == (2, 1)


def flushes(pair: Pair, _role: Role) -> None:
    session = taken(pair)
    pair.server.flush(session.time + EXPIRED - 200)
    assert pair.connect(offer=session).outcome is Outcome.RESUMED
    pair.server.flush(session.time + EXPIRED)
    assert pair.connect(offer=session).outcome is Outcome.DECLINED


def resizes(pair: Pair, _role: Role) -> None:
    pair.server.resize_cache(7)

    assert pair.server.counters().cache_size == 7


def removes(pair: Pair, _role: Role) -> None:
    session = taken(pair)

    assert pair.server.remove(session.session_id) is True
    assert pair.server.remove(session.session_id) is False
    assert pair.connect(offer=session).outcome is Outcome.DECLINED
    assert pair.server.counters().misses == 1


def chooses(pair: Pair, _role: Role) -> None:
    first = pair.server
    other = pair.new_server(server_certificate="other-server")
    pair.use(Role.SERVER, first.context)
    first.choose("other.example", other, "client_hello")
    before = pair.connect().client.peer_chain
    pair.new_client(server_name="other.example")
    after = pair.connect().client.peer_chain

    assert before != after


def rotates(pair: Pair, _role: Role) -> None:
    pair.new_server(tickets=True, ticket_ring="a")
    session = taken(pair)
    pair.server.rotate_keys("b")
    declined = pair.connect(offer=session)
    pair.server.rotate_keys("b,a")

    assert declined.outcome is Outcome.DECLINED
    assert pair.connect(offer=session).outcome is Outcome.RESUMED


def adds(pair: Pair, _role: Role) -> None:
    pair.new_server(external_cache="shared")
    session = taken(pair)
    pair.new_server()

    assert pair.server.add_session(b"x" * 32) is False
    assert pair.server.add_session(b"") is False
    assert pair.server.add_session(b"x" * 300) is False, "as long as a ticket that holds its session"
    assert pair.server.add_session(session.session_id) is True
    assert pair.connect(offer=session).server.callback_calls == ()


def calls(pair: Pair, _role: Role) -> None:
    assert pair.server.callback_calls() is None
    pair.new_server(external_cache="shared")
    session = taken(pair)
    assert pair.server.callback_calls() == ()
    pair.server.flush(0)

    assert [(call.call, call.subject) for call in pair.server.callback_calls() or ()] == [
        ("remove", session.session_id)
    ]
    assert pair.server.callback_calls() == ()


def ages(pair: Pair, _role: Role) -> None:
    session = taken(pair)
    pair.server.age_sessions(EXPIRED)

    assert pair.connect(offer=session).outcome is Outcome.DECLINED
    assert pair.server.counters().timeouts == 1


def finds(pair: Pair, _role: Role) -> None:
    session = taken(pair)

    assert pair.server.has_session(session.session_id) is True
    assert pair.server.has_session(b"x" * 32) is False


def renegotiates(pair: Pair, role: Role, *, abbreviated: bool = False) -> None:
    live = pair.open()
    live.ask_exchange()
    done = live.renegotiate(role, abbreviated=abbreviated)
    connection = live.close()

    assert done
    assert connection.outcome is Outcome.FULL
    assert connection.messages.handshakes == 2


def keeps(pair: Pair, _role: Role) -> None:
    live = pair.open()
    live.ask_exchange()
    kept = live.keep_session()
    live.close()

    assert kept is not None
    assert kept.der is None
    assert pair.connect(offer=kept).outcome is Outcome.RESUMED


def times_out(pair: Pair, _role: Role) -> None:
    session = taken(pair)
    pair.server.set_timeouts(EXPIRED)
    pair.server.age_sessions(EXPIRED)

    assert pair.connect(offer=session).outcome is Outcome.RESUMED


def sends_no_ticket(pair: Pair, _role: Role) -> None:
    """OpenSSL refuses before TLS 1.3; `scenarios/session_calls.py` has a ticket that is sent."""
    live = pair.open()
    live.ask_exchange()
    done = live.new_ticket()
    connection = live.close()

    assert done is False
    assert connection.outcome is Outcome.FULL


def leaves_unread(pair: Pair, _role: Role) -> None:
    connection = pair.connect(close=Close.UNREAD)

    assert connection.outcome is Outcome.FULL
    assert connection.server.ending is Ending.RESET


EFFECTS: dict[tuple[str, Role], Callable[[Pair, Role], None]] = {
    ("counters", Role.CLIENT): counts,
    ("counters", Role.SERVER): counts,
    ("flush", Role.SERVER): flushes,
    ("resize_cache", Role.SERVER): resizes,
    ("remove", Role.SERVER): removes,
    ("age_sessions", Role.SERVER): ages,
    ("callback_calls", Role.SERVER): calls,
    ("rotate_keys", Role.SERVER): rotates,
    ("choose_context", Role.SERVER): chooses,
    ("add_session", Role.SERVER): adds,
    ("has_session", Role.SERVER): finds,
    ("renegotiate", Role.CLIENT): renegotiates,
    ("renegotiate", Role.SERVER): renegotiates,
    ("keep_session", Role.CLIENT): keeps,
    ("set_timeouts", Role.SERVER): times_out,
    ("new_ticket", Role.SERVER): sends_no_ticket,
    ("leave_unread", Role.CLIENT): leaves_unread,
}
"""What shows that a verb was carried out; of another one its reply alone is looked at."""


def sample(field: Field) -> Any:
    """A value that the field can have."""
    values: tuple[Any, ...] = (1, "00", True, "a", "server_name", [], ["00" * 48], {})
    for value in values:
        with suppress(ValueError):
            field.read(value)
            return value
    raise AssertionError(field.allowed)


def asked(pair: Pair, role: Role, verb: Verb) -> Any:
    """What one end says to a verb with any values; raises its error."""
    fields = {name: sample(field) for name, field in verb.fields.items() if field.required}
    end = pair.client if role is Role.CLIENT else pair.server
    if verb.on == CONTEXT:
        pending = end.endpoint.control(verb.name, **fields)
        pair.runtime.loop.settle([pending])
        return pending.result()
    live = pair.open()
    live.handshake()
    pending = (live.client if role is Role.CLIENT else live.server).ask(verb.name, **fields)
    pair.runtime.loop.settle([pending])
    live.close()
    return pending.result()


def why_not(stack: Stack, role: Role, verb: Verb) -> str | None:
    """Why a stack lacks a verb in a role, None if it has it or does not know it by a Capability."""
    abilities = stack.abilities(role)
    needs = [verb.needs, *([Capability.RUNNING_COUNTERS] if verb.name == "counters" else [])]
    reasons = [abilities.lacks(Capability(each)) for each in needs if each is not None]
    return reasons[0] if reasons and None not in reasons else None


@VERBS
@ROLES
def test_a_verb_has_its_effect_or_is_refused_with_the_reason(
    stack: Stack, runtime: Runtime, role: Role, verb: Verb
) -> None:
    why = why_not(stack, role, verb)
    with pair_of(stack, runtime) as pair:
        if why is not None:
            with pytest.raises(UnsupportedError) as caught:
                asked(pair, role, verb)
            assert why in str(caught.value)
        elif (verb.name, role) in EFFECTS:
            EFFECTS[verb.name, role](pair, role)
        else:
            try:
                assert asked(pair, role, verb) is not None
            except UnsupportedError as error:
                assert str(error).endswith((NO_CODE, NO_COMMAND))  # noqa: PT017 - either is right for it
                assert verb.needs is None


@ROLES
def test_abbreviated_renegotiation_resumes_or_is_refused_with_a_reason(
    stack: Stack, runtime: Runtime, role: Role
) -> None:
    why = stack.abilities(role).lacks(Capability.ABBREVIATED_RENEGOTIATION)
    with pair_of(stack, runtime) as pair:
        if why is None:
            renegotiates(pair, role, abbreviated=True)
            assert pair.connections[-1].client.reused_at_end is True
        else:
            with pytest.raises(UnsupportedError) as caught:
                renegotiates(pair, role, abbreviated=True)
            assert why in str(caught.value)


@pytest.mark.parametrize("tls", USUAL_VERSIONS, ids=lambda tls: tls.label)
def test_a_stack_resumes_with_itself(stack: Stack, runtime: Runtime, tls: TLSVersion) -> None:
    with pair_of(stack, runtime, tls) as pair:
        session = taken(pair)
        connection = pair.connect(offer=session)

    assert connection.outcome is Outcome.RESUMED
    assert (connection.client.view.saw, connection.server.view.saw) == (Saw.RESUMED, Saw.RESUMED)
    assert (connection.client.version, connection.server.version) == (tls, tls)


@pytest.mark.skipif(library() is None, reason=MISSING)
def test_a_moved_clock_expires_the_session_at_the_server(stack: Stack, runtime: Runtime) -> None:
    with pair_of(stack, runtime, clock=0) as pair:
        session = taken(pair)
        pair.server.move_clock(EXPIRED)
        connection = pair.connect(offer=session)

    assert connection.outcome is Outcome.DECLINED


@pytest.mark.parametrize("capability", list(Capability))
@ROLES
def test_each_missing_capability_has_a_reason(stack: Stack, role: Role, capability: Capability) -> None:
    assert stack.abilities(role).lacks(capability) != NO_REASON
