"""A client whose OpenSSL cannot read a session offers none, and the reason says so (d2i_SSL_SESSION(3)).

Since 3.0 an SSL_SESSION has a field that 1.1.1 does not know (https://github.com/openssl/openssl/pull/14750).
session_file covers which build reads whose sessions.
"""

from datetime import date

from harness import BOTH, FULL, Capability, Differs, Expectation, Reason, Role, reasons_offered, scenario

PORTABLE = {"client": [Capability.SESSION_DATA, Capability.SESSION_IMPORT]}
SEEN = date(2026, 11, 21)
KEX_GROUP = (
    "https://github.com/openssl/openssl/pull/14750: 3.0 writes [19] kex_group into each SSL_SESSION, and the template "
    "of 1.1.1 has no such field (ssl/ssl_asn1.c)"
)
FLAGS = (
    "1.1.0 writes [13] flags into an SSL_SESSION that has extended master secret; the template of 1.0.2 has no such "
    "field (ssl/ssl_asn1.c)"
)
COMPRESSED = (
    "CHANGES, 1.1.0: CRIME protection: disable compression by default; ssl3_get_client_hello of 1.0.2 aborts where who "
    "offers a session that is compressed does not offer the compression"
)
UNREADABLE = (Reason.UNREADABLE,)
WHY: Expectation[tuple[Reason, ...]] = Expectation(
    (),
    Differs(UNREADABLE, Role.CLIENT, "*@<3.0", SEEN, KEX_GROUP, left="*@>=3.0"),
    Differs(UNREADABLE, Role.CLIENT, "*@<1.1.0", SEEN, FLAGS, left="*@>=1.1.0,<3.0", peer="*@>=1.1.0"),
    Differs(
        (Reason.EXTENDED_MASTER_SECRET_ADDED,),
        Role.CLIENT,
        "*@>=1.1.0",
        SEEN,
        "RFC 7627, 5.3: the session of a 1.0.2 has no extended master secret, and the new ClientHello offers it",
        left="*@<1.1.0",
        peer="*@>=1.1.0",
    ),
    Differs((Reason.SESSION_REJECTED,), Role.CLIENT, "*@>=1.1.0", SEEN, COMPRESSED, left="*@<1.1.0", peer="*@<1.1.0"),
)

pytestmark = scenario(server={"tickets": BOTH}, needs=PORTABLE, second_client=True)


def test_session_of_a_newer_openssl(pair):
    first = pair.connect()
    pair.use_second_client()

    assert first.outcome is FULL
    assert pair.client.context != first.setup.client_context
    assert reasons_offered(pair, first.session) == WHY.of(pair)
