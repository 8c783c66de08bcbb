"""pyOpenSSL as a driver: two of its contexts against each other, and each knob seen from the other end."""

from __future__ import annotations

import gc
import re
from typing import TYPE_CHECKING, Any

import pytest
from OpenSSL import SSL

from harness.agent.drivers.pyopenssl import load
from harness.agent.drivers.pyopenssl import unsupported as lacks
from harness.agent.drivers.pyopenssl.bindings import code
from harness.agent.knobs import check_knobs, knobs_of, why_not
from harness.agent.library import LackError, TlsError, carry_out
from harness.agent.tests.drive import Talk, answer, groups_of, hello, make, together, whole
from harness.agent.vocabulary import ChosenAt, PskCallback, Role, release
from harness.runtime.pki import Pki
from harness.wire.session.codec import decode

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.agent.library import Context

LIBRARY = load()
NEWEST = (4, 0)
SCSV = 0xFF
"""TLS_EMPTY_RENEGOTIATION_INFO_SCSV (RFC 5746), which OpenSSL 4.0 no longer sends: it sends the extension."""
VERSIONS = pytest.mark.parametrize("version", ["1.2", "1.3"])
GROUPS = pytest.mark.skipif(SSL.OPENSSL_VERSION_NUMBER < 0x40000000, reason=lacks.GROUPS)


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    return Pki(tmp_path_factory.mktemp("pki"))


@pytest.fixture
def server(pki: Pki) -> Context:
    return make(LIBRARY, "server", pki)


def fields(session: Any) -> Any:
    return decode(bytes.fromhex(session["der"]))


def test_the_session_of_every_tls13_ticket_is_yielded_and_resumes(pki: Pki, server: Context) -> None:
    client = make(LIBRARY, "client", pki, versions=["1.3"])
    talk = Talk(client, server)
    talk.handshake()
    talk.exchange()
    sessions, last = talk.client.sessions(), talk.client.session()
    talk.close()

    assert len(sessions) == 2
    assert sessions[0] != sessions[1]
    assert sessions[1] == last
    assert [whole(client, server, session)[0].reused for session in sessions] == [True, True]


def test_a_tls12_connection_yields_one_session(pki: Pki, server: Context) -> None:
    talk = Talk(make(LIBRARY, "client", pki, versions=["1.2"]), server)
    talk.handshake()
    talk.exchange()
    sessions = talk.client.sessions()
    talk.close()

    assert len(sessions) == 1


def test_the_session_is_a_der_that_the_harness_reads(pki: Pki, server: Context) -> None:
    session = fields(whole(make(LIBRARY, "client", pki, versions=["1.3"]), server)[2])

    assert session.has_ticket is True
    assert (session.lifetime_hint, session.timeout) == (7200, 7200)
    assert session.session_id_context == b""


def test_bytes_that_are_no_session_are_refused(pki: Pki, server: Context) -> None:
    with pytest.raises(TlsError) as caught:
        Talk(make(LIBRARY, "client", pki), server, {"der": "3000"})

    assert caught.value.queue[0]["text"] == "d2i_SSL_SESSION cannot read the session"


def test_a_session_without_a_der_cannot_be_offered(pki: Pki, server: Context) -> None:
    with pytest.raises(LackError, match="needs the session's DER"):
        Talk(make(LIBRARY, "client", pki), server, {"der": None, "handle": "SSLSession 1"})


@pytest.mark.parametrize(("text", "number"), [("unexpected eof while reading", 294), ("no such text", None)])
def test_codes_come_from_the_librarys_own_table(text: str, number: int | None) -> None:
    assert code("SSL routines", text) == (20, number)


def test_a_client_renegotiates_with_a_server_that_allows_it(pki: Pki) -> None:
    server = make(LIBRARY, "server", pki, client_renegotiation=True)
    talk = Talk(make(LIBRARY, "client", pki, versions=["1.2"]), server)
    talk.handshake()
    talk.exchange()

    def more() -> int:
        carry_out(talk.client, "renegotiate", {"abbreviated": False})
        return talk.client.write(b"more\n")

    read = talk.both(more, lambda: talk.server.read(10))[1]
    facts, sessions = talk.client.facts(), talk.client.sessions()
    talk.drop()

    assert read == b"more\n"
    assert len(facts.keylog) == 2
    assert len(sessions) == 2


