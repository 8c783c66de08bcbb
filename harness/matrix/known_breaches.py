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
}
"""By the name of the rule."""


def is_known(rule: str, connection: Connection) -> bool:
    """Whether both ends of a connection are builds of OpenSSL that are known to break a rule together."""
    differs = KNOWN_BREACHES.get(rule)
    setup = connection.setup
    openssl = setup is None or (setup.client_library.is_openssl and setup.server_library.is_openssl)
    labels = connection.client.view.name, connection.server.view.name
    return differs is not None and openssl and differs.between(*labels)
