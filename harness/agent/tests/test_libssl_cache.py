"""The session cache of a libssl server, as it is watched and changed while the server runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.agent.tests.libssl_ends import Ends
from harness.model.errors import UsageError
from harness.model.knobs import CacheMode
from harness.model.tls import TLSVersion
from harness.runtime.runtime import Runtime

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.model.session import Session
    from harness.stacks.agent import AgentClientEndpoint, AgentServerEndpoint

V12, V13 = (TLSVersion.TLSv1_2,), (TLSVersion.TLSv1_3,)


@pytest.fixture(scope="module")
def ends() -> Iterator[Ends]:
    with Runtime() as runtime:
        made = Ends(runtime)
        yield made
        made.close()


@pytest.fixture
def client(ends: Ends) -> AgentClientEndpoint:
    return ends.client(versions=V12)


@pytest.fixture
def server(ends: Ends) -> AgentServerEndpoint:
    return ends.server(versions=V12, tickets=False)


@pytest.fixture
def session(ends: Ends, client: AgentClientEndpoint, server: AgentServerEndpoint) -> Session:
    taken = ends.talk(client, server).session
    assert taken is not None
    return taken


@pytest.mark.parametrize("versions", [V12, V13], ids=["1.2", "1.3"])
@pytest.mark.parametrize(("seconds", "saw"), [(7000, "resumed"), (7300, "full")])
def test_later_tickets_are_older(ends: Ends, versions: tuple[TLSVersion], seconds: int, saw: str) -> None:
    server, client = ends.server(versions=versions), ends.client(versions=versions)
    ends.done(server.control("age_sessions", seconds=seconds - 100))
    ends.done(server.control("age_sessions", seconds=100))
    first = ends.talk(client, server)

    assert ends.talk(client, server, first.session).saw == (saw, saw)


def test_a_stateful_tls13_session_is_found_by_its_ticket(ends: Ends) -> None:
    server, client = ends.server(versions=V13, tickets=False), ends.client(versions=V13)
    session = ends.talk(client, server).session

    assert session is not None
    assert ends.done(server.control("has_session", session_id=session.ticket)) is True
    assert ends.done(server.control("remove", session_id=session.ticket)) is True


def test_a_full_cache_drops_the_oldest(ends: Ends, client: AgentClientEndpoint) -> None:
    server = ends.server(versions=V12, tickets=False, cache_size=2)
    sessions = [ends.talk(client, server).session for _ in range(3)]
    counters = ends.done(server.control("counters"))

    assert counters.items is not None
    assert 1 <= counters.items <= 2  # SSL_CTX_add_session of 3.0 keeps one entry less than the size
    assert counters.items + (counters.overflows or 0) == 3
    assert ends.talk(client, server, sessions[2]).saw == ("resumed", "resumed")
    assert ends.talk(client, server, sessions[0]).saw == ("full", "full")


def test_ids_of_a_generator_begin_with_its_prefix(ends: Ends, client: AgentClientEndpoint) -> None:
    server = ends.server(versions=V12, tickets=False, session_id_prefix=b"prefix")
    first, second = (ends.talk(client, server).session for _ in range(2))

    assert first is not None
    assert second is not None
    assert first.session_id.startswith(b"prefix")
    assert len(first.session_id) == 32
    assert first.session_id != second.session_id


def test_a_second_session_with_the_same_id_collides(ends: Ends, client: AgentClientEndpoint) -> None:
    server = ends.server(versions=V12, tickets=False, session_id=b"always the same")
    first = ends.talk(client, server)
    second = ends.talk(client, server)

    assert first.session is not None
    assert first.session.session_id == b"always the same"
    assert second.saw == ("aborted", "aborted")
    assert "lib=20 reason=302 ssl session id conflict" in second.server.errors


def test_without_a_client_cache_only_the_last_session_is_seen(ends: Ends) -> None:
    server = ends.server(versions=V13)
    talked = ends.talk(ends.client(versions=V13, cache_mode=frozenset({CacheMode.OFF})), server)

    assert talked.client.view.tickets == 2
    assert talked.sessions == (talked.sessions[-1],)


def test_a_server_without_a_cache_declines_a_session_id(ends: Ends, client: AgentClientEndpoint) -> None:
    server = ends.server(versions=V12, tickets=False, cache_mode=frozenset({CacheMode.OFF}))
    first = ends.talk(client, server)

    assert first.session is not None
    assert ends.talk(client, server, first.session).saw == ("full", "full")


def test_a_timeout_that_openssl_refuses_is_an_error(ends: Ends, server: AgentServerEndpoint) -> None:
    """SSL_SESSION_set_timeout takes no negative number since 3.0, and returns 0."""
    with pytest.raises(UsageError, match="this OpenSSL takes no timeout of -1 s"):
        ends.done(server.control("set_timeouts", seconds=-1))