@pytest.mark.parametrize(("tickets", "has_ticket"), [(True, True), (False, False)])
def test_tickets_at_a_tls12_server(pki: Pki, *, tickets: bool, has_ticket: bool) -> None:
    server = make(LIBRARY, "server", pki, tickets=tickets)

    assert fields(whole(make(LIBRARY, "client", pki, versions=["1.2"]), server)[2]).has_ticket is has_ticket


@pytest.mark.parametrize(("tickets", "offered"), [(True, True), (False, False)])
def test_tickets_at_a_client(pki: Pki, *, tickets: bool, offered: bool) -> None:
    client = make(LIBRARY, "client", pki, versions=["1.2"], tickets=tickets)

    assert (35 in hello(client).extensions) is offered


@pytest.mark.parametrize(
    ("mode", "resumed"), [(["server"], True), (["off"], False), (["no_internal", "server"], False)]
)
def test_cache_mode_at_a_server_without_tickets(pki: Pki, mode: list[str], *, resumed: bool) -> None:
    server = make(LIBRARY, "server", pki, tickets=False, cache_mode=mode)
    client = make(LIBRARY, "client", pki, versions=["1.2"])

    assert whole(client, server, whole(client, server)[2])[0].reused is resumed


def test_timeout_at_a_server_is_the_lifetime_hint_and_at_a_client_its_own(pki: Pki) -> None:
    server = make(LIBRARY, "server", pki, timeout=1000)
    session = fields(whole(make(LIBRARY, "client", pki, timeout=50), server)[2])

    assert (session.lifetime_hint, session.timeout) == (1000, 50)


def test_a_timeout_of_zero_is_openssls_default(pki: Pki) -> None:
    """ssl_get_new_session takes SSL_get_default_timeout for a context whose timeout is 0."""
    session = fields(whole(make(LIBRARY, "client", pki, timeout=0), make(LIBRARY, "server", pki))[2])

    assert session.timeout == 7200


def test_a_verifying_server_without_session_id_context_aborts_a_resumption(pki: Pki) -> None:
    server = make(LIBRARY, "server", pki, verify="optional", session_id_context="unset")
    client = make(LIBRARY, "client", pki, versions=["1.2"])
    talk = Talk(client, server, whole(client, server)[2])
    talk.handshake()
    alerts = talk.client.facts().alerts
    talk.drop()

    assert alerts == [{"level": 2, "number": 80, "sent": False}]


def test_by_default_a_verifying_server_resumes(pki: Pki) -> None:
    server = make(LIBRARY, "server", pki, verify="optional")
    client = make(LIBRARY, "client", pki, versions=["1.2"])

    assert whole(client, server, whole(client, server)[2])[0].reused is True


def test_a_session_id_context_of_33_bytes_is_openssls_error(pki: Pki) -> None:
    with pytest.raises(TlsError) as caught:
        make(LIBRARY, "server", pki, session_id_context="00" * 33)

    assert (caught.value.queue[0]["lib"], caught.value.queue[0]["reason"]) == (20, 273)


@pytest.mark.parametrize("enabled", [True, False])
def test_extended_master_secret(pki: Pki, *, enabled: bool) -> None:
    client = make(LIBRARY, "client", pki, versions=["1.2"], extended_master_secret=enabled)

    assert (23 in hello(client).extensions) is enabled


@pytest.mark.parametrize(("word", "modes"), [("psk_dhe_ke", [1]), ("both", [0, 1])])
def test_psk_modes_at_a_client(pki: Pki, word: str, modes: list[int]) -> None:
    assert sorted(hello(make(LIBRARY, "client", pki, psk_modes=word)).psk_modes) == modes


