"""A server staples its OCSP response in a full handshake where the client asks for it; a resumption has none.

RFC 6066, 8: the response comes in a CertificateStatus after the Certificate, and neither is part of an abbreviated
handshake (RFC 5246, 7.3); in TLS 1.3 it is an extension in the Certificate (RFC 8446, 4.4.2.1). The client's hello asks
again each time. SSL_CTX_set_tlsext_status_cb(3), SSL_set_tlsext_status_type(3).
"""

from harness import BOTH, FULL, Mechanism, Role, TLSv1_2, TLSv1_3, scenario

STATUS_REQUEST = 5


def certificate_length(connection):
    """Return the bytes of the server's Certificate message."""
    return next(message.length for message in connection.messages.messages if message.type == "Certificate")


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


@scenario(versions=[TLSv1_3], client={"ocsp": True}, server={"ocsp": True}, same_stack=True)
def test_tls13_resumption_has_no_certificate_to_staple_to(pair):
    """The response is an extension in the Certificate, which is longer by it."""
    first = pair.connect()
    second = pair.connect(offer=first.session)
    pair.new_server(ocsp=False)
    third = pair.connect()

    assert first.outcome is third.outcome is FULL
    assert certificate_length(first) > certificate_length(third)
    assert second.mechanism is Mechanism.PSK
    assert STATUS_REQUEST in second.messages.client_hello.extensions
    assert "Certificate" not in second.messages.types(Role.SERVER)


@scenario(versions=[TLSv1_2], client={"ocsp": True}, server={"ocsp": False}, same_stack=True)
def test_server_without_a_response_staples_none(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert STATUS_REQUEST in first.messages.client_hello.extensions
    assert "CertificateStatus" not in first.messages.types(Role.SERVER)
    assert second.mechanism is Mechanism.SESSION_TICKET
