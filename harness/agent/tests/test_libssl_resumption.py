"""The libssl stack resumes for real: sessions, tickets, early data, renegotiation and failures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from harness.agent.tests.libssl_ends import Ends
from harness.model.errors import EndpointError, RefusedError, UsageError
from harness.model.knobs import UNSET, Verify
from harness.model.session import Session
from harness.model.tls import Alert, Ending, Role, TLSVersion
from harness.runtime.runtime import Runtime
from harness.stacks.libssl import LibsslStack, abilities_of
from harness.wire.session.codec import aged

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.runtime.loop import Pending
    from harness.stacks.agent.agent_links import AgentLink

V12, V13 = (TLSVersion.TLSv1_2,), (TLSVersion.TLSv1_3,)
VERSIONS = pytest.mark.parametrize("versions", [V12, V13], ids=["1.2", "1.3"])


@pytest.fixture(scope="module")
def ends() -> Iterator[Ends]:
    with Runtime() as runtime:
        made = Ends(runtime)
        yield made
        made.close()


@VERSIONS
@pytest.mark.parametrize("tickets", [True, False], ids=["tickets", "no tickets"])
def test_a_session_that_was_taken_resumes(ends: Ends, versions: tuple[TLSVersion], *, tickets: bool) -> None:
    server, client = ends.server(versions=versions, tickets=tickets), ends.client(versions=versions)
    first = ends.talk(client, server)
    second = ends.talk(client, server, first.session)

    assert first.saw == ("full", "full")
    assert second.saw == ("resumed", "resumed")
    assert second.client.view.evidence == ("SSL_session_reused() == 1",)


@VERSIONS
def test_a_session_that_was_kept_in_memory_resumes(ends: Ends, versions: tuple[TLSVersion]) -> None:
    server, client = ends.server(versions=versions), ends.client(versions=versions)
    first = ends.talk(client, server, during=lambda _b, a: (a.ask("keep_session"),))
    second = ends.talk(client, server, first.during[0])

    assert first.during[0].der is None
    assert first.during[0].resumable is True
    assert second.saw == ("resumed", "resumed")


def test_a_session_in_memory_goes_with_its_context(ends: Ends) -> None:
    server, client = ends.server(), ends.client()
    kept = ends.talk(client, server, during=lambda _b, a: (a.ask("keep_session"),)).during[0]
    report = ends.talk(ends.client(), server, kept).client

    assert "this one has none" in " ".join(report.view.evidence)


@VERSIONS
def test_another_server_declines(ends: Ends, versions: tuple[TLSVersion]) -> None:
    client = ends.client(versions=versions)
    first = ends.talk(client, ends.server(versions=versions))
    second = ends.talk(client, ends.server(versions=versions), first.session)

    assert second.saw == ("full", "full")


@VERSIONS
def test_servers_that_share_ticket_keys_resume_each_other(ends: Ends, versions: tuple[TLSVersion]) -> None:
    client = ends.client(versions=versions)
    first = ends.talk(client, ends.server(versions=versions, ticket_keys="shared"))
    second = ends.talk(client, ends.server(versions=versions, ticket_keys="shared"), first.session)
    third = ends.talk(client, ends.server(versions=versions, ticket_keys="others"), first.session)

    assert second.saw == ("resumed", "resumed")
    assert third.saw == ("full", "full")


@VERSIONS
def test_an_end_reports_what_was_negotiated(ends: Ends, versions: tuple[TLSVersion]) -> None:
    server = ends.server(versions=versions, alpn=("h2", "http/1.1"), verify=Verify.REQUIRED)
    client = ends.client(
        versions=versions, alpn=("http/1.1",), server_name="server.example", client_certificate="client"
    )
    talked = ends.talk(client, server)

    assert talked.server.version is versions[0]
    assert talked.server.alpn == talked.client.alpn == "http/1.1"
    assert talked.server.server_name == "server.example"
    assert talked.server.peer_certificate is True
    assert talked.server.cipher == talked.client.cipher
    assert talked.server.ending is talked.client.ending is Ending.CLOSE_NOTIFY
    assert talked.server.keylog
    assert talked.session is not None
    assert talked.session.server_name == "server.example"


@pytest.mark.parametrize("number", [0, 1, 2, 5])
def test_each_ticket_is_counted_and_gives_a_session(ends: Ends, number: int) -> None:
    server, client = ends.server(versions=V13, num_tickets=number), ends.client(versions=V13)
    talked = ends.talk(client, server)

    assert talked.client.view.tickets == talked.server.view.tickets == number
    assert len({session.ticket for session in talked.sessions if session.resumable}) == number


def test_before_its_ticket_a_tls13_session_is_not_resumable(ends: Ends) -> None:
    server, client = ends.server(versions=V13), ends.client(versions=V13)
    b, a = server.accept(), client.connect(server.port)
    b.handshake()
    a.handshake()
    early = ends.done(a.ask("session"))
    ends.done(a.release())
    ends.done(b.release())

    assert early is not None
    assert early.resumable is False
    assert early.has_ticket is False


@pytest.mark.parametrize(("versions", "saw"), [(V12, "resumed"), (V13, "full")], ids=["1.2", "1.3"])
def test_only_a_tls13_client_keeps_back_a_session_that_expired(
    ends: Ends, versions: tuple[TLSVersion], saw: str
) -> None:
    server, client = ends.server(versions=versions, tickets=False), ends.client(versions=versions)
    first = ends.talk(client, server)
    assert first.session is not None
    second = ends.talk(client, server, aged(first.session, 7300))

    assert second.saw == (saw, saw)


def test_a_session_that_is_no_session_aborts_before_the_handshake(ends: Ends) -> None:
    server, client = ends.server(), ends.client()
    link = client.connect(server.port, Session({}, b"\x30\x03\x02\x01\x01"))
    shaken, report = link.handshake(), link.release()

    assert ends.done(link.opened) is False
    assert ends.done(shaken) is False
    assert ends.done(report).view.saw.value == "aborted"


@pytest.mark.parametrize(
    ("asked", "allowed", "status"),
    [(100, 1000, "accepted"), (5000, 1000, "not_sent"), (None, 1000, "not_sent"), (100, None, "not_sent")],
)
def test_early_data_is_sent_where_the_session_allows_it(
    ends: Ends, asked: int | None, allowed: int | None, status: str
) -> None:
    server, client = ends.server(versions=V13, max_early_data=allowed), ends.client(versions=V13, max_early_data=asked)
    first = ends.talk(client, server)
    second = ends.talk(client, server, first.session)

    assert second.saw == ("resumed", "resumed")
    assert (second.client.early_data, second.server.early_data) == (status, status)


@pytest.mark.parametrize(("allowed", "early"), [(1000, b"GET /\n"), (None, None)])
def test_early_data_of_ones_own_is_sent_if_the_session_allows_it(
    ends: Ends, allowed: int | None, early: bytes | None
) -> None:
    server, client = ends.server(versions=V13, max_early_data=allowed), ends.client(versions=V13, max_early_data=100)
    first = ends.talk(client, server)
    b, a = server.accept(), client.connect(server.port, first.session)
    chosen, shaken = a.ask("early_data", data=b"GET /\n"), a.handshake()
    b.handshake()

    assert ends.done(chosen) is (early is not None)
    assert ends.done(shaken) is True
    ends.done(a.release())
    assert ends.done(b.release()).early_bytes == early


def test_early_data_of_ones_own_is_written_again_if_it_is_rejected(ends: Ends) -> None:
    server, client = ends.server(versions=V13, max_early_data=1000), ends.client(versions=V13, max_early_data=100)
    first = ends.talk(client, server)
    other = ends.server(versions=V13, max_early_data=1000)
    b, a = other.accept(), client.connect(other.port, first.session)
    a.ask("early_data", data=b"GET /\n")
    shaken, line = (b.handshake(), a.handshake())[1], b.read_line()

    assert ends.done(shaken) is True
    assert ends.done(line) == b"GET /\n"
    report = a.release()
    b.release()
    assert ends.done(report).early_data == "rejected"


def by_server(b: AgentLink, a: AgentLink) -> Sequence[Pending[Any]]:
    return b.ask("renegotiate"), b.write(b"one\n"), a.read_line(), a.write(b"two\n"), b.read_line()


def by_client(b: AgentLink, a: AgentLink) -> Sequence[Pending[Any]]:
    return a.ask("renegotiate"), a.write(b"one\n"), b.read_line(), b.write(b"two\n"), a.read_line()


def by_client_abbreviated(b: AgentLink, a: AgentLink) -> Sequence[Pending[Any]]:
    return a.ask("renegotiate", abbreviated=True), a.write(b"one\n"), b.read_line(), b.write(b"two\n"), a.read_line()


@pytest.mark.parametrize(
    ("how", "reused"),
    [(by_server, True), (by_client, False), (by_client_abbreviated, True)],
    ids=["server", "client", "client, abbreviated"],
)
def test_a_renegotiation_leaves_the_view_of_the_first_handshake(ends: Ends, how: Any, *, reused: bool) -> None:
    server = ends.server(versions=V12, tickets=False, client_renegotiation=True)
    client = ends.client(versions=V12)
    talked = ends.talk(client, server, during=how)

    assert talked.during == [True, True, b"one\n", True, b"two\n"]
    assert talked.saw == ("full", "full")
    assert talked.client.reused_at_end is reused
    assert talked.server.reused_at_end is reused


def test_tls13_has_no_renegotiation(ends: Ends) -> None:
    server, client = ends.server(versions=V13), ends.client(versions=V13)
    talked = ends.talk(client, server, during=lambda _b, a: (a.ask("renegotiate"),))

    assert talked.during == [False]
    assert talked.client.errors[0].startswith("lib=20 reason=266 ")


@VERSIONS
def test_a_failed_verification_is_reported_by_both_ends(ends: Ends, versions: tuple[TLSVersion]) -> None:
    server = ends.server(versions=versions, server_certificate="stranger")
    talked = ends.talk(ends.client(versions=versions, verify=Verify.REQUIRED), server)

    assert talked.saw == ("aborted", "aborted")
    assert talked.server.view.alert == talked.client.view.alert == Alert(48, Role.CLIENT)
    assert "lib=20 reason=134 certificate verify failed" in talked.client.errors


def test_a_tls13_client_that_learns_late_of_its_failure_saw_an_abort(ends: Ends) -> None:
    talked = ends.talk(ends.client(versions=V13), ends.server(versions=V13, verify=Verify.REQUIRED))

    assert talked.saw == ("aborted", "aborted")
    assert talked.client.view.alert == Alert(116, Role.SERVER)


@VERSIONS
def test_resuming_at_a_verifying_server_without_a_context_is_fatal(ends: Ends, versions: tuple[TLSVersion]) -> None:
    server = ends.server(versions=versions, verify=Verify.OPTIONAL, session_id_context=UNSET)
    client = ends.client(versions=versions)
    first = ends.talk(client, server)
    second = ends.talk(client, server, first.session)

    assert first.saw == ("full", "full")
    assert second.saw == ("aborted", "aborted")
    assert second.client.view.alert == Alert(80, Role.SERVER)


@pytest.mark.parametrize(
    ("knobs", "reason"),
    [({"session_id_context": b"x" * 33}, 273), ({"ciphers": "nonsense"}, 185), ({"ciphersuites": "nonsense"}, 185)],
)
def test_a_knob_that_the_library_refuses_is_named_with_its_reason_code(
    ends: Ends, knobs: dict[str, Any], reason: int
) -> None:
    with pytest.raises(RefusedError) as caught:
        ends.server(**knobs)

    assert caught.value.queue[0]["reason"] == reason
    assert caught.value.queue[0]["knob"] == next(iter(knobs))


def test_connections_are_served_concurrently(ends: Ends) -> None:
    server, client = ends.server(), ends.client()
    pairs = [(server.accept(), client.connect(server.port)) for _ in range(20)]
    for b, a in pairs:
        b.handshake()
        a.handshake()
        b.read_line()
    answers = [a.write(b"ping\n") for _, a in reversed(pairs)]

    assert [ends.done(answer) for answer in answers] == [True] * 20
    reports = [ends.done(end.release()) for pair in pairs for end in pair]
    assert [report.view.saw.value for report in reports] == ["full"] * 40


def test_closing_an_endpoint_drops_what_is_open(ends: Ends) -> None:
    server, client = ends.server(), ends.client()
    b, a = server.accept(), client.connect(server.port)
    shaken = [b.handshake(), a.handshake()]
    assert [ends.done(pending) for pending in shaken] == [True, True]
    waiting = b.read_line()
    server.close()

    assert ends.done(a.await_end()) is Ending.EOF
    with pytest.raises(EndpointError, match="the connection was dropped"):
        ends.done(waiting)


def test_a_peer_that_speaks_no_tls_aborts_the_handshake(ends: Ends) -> None:
    server = ends.server()
    link = server.accept()
    shaken = link.handshake()
    sock = __import__("socket").create_connection(("127.0.0.1", server.port))
    sock.sendall(b"GET / HTTP/1.0\r\n\r\n")

    assert ends.done(shaken) is False
    report = ends.done(link.release())
    assert report.view.saw.value == "aborted"
    assert "http request" in report.view.evidence[0]
    sock.close()


def test_the_clock_of_an_endpoint_without_the_knob_cannot_be_moved(ends: Ends) -> None:
    with pytest.raises(UsageError, match="set the server's knob clock"):
        ends.server().move_clock(60)


@pytest.mark.skipif("clock" in abilities_of(Role.SERVER, "3.0.0").missing, reason="libfaketime is not installed")
def test_a_moved_clock_expires_the_servers_session(ends: Ends) -> None:
    server, client = ends.server(versions=V12, tickets=False, clock=0), ends.client(versions=V12)
    first = ends.talk(client, server)
    server.move_clock(3 * 3600)
    second = ends.talk(client, server, first.session)

    assert second.saw == ("full", "full")
    assert ends.done(server.control("counters")).timeouts == 1
    server.close()


@pytest.mark.skipif("clock" in abilities_of(Role.SERVER, "3.0.0").missing, reason="libfaketime is not installed")
def test_a_stopped_clock_dates_the_clients_session(ends: Ends) -> None:
    server, client = ends.server(versions=V12, clock=0), ends.client(versions=V12, clock=0)
    client.stop_clock(1_000_000_000)
    first = ends.talk(client, server)
    server.close()
    client.close()

    assert first.session is not None
    assert first.session.time == 1_000_000_000


def test_a_build_without_libssl_is_refused(ends: Ends) -> None:
    with pytest.raises(UsageError, match="has no libssl of its own to load"):
        LibsslStack(type(ends.stack.build)("3.0.0", "cryptography"), Runtime.__new__(Runtime))
