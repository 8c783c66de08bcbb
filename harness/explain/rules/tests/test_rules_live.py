"""Peers that break rules on a real connection, written to a socket as bytes, are found by what the wire shows."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from harness.explain.facts.clocks import NANOSECONDS
from harness.explain.rules import breaches_of
from harness.explain.rules.tests.broken import (
    EARLY_DATA,
    HELLO,
    MODES,
    PSK,
    SHARE,
    VERSIONS,
    first_psk_then_the_rest,
    offer,
    share,
)
from harness.explain.rules.tests.edits import answer_bytes, extension, hello_bytes, message, numbers, vector
from harness.explain.rules.tests.recorded import Recorded
from harness.model.knobs import ClientConfig, ServerConfig
from harness.model.tls import Outcome, TLSVersion
from harness.model.view import Saw
from harness.pair.pair import Pair
from harness.tests.liars.raw_ends import RawStack
from harness.wire.hellos import RETRY_RANDOM

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from harness.model.connection import Connection
    from harness.model.transcript import ServerHello
    from harness.runtime.runtime import Runtime
    from harness.stacks.libssl import LibsslStack

TLS13 = TLSVersion.TLSv1_3
SECP521R1, X448 = 25, 30
START, SLOWLY = 1_800_000_000.1, 0.05
"""A time, and seconds that a slow clock passes in one."""


@pytest.fixture(scope="module")
def recorded(runtime: Runtime) -> Iterator[Recorded]:
    made = Recorded(runtime)
    yield made
    made.close()


def record(kind: int, body: bytes) -> bytes:
    """A handshake message in a record of its own."""
    return b"\x16\3\3" + vector(2, bytes([kind]) + vector(3, body))


def connected(client: Any, server: Any, runtime: Runtime) -> Connection:
    pair = Pair((client, server), TLS13, runtime)
    try:
        return pair.connect(presume_full=False)
    finally:
        pair.close()


def names(connection: Connection) -> set[str]:
    return {breach.rule.name for breach in breaches_of([connection], connection)}


CLIENTS = {
    "psk_is_last": message(2, HELLO, first_psk_then_the_rest),
    "psk_with_modes": extension(2, HELLO, MODES, None),
    "binder_per_identity": offer(binders=[bytes(48), bytes(48)]),
    "identity_not_empty": offer(identities=[b""]),
    "dhe_mode_with_key_share": extension(2, HELLO, SHARE, None),
    "key_share_in_groups": extension(2, HELLO, SHARE, vector(2, share(21))),
    "one_key_share_per_group": extension(2, HELLO, SHARE, vector(2, share(23) * 2)),
    "no_compression_offered": message(2, HELLO, lambda _hello: {"compression_methods": b"\1\0"}),
}


@pytest.mark.parametrize("rule", CLIENTS)
def test_a_client_that_breaks_a_rule_is_found(
    runtime: Runtime, recorded: Recorded, honest: LibsslStack, rule: str
) -> None:
    hello = CLIENTS[rule](recorded["psk"])[1].transcript.client_hello
    liar = RawStack(runtime.loop, record(1, hello_bytes(hello)))
    connection = connected(liar, honest, runtime)

    assert connection.server.view.saw is Saw.ABORTED
    assert rule in names(connection)


def test_a_client_with_early_data_and_no_psk_is_found(
    runtime: Runtime, recorded: Recorded, honest: LibsslStack
) -> None:
    edited = extension(2, HELLO, PSK, None)(extension(2, HELLO, EARLY_DATA, b"")(recorded["psk"]))
    liar = RawStack(runtime.loop, record(1, hello_bytes(edited[1].transcript.client_hello)))
    connection = connected(liar, honest, runtime)

    assert names(connection) == {"early_data_with_psk"}


def test_a_client_whose_hello_keeps_the_rules_has_no_breach(
    runtime: Runtime, recorded: Recorded, honest: LibsslStack
) -> None:
    liar = RawStack(runtime.loop, record(1, hello_bytes(recorded["psk"][1].transcript.client_hello)))
    connection = connected(liar, honest, runtime)

    assert names(connection) == set()


def retry(answer: ServerHello, group: int | None) -> ServerHello:
    """A HelloRetryRequest, which asks for a group if one is given."""
    asked = {SHARE: numbers([group])} if group else {}
    return replace(answer, random=RETRY_RANDOM, extensions={VERSIONS: b"\3\4"} | asked)


SERVERS: dict[str, Callable[[ServerHello], list[ServerHello]]] = {
    "suite_was_offered": lambda answer: [replace(answer, cipher_suite=0x1304)],
    "version_was_offered": lambda answer: [replace(answer, extensions={**answer.extensions, VERSIONS: b"\x7f\x1c"})],
    "answer_legacy_fields": lambda answer: [replace(answer, compression=1)],
    "selected_identity_exists": lambda answer: [replace(answer, extensions={**answer.extensions, PSK: b"\0\3"})],
    "nothing_unasked": lambda answer: [replace(answer, extensions={**answer.extensions, PSK: b"\0\0"})],
    "extensions_in_their_place": lambda answer: [replace(answer, extensions={**answer.extensions, 16: b"\0\3\2h2"})],
    "server_share_was_offered": lambda answer: [
        replace(answer, extensions={**answer.extensions, SHARE: share(SECP521R1)})
    ],
    "full_handshake_has_key_share": lambda answer: [replace(answer, extensions={VERSIONS: b"\3\4"})],
    "retry_changes_the_hello": lambda answer: [retry(answer, None)],
    "retry_group_is_new": lambda answer: [retry(answer, 21)],
    "one_retry": lambda answer: [retry(answer, X448), retry(answer, X448)],
}


@pytest.mark.parametrize("rule", SERVERS)
def test_a_server_that_breaks_a_rule_is_found(
    runtime: Runtime, recorded: Recorded, honest: LibsslStack, rule: str
) -> None:
    answers = SERVERS[rule](recorded["psk"][0].transcript.server_hello)
    liar = RawStack(runtime.loop, b"".join(record(2, answer_bytes(answer)) for answer in answers), answers=True)
    connection = connected(honest, liar, runtime)

    assert connection.observed_outcome() is Outcome.ABORTED
    assert rule in names(connection)


def test_a_server_that_answers_another_session_id_is_found(
    runtime: Runtime, recorded: Recorded, honest: LibsslStack
) -> None:
    answer = recorded["psk"][0].transcript.server_hello
    liar = RawStack(runtime.loop, record(2, answer_bytes(answer)), answers=True)
    connection = connected(honest, liar, runtime)

    assert names(connection) == {"session_id_echoed"}


def test_an_offer_that_may_be_of_several_tickets_breaks_no_rule(runtime: Runtime, honest: LibsslStack) -> None:
    """A server that gives all its stateful tickets one id refuses the second of each handshake."""
    pair = Pair((honest, honest), TLS13, runtime, server=ServerConfig(tickets=False, session_id=b"a"))
    try:
        first = pair.connect(presume_full=False)
        second = pair.connect(presume_full=False)
        third = pair.connect(first.last_session, presume_full=False)
    finally:
        pair.close()
    issued = [one.transcript.tickets[0] for one in (first, second) if one.transcript.tickets]

    assert issued[0].ticket == issued[1].ticket
    assert issued[0].age_add != issued[1].age_add
    assert third.transcript.client_hellos[0].psk_identities == (issued[0].ticket,)
    assert "ticket_age_is_true" not in {breach.rule.name for breach in breaches_of([first, second, third], third)}


@pytest.mark.parametrize(("asked", "broken"), [(0, False), (7, True)])
def test_an_age_counts_from_the_request_for_the_connection(
    runtime: Runtime, honest: LibsslStack, asked: int, *, broken: bool
) -> None:
    """Where the tap met the client seven seconds late, the age may be as old as the request, and no younger."""
    pair = Pair((honest, honest), TLS13, runtime)
    try:
        first = pair.connect()
        second = pair.connect(first.session)
    finally:
        pair.close()
    assert second.tcp is not None
    assert second.setup is not None
    tcp = replace(second.tcp, began=second.tcp.began + 7 * NANOSECONDS)
    setup = replace(second.setup, asked=second.setup.asked + asked * NANOSECONDS)
    late = replace(second, tcp=tcp, setup=setup)

    assert ("ticket_age_is_true" in {breach.rule.name for breach in breaches_of([first, late], late)}) is broken


def test_a_clock_that_runs_shows_no_less_than_it_was_set_to(runtime: Runtime, honest: LibsslStack) -> None:
    """A second that begins between the request and the connection is of another clock."""
    pair = Pair((honest, honest), TLS13, runtime, client=ClientConfig(clock=0))
    try:
        pair.client.run_clock(START, pace=SLOWLY)
        first = pair.connect()
        pair.client.run_clock(START + first.session.lifetime_hint + 1.5, pace=SLOWLY)
        second = pair.connect(first.session)
    finally:
        pair.close()
    assert second.setup is not None
    late = replace(second, setup=replace(second.setup, asked=second.setup.asked - NANOSECONDS))

    assert second.outcome is Outcome.RESUMED
    assert "ticket_not_too_old" in {breach.rule.name for breach in breaches_of([first, late], late)}