@pytest.mark.parametrize(("word", "has_key_share"), [("psk_dhe_ke", True), ("both", True), ("psk_ke", False)])
def test_psk_modes_at_a_server(pki: Pki, word: str, *, has_key_share: bool) -> None:
    server = make(LIBRARY, "server", pki, psk_modes=word)
    client = make(LIBRARY, "client", pki, versions=["1.3"], psk_modes="both")
    answered = answer(server, client, whole(client, server)[2])

    assert answered.selected_psk == 0
    assert (51 in answered.extensions) is has_key_share


@GROUPS
def test_groups_are_the_ones_that_are_offered(pki: Pki) -> None:
    assert groups_of(hello(make(LIBRARY, "client", pki, groups="X25519:P-256"))) == [29, 23]


def test_ciphers_are_the_ones_that_are_offered(pki: Pki) -> None:
    client = make(LIBRARY, "client", pki, versions=["1.2"], ciphers="ECDHE-RSA-AES128-GCM-SHA256")

    assert 0xC02F in hello(client).cipher_suites
    assert set(hello(client).cipher_suites) <= {0xC02F, SCSV}


def test_ciphersuites_are_the_ones_that_are_offered(pki: Pki) -> None:
    client = make(LIBRARY, "client", pki, versions=["1.3"], ciphersuites="TLS_AES_128_GCM_SHA256")

    assert 0x1301 in hello(client).cipher_suites
    assert set(hello(client).cipher_suites) <= {0x1301, SCSV}


def test_server_name_and_alpn_are_sent(pki: Pki) -> None:
    sent = hello(make(LIBRARY, "client", pki, server_name="server.example", alpn=["h2", "x"]))

    assert sent.server_name == "server.example"
    assert sent.alpn == ("h2", "x")


def test_server_name_and_alpn_are_known_to_the_server(pki: Pki) -> None:
    server = make(LIBRARY, "server", pki, alpn=["b", "a"])
    facts = whole(make(LIBRARY, "client", pki, server_name="server.example", alpn=["a", "b"]), server)

    assert (facts[1].server_name, facts[1].alpn, facts[0].alpn) == ("server.example", "b", "b")


def test_a_server_that_requires_a_certificate_sends_alert_116(pki: Pki) -> None:
    talk = Talk(make(LIBRARY, "client", pki, versions=["1.3"]), make(LIBRARY, "server", pki, verify="required"))
    talk.handshake()
    [end] = together((talk.client_socket, lambda: talk.client.read(10)))
    talk.drop()

    assert (end.kind, end.queue[0]["reason"]) == ("alert", 1116)


def test_a_client_that_cannot_be_asked_leaves_no_error_for_the_next_call(pki: Pki) -> None:
    """Before 4.0, SSL_get_error takes what is in the queue for an error of the call that it is asked about."""
    talk = Talk(make(LIBRARY, "client", pki, versions=["1.3"]), make(LIBRARY, "server", pki, verify="later"))
    talk.handshake()
    talk.exchange()
    asked = carry_out(talk.server, "authenticate", {})
    left = getattr(SSL, "_lib").ERR_peek_error()  # noqa: B009 - the stubs have no private names
    read = talk.both(lambda: talk.client.write(b"more\n"), lambda: talk.server.read(10))[1]
    talk.drop()

    assert asked is False
    assert left == 0
    assert read == b"more\n"


@pytest.mark.parametrize(("anti_replay", "length"), [(True, 32), (False, 256)])
def test_max_early_data_makes_tickets_stateful_unless_anti_replay_is_off(
    pki: Pki, length: int, *, anti_replay: bool
) -> None:
    server = make(LIBRARY, "server", pki, max_early_data=1000, anti_replay=anti_replay)
    session = fields(whole(make(LIBRARY, "client", pki, versions=["1.3"]), server)[2])

    assert session.max_early_data == 1000
    assert (session.ticket_length == 32) is (length == 32)


@pytest.mark.parametrize(("name", "value"), [("middlebox_compat", False), ("num_tickets", 3)])
def test_what_only_openssl_conf_can_set_is_refused_in_a_process_without(pki: Pki, name: str, value: Any) -> None:
    with pytest.raises(LackError, match="OPENSSL_CONF"):
        make(LIBRARY, "server", pki, **{name: value})


