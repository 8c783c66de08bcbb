"""A session is written to a PEM file by one client, and read and offered by another: an SSL_SESSION is portable data.

openssl-sess_id(1), d2i_SSL_SESSION(3): the file holds all that a client needs. Whether it resumes is the server's
affair, whoever the client is (RFC 5246, 7.3; RFC 5077, 3.4; RFC 8446, 2.2).
"""

from harness import BOTH, DECLINED, FULL, RESUMED, Capability, TLSv1_2, TLSv1_3, aged, load, scenario, to_pem

MINUTE = 60
PORTABLE = {"client": [Capability.SESSION_DATA, Capability.SESSION_IMPORT]}

pytestmark = scenario(server={"tickets": BOTH}, needs=PORTABLE, second_client=True)


def through(path, session):
    """The session after a way through a PEM file."""
    path.write_bytes(to_pem(session.der))
    return load(path.read_bytes())


def test_session_taken_by_one_stack_is_offered_by_another_in_another_process_and_resumes(pair, tmp_path):
    first = pair.connect()
    offered = through(tmp_path / "session.pem", first.session)
    pair.use_second_client()
    second = pair.connect(offer=offered)

    assert first.outcome is FULL
    assert second.outcome is RESUMED


@scenario(needs=PORTABLE, second_client=True)
def test_session_of_another_stack_is_declined_where_the_server_does_not_know_it(pair, tmp_path):
    first = pair.connect()
    offered = through(tmp_path / "session.pem", first.session)
    pair.new_server()
    pair.use_second_client()
    second = pair.connect(offer=offered)

    assert first.outcome is FULL
    assert second.outcome is DECLINED


@scenario(versions=[TLSv1_2], server={"tickets": BOTH}, needs=PORTABLE, second_client=True)
def test_another_stack_writes_back_every_field_of_a_tls12_session_that_it_resumed(pair, tmp_path):
    first = pair.connect()
    offered = through(tmp_path / "session.pem", first.session)
    pair.use_second_client()
    second = pair.connect(offer=offered)

    assert first.outcome is FULL
    assert second.outcome is RESUMED
    assert {name: second.session.get(name) for name in offered.known} == offered.known


@scenario(needs=PORTABLE)
def test_session_in_a_file_resumes_in_another_context_of_the_same_stack(pair, tmp_path):
    first = pair.connect()
    offered = through(tmp_path / "session.pem", first.session)
    pair.new_client()
    second = pair.connect(offer=offered)

    assert first.outcome is FULL
    assert second.outcome is RESUMED
    assert second.offered.der == first.session.der


@scenario(versions=[TLSv1_3], needs=PORTABLE)
def test_tls13_session_whose_file_says_that_it_is_too_old_is_not_offered(pair, tmp_path):
    first = pair.connect()
    offered = through(tmp_path / "session.pem", aged(first.session, first.session.timeout + MINUTE))
    pair.new_client()
    second = pair.connect(offer=offered)

    assert first.outcome is FULL
    assert second.outcome is FULL
    assert second.messages.client_hello.psk_identities == ()


@scenario(versions=[TLSv1_2], server={"tickets": BOTH}, needs=PORTABLE)
def test_tls12_session_whose_file_says_that_it_is_too_old_resumes_as_only_the_server_looks_at_its_own_time(
    pair, tmp_path
):
    first = pair.connect()
    offered = through(tmp_path / "session.pem", aged(first.session, first.session.timeout + MINUTE))
    pair.new_client()
    second = pair.connect(offer=offered)

    assert first.outcome is FULL
    assert second.outcome is RESUMED
    assert second.session.time == offered.time
