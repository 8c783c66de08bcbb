"""s_server and s_client do what the Protocols ask, and each way in which they can fail is reported."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psutil
import pytest

from harness.model.errors import UnsupportedError, UsageError
from harness.model.knobs import CacheMode, ClientConfig, ServerConfig, Verify
from harness.model.tls import USUAL_VERSIONS, Close, Ending, Role, TLSVersion
from harness.model.view import Saw
from harness.runtime.runtime import Runtime
from harness.runtime.tap import Tap
from harness.stacks.tests.cli_pair import ANSWER, PING, cli_pair, system_stack

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.model.view import EndpointReport

BOTH_VERSIONS = pytest.mark.parametrize("tls", USUAL_VERSIONS, ids=lambda v: v.label)
TICKETS = {TLSVersion.TLSv1_2: (None, None), TLSVersion.TLSv1_3: (2, 1)}


@pytest.fixture(scope="module")
def runtime() -> Iterator[Runtime]:
    with Runtime() as runtime:
        yield runtime


@BOTH_VERSIONS
def test_first_connection_is_full_for_both_and_the_second_resumed_for_both(runtime: Runtime, tls: TLSVersion) -> None:
    with cli_pair(runtime, server=ServerConfig(versions=(tls,))) as pair:
        first = pair.converse()
        second = pair.converse(first.session)

    assert (first.client.view.saw, first.server.view.saw) == (Saw.FULL, Saw.FULL)
    assert (second.client.view.saw, second.server.view.saw) == (Saw.RESUMED, Saw.RESUMED)
    assert (first.client.version, first.server.version) == (tls, tls)
    assert first.client.cipher == first.server.cipher
    assert (first.client.view.tickets, second.client.view.tickets) == TICKETS[tls]
    assert (second.ping, second.answer) == (PING, ANSWER)


@BOTH_VERSIONS
def test_views_rest_on_the_lines_that_were_printed(runtime: Runtime, tls: TLSVersion) -> None:
    with cli_pair(runtime, server=ServerConfig(versions=(tls,))) as pair:
        second = pair.converse(pair.converse().session)

    assert second.client.view.evidence[0].startswith(f"Reused, {tls.label}, Cipher is ")
    assert second.client.view.evidence[0] in second.client.output.splitlines()
    assert second.server.view.evidence[1] == "Reused session-id"
    assert second.server.view.evidence[1] in second.server.output.splitlines()


@BOTH_VERSIONS
def test_a_server_without_tickets_and_cache_declines(runtime: Runtime, tls: TLSVersion) -> None:
    knobs = ServerConfig(versions=(tls,), tickets=False, cache_mode=frozenset({CacheMode.OFF}))
    with cli_pair(runtime, server=knobs) as pair:
        pair.converse()
        # A TLS 1.2 session without an id and a ticket cannot be resumed, and s_client writes none.
        other = system_stack(runtime).server(ServerConfig(versions=(tls,)))
        pair.server, kept = other, pair.server
        session = pair.converse().session
        pair.server = kept
        offered = pair.converse(session)
        other.close()

    assert session is not None
    assert (offered.client.view.saw, offered.server.view.saw) == (Saw.FULL, Saw.FULL)


def test_a_chain_of_tls12_resumptions_hands_on_the_offered_session(runtime: Runtime) -> None:
    with cli_pair(runtime, server=ServerConfig(versions=(TLSVersion.TLSv1_2,))) as pair:
        first = pair.converse().session
        second = pair.converse(first)
        third = pair.converse(second.session)

    assert first is not None
    assert second.session is not None
    assert second.session.der == first.der
    assert third.server.view.saw is Saw.RESUMED


def test_a_chain_of_tls13_resumptions_hands_on_new_sessions(runtime: Runtime) -> None:
    with cli_pair(runtime, server=ServerConfig(versions=(TLSVersion.TLSv1_3,))) as pair:
        first = pair.converse().session
        second = pair.converse(first).session
        third = pair.converse(second)

    assert first is not None
    assert second is not None
    assert first.ticket != second.ticket
    assert third.server.view.saw is Saw.RESUMED


def test_many_tickets_are_counted_and_not_taken_for_data(runtime: Runtime) -> None:
    knobs = ServerConfig(versions=(TLSVersion.TLSv1_3,), num_tickets=12, verify=Verify.REQUIRED)
    with cli_pair(runtime, ClientConfig(client_certificate="client"), knobs) as pair:
        first = pair.converse()

    assert first.client.view.tickets == 12
    assert first.answer == ANSWER
    assert len(first.sessions) == 1


def test_no_tickets_mean_no_tls13_session(runtime: Runtime) -> None:
    with cli_pair(runtime, server=ServerConfig(versions=(TLSVersion.TLSv1_3,), num_tickets=0)) as pair:
        first = pair.converse()

    assert first.session is None
    assert first.sessions == ()
    assert first.client.view.tickets == 0


def test_counters_are_those_of_the_last_connection(runtime: Runtime) -> None:
    with cli_pair(runtime, server=ServerConfig(versions=(TLSVersion.TLSv1_2,))) as pair:
        before = pair.server.control("counters").result()
        second = pair.converse(pair.converse().session)
        after = pair.server.control("counters").result()

    assert before.accept is None
    assert after == second.server.extra["counters"]
    assert (after.accept_good, after.hits, after.cache_size) == (2, 1, 128)


@BOTH_VERSIONS
def test_both_key_logs_hold_the_same_secrets(runtime: Runtime, tls: TLSVersion) -> None:
    with cli_pair(runtime, server=ServerConfig(versions=(tls,))) as pair:
        first = pair.converse()
        second = pair.converse()

    assert first.server.keylog
    assert set(first.server.keylog) == set(first.client.keylog)
    assert set(second.server.keylog) == set(second.client.keylog)


def test_commands_can_be_pasted(runtime: Runtime) -> None:
    with cli_pair(runtime, server=ServerConfig(session_id_context=b"two words")) as pair:
        first = pair.converse()

    assert " s_server -accept 127.0.0.1:0 " in first.server.commands[0]
    assert "-context 'two words'" in first.server.commands[0]
    assert f" -connect 127.0.0.1:{pair.server.port} " in first.client.commands[0]


def _cut(runtime: Runtime, tls: TLSVersion, how: Close) -> tuple[EndpointReport, EndpointReport, list[Ending]]:
    with cli_pair(runtime, server=ServerConfig(versions=(tls,))) as pair:
        tap = Tap(pair.loop, lambda: pair.server.address)
        client, server = pair.client.connect(tap.port), pair.server.accept()
        steps = [client.handshake(), server.handshake(), client.write(PING), server.write(ANSWER)]
        pair.loop.settle([*steps, server.read_line(), client.read_line()])
        tap.connections[0].cut(how)
        ends = [client.await_end(), server.await_end()]
        reports = client.release(), server.release()
        pair.loop.settle([*ends, *reports])
        tap.close()
        return reports[0].result(), reports[1].result(), [end.result() for end in ends]


@BOTH_VERSIONS
@pytest.mark.parametrize(("how", "ending"), [(Close.EOF, Ending.EOF), (Close.RST, Ending.RESET)])
def test_end_of_tcp_is_reported_by_both(runtime: Runtime, tls: TLSVersion, how: Close, ending: Ending) -> None:
    client, server, ends = _cut(runtime, tls, how)

    assert client.ending is ending
    assert server.ending is ending
    assert ends == [ending, ending]
    assert client.view.saw is Saw.FULL


@BOTH_VERSIONS
def test_close_notify_is_seen_by_the_server_and_not_known_to_the_client(runtime: Runtime, tls: TLSVersion) -> None:
    with cli_pair(runtime, server=ServerConfig(versions=(tls,))) as pair:
        first = pair.converse()

    assert first.server.ending is Ending.CLOSE_NOTIFY
    assert first.client.ending is None


def test_a_server_released_early_drops_the_connection_and_takes_the_next(runtime: Runtime) -> None:
    with cli_pair(runtime) as pair:
        client, server = pair.links()
        pair.settle(client.handshake(), server.handshake())
        dropped = server.release()
        end = client.await_end()
        pair.settle(dropped, end, client.release())
        after = pair.converse()

    assert dropped.result().ending is None
    assert end.result() is Ending.EOF
    assert after.server.view.saw is Saw.FULL


def test_a_client_released_early_ends_tcp_without_close_notify(runtime: Runtime) -> None:
    with cli_pair(runtime) as pair:
        client, server = pair.links()
        # With the answer it has read its tickets: TCP that is closed over unread data is reset (RFC 1122, 4.2.2.13).
        pair.settle(client.handshake(), client.write(b"ping\n"), server.handshake(), server.read_line())
        pair.settle(server.write(b"Stats please\n"), client.read_line())
        end = server.await_end()
        pair.settle(client.release(), end, server.release())

    assert end.result() is Ending.EOF


def test_a_server_to_which_nobody_came_knows_nothing(runtime: Runtime) -> None:
    with cli_pair(runtime) as pair:
        nobody = pair.server.accept().release()
        pair.settle(nobody)
        after = pair.converse()

    assert nobody.result().view.saw is Saw.UNKNOWN
    assert after.server.view.saw is Saw.FULL


ALERTS = {TLSVersion.TLSv1_2: 40, TLSVersion.TLSv1_3: 116}
"""What a server without the certificate that it requires sends: RFC 5246, 7.4.6; RFC 8446, 4.4.2.4."""


@BOTH_VERSIONS
def test_a_refused_client_is_aborted_by_the_servers_alert(runtime: Runtime, tls: TLSVersion) -> None:
    with cli_pair(runtime, server=ServerConfig(versions=(tls,), verify=Verify.REQUIRED)) as pair:
        refused = pair.converse()

    assert (refused.client.view.saw, refused.server.view.saw) == (Saw.ABORTED, Saw.ABORTED)
    assert refused.client.view.alert is not None
    assert refused.client.view.alert.number == ALERTS[tls]
    assert refused.client.view.alert.sender is Role.SERVER
    assert refused.server.errors[0].startswith("lib=20 reason=199 ")
    assert (refused.ping, refused.answer) == (b"", b"")


@BOTH_VERSIONS
def test_a_refused_server_is_aborted_by_the_clients_alert(runtime: Runtime, tls: TLSVersion) -> None:
    knobs = ServerConfig(versions=(tls,), server_certificate="stranger")
    with cli_pair(runtime, ClientConfig(verify=Verify.REQUIRED), knobs) as pair:
        refused = pair.converse()

    assert (refused.client.view.saw, refused.server.view.saw) == (Saw.ABORTED, Saw.ABORTED)
    assert refused.server.view.alert is not None
    assert refused.server.view.alert.number == 48
    assert refused.server.view.alert.sender is Role.CLIENT


def test_server_renegotiates(runtime: Runtime) -> None:
    with cli_pair(runtime, server=ServerConfig(versions=(TLSVersion.TLSv1_2,))) as pair:
        client, server = pair.links()
        hands = [client.handshake(), server.handshake()]
        begun = server.ask("renegotiate")
        # The server answers after it has read: what it writes into the client's handshake can block both for good.
        asked, ping = client.write(PING), server.read_line()
        answered, answer = server.write(ANSWER), client.read_line()
        pair.settle(*hands, begun, asked, ping, answered, answer)
        counters = pair.server.control("counters").result()
        pair.settle(client.shutdown(), client.release(), server.release())

    assert begun.result() is True
    assert ping.result() == PING
    assert answer.result() == ANSWER
    assert counters.accept_renegotiate


def test_a_step_before_the_handshake_fails_and_does_not_wait(runtime: Runtime) -> None:
    with cli_pair(runtime) as pair:
        client, server = pair.links()
        early = [client.write(PING), server.write(ANSWER), client.ask("renegotiate"), server.ask("renegotiate")]
        pair.settle(*early)

    assert [each.result() for each in early] == [False] * 4


def test_client_begins_a_renegotiation(runtime: Runtime) -> None:
    with cli_pair(runtime, server=ServerConfig(versions=(TLSVersion.TLSv1_2,))) as pair:
        client, server = pair.links()
        hands = [client.handshake(), server.handshake()]
        begun = client.ask("renegotiate")
        pair.settle(*hands, begun)
        pair.settle(client.release(), server.release())

    assert begun.result() is True


@BOTH_VERSIONS
def test_a_moved_server_clock_expires_the_session(runtime: Runtime, tls: TLSVersion) -> None:
    with cli_pair(runtime, server=ServerConfig(versions=(tls,), clock=0)) as pair:
        session = pair.converse().session
        before = pair.converse(session)
        pair.server.move_clock(3 * 3600)
        after = pair.converse(session)

    assert before.server.view.saw is Saw.RESUMED
    assert after.server.view.saw is Saw.FULL


def test_a_clock_that_was_not_asked_for_cannot_move(runtime: Runtime) -> None:
    with cli_pair(runtime) as pair:
        with pytest.raises(UsageError, match="knob clock"):
            pair.server.move_clock(1)
        with pytest.raises(UsageError, match="knob clock"):
            pair.client.move_clock(1)


def test_early_data_are_accepted_once_a_session_allows_them(runtime: Runtime) -> None:
    server = ServerConfig(versions=(TLSVersion.TLSv1_3,), max_early_data=1000)
    with cli_pair(runtime, ClientConfig(max_early_data=100), server) as pair:
        first = pair.converse()
        second = pair.converse(first.session)

    assert (first.client.early_data, first.server.early_data) == ("not_sent", "not_sent")
    assert (second.client.early_data, second.server.early_data) == ("accepted", "accepted")
    assert second.ping == PING


def test_a_knob_that_is_not_there_is_refused_with_the_reason(runtime: Runtime) -> None:
    stack = system_stack(runtime)

    with pytest.raises(UnsupportedError, match="server knob timeout=5: no flag sets a session timeout"):
        stack.server(ServerConfig(timeout=5))
    with pytest.raises(UnsupportedError, match="client knob cache_size=5: no flag sets it"):
        stack.client(ClientConfig(cache_size=5))


def test_closed_endpoints_leave_no_process(runtime: Runtime) -> None:
    with cli_pair(runtime) as pair:
        client, server = pair.links()
        pair.settle(client.handshake(), server.handshake())
    left = [p for p in psutil.Process().children() if p.name() == "openssl"]

    assert left == []
