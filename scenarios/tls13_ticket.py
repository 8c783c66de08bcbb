"""A TLS 1.3 ticket resumes as a PSK, and only where its keys are known (RFC 8446, 2.2 and 4.6.1)."""

from harness import DECLINED, FULL, RESUMED, Mechanism, TLSv1_3, scenario

pytestmark = scenario(versions=[TLSv1_3])


def test_ticket_resumes(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is RESUMED
    assert second.mechanism is Mechanism.PSK


def test_ticket_of_another_server_is_declined(pair):
    first = pair.connect()
    pair.new_server()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is DECLINED