def test_a_released_connection_is_freed_at_once_even_after_errors(pki: Pki) -> None:
    gc.disable()
    talk = Talk(make(LIBRARY, "client", pki, versions=["1.2"]), make(LIBRARY, "server", pki, versions=["1.3"]))
    errors = talk.handshake()
    before = sum(isinstance(each, SSL.Connection) for each in gc.get_objects())
    talk.drop()
    after = sum(isinstance(each, SSL.Connection) for each in gc.get_objects())
    gc.enable()

    assert len(errors) == 2
    assert before - after == 2


PSK, OTHER = "aa" * 32, "bb" * 32
CALLBACKS = pytest.mark.parametrize("callback", ["psk", "session", "both"])


def psk_ends(pki: Pki, client: Mapping[str, Any], server: Mapping[str, Any]) -> tuple[Context, Context]:
    """A client with an external PSK, and a server without a certificate whose suite has the hash of that PSK."""
    knobs = {"psk_key": PSK, "ciphersuites": "TLS_AES_128_GCM_SHA256", **server}
    alone = LIBRARY.context("server", check_knobs("server", knobs), {})
    return make(LIBRARY, "client", pki, psk_key=PSK, **client), alone


@CALLBACKS
@pytest.mark.parametrize("role", ["client", "server"])
def test_each_generation_of_callbacks_gives_the_external_psk(pki: Pki, role: str, callback: str) -> None:
    own = {"psk_callback": callback, "versions": ["1.3"]}
    client, server = psk_ends(pki, own if role == "client" else {}, own if role == "server" else {})
    first, answer, session = whole(client, server)
    second = whole(client, server, session)[0]

    assert first.external_psk == answer.external_psk == b"Client_identity".hex()
    assert (second.reused, second.external_psk) == (True, "")


def test_the_callback_of_tls12_gives_the_external_psk(pki: Pki) -> None:
    client, server = psk_ends(pki, {"versions": ["1.2"], "psk_identity": ["me"]}, {"psk_identity": ["other", "me"]})
    first, answer, session = whole(client, server)
    second = whole(client, server, session)[0]

    assert (first.reused, first.external_psk, answer.external_psk) == (False, b"me".hex(), b"me".hex())
    assert (second.reused, second.external_psk) == (True, "")


@pytest.mark.parametrize(
    "wrong", [{"psk_key": OTHER}, {"psk_identity": ["stranger"]}, {"psk_cipher": "TLS_AES_256_GCM_SHA384"}]
)
def test_a_client_with_another_key_identity_or_hash_is_refused(pki: Pki, wrong: dict[str, Any]) -> None:
    _, server = psk_ends(pki, {}, {})
    client = make(LIBRARY, "client", pki, **{"psk_key": PSK, "versions": ["1.3"], **wrong})
    talk = Talk(client, server)
    ends = talk.handshake()
    facts = talk.server.facts()
    talk.drop()

    assert isinstance(ends[1], TlsError)
    assert facts.finished is False


@GROUPS
def test_a_client_drops_a_psk_whose_hash_the_retry_excludes(pki: Pki) -> None:
    """Else tls_construct_ctos_psk aborts with SSL_R_BAD_PSK; the callback of TLS 1.2 and 1.3 cannot know the hash."""
    knobs = {"psk_key": PSK, "psk_callback": "session", "versions": ["1.3"], "groups": "P-384:P-256"}
    client = make(LIBRARY, "client", pki, **knobs)
    server = make(LIBRARY, "server", pki, groups="P-256", ciphersuites="TLS_AES_256_GCM_SHA384")
    facts = whole(client, server)[0]

    assert (facts.cipher, facts.external_psk) == ("TLS_AES_256_GCM_SHA384", "")


