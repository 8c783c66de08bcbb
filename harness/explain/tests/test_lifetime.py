"""The age of a resumed session, and the first that does not resume: by clocks, timeouts and versions."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from harness.explain import explain
from harness.explain.resumed.lifetime import expiry_of
from harness.model.knobs import ClientConfig, ServerConfig
from harness.model.reason import Expiry, Limit, Reason
from harness.model.setup import Action, Setup
from harness.model.tls import Mechanism, Role
from harness.model.transcript import NewSessionTicket, Tcp
from harness.model.view import Saw
from harness.tests.made.handshakes import (
    CLIENT,
    CLOSED,
    KEY,
    SERVER,
    TLS12,
    answer12,
    answer13,
    hello12,
    hello13,
    made,
    session,
    ticket,
    transcript,
)

if TYPE_CHECKING:
    from harness.model.connection import Connection
    from harness.model.session import Session

NOW = 1_800_000_000
TICKET, HANDLE = ticket(KEY, 1), b"\xcc" * 32


def setup(*before: Action, timeout: int | None = 300, clock: int | None = 0) -> Setup:
    return Setup(ClientConfig(clock=clock), ServerConfig(clock=clock, timeout=timeout), 1, 1, before)


def stopped(at: int) -> tuple[Action, Action]:
    return tuple(Action("stop_clock", role, {"at": at, "context": 1}) for role in Role)  # type: ignore[return-value]


def tcp(at: int) -> Tcp:
    return Tcp(at * 10**9, 1, 2, 3)


def labelled(connection: Connection, server: str) -> Connection:
    return replace(connection, server=replace(connection.server, view=replace(connection.server.view, name=server)))


def full(given: Setup, held: Session, sent: bytes = TICKET, hint: int = 300) -> Connection:
    messages = transcript((CLIENT, hello13(1)), (SERVER, answer13(1)), (SERVER, NewSessionTicket(hint, sent)), *CLOSED)
    return made(1, Saw.FULL, messages, offered=None, last_session=held, setup=given, tcp=tcp(NOW))


def resumed(given: Setup, held: Session, began: int, sent: bytes = TICKET) -> Connection:
    messages = transcript((CLIENT, hello13(2, sent)), (SERVER, answer13(2, selected=0)), *CLOSED)
    return made(2, Saw.RESUMED, messages, offered=held, last_session=None, setup=given, tcp=tcp(began))


def held(sent: bytes = TICKET, **fields: object) -> Session:
    return session(**{"ticket": sent, "lifetime_hint": 300, "time": NOW, **fields})  # type: ignore[arg-type]


def found(*connections: Connection) -> Expiry:
    expiry = expiry_of(connections, connections[-1])
    assert expiry is not None
    return expiry


def test_clocks_that_stand_still_expire_a_session_in_whole_seconds() -> None:
    one = full(setup(*stopped(NOW)), held())
    expiry = found(one, resumed(setup(*stopped(NOW + 300)), held(), NOW))

    assert (expiry.client.age, expiry.client.first_expired) == (300, 302)
    assert (expiry.server.age, expiry.server.first_expired) == (300, 301)
    assert expiry.first == ("server", 301)


@pytest.mark.parametrize(
    ("version", "first"), [("1.1.1w", 301), ("3.0.19", 301), ("3.1.5", 301), ("3.2.0", 300), ("4.0.3", 300)]
)
@pytest.mark.parametrize("sent", [TICKET, HANDLE], ids=["ticket", "stateful"])
def test_a_server_since_3_2_counts_fractions_where_clocks_run(version: str, first: int, sent: bytes) -> None:
    one = full(setup(), held(sent), sent)
    expiry = found(one, labelled(resumed(setup(), held(sent), NOW + 100, sent), f"libssl@{version}"))

    assert (expiry.server.age, expiry.server.first_expired) == (100, first)
    assert ("a ticket holds" in expiry.server.why) is (first == 300 and sent is TICKET)


def test_the_copy_that_was_made_older_is_reported() -> None:
    one = full(setup(*stopped(NOW)), held())
    expiry = found(one, resumed(setup(), held(time=NOW - 301), NOW))

    assert expiry.copy == 301
    assert (expiry.client.age, expiry.server.age) == (301, 0)
    assert expiry.first == ("client", 302)


@pytest.mark.parametrize(("age", "reasons"), [(300, None), (301, (Reason.PAST_LIFETIME,))])
def test_what_is_older_than_its_lifetime_is_reported(age: int, reasons: tuple[Reason, ...] | None) -> None:
    one = full(setup(*stopped(NOW)), held())
    explanation = explain([one], resumed(setup(), held(time=NOW - age), NOW))

    assert (explanation and explanation.reasons) == reasons


def test_an_age_that_no_client_offers_is_not_believed() -> None:
    one = full(setup(*stopped(NOW)), held())

    assert explain([one], resumed(setup(), held(time=NOW - 9000), NOW)) is None


def test_a_client_of_tls12_checks_no_age() -> None:
    session_id = b"\x07" * 32
    mine = session(TLS12, session_id=session_id, lifetime_hint=0, time=NOW)
    messages = transcript((CLIENT, hello12()), (SERVER, answer12(session_id)), *CLOSED, tls=TLS12)
    changes = {"tls": TLS12, "observed_mechanism": Mechanism.SESSION_ID}
    one = made(1, Saw.FULL, messages, offered=None, last_session=mine, setup=setup(*stopped(NOW)), tls=TLS12)
    again = transcript((CLIENT, hello12(session_id=session_id)), (SERVER, answer12(session_id)), *CLOSED, tls=TLS12)
    two = made(2, Saw.RESUMED, again, offered=mine, last_session=mine, setup=setup(*stopped(NOW + 200)), **changes)
    three = made(3, Saw.RESUMED, again, offered=mine, last_session=mine, setup=setup(*stopped(NOW + 300)), **changes)

    assert found(one, two).client.first_expired is None
    assert found(one, two).first == ("server", 301)
    assert found(one, two, three).server.age == 300


@pytest.mark.parametrize(("server", "first"), [("libssl@1.0.2u", 301), ("libssl@1.1.0l", 7201)])
def test_the_default_timeout_is_that_of_the_release(server: str, first: int) -> None:
    one = labelled(full(setup(*stopped(NOW), timeout=None), held()), server)
    two = labelled(resumed(setup(*stopped(NOW + 1), timeout=None), held(), NOW), server)

    assert found(one, two).server.first_expired == first


def test_a_negative_timeout_has_no_first_age() -> None:
    one = full(setup(*stopped(NOW), timeout=-1), held())
    expiry = found(one, resumed(setup(timeout=-1), held(), NOW))

    assert expiry.server == Limit(0, None, "")


def test_a_cache_that_was_made_older_leaves_the_age_unknown() -> None:
    one = full(setup(*stopped(NOW)), held())
    aged = Action("age_sessions", Role.SERVER, {"seconds": 60, "context": 1})

    assert found(one, resumed(setup(aged), held(), NOW)).server.age is None


@pytest.mark.parametrize("saw", [Saw.FULL, Saw.ABORTED])
def test_what_was_not_resumed_has_no_expiry(saw: Saw) -> None:
    one = full(setup(), held())
    messages = transcript((CLIENT, hello13(2, TICKET)), (SERVER, answer13(2)), *CLOSED)
    two = made(2, saw, messages, offered=held(), last_session=None, setup=setup(), tcp=tcp(NOW))

    assert expiry_of([one, two], two) is None


def test_the_first_to_expire_has_the_least_left() -> None:
    assert Expiry(Limit(300, 302, "x"), Limit(0, 301, "x")).first == ("client", 302)
    assert Expiry(Limit(None, None, "x"), Limit(0, 301, "x")).first == ("server", 301)
    assert Expiry(Limit(9, None, "x"), Limit(0, None, "")).first is None
