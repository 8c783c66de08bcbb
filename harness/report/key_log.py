"""The TLS secrets of one connection as the lines of a key log, out of what both ends told; nothing is decrypted."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from harness.model.tls import TLSVersion
from harness.wire import session_asn1

if TYPE_CHECKING:
    from harness.model.connection import Connection

LINE = re.compile(r"[A-Z0-9_]+ ([0-9a-fA-F]{64}) [0-9a-fA-F]+")
"""RFC 9850, 2: label, client random, secret."""


def key_log(connection: Connection) -> list[str]:
    """The lines about this connection; empty if its secrets are not known.

    A line is about it if it has the random of a ClientHello on it. Where some of it could not be read, so may be a
    further ClientHello (a renegotiation with a CBC cipher): then all lines of both ends are.
    """
    transcript = connection.transcript
    randoms = {hello.random for hello in transcript.client_hellos}
    lines = dict.fromkeys(line for end in (connection.client, connection.server) for line in end.keylog)
    told = [(line, match[1]) for line in lines if (match := LINE.fullmatch(line))]
    own = [line for line, random in told if bytes.fromhex(random) in randoms]
    if own and not transcript.decrypted:
        return [line for line, _ in told]
    return own or _of_session(connection)


def _of_session(connection: Connection) -> list[str]:
    """The TLS 1.2 master secret out of the session: before 1.1.1 no OpenSSL had a key log callback."""
    session, hellos = connection.last_session, connection.transcript.client_hellos
    if len(hellos) != 1 or session is None or not session.der or session.known.get("version") != TLSVersion.TLSv1_2:
        return []
    fields = session_asn1.fields(session_asn1.read(session.der), len(session.der))
    return [f"CLIENT_RANDOM {hellos[0].random.hex()} {fields.octets['master_key'].hex()}"]
