"""A client whose OpenSSL cannot read a session offers none, and the reason says so (d2i_SSL_SESSION(3)).

Since 3.0 an SSL_SESSION has a field that 1.1.1 does not know (https://github.com/openssl/openssl/pull/14750). Which
build reads whose sessions is the business of session_file.
"""

from datetime import date

from harness import BOTH, FULL, Capability, Differs, Expectation, Reason, Role, reasons_offered, scenario

PORTABLE = {"client": [Capability.SESSION_DATA, Capability.SESSION_IMPORT]}
SEEN = date(2026, 11, 21)
KEX_GROUP = (
    "https://github.com/openssl/openssl/pull/14750: 3.0 writes [19] kex_group into each SSL_SESSION, and the template "
    "of 1.1.1 has no such field (ssl/ssl_asn1.c)"
)
WHY: Expectation[tuple[Reason, ...]] = Expectation(
    (), Differs((Reason.UNREADABLE,), Role.CLIENT, "*@>=1.1.1,<3.0", SEEN, KEX_GROUP, left="*@>=3.0")
)

pytestmark = scenario(server={"tickets": BOTH}, needs=PORTABLE, second_client=True)


def test_session_of_a_newer_openssl(pair):
    first = pair.connect()
    pair.use_second_client()

    assert first.outcome is FULL
    assert reasons_offered(pair, first.session) == WHY.of(pair)
