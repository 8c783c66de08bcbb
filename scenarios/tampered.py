"""A man in the middle changes, drops or holds a message: both ends notice it, or it costs a resumption.

RFC 8446, 4.2.11.2 (binders), 5.2 (records), 4.1.2 and 6.2; RFC 5246, 7.3 and 7.4.1.3; RFC 5077, 3.3. CVE-2024-2511:
the server's session cache grows without bound, see https://openssl-library.org/news/secadv/20240408.txt. Shown on
1.1.1b to 1.1.1w, 3.0.8, 3.0.13, 3.1.2 and 3.1.5, and gone from 3.0.15, 3.2.3 and 3.3.1 on. No libssl of 3.2.0 or 3.2.1
is in the catalogue, and the pyOpenSSL of 3.2.1 has neither counters nor a size of its cache: that they grow, too, is
what the advisory says, and no cell.
"""

from datetime import date

from harness import (
    ABORTED,
    FULL,
    RESUMED,
    Alert,
    Capability,
    Differs,
    Expectation,
    Role,
    TLSv1_2,
    TLSv1_3,
    openssl_chooses,
    scenario,
)

SEEN = date(2026, 11, 29)
UNEXPECTED_MESSAGE, BAD_RECORD_MAC, ILLEGAL_PARAMETER, DECODE_ERROR, DECRYPT_ERROR = 10, 20, 47, 50, 51
SUPPORTED_VERSIONS = b"\x00\x2b"
SIZE = 5
STATEFUL = {"tickets": False, "cache_size": SIZE}
COUNTS = {
    "client": [Capability.CONCURRENT, Capability.SESSION_IMPORT],
    "server": [Capability.CONCURRENT, Capability.COUNTERS, Capability.RESIZE_CACHE],
}
FIXED_BY = "https://github.com/openssl/openssl/pull/24043: Fix unconstrained session cache growth in TLSv1.3"
UNBOUNDED = [
    Differs(True, Role.SERVER, builds, SEEN, FIXED_BY)  # noqa: FBT003 - the value that is expected
    for builds in ("*@>=1.1.1,<3.0.14", "*@>=3.1.0,<3.1.6", "*@>=3.2.0,<3.2.2")
]
ITEMS_GROW = Expectation(False, *UNBOUNDED)  # noqa: FBT003 - the value that is expected
WITHOUT = "wolfSSL 5.5.4 closes without an alert, which OpenSSL's client answers with decode_error since 3.0"
BINDER: Expectation[Alert | None] = Expectation(
    Alert(DECRYPT_ERROR, Role.SERVER),
    Differs(
        Alert(ILLEGAL_PARAMETER, Role.SERVER),
        Role.SERVER,
        "*@<3.4",
        SEEN,
        "https://github.com/openssl/openssl/pull/25176: SSL_AD_DECRYPT_ERROR alert on PSK binder validation failure",
    ),
    Differs(
        Alert(ILLEGAL_PARAMETER, Role.SERVER),
        Role.SERVER,
        "node@<24",
        date(2026, 11, 30),
        "Node 20 and 22 bring OpenSSL 3.0 (process.versions.openssl); measured with 20.20.2",
    ),
    Differs(
        Alert(ILLEGAL_PARAMETER, Role.SERVER),
        Role.SERVER,
        "java:*",
        date(2026, 11, 30),
        "checkBinder in sun/security/ssl/PreSharedKeyExtension.java: Alert.ILLEGAL_PARAMETER; measured with 17.0.15",
    ),
    Differs(
        Alert(ILLEGAL_PARAMETER, Role.SERVER),
        Role.SERVER,
        "gnutls",
        date(2026, 11, 30),
        "server_recv_params of GnuTLS (lib/ext/pre_shared_key.c) gives GNUTLS_E_RECEIVED_ILLEGAL_PARAMETER",
    ),
    Differs(None, Role.SERVER, "wolfssl", date(2026, 11, 30), WITHOUT, peer="*@<3.0"),
    Differs(Alert(50, Role.CLIENT), Role.SERVER, "wolfssl", date(2026, 11, 30), WITHOUT, peer="*@>=3.0"),
)
OFFERS_AGAIN = {"client": [Capability.SESSION_COPY]}
"""Of a client that offers a session after a connection of it has failed: the object in memory is not resumable then."""
WITHOUT_TICKET = Expectation(
    UNEXPECTED_MESSAGE,
    Differs(
        DECRYPT_ERROR,
        Role.CLIENT,
        "java:*",
        date(2026, 11, 30),
        "T10ChangeCipherSpecConsumer of JSSE looks for no ticket that the server announced, so that the server's "
        "Finished, which covers it, is wrong; measured with 17.0.15",
    ),
)
TRAILING_IGNORED = (
    "the constructor of ClientHelloMessage (sun/security/ssl/ClientHello.java) reads no further than the extensions, "
    "and so the handshake fails at the first record under keys, which cover the byte; measured with 17.0.15"
)
TRAILING: Expectation[Alert | None] = Expectation(
    Alert(DECODE_ERROR, Role.SERVER),
    Differs(Alert(BAD_RECORD_MAC, Role.SERVER), Role.SERVER, "java:*", date(2026, 11, 30), TRAILING_IGNORED, TLSv1_2),
    Differs(Alert(BAD_RECORD_MAC, Role.CLIENT), Role.SERVER, "java:*", date(2026, 11, 30), TRAILING_IGNORED, TLSv1_3),
)
"""RFC 5246, 7.4.1.2: a server checks that the length of a ClientHello fits."""


