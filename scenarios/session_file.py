"""One client writes a session to a PEM file, and another reads and offers it: an SSL_SESSION is portable data.

openssl-sess_id(1), d2i_SSL_SESSION(3): the file holds everything that a client needs. The server decides whether it
resumes, whichever client offers it (RFC 5246, 7.3; RFC 5077, 3.4; RFC 8446, 2.2). A client with an older OpenSSL cannot
read the file of a newer one that writes more fields.
"""

from datetime import date

from harness import (
    BOTH,
    FULL,
    RESUMED,
    Capability,
    Differs,
    Expectation,
    Role,
    TLSv1_2,
    TLSv1_3,
    aged,
    load,
    openssl_chooses,
    scenario,
    to_pem,
)

MINUTE = 60
PORTABLE = {"client": [Capability.SESSION_DATA, Capability.SESSION_IMPORT]}
SEEN = date(2026, 11, 21)
SINCE_3_0 = (
    "https://github.com/openssl/openssl/pull/14750: 3.0 writes [19] kex_group, which is UINT32 and not ZUINT32, into "
    "each SSL_SESSION; the template of 1.1.1 ends with [18] ticket_appdata, that of 1.1.0 with [13] flags "
    "(ssl/ssl_asn1.c)"
)
SINCE_1_1_0 = (
    "1.1.0 writes [13] flags into an SSL_SESSION that has extended master secret; d2i_SSL_SESSION of 1.0.2 says "
    "error:0D:asn1 length mismatch"
)
NO_EMS = (
    "RFC 7627, 5.3: a session without extended master secret, as 1.0.2 has none, must not resume if the new "
    "ClientHello offers it, as 1.1.0 does"
)
NO_FLAGS = "; a session with a 1.0.2 has no extended master secret, hence no [13], in whose place 1.1.0 finds [19]"
COMPRESSED = (
    "CHANGES, 1.1.0: CRIME protection: disable compression by default. A session of two 1.0.2 with zlib is compressed; "
    "ssl3_get_client_hello of 1.0.2 aborts with SSL_R_REQUIRED_COMPRESSSION_ALGORITHM_MISSING (342) if the one that "
    "offers it does not offer the compression"
)
UNREADABLE = (
    Differs("wrong tag", Role.CLIENT, "*@>=1.1.1,<3.0", SEEN, SINCE_3_0, left="*@>=3.0"),
    Differs(
        "sequence length mismatch",
        Role.CLIENT,
        "*@>=1.1.0,<1.1.1",
        SEEN,
        SINCE_3_0,
        left="*@>=3.0",
        peer="*@>=1.1.0",
    ),
    Differs("wrong tag", Role.CLIENT, "*@>=1.1.0,<1.1.1", SEEN, SINCE_3_0 + NO_FLAGS, left="*@>=3.0", peer="*@<1.1.0"),
    Differs("asn1 length mismatch", Role.CLIENT, "*@<1.1.0", SEEN, SINCE_3_0, left="*@>=3.0"),
    Differs(
        "asn1 length mismatch", Role.CLIENT, "*@<1.1.0", SEEN, SINCE_1_1_0, left="*@>=1.1.0,<3.0", peer="*@>=1.1.0"
    ),
)
KNOWN = Expectation(
    "resumed",
    Differs("declined", Role.CLIENT, "*@>=1.1.0", SEEN, NO_EMS, left="*@<1.1.0", peer="*@>=1.1.0"),
    Differs("illegal parameter", Role.CLIENT, "*@>=1.1.0", SEEN, COMPRESSED, left="*@<1.1.0", peer="*@<1.1.0"),
    *UNREADABLE,
)
FORGOTTEN = Expectation("declined", *UNREADABLE)

pytestmark = scenario(server={"tickets": BOTH}, needs=PORTABLE, second_client=True)


def through(path, session):
    """Return the session after writing it to a PEM file and reading it back."""
    path.write_bytes(to_pem(session.der))
    return load(path.read_bytes())


def test_session_resumes_in_another_process_that_can_read_it(pair, tmp_path):
    first = pair.connect()
    offered = through(tmp_path / "session.pem", first.session)
    pair.use_second_client()

    assert first.outcome is FULL
    assert pair.client.context != first.setup.client_context
    assert KNOWN.of(pair) in pair.offered(offered)


@scenario(needs=PORTABLE, second_client=True)
def test_session_of_another_client_is_declined_by_a_server_without_it(pair, tmp_path):
    first = pair.connect()
    offered = through(tmp_path / "session.pem", first.session)
    pair.new_server()
    pair.use_second_client()

    assert first.outcome is FULL
    assert pair.client.context != first.setup.client_context
    assert FORGOTTEN.of(pair) in pair.offered(offered)


@scenario(versions=[TLSv1_2], server={"tickets": BOTH}, needs=PORTABLE, second_client=True)
@openssl_chooses(Role.SERVER, "no new ticket after a TLS 1.2 resumption")
def test_another_client_writes_back_every_field_of_a_tls12_session(pair, tmp_path):
    first = pair.connect()
    offered = through(tmp_path / "session.pem", first.session)
    pair.use_second_client()
    held = pair.offered(offered)
    resumed = [connection.session for connection in pair.connections if connection.outcome is RESUMED]

    assert first.outcome is FULL
    assert pair.client.context != first.setup.client_context
    assert KNOWN.of(pair) in held
    assert [{name: session.get(name) for name in offered.known} for session in resumed] == [offered.known] * len(
        resumed
    )


@scenario(needs=PORTABLE)
def test_session_in_a_file_resumes_in_another_context_of_the_same_stack(pair, tmp_path):
    first = pair.connect()
    offered = through(tmp_path / "session.pem", first.session)
    pair.new_client()
    second = pair.connect(offer=offered)

    assert first.outcome is FULL
    assert second.setup.client_context != first.setup.client_context
    assert second.outcome is RESUMED
    assert second.from_cache is False
    assert second.offered.der == first.session.der


@scenario(versions=[TLSv1_3], needs=PORTABLE)
@openssl_chooses(Role.SERVER, "a lifetime of 7200 seconds")
def test_tls13_session_whose_file_says_that_it_is_too_old_is_not_offered(pair, tmp_path):
    first = pair.connect()
    offered = through(tmp_path / "session.pem", aged(first.session, first.session.timeout + MINUTE))
    pair.new_client()
    second = pair.connect(offer=offered)

    assert first.outcome is FULL
    assert second.setup.client_context != first.setup.client_context
    assert second.offered is not None
    assert second.outcome is FULL
    assert second.messages.client_hello.psk_identities == ()


@scenario(versions=[TLSv1_2], server={"tickets": BOTH}, needs=PORTABLE)
@openssl_chooses(Role.SERVER, "no new ticket after a TLS 1.2 resumption")
def test_tls12_session_with_an_expired_file_time_resumes(pair, tmp_path):
    first = pair.connect()
    offered = through(tmp_path / "session.pem", aged(first.session, first.session.timeout + MINUTE))
    pair.new_client()
    second = pair.connect(offer=offered)

    assert first.outcome is FULL
    assert second.setup.client_context != first.setup.client_context
    assert offered.time == first.session.time - first.session.timeout - MINUTE
    assert second.outcome is RESUMED
    assert second.from_cache is not pair.server_config.tickets
    assert second.session.time == offered.time
