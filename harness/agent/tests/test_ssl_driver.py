"""Python's ssl as a driver: two of its contexts against each other, and each knob seen from the other end."""

from __future__ import annotations

import gc
import ssl
from typing import TYPE_CHECKING

import pytest

from harness.agent.drivers.ssl_ import load
from harness.agent.drivers.ssl_.evidence import queue_of
from harness.agent.drivers.ssl_.external_psk import ExternalPsk
from harness.agent.library import EndError, LackError, TlsError, carry_out
from harness.agent.tests.drive import Talk, groups_of, hello, loopback, make, together, whole
from harness.agent.vocabulary import ChosenAt
from harness.runtime.pki import Pki

if TYPE_CHECKING:
    from pathlib import Path

    from harness.agent.library import Context

LIBRARY = load()
VERSIONS = pytest.mark.parametrize("version", ["1.2", "1.3"])


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    return Pki(tmp_path_factory.mktemp("pki"))


@pytest.fixture
def server(pki: Pki) -> Context:
    return make(LIBRARY, "server", pki)


def test_the_version_is_the_loaded_one() -> None:
    assert f"OpenSSL {LIBRARY.version} " in ssl.OPENSSL_VERSION


def test_one_session_object_resumes_again_and_again(pki: Pki, server: Context) -> None:
    client = make(LIBRARY, "client", pki, versions=["1.3"])
    session = whole(client, server)[2]

    assert [whole(client, server, session)[0].reused for _ in range(3)] == [True, True, True]


def test_a_failed_handshake_does_not_poison_the_session(pki: Pki, server: Context) -> None:
    client = make(LIBRARY, "client", pki)
    session = whole(client, server)[2]
    talk = Talk(client, make(LIBRARY, "server", pki, versions=["1.2"], ciphers="AES128-SHA"), session)
    talk.server_socket.close()
    [failure] = together((talk.client_socket, talk.client.handshake))
    talk.client.free()
    talk.client_socket.close()

    assert isinstance(failure, EndError)
    assert whole(client, server, session)[0].reused is True


def test_a_session_of_another_context_is_refused_with_pythons_reason(pki: Pki, server: Context) -> None:
    session = whole(make(LIBRARY, "client", pki), server)[2]
    other = make(LIBRARY, "client", pki)

    with pytest.raises(LackError, match="Session refers to a different SSLContext"):
        Talk(other, server, session)


def test_a_session_of_a_freed_context_is_gone(pki: Pki, server: Context) -> None:
    client = make(LIBRARY, "client", pki)
    session = whole(client, server)[2]
    client.free()

    with pytest.raises(LackError, match="was freed with its SSLContext"):
        Talk(make(LIBRARY, "client", pki), server, session)


def test_a_der_cannot_be_offered(pki: Pki, server: Context) -> None:
    with pytest.raises(LackError, match="d2i_SSL_SESSION"):
        Talk(make(LIBRARY, "client", pki), server, {"der": "3082", "handle": None})


def test_the_session_reports_its_fields(pki: Pki, server: Context) -> None:
    session = whole(make(LIBRARY, "client", pki, versions=["1.3"]), server)[2]

    assert session["der"] is None
    assert session["resumable"] is None
    assert sorted(session["fields"]) == ["has_ticket", "lifetime_hint", "session_id", "time", "timeout"]
    assert session["fields"]["has_ticket"] is True
    assert (session["fields"]["lifetime_hint"], session["fields"]["timeout"]) == (7200, 7200)


def test_garbage_is_an_error_with_its_code(pki: Pki) -> None:
    ours, theirs = loopback()
    tls = make(LIBRARY, "client", pki).connect(ours, None)
    theirs.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    [error] = together((ours, tls.handshake))
    tls.free()
    ours.close()
    theirs.close()

    assert isinstance(error, TlsError)
    assert (error.queue[0]["lib"], error.queue[0]["reason"]) == (20, 267)


