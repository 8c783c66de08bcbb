"""What the programs print is read as recorded from 1.1.1w, 3.0.19 and 4.0.0; test_openssl_endpoints.py is live."""

from __future__ import annotations

import pytest

from harness.model.connection import Counters
from harness.model.tls import Ending, TLSVersion
from harness.stacks.openssl.client_output import ClientOutput
from harness.stacks.openssl.output import ErrorLine
from harness.stacks.openssl.server_output import ServerOutput, protocol_of

CLIENT_4_0 = """\
Connecting to 127.0.0.1
CONNECTED(00000004)
depth=0 O=trustme v1.2.1, CN=server
verify error:num=20:unable to get local issuer certificate
verify return:1
---
Certificate chain
 0 s:O=trustme v1.2.1, CN=server
---
Server certificate
-----BEGIN CERTIFICATE-----
MIICYjCCAgigAwIBAgIUO8adldKhUaHFFHBuC6twShN0fZkwCgYIKoZIzj0EAwIw
-----END CERTIFICATE-----
---
SSL handshake has read 2073 bytes and written 1619 bytes
Verification error: unable to verify the first certificate
---
New, TLSv1.3, Cipher is TLS_AES_256_GCM_SHA384
Protocol: TLSv1.3
This TLS version forbids renegotiation.
ALPN protocol: h2
Early data was not sent
Verify return code: 21 (unable to verify the first certificate)
---
ECH: NOT CONFIGURED: -103
---
---
Post-Handshake New Session Ticket arrived:
SSL-Session:
    Protocol  : TLSv1.3
    0000 - 17 39 e9 94 94 0f 39 3b-ae b3 33 98 09 60 89 51   .9....9;..3..`.Q

    Max Early Data: 0
---
read R BLOCK
---
Post-Handshake New Session Ticket arrived:
SSL-Session:
    Max Early Data: 0
---
read R BLOCK
Stats please
DONE
"""

CLIENT_RESUMED_1_2 = """\
CONNECTED(00000003)
---
Server certificate
---
Reused, TLSv1.2, Cipher is ECDHE-ECDSA-AES256-GCM-SHA384
No ALPN negotiated
SSL-Session:
    Protocol  : TLSv1.2
---
"""

ALERT_3_0 = (
    "40B75B2E6A7F0000:error:0A000410:SSL routines:ssl3_read_bytes:sslv3 alert handshake failure:"
    "../ssl/record/rec_layer_s3.c:1600:SSL alert number 40"
)
ALERT_1_1_1 = (
    "140095:error:14094410:SSL routines:ssl3_read_bytes:sslv3 alert handshake failure:"
    "../ssl/record/rec_layer_s3.c:1562:SSL alert number 40"
)
EOF_3_0 = "4057BD0C9C7F0000:error:0A000126:SSL routines:ssl3_read_n:unexpected eof while reading:rec_layer_s3.c:318:"
REFUSED_3_0 = (
    "40F7:error:8000006F:system library:BIO_connect:Connection refused:../crypto/bio/bio_sock2.c:125:calling connect()"
)

CLIENT_FAILED = f"""\
CONNECTED(00000003)
{ALERT_3_0}
---
no peer certificate available
---
New, (NONE), Cipher is (NONE)
---
"""

SERVER_1_2 = """\
-----BEGIN SSL SESSION PARAMETERS-----
MH8CAQECAgMDBALALAQg8vkHX5Gf8pYmSxsP+r9aF+Sh7De5oLx9jbCBsAIRj7EE
MDUKCApTLetXDuQqjBkRjUd6IvnjjCuQaWdd8SXIl/T6Ktp73F3qF59AHrIRFmkc
0KEGAgRrAgTzogQCAhwgpAYEBAEAAACtAwIBAbMDAgEd
-----END SSL SESSION PARAMETERS-----
CIPHER is ECDHE-ECDSA-AES256-GCM-SHA384
Reused session-id
Secure Renegotiation IS supported
"""

STATISTICS = """\
   3 items in the session cache
   0 client connects (SSL_connect())
   0 client renegotiates (SSL_connect())
   0 client connects that finished
   5 server accepts (SSL_accept())
   1 server renegotiates (SSL_accept())
   4 server accepts that finished
   2 session cache hits
   6 session cache misses
   7 session cache timeouts
   8 callback cache hits
   9 cache full overflows (128 allowed)
"""


def _client(text: str, major: int = 3) -> ClientOutput:
    out = ClientOutput(major)
    for line in text.encode().split(b"\n"):
        out.feed(line)
    return out


def _server(text: str, major: int = 3) -> ServerOutput:
    out = ServerOutput(major)
    for line in text.encode().splitlines():
        out.feed(line)
    return out


def test_a_full_connection_of_s_client_is_read() -> None:
    out = _client(CLIENT_4_0.rstrip("\n"), major=4)

    assert out.established
    assert out.reused is False
    assert out.version is TLSVersion.TLSv1_3
    assert out.cipher == "TLS_AES_256_GCM_SHA384"
    assert out.alpn == "h2"
    assert out.early_data == "not_sent"
    assert out.peer_certificate is True
    assert out.tickets == 2
    assert list(out.data) == [b"Stats please\n"]
    assert out.closing


def test_a_resumed_connection_of_s_client_is_read() -> None:
    out = _client(CLIENT_RESUMED_1_2.rstrip("\n"))

    assert out.established
    assert out.reused is True
    assert out.alpn is None
    assert out.evidence == ["Reused, TLSv1.2, Cipher is ECDHE-ECDSA-AES256-GCM-SHA384"]


