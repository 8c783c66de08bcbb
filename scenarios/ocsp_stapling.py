"""A server staples its OCSP response in a full handshake where the client asks for it; a resumption has none.

The client keeps it in the connection and not in the session, so after a resumption it holds none: what it checks of a
response it checks in the full handshake (SSL_get_tlsext_status_ocsp_resp, tls_process_cert_status).

RFC 6066, 8: the response comes in a CertificateStatus after the Certificate, and neither is part of an abbreviated
handshake (RFC 5246, 7.3); in TLS 1.3 it is an extension in the Certificate (RFC 8446, 4.4.2.1). The client's hello asks
again each time. SSL_CTX_set_tlsext_status_cb(3), SSL_set_tlsext_status_type(3).
"""

from harness import BOTH, FULL, Capability, Mechanism, Role, TLSv1_2, TLSv1_3, scenario

STATUS_REQUEST = 5
"""The extension (RFC 6066, 8)."""
HOLDS = {"client": [Capability.OCSP_RESPONSE]}


@scenario(versions=[TLSv1_2], client={"ocsp": BOTH}, server={"ocsp": True, "tickets": BOTH}, same_stack=True)
def test_response_is_stapled_where_it_is_asked_for_and_not_in_a_resumption(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)

    asked = bool(pair.client_config.ocsp)
    assert first.outcome is FULL
    assert ("CertificateStatus" in first.messages.types(Role.SERVER)) is asked
    tickets = pair.server_config.tickets
    assert second.mechanism is (Mechanism.SESSION_TICKET if tickets else Mechanism.SESSION_ID)
    assert (STATUS_REQUEST in second.messages.client_hello.extensions) is asked
    assert "CertificateStatus" not in second.messages.types(Role.SERVER)


@scenario(versions=[TLSv1_3], client={"ocsp": BOTH}, server={"ocsp": True}, same_stack=True)
def test_tls13_response_is_in_the_certificate_and_not_in_a_resumption(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)

    asked = bool(pair.client_config.ocsp)
    assert first.outcome is FULL
    assert (Role.SERVER in first.messages.ocsp_responses) is asked
    assert second.mechanism is Mechanism.PSK
    assert (STATUS_REQUEST in second.messages.client_hello.extensions) is asked
    assert "Certificate" not in second.messages.types(Role.SERVER)
    assert second.messages.ocsp_responses == {}


@scenario(client={"ocsp": True}, server={"ocsp": True}, needs=HOLDS)
def test_client_that_resumes_holds_no_response(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)
    third = pair.connect()

    assert first.outcome is third.outcome is FULL
    assert first.client.ocsp_response == third.client.ocsp_response == first.messages.ocsp_responses[Role.SERVER]
    assert second.mechanism is not None
    assert second.client.ocsp_response == b""


@scenario(client={"ocsp": True}, server={"ocsp": False}, needs=HOLDS)
def test_server_without_a_response_staples_none(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert STATUS_REQUEST in first.messages.client_hello.extensions
    assert first.messages.ocsp_responses == second.messages.ocsp_responses == {}
    assert first.client.ocsp_response == second.client.ocsp_response == b""
    assert second.mechanism is not None