def test_the_key_log_is_in_no_folder(pki: Pki, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    client = make(LIBRARY, "client", pki)
    whole(client, make(LIBRARY, "server", pki))
    client.free()

    assert list(tmp_path.iterdir()) == []


def test_counters_are_those_of_session_stats(pki: Pki) -> None:
    server = make(LIBRARY, "server", pki, tickets=False)
    client = make(LIBRARY, "client", pki, versions=["1.2"])
    whole(client, server, whole(client, server)[2])
    counters = carry_out(server, "counters", {})

    assert (counters["accept_good"], counters["hits"], counters["items"]) == (2, 1, 1)
    assert counters["overflows"] == 0


@pytest.mark.parametrize("count", [0, 1, 5])
def test_num_tickets(pki: Pki, count: int) -> None:
    server = make(LIBRARY, "server", pki, num_tickets=count)

    assert whole(make(LIBRARY, "client", pki, versions=["1.3"]), server)[0].tickets == count


@pytest.mark.parametrize(("tickets", "has_ticket"), [(True, True), (False, False)])
def test_tickets_at_a_tls12_server(pki: Pki, *, tickets: bool, has_ticket: bool) -> None:
    server = make(LIBRARY, "server", pki, tickets=tickets)
    session = whole(make(LIBRARY, "client", pki, versions=["1.2"]), server)[2]

    assert session["fields"]["has_ticket"] is has_ticket


@pytest.mark.parametrize(("tickets", "offered"), [(True, True), (False, False)])
def test_tickets_at_a_client(pki: Pki, *, tickets: bool, offered: bool) -> None:
    client = make(LIBRARY, "client", pki, versions=["1.2"], tickets=tickets)

    assert (35 in hello(client).extensions) is offered


@pytest.mark.parametrize(("compat", "length"), [(True, 32), (False, 0)])
def test_middlebox_compat_at_a_client(pki: Pki, length: int, *, compat: bool) -> None:
    assert len(hello(make(LIBRARY, "client", pki, middlebox_compat=compat)).session_id) == length


@pytest.mark.parametrize("enabled", [True, False])
def test_extended_master_secret(pki: Pki, *, enabled: bool) -> None:
    client = make(LIBRARY, "client", pki, versions=["1.2"], extended_master_secret=enabled)

    assert (23 in hello(client).extensions) is enabled


@pytest.mark.parametrize(("word", "modes"), [("psk_dhe_ke", [1]), ("both", [1, 0])])
def test_psk_modes_at_a_client(pki: Pki, word: str, modes: list[int]) -> None:
    assert sorted(hello(make(LIBRARY, "client", pki, psk_modes=word)).psk_modes) == sorted(modes)


@pytest.mark.parametrize(("group", "number"), [("P-256", 23), ("secp384r1", 24), ("X25519", 29)])
def test_groups_at_a_client_is_the_one_that_is_offered(pki: Pki, group: str, number: int) -> None:
    assert groups_of(hello(make(LIBRARY, "client", pki, groups=group))) == [number]


def test_server_groups_abort_the_handshake_of_a_client_with_another_group(pki: Pki) -> None:
    server = make(LIBRARY, "server", pki, groups="P-256")
    talk = Talk(make(LIBRARY, "client", pki, groups="X25519"), server)
    failure = talk.handshake()[0]
    talk.drop()

    assert failure.queue[0]["reason"] == 1040


def test_ciphers_are_the_ones_that_are_offered(pki: Pki) -> None:
    client = make(LIBRARY, "client", pki, versions=["1.2"], ciphers="ECDHE-RSA-AES128-GCM-SHA256")

    assert hello(client).cipher_suites == (0xC02F, 0xFF)


def test_server_name_and_alpn_are_sent(pki: Pki) -> None:
    sent = hello(make(LIBRARY, "client", pki, server_name="server.example", alpn=["h2", "x"]))

    assert sent.server_name == "server.example"
    assert sent.alpn == ("h2", "x")


def test_alpn_is_agreed_by_the_servers_preference(pki: Pki) -> None:
    server = make(LIBRARY, "server", pki, alpn=["b", "a"])

    assert whole(make(LIBRARY, "client", pki, alpn=["a", "b"]), server)[0].alpn == "b"


def test_a_server_that_requires_a_certificate_sends_alert_116(pki: Pki) -> None:
    talk = Talk(make(LIBRARY, "client", pki, versions=["1.3"]), make(LIBRARY, "server", pki, verify="required"))
    talk.handshake()
    [end] = together((talk.client_socket, lambda: talk.client.read(10)))
    talk.drop()

    assert (end.kind, end.queue[0]["reason"]) == ("alert", 1116)


def test_a_server_whose_client_has_no_certificate_reports_an_empty_chain(pki: Pki) -> None:
    facts = whole(make(LIBRARY, "client", pki), make(LIBRARY, "server", pki, verify="optional"))[1]

    assert facts.peer_chain == []


def test_a_client_verifies_against_the_authority(pki: Pki) -> None:
    facts = whole(make(LIBRARY, "client", pki, verify="required"), make(LIBRARY, "server", pki))[0]

    assert facts.peer_certificate is True


def test_a_released_connection_is_freed_at_once_even_after_errors(pki: Pki) -> None:
    gc.disable()
    talk = Talk(make(LIBRARY, "client", pki, versions=["1.2"]), make(LIBRARY, "server", pki, versions=["1.3"]))
    errors = talk.handshake()
    before = sum(isinstance(each, ssl.SSLObject) for each in gc.get_objects())
    talk.drop()
    after = sum(isinstance(each, ssl.SSLObject) for each in gc.get_objects())
    gc.enable()

    assert len(errors) == 2
    assert before - after == 2


def test_reason_codes_are_those_of_openssl_where_python_has_no_table(monkeypatch: pytest.MonkeyPatch) -> None:
    """Python 3.12 and later have no _ssl.err_names_to_codes."""
    ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # which loads the texts
    monkeypatch.delattr("_ssl.err_names_to_codes", raising=False)
    error = ssl.SSLError(1, "[SSL: NO_SHARED_CIPHER] no shared cipher (_ssl.c:1020)")
    error.library, error.reason = "SSL", "NO_SHARED_CIPHER"

    assert queue_of(error) == [{"lib": 20, "reason": 193, "text": str(error)}]
    why = "certificate verify failed: unable to get local issuer certificate (_ssl.c:1007)"
    refused = ssl.SSLError(1, f"[SSL: CERTIFICATE_VERIFY_FAILED] {why}")
    refused.library, refused.reason = "SSL", "CERTIFICATE_VERIFY_FAILED"
    assert queue_of(refused)[0]["reason"] == 134
    error.library = "X509"
    assert queue_of(error)[0]["reason"] is None


def test_an_external_psk_is_refused_before_python_3_13(pki: Pki) -> None:
    knobs = {"psk_key": "00" * 32}
    if hasattr(ssl.SSLContext, "set_psk_client_callback"):
        assert make(LIBRARY, "client", pki, **knobs) is not None
        with pytest.raises(LackError, match="takes a hint beside a callback"):
            make(LIBRARY, "server", pki, psk_hint="which one?")
        return
    with pytest.raises(LackError, match=r"no set_psk_client_callback before Python 3\.13"):
        make(LIBRARY, "client", pki, **knobs)


def test_a_servername_callback_that_raises_is_named(pki: Pki, monkeypatch: pytest.MonkeyPatch) -> None:
    server, other = make(LIBRARY, "server", pki), make(LIBRARY, "server", pki)
    carry_out(server, "choose_context", {"server_name": "a", "other": lambda: other, "at": ChosenAt.SERVER_NAME})
    monkeypatch.setattr(other, "adopt", lambda *_given: 1 / 0)

    talk = Talk(make(LIBRARY, "client", pki, server_name="a"), server)
    with pytest.raises(ZeroDivisionError) as raised:
        talk.handshake()
    talk.drop()
    assert raised.value.__notes__ == ["raised in the callback SslContext._named"]


@pytest.mark.skipif(not hasattr(ssl.SSLContext, "set_psk_client_callback"), reason="Python before 3.13 has none")
@pytest.mark.parametrize("role", ["client", "server"])
def test_a_callback_of_an_external_psk_that_raises_is_named(
    pki: Pki, monkeypatch: pytest.MonkeyPatch, role: str
) -> None:
    monkeypatch.setattr(ExternalPsk, f"_of_{role}", lambda *_given: 1 / 0)
    client, server = (make(LIBRARY, each, pki, psk_key="00" * 32, versions=["1.3"]) for each in ("client", "server"))

    talk = Talk(client, server)
    with pytest.raises(ZeroDivisionError):
        talk.handshake()
    talk.drop()


def test_a_chosen_context_with_another_verify_mode_is_refused(pki: Pki) -> None:
    server, other = make(LIBRARY, "server", pki), make(LIBRARY, "server", pki, verify="required")

    for at, why in ((ChosenAt.SERVER_NAME, "another verify mode"), (ChosenAt.CLIENT_HELLO, "SSL_CTX_set_client_hello")):
        with pytest.raises(LackError, match=why):
            carry_out(server, "choose_context", {"server_name": "a", "other": lambda: other, "at": at})