def test_facts_that_come_after_an_error_are_of_no_connection() -> None:
    out = _client(CLIENT_FAILED.rstrip("\n"))

    assert not out.established
    assert out.alert == 40
    assert out.ending is Ending.ALERT


@pytest.mark.parametrize(
    ("line", "ending"),
    [
        ("closed", Ending.CLOSE_NOTIFY),
        ("read:errno=0", Ending.EOF),
        ("read:errno=104", Ending.RESET),
        ("write:errno=32", Ending.RESET),
        (EOF_3_0, Ending.EOF),
        (ALERT_3_0, Ending.ALERT),
        ("DONE", None),
    ],
)
def test_the_end_of_s_client_is_read(line: str, ending: Ending | None) -> None:
    assert _client(CLIENT_RESUMED_1_2 + line).ending is ending


@pytest.mark.parametrize(
    "line",
    [
        *("read R BLOCK", "RENEGOTIATING", "TIMEOUT occurred", "Can't use SSL_get_servername"),
        *("depth=0 CN = x", "verify return:1", "---"),
    ],
)
def test_s_clients_own_words_are_no_data(line: str) -> None:
    assert not _client(CLIENT_RESUMED_1_2 + line).data


@pytest.mark.parametrize(
    ("line", "major", "library", "reason", "alert"),
    [
        (ALERT_3_0, 3, 20, 1040, 40),
        (ALERT_1_1_1, 1, 20, 1040, 40),
        (EOF_3_0, 3, 20, 294, None),
        (REFUSED_3_0, 3, 2, 111, None),
    ],
)
def test_an_error_is_read_by_its_numbers(line: str, major: int, library: int, reason: int, alert: int | None) -> None:
    error = _client(line, major).errors[0]

    assert (error.library, error.reason, error.alert) == (library, reason, alert)


def test_an_error_is_shown_with_its_numbers_first() -> None:
    assert str(ErrorLine(0x0A000126, "unexpected eof", 3)) == "lib=20 reason=294 unexpected eof"


def test_a_resumed_connection_of_s_server_is_read() -> None:
    out = _server(SERVER_1_2)

    assert out.established
    assert out.reused is True
    assert out.version is TLSVersion.TLSv1_2
    assert out.cipher == "ECDHE-ECDSA-AES256-GCM-SHA384"
    assert out.peer_certificate is False
    assert not out.closed


def test_a_full_connection_of_s_server_is_read() -> None:
    out = _server(
        SERVER_1_2.replace("Reused session-id\n", "").replace("Secure Renegotiation IS supported", "")
        + ("This TLS version forbids renegotiation.\n")
    )

    assert out.established
    assert out.reused is False


def test_counters_are_read() -> None:
    out = _server(SERVER_1_2 + "ping\n" + STATISTICS)

    assert out.counters == Counters(
        items=3,
        connect=0,
        connect_renegotiate=0,
        connect_good=0,
        accept=5,
        accept_renegotiate=1,
        accept_good=4,
        hits=2,
        misses=6,
        timeouts=7,
        callback_hits=8,
        overflows=9,
        cache_size=128,
    )
    assert list(out.data) == [b"ping\n"]


END = "shutting down SSL\nCONNECTION CLOSED\n"


@pytest.mark.parametrize(
    ("lines", "major", "ending"),
    [
        ("DONE\n", 3, Ending.CLOSE_NOTIFY),
        (f"ERROR\n{EOF_3_0}\n", 3, Ending.EOF),
        (f"ERROR\n{ALERT_3_0}\n", 3, Ending.ALERT),
        ("ERROR\n", 3, Ending.RESET),
        ("ERROR\n", 1, None),
    ],
)
def test_the_end_of_a_connection_of_s_server_is_read(lines: str, major: int, ending: Ending | None) -> None:
    out = _server(SERVER_1_2 + lines + END, major)

    assert out.closed
    assert out.ending is ending


def test_a_handshake_that_s_server_gave_up_is_read() -> None:
    out = _server(f"ERROR\n{ALERT_3_0}\n{END}")

    assert out.begun
    assert not out.established
    assert out.alert == 40
    assert out.trouble == ["ERROR", ALERT_3_0]


def test_early_data_are_not_taken_for_data() -> None:
    out = _server(f"Early data received:\neeee\nDONE\nEnd of early data\n{SERVER_1_2}ping\n")

    assert out.early_data == "accepted"
    assert list(out.data) == [b"ping\n"]
    assert out.ending is None


def test_what_ends_early_data_is_not_taken_for_it() -> None:
    error = "140298107164480:error:142140A4:SSL routines:early_data_count_ok:too much early data:ssl3_record.c:142:"
    out = _server(f"Early data received:\neeeeError reading early data\n{error}\nCONNECTION CLOSED\n")

    assert out.early_bytes == b"eeee"
    assert out.closed


@pytest.mark.parametrize(
    ("pem", "version"),
    [
        (b"MIGCAgEBAgIDBAQCEwIEIA==", TLSVersion.TLSv1_3),
        (b"MF8CAQECAgMDBALALAQABDA=", TLSVersion.TLSv1_2),
        (b"MF8CAQECAgMBBALALAQABDA=", TLSVersion.TLSv1),
        (b"MF8CAQECAgMABALALAQABDA=", None),
        (b"AAAA", None),
        (b"A", None),
    ],
)
def test_the_protocol_is_the_second_number_of_the_session(pem: bytes, version: TLSVersion | None) -> None:
    assert protocol_of(pem) is version