@scenario(versions=[TLSv1_3], needs=OFFERS_AGAIN)
def test_binder_is_flipped_on_its_way(pair):
    first = pair.connect()
    pair.tamper("edit", "client", "ClientHello", part="binder")
    second = pair.connect(offer=first.session)
    third = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.tampered == ("the tap changed binder of ClientHello 1 of the client",)
    assert second.outcome is ABORTED
    assert second.alert == BINDER.of(pair)
    assert third.outcome is RESUMED


@scenario(versions=[TLSv1_3], client={"versions": [(TLSv1_2, TLSv1_3)]}, needs=OFFERS_AGAIN)
@openssl_chooses(Role.CLIENT, "the alert: the hello is malformed in more than one way")
def test_answer_to_a_tls13_session_loses_its_version(pair):
    """Without supported_versions a ServerHello is one of TLS 1.2, and a PSK of TLS 1.3 does not fit it."""
    first = pair.connect()
    pair.tamper("edit", "server", "ServerHello", part="extension", value=SUPPORTED_VERSIONS)
    second = pair.connect(offer=first.session)
    third = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.tampered == ("the tap changed extension of ServerHello 1 of the server",)
    assert second.outcome is ABORTED
    assert second.alert == Alert(ILLEGAL_PARAMETER, Role.CLIENT)
    assert third.outcome is RESUMED


@scenario(versions=[TLSv1_2])
def test_ticket_is_dropped_on_its_way(pair):
    pair.tamper("drop", "server", "NewSessionTicket")
    first = pair.connect(presume_full=False)
    second = pair.connect()

    assert first.outcome is ABORTED
    assert first.alert == Alert(WITHOUT_TICKET.of(pair), Role.CLIENT)
    assert second.outcome is FULL


TOO_LONG_ID = Expectation(
    Alert(ILLEGAL_PARAMETER, Role.CLIENT),
    Differs(
        Alert(BAD_RECORD_MAC, Role.SERVER),
        Role.CLIENT,
        "go",
        date(2026, 11, 30),
        "the client of Go 1.27.3 takes such an id, so that the transcripts of both ends differ",
        tls=TLSv1_2,
    ),
)


