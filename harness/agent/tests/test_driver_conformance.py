"""Every driver keeps to the Protocols of harness.agent.library: the same tests for each of them, in this process."""

from __future__ import annotations

import errno
import gc
import select
import socket
import struct
from importlib import import_module
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from harness.agent import sockets
from harness.agent.conversation import end_tcp
from harness.agent.library import NO_CODE, EndError, LackError, TlsError, carry_out, lacking
from harness.agent.program import DRIVERS
from harness.agent.sockets import Connector
from harness.agent.tests.drive import DEADLINE, Talk, make, together, whole
from harness.agent.verbs import CONTEXT, OPTIONAL, VERBS
from harness.agent.watcher import Watcher
from harness.model.errors import stretched
from harness.runtime.pki import Pki
from harness.tests.raw_agent import libssl_build
from harness.wire.session.codec import decode

if TYPE_CHECKING:
    from harness.agent.library import Context, Library
    from harness.agent.verbs import Verb

VERSIONS = pytest.mark.parametrize("version", ["1.2", "1.3"])


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    return Pki(tmp_path_factory.mktemp("pki"))


@pytest.fixture(scope="module", params=DRIVERS)
def library(request: pytest.FixtureRequest) -> Library:
    build = libssl_build()
    paths = {"libssl": str(build.libssl), "libcrypto": str(build.libcrypto)} if request.param == "libssl" else {}
    loaded: Library = import_module(f"harness.agent.drivers.{DRIVERS[request.param]}").load(**paths)
    return loaded


@pytest.fixture
def server(library: Library, pki: Pki) -> Context:
    return make(library, "server", pki)


def has_ticket(session: Any) -> Any:
    if session["der"] is not None:
        return decode(bytes.fromhex(session["der"])).has_ticket
    return session["fields"]["has_ticket"]


def test_a_driver_announces_a_reason_for_each_verb_that_it_lacks(library: Library) -> None:
    lacks = lacking(library.driven)

    assert {verb for verb, reason in lacks.items() if reason == NO_CODE and VERBS[verb].needs is not None} == set()
    assert {verb for verb in lacks if hasattr(library.driven[VERBS[verb].on], verb)} == set()


@pytest.mark.parametrize("verb", OPTIONAL, ids=lambda verb: verb.name)
def test_a_verb_is_a_method_or_refused_with_the_reason(library: Library, server: Context, pki: Pki, verb: Verb) -> None:
    talk = Talk(make(library, "client", pki), server)
    driven = server if verb.on == CONTEXT else talk.client
    reason = lacking(library.driven).get(verb.name)
    error = None
    if reason is not None:
        with pytest.raises(LackError) as caught:
            carry_out(driven, verb.name, {})
        error = str(caught.value)
    talk.drop()

    assert error == (None if reason is None else f"{verb.name}: {reason}")
    assert callable(getattr(driven, verb.name, None)) is (reason is None)


def test_a_verb_without_code_is_refused(server: Context) -> None:
    with pytest.raises(LackError, match="nonsense: the driver has no code for it"):
        carry_out(server, "nonsense", {})


@VERSIONS
def test_a_session_that_was_taken_resumes(library: Library, pki: Pki, server: Context, version: str) -> None:
    client = make(library, "client", pki, versions=[version])
    first = whole(client, server)
    second = whole(client, server, first[2])

    assert [facts.reused for facts in first[:2]] == [False, False]
    assert [facts.reused for facts in second[:2]] == [True, True]
    assert [facts.version for facts in second[:2]] == [version, version]


@pytest.mark.parametrize(("version", "full", "resumed"), [("1.2", 1, 0), ("1.3", 2, 1)])
def test_tickets_are_counted_at_both_ends(
    library: Library, pki: Pki, server: Context, version: str, full: int, resumed: int
) -> None:
    client = make(library, "client", pki, versions=[version])
    first = whole(client, server)
    second = whole(client, server, first[2])

    assert [facts.tickets for facts in first[:2]] == [full, full]
    assert [facts.tickets for facts in second[:2]] == [resumed, resumed]


def test_before_the_first_read_a_tls13_session_has_no_ticket(library: Library, pki: Pki, server: Context) -> None:
    talk = Talk(make(library, "client", pki, versions=["1.3"]), server)
    talk.handshake()
    session = talk.client.session()
    talk.drop()

    assert has_ticket(session) is False