@pytest.mark.parametrize(
    ("role", "version", "possible"),
    [
        (Role.CLIENT, "1.1.1", ["psk"]),
        (Role.CLIENT, "3.0.7", ["psk"]),
        (Role.CLIENT, "3.0.8", ["psk", "session", "both"]),
        (Role.SERVER, "1.1.1", ["psk"]),
        (Role.SERVER, "3.0.3", ["psk", "session", "both"]),
    ],
)
def test_old_bindings_have_the_key_callbacks_alone(role: Role, version: str, possible: list[str]) -> None:
    found = [value for value in PskCallback if why_not("pyopenssl", role, version, "psk_callback", value) is None]

    assert found == possible


NOT_BOUND = re.compile(r"((?:SSL|OSSL|DTLS|[iod]2[iod])_[A-Za-z0-9_]*[A-Za-z0-9])\b(?=[^:]*(?:is|are) not bound)")
NO_METHOD = re.compile(r"\b(Context|Connection)(?:\.(\w+) is not bound| has no (\w+))")
STACK = "pyopenssl"
REASONS = sorted(
    {
        *lacks.VERBS.values(),
        *lacks.MISSING.values(),
        lacks.CLIENT_EARLY_DATA,
        lacks.NEW_SESSION_CALLBACK,
        lacks.IS_RESUMABLE,
        lacks.AT_START,
        *(
            lack.why
            for role in Role
            for row in knobs_of(role).values()
            for lack in row.lacks
            if "pyopenssl" in lack.stacks
        ),
    }
)
ABSENT = sorted({name for why in REASONS for name in NOT_BOUND.findall(why)})


@pytest.mark.skipif(
    release(LIBRARY.version) < NEWEST, reason="the reasons are those of the newest cryptography, with OpenSSL 4.0"
)
@pytest.mark.parametrize("name", ABSENT)
def test_what_is_said_not_to_be_bound_is_not(name: str) -> None:
    """A newer cryptography may bind it: then the driver can have it, or its reason is another one."""
    assert not hasattr(getattr(SSL, "_lib"), name)  # noqa: B009 - the stubs have no private names


def test_reasons_name_functions_that_are_looked_for() -> None:
    assert {"SSL_SESSION_dup", "SSL_new_listener", "DTLS_set_timer_cb", "SSL_CTX_ctrl"} <= set(ABSENT)
    assert len(ABSENT) > 20


@pytest.mark.skipif(
    release(LIBRARY.version) < NEWEST, reason="the reasons are those of the newest pyOpenSSL, with OpenSSL 4.0"
)
def test_methods_that_are_said_to_be_missing_are() -> None:
    named = {(found[0], found[1] or found[2]) for why in REASONS for found in NO_METHOD.findall(why)}

    assert ("Connection", "set_cipher_list") in named
    assert [name for owner, name in named if hasattr(getattr(SSL, owner), name)] == []


def test_a_servername_callback_that_raises_is_named(pki: Pki, monkeypatch: pytest.MonkeyPatch) -> None:
    server, other = make(LIBRARY, "server", pki), make(LIBRARY, "server", pki)
    carry_out(server, "choose_context", {"server_name": "a", "other": lambda: other, "at": ChosenAt.SERVER_NAME})
    monkeypatch.setattr(other, "_adopt", lambda *_given: 1 / 0)

    talk = Talk(make(LIBRARY, "client", pki, server_name="a"), server)
    with pytest.raises(ZeroDivisionError) as raised:
        talk.handshake()
    talk.drop()
    assert raised.value.__notes__ == ["raised in the callback PyopensslContext._named"]


@CALLBACKS
@pytest.mark.parametrize("role", ["client", "server"])
def test_a_callback_of_an_external_psk_that_raises_is_named(
    pki: Pki, monkeypatch: pytest.MonkeyPatch, role: str, callback: str
) -> None:
    own = {"psk_callback": callback, "versions": ["1.3"]}
    client, server = psk_ends(pki, own if role == "client" else {}, own if role == "server" else {})
    monkeypatch.setattr("harness.agent.drivers.pyopenssl.external_psk.ExternalPsk._known", lambda *_given: 1 / 0)

    talk = Talk(client, server)
    with pytest.raises(ZeroDivisionError) as raised:
        talk.handshake()
    talk.drop()
    assert "raised in the callback" in raised.value.__notes__[0]