@scenario()
def test_server_hello_has_a_session_id_of_33_bytes(pair):
    pair.tamper("edit", "server", "ServerHello", part="session_id", value=bytes(33))
    first = pair.connect(presume_full=False)

    assert first.outcome is ABORTED
    assert first.alert == TOO_LONG_ID.of(pair)


@scenario()
def test_byte_follows_the_client_hello(pair):
    pair.tamper("edit", "client", "ClientHello", part="trailing", value=b"\0")
    first = pair.connect(presume_full=False)

    assert first.outcome is ABORTED
    assert first.alert == TRAILING.of(pair)


RECORD_LAYER_FAILED = "lib=20 reason=313 "
"""SSL_R_RECORD_LAYER_FAILURE of ossl_tls_handle_rlayer_return (ssl/record/rec_layer_s3.c)."""
RECORD_LAYER_SAYS_SO = Expectation(
    1,
    Differs(
        0,
        Role.SERVER,
        "*@<3.2",
        date(2026, 11, 30),
        "the record layer became a part of its own in 3.2: SSL_R_RECORD_LAYER_FAILURE (20:313) follows its error",
    ),
)


@scenario(versions=[TLSv1_3], played_by={Role.SERVER: "libssl"})
def test_server_adds_that_its_record_layer_failed(pair):
    first = pair.connect()
    pair.tamper("edit", "client", "sealed record", part="last_byte")
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is ABORTED
    assert second.alert == Alert(BAD_RECORD_MAC, Role.SERVER)
    assert sum(RECORD_LAYER_FAILED in error for error in second.server.errors) == RECORD_LAYER_SAYS_SO.of(pair)


@scenario(versions=[TLSv1_3])
def test_sealed_record_of_the_client_is_changed(pair):
    first = pair.connect()
    pair.tamper("edit", "client", "sealed record", part="last_byte")
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is ABORTED
    assert second.alert == Alert(BAD_RECORD_MAC, Role.SERVER)


def resumed_while_held(pair, session, beside):
    """A resumption whose Finished the tap holds until ``beside`` is over, and one of the session that it gave."""
    pair.tamper("hold", "client", "sealed record")
    held = pair.open(offer=session)
    held.await_held()
    other = beside()
    held.release()
    held.exchange()
    resumed = held.close()
    assert resumed.outcome is RESUMED
    assert resumed.from_cache is True
    again = pair.connect(offer=resumed.session)
    assert again.outcome is RESUMED
    assert again.from_cache is True
    return other


def filled(pair):
    """How many sessions the cache holds after more full handshakes than it has room for."""
    later = [pair.connect() for _ in range(SIZE)]
    assert [connection.outcome for connection in later] == [FULL] * SIZE
    return pair.server.counters().items


@scenario(versions=[TLSv1_3], server=STATEFUL, needs=COUNTS)
def test_cache_is_bounded_after_a_handshake_failed_beside_a_resumption(pair):
    """CVE-2024-2511.

    The failure makes the session non-resumable that both offer. The other handshake copies it with that mark into the
    cache, and where the copy is resumed it loses its id there: as the cache's oldest it is never removed again.
    """
    first = pair.connect()

    def failing():
        pair.tamper("edit", "client", "sealed record", part="last_byte")
        return pair.connect(offer=first.session)

    failed = resumed_while_held(pair, first.session, failing)

    assert first.outcome is FULL
    assert failed.outcome is ABORTED
    assert failed.alert == Alert(BAD_RECORD_MAC, Role.SERVER)
    assert (filled(pair) > SIZE) is ITEMS_GROW.of(pair)


@scenario(versions=[TLSv1_3], server=STATEFUL, needs=COUNTS)
def test_cache_is_bounded_after_a_resumption_that_was_held(pair):
    first = pair.connect()
    other = resumed_while_held(pair, first.session, pair.connect)

    assert first.outcome is FULL
    assert other.outcome is FULL
    assert filled(pair) <= SIZE
