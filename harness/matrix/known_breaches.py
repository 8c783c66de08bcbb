"""The breaches of rules that happen wherever a library meets a peer, each declared once, with its builds.

Most breaches are declared by the `breaks` of the few scenarios that bring them about. One that every scenario meets is
declared here: it fails no cell, and is shown as any other. One scenario declares it too, and fails where it does not
happen.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from harness.explain.rules import known_rule
from harness.matrix.expectation import broken_by
from harness.model.build import OPENSSL
from harness.model.tls import Role, TLSVersion

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.matrix.expectation import Differs
    from harness.model.connection import Connection

IGNORES_IT = (
    "OpenSSL 1.0.2 knows no extended_master_secret (openssl/tls1.h has no TLSEXT_TYPE_extended_master_secret): "
    "ssl_scan_clienthello_tlsext ignores it, so that every later client which sends it is resumed without it"
)

KNOWN_BREACHES: Mapping[str, Differs[bool]] = {
    known_rule("extended_master_secret_not_added").name: broken_by(
        Role.SERVER,
        "*@<1.1.0",
        date(2026, 11, 29),
        IGNORES_IT,
        tls=TLSVersion.TLSv1_2,
        peer="*@>=1.1.0",
    ),
    known_rule("change_cipher_spec_in_compatibility_mode").name: broken_by(
        Role.SERVER,
        "wolfssl@<=5.5.4",
        date(2026, 11, 30),
        "a wolfSSL that is built without WOLFSSL_TLS13_MIDDLEBOX_COMPAT, as Debian's, sends no change_cipher_spec",
        tls=TLSVersion.TLSv1_3,
    ),
}
"""By the name of the rule."""


def known_breach(rule: str, connection: Connection) -> Differs[bool] | None:
    """The declaration that the ends of a connection are builds that break a rule together; None if there is none."""
    differs, setup = KNOWN_BREACHES.get(rule), connection.setup
    client, server = (OPENSSL, OPENSSL) if setup is None else (setup.client_library.family, setup.server_library.family)
    ends = (connection.client.view.name, client), (connection.server.view.name, server)
    return differs if differs is not None and differs.between(*ends) else None