def test_close_notify_is_sent_alone_and_read_as_such(library: Library, pki: Pki, server: Context) -> None:
    talk = Talk(make(library, "client", pki), server)
    talk.handshake()
    talk.exchange()
    talk.client.shutdown()
    [end] = together((talk.server_socket, lambda: talk.server.read(10)))
    alerts = talk.server.facts().alerts, talk.client.facts().alerts
    talk.drop()

    assert end.kind == "close_notify"
    assert alerts[0] == [{"level": 1, "number": 0, "sent": False}]
    assert alerts[1] == [{"level": 1, "number": 0, "sent": True}]


def test_the_end_of_tcp_differs_from_close_notify(library: Library, pki: Pki, server: Context) -> None:
    talk = Talk(make(library, "client", pki), server)
    talk.handshake()
    talk.exchange()
    talk.server_socket.shutdown(socket.SHUT_WR)
    [end] = together((talk.client_socket, lambda: talk.client.read(10)))
    facts = talk.client.facts()
    talk.drop()

    assert end.kind == "eof"
    assert (facts.finished, facts.version, facts.peer_certificate) == (True, "1.3", True)


def test_a_reset_differs_from_the_end_of_tcp(library: Library, pki: Pki, server: Context) -> None:
    talk = Talk(make(library, "client", pki), server)
    talk.handshake()
    talk.exchange()
    talk.server_socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    talk.server_socket.close()
    [end] = together((talk.client_socket, lambda: talk.client.read(10)))
    talk.client.free()
    talk.client_socket.close()

    assert end.kind == "reset"


def test_a_connection_outlives_its_context(library: Library, pki: Pki) -> None:
    contexts = make(library, "client", pki), make(library, "server", pki)
    talk = Talk(*contexts)
    for context in contexts:
        context.free()
    del context, contexts
    gc.collect()
    talk.handshake()
    facts = talk.client.facts(), talk.server.facts()
    talk.drop()

    assert [fact.finished for fact in facts] == [True, True]


def test_a_fatal_alert_has_its_number_at_both_ends(library: Library, pki: Pki) -> None:
    talk = Talk(make(library, "client", pki, versions=["1.2"]), make(library, "server", pki, versions=["1.3"]))
    client, server = talk.handshake()
    alerts = talk.client.facts().alerts, talk.server.facts().alerts
    talk.drop()

    assert isinstance(client, EndError | TlsError)
    assert (client.queue[0]["lib"], client.queue[0]["reason"]) == (20, 1070)
    assert isinstance(server, TlsError)
    assert (server.queue[0]["lib"], server.queue[0]["reason"]) == (20, 258)
    assert alerts[0] == [{"level": 2, "number": 70, "sent": False}]
    assert alerts[1] == [{"level": 2, "number": 70, "sent": True}]


def test_the_key_log_holds_the_lines_of_the_connection(library: Library, pki: Pki, server: Context) -> None:
    client = make(library, "client", pki, versions=["1.2"])
    first, second = whole(client, server)[0], whole(client, server)[0]

    assert [line.split()[0] for line in first.keylog] == ["CLIENT_RANDOM"]
    assert [line.split()[0] for line in second.keylog] == ["CLIENT_RANDOM"]
    assert first.keylog != second.keylog


def test_a_connection_that_is_reset_at_once_ends_in_the_handshake(
    library: Library, pki: Pki, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = make(library, "client", pki)
    opened: list[socket.socket] = []
    listening = socket.create_server(("127.0.0.1", 0))

    class Reset(socket.socket):
        """A socket whose peer resets it before it is asked whether it is connected."""

        def connect_ex(self, address: Any) -> int:
            result = super().connect_ex(address)
            if result == errno.EINPROGRESS:
                taken, _ = listening.accept()
                taken.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                taken.close()
                select.select([self], [], [], stretched(DEADLINE))
            return result

    conversation = SimpleNamespace(opened=opened.append, not_opened=pytest.fail)
    monkeypatch.setattr(sockets, "socket", SimpleNamespace(**{**vars(socket), "socket": Reset}))
    Connector(Watcher(), listening.getsockname()[1], conversation)  # type: ignore[arg-type]
    (sock,) = opened
    tls = client.connect(sock, None)

    with pytest.raises((EndError, TlsError)):
        tls.handshake()
    tls.free()
    end_tcp(sock)
    listening.close()
