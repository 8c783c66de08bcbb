"""Evidence is taken away from real connections: the true reason is still among those given, or none is."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from harness.explain import explain
from harness.model.knobs import UNSET, CacheMode, ClientConfig, ServerConfig, Verify
from harness.model.reason import Reason
from harness.model.session import Session
from harness.model.tls import TLSVersion
from harness.model.transcript import Transcript
from harness.pair.pair import Pair
from harness.wire.session.codec import damaged, with_other_secret

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from harness.model.connection import Connection
    from harness.runtime.runtime import Runtime
    from harness.stacks.machine import Machine

V12, V13 = TLSVersion.TLSv1_2, TLSVersion.TLSv1_3
EITHER = (V12, V13)
UNKNOWN = (Reason.DECLINED_UNKNOWN, Reason.ABORTED_UNKNOWN, Reason.ALERT, Reason.NOT_OFFERED_UNKNOWN)
"""What may be said where the evidence for more is gone; an alert is reported as it is."""


def restarted(pair: Pair) -> None:
    first = pair.connect()
    pair.new_server()
    pair.connect(first.session)


def offered_damaged(pair: Pair) -> None:
    pair.connect(damaged(pair.connect().session))


def too_old(pair: Pair) -> None:
    first = pair.connect()
    pair.server.move_clock(7300)
    pair.connect(first.session)


def flushed(pair: Pair) -> None:
    first = pair.connect()
    pair.server.flush(0)
    pair.connect(first.session)


def again(pair: Pair) -> None:
    pair.connect(pair.connect().session)


def twice(pair: Pair) -> None:
    first = pair.connect()
    pair.connect(first.session)
    pair.connect(first.session)


def with_client(**knobs: object) -> Callable[[Pair], None]:
    def story(pair: Pair) -> None:
        first = pair.connect()
        pair.new_client(**knobs)
        pair.connect(first.session)

    return story


def with_server(**knobs: object) -> Callable[[Pair], None]:
    def story(pair: Pair) -> None:
        first = pair.connect()
        pair.new_server(**knobs)
        pair.connect(first.session)

    return story


def other_secret(pair: Pair) -> None:
    pair.connect(with_other_secret(pair.connect().session))


another_context = with_server(session_id_context=b"two")
older_server = with_server(versions=(V12,))

CACHED = ServerConfig(tickets=False)
SHARED = ServerConfig(ticket_keys="shared", session_id_context=b"one")
UNTRUSTED = ServerConfig(session_id_context=UNSET, verify=Verify.OPTIONAL)
UNSEEN = ServerConfig(tickets=False, cache_mode=frozenset({CacheMode.SERVER, CacheMode.NO_INTERNAL_LOOKUP}))
SHA256, SHA384 = "TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384"

STORIES: dict[str, tuple[Reason, TLSVersion, ServerConfig, ClientConfig, Callable[[Pair], None]]] = {
    "key 1.2": (Reason.TICKET_KEY_UNKNOWN, V12, ServerConfig(), ClientConfig(), restarted),
    "key 1.3": (Reason.TICKET_KEY_UNKNOWN, V13, ServerConfig(), ClientConfig(), restarted),
    "damaged 1.2": (Reason.TICKET_DAMAGED, V12, ServerConfig(), ClientConfig(), offered_damaged),
    "damaged 1.3": (Reason.TICKET_DAMAGED, V13, ServerConfig(), ClientConfig(), offered_damaged),
    "expired 1.2": (Reason.EXPIRED_AT_SERVER, V12, ServerConfig(clock=0), ClientConfig(), too_old),
    "expired 1.3": (Reason.EXPIRED_AT_SERVER, V13, ServerConfig(clock=0), ClientConfig(), too_old),
    "expired in the cache": (Reason.EXPIRED_AT_SERVER, V12, replace(CACHED, clock=0), ClientConfig(), too_old),
    "cache of another": (Reason.NOT_IN_CACHE, V12, CACHED, ClientConfig(), restarted),
    "flushed 1.2": (Reason.NOT_IN_CACHE, V12, CACHED, ClientConfig(), flushed),
    "flushed 1.3": (Reason.NOT_IN_CACHE, V13, CACHED, ClientConfig(), flushed),
    "lookup off 1.2": (Reason.LOOKUP_OFF, V12, UNSEEN, ClientConfig(), again),
    "lookup off 1.3": (Reason.LOOKUP_OFF, V13, UNSEEN, ClientConfig(), again),
    "consumed": (Reason.CONSUMED, V13, ServerConfig(max_early_data=9), ClientConfig(), twice),
    "context 1.2": (
        Reason.SESSION_ID_CONTEXT_DIFFERS,
        V12,
        SHARED,
        ClientConfig(),
        with_server(session_id_context=b"2"),
    ),
    "context 1.3": (
        Reason.SESSION_ID_CONTEXT_DIFFERS,
        V13,
        SHARED,
        ClientConfig(),
        with_server(session_id_context=b"2"),
    ),
    "hash": (
        Reason.CIPHER_DIFFERS,
        V13,
        ServerConfig(),
        ClientConfig(ciphersuites=SHA256),
        with_client(ciphersuites=f"{SHA384}:{SHA256}"),
    ),
    "retry": (
        Reason.RETRY_CHANGED_HASH,
        V13,
        ServerConfig(groups="X25519"),
        ClientConfig(ciphersuites=SHA256),
        with_client(ciphersuites=f"{SHA384}:{SHA256}", groups="P-521:X25519"),
    ),
    "secret added": (
        Reason.EXTENDED_MASTER_SECRET_ADDED,
        V12,
        ServerConfig(),
        ClientConfig(extended_master_secret=False),
        with_client(extended_master_secret=True),
    ),
    "version": (
        Reason.VERSION_DIFFERS,
        V13,
        ServerConfig(),
        ClientConfig(versions=EITHER),
        with_server(versions=(V12,)),
    ),
    "context unset": (Reason.SESSION_ID_CONTEXT_UNSET, V13, UNTRUSTED, ClientConfig(), again),
    "secret dropped": (
        Reason.EXTENDED_MASTER_SECRET_DROPPED,
        V12,
        ServerConfig(),
        ClientConfig(),
        with_client(extended_master_secret=False),
    ),
    "fragments": (
        Reason.MAX_FRAGMENT_LENGTH_CHANGED,
        V13,
        ServerConfig(),
        ClientConfig(max_fragment_length=1024),
        with_client(max_fragment_length=512),
    ),
    "binder": (Reason.BINDER_WRONG, V13, ServerConfig(), ClientConfig(), other_secret),
}


def no_counters(one: Connection) -> Connection:
    return replace(one, counters=None)


def no_circumstances(one: Connection) -> Connection:
    return replace(one, setup=None)


def no_messages(one: Connection) -> Connection:
    return replace(one, transcript=Transcript())


def no_tickets_on_the_wire(one: Connection) -> Connection:
    seen = replace(one.transcript, tickets=None)
    return replace(one, transcript=seen)


def no_session_fields(one: Connection) -> Connection:
    return replace(
        one,
        offered=one.offered and Session({}),
        last_session=one.last_session and Session({}),
        sessions=(),
        held_sessions=(),
    )


def no_errors(one: Connection) -> Connection:
    return replace(one, client=replace(one.client, errors=()), server=replace(one.server, errors=()))


STRIPS = (no_counters, no_circumstances, no_messages, no_tickets_on_the_wire, no_session_fields, no_errors)


@pytest.fixture(scope="module", params=STORIES)
def case(request: pytest.FixtureRequest, machine: tuple[Machine, Runtime]) -> Iterator[tuple[Reason, list[Connection]]]:
    reason, tls, server, client, story = STORIES[request.param]
    libssl = machine[0].one("libssl")
    pair = Pair((libssl, libssl), tls, machine[1], client=client, server=server)
    story(pair)
    yield reason, pair.connections
    pair.close()


def given(connections: list[Connection]) -> tuple[Reason, ...]:
    explanation = explain(connections, connections[-1])
    return explanation.reasons if explanation else ()


def test_the_whole_evidence_gives_the_reason_alone(case: tuple[Reason, list[Connection]]) -> None:
    reason, connections = case

    assert given(connections) == (reason,)


@pytest.mark.parametrize("strip", STRIPS, ids=lambda strip: strip.__name__)
def test_less_evidence_gives_no_other_reason_alone(
    case: tuple[Reason, list[Connection]], strip: Callable[[Connection], Connection]
) -> None:
    reason, connections = case
    reasons = given([strip(one) for one in connections])

    assert reason in reasons or reasons[0] in UNKNOWN


@pytest.mark.parametrize("second", STRIPS, ids=lambda strip: strip.__name__)
@pytest.mark.parametrize("first", STRIPS, ids=lambda strip: strip.__name__)
def test_even_less_evidence_gives_no_other_reason_alone(
    case: tuple[Reason, list[Connection]],
    first: Callable[[Connection], Connection],
    second: Callable[[Connection], Connection],
) -> None:
    reason, connections = case
    reasons = given([second(first(one)) for one in connections])

    assert reason in reasons or reasons[0] in UNKNOWN


def test_session_that_expired_at_an_earlier_offer_is_gone_without_counters(
    machine: tuple[Machine, Runtime],
) -> None:
    libssl = machine[0].one("libssl")
    pair = Pair((libssl, libssl), V12, machine[1], server=replace(CACHED, clock=0))
    first = pair.connect()
    pair.server.move_clock(7300)
    pair.connect(first.session)
    pair.connect(first.session)
    connections = [no_counters(one) for one in pair.connections]
    pair.close()

    assert given(connections[:2]) == (Reason.EXPIRED_AT_SERVER,)
    assert given(connections) == (Reason.NOT_IN_CACHE,)


def test_no_evidence_at_all_gives_no_reason(case: tuple[Reason, list[Connection]]) -> None:
    stripped = case[1]
    for strip in STRIPS:
        stripped = [strip(one) for one in stripped]

    assert set(given(stripped)) <= {*UNKNOWN}


def test_several_reasons_say_the_check_that_would_decide(case: tuple[Reason, list[Connection]]) -> None:
    connections = [no_circumstances(no_counters(one)) for one in case[1]]
    explanation = explain(connections, connections[-1])

    assert explanation is not None
    assert len(explanation.findings) == 1 or all(finding.tell_apart for finding in explanation.findings)
