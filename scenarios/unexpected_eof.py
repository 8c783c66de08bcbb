"""How an endpoint reacts if TCP ends without close_notify: the truncation that RFC 8446, 6.1 warns of.

Since OpenSSL 3.0 this is an error (SSL_R_UNEXPECTED_EOF_WHILE_READING), unless SSL_OP_IGNORE_UNEXPECTED_EOF is set. The
endpoint sends its peer the alert decode_error (ssl3_read_n), which arrives only if the peer still reads. close_modes
covers what happens to the session.
"""

from datetime import date

from harness import FULL, Capability, Close, Differs, Ending, Expectation, Role, openssl_chooses, scenario

SEEN = date(2026, 11, 21)
DECODE_ERROR = 50
FATAL = 2
QUIET = "1.1.1 has no SSL_R_UNEXPECTED_EOF_WHILE_READING (20:294): SSL_read gives SSL_ERROR_SYSCALL, no alert is sent"

pytestmark = scenario(close=Close.EOF)

OF_CLIENT: Expectation[list[int]] = Expectation([DECODE_ERROR], Differs([], Role.CLIENT, "*@<3.0", SEEN, QUIET))
OF_SERVER: Expectation[list[int]] = Expectation([DECODE_ERROR], Differs([], Role.SERVER, "*@<3.0", SEEN, QUIET))


def alerts(connection, sender):
    """Return the numbers of the fatal alerts that an endpoint sent; close_notify is not fatal."""
    return [alert.number for alert in connection.messages.alerts if alert.sender is sender and alert.level == FATAL]


@scenario(close=Close.EOF, client={"ignore_unexpected_eof": True}, server={"ignore_unexpected_eof": True})
def test_ends_that_ignore_it_send_no_alert(pair):
    first = pair.connect()

    assert first.outcome is FULL
    assert first.tcp.ends[0].sender is None
    assert first.client.ending in {Ending.EOF, Ending.CLOSE_NOTIFY}
    assert alerts(first, Role.CLIENT) == []
    assert alerts(first, Role.SERVER) == []


@scenario(close=Close.EOF, needs={"client": [Capability.OPENSSL_CHOICES]})
def test_client_reports_its_peer(pair):
    first = pair.connect()

    assert first.outcome is FULL
    assert alerts(first, Role.CLIENT) == OF_CLIENT.of(pair)


@openssl_chooses(Role.SERVER, "an alert after the end of TCP")
def test_server_reports_its_peer(pair):
    first = pair.connect()

    assert first.outcome is FULL
    assert alerts(first, Role.SERVER) == OF_SERVER.of(pair)
