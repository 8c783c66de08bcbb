"""Connections as one capture.pcapng, one TCP stream each, with the TLS secrets for Wireshark.

All connections are in one file, because a resumption takes two and a scenario can have hundreds.
"""

from __future__ import annotations

import platform
import re
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

from harness.model.tls import BEFORE_1_3
from harness.wire.pcap.pcapng import Section, Stamped, pcapng
from harness.wire.pcap.segments import SERVER_PORT, client_port, datagrams, packets
from harness.wire.session import structure

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.model.connection import Connection
    from harness.model.transcript import Tcp

NAME = "capture.pcapng"
DISTRIBUTION = "resumption-harness"
SECRETS = "The secrets in this file belong to throw-away test keys, made for one run and useless after it."
IN_MEMORY = "Both ends are in one process and met in its memory, without TCP: the ports stand for none."
SEALED = "Neither end logged its secrets, so encrypted messages stay encrypted."
COMMENT = """\
What a tap relayed between TLS clients and servers under test: stream 0 of TCP, or of UDP, is connection 1, and so on;
the first packet of each names its ends. Bytes, times, FIN and RST are real. The TCP, UDP and IP headers are synthetic:
127.0.0.1 is the client, 127.0.0.2 with port {port} the server.
{secrets}"""
LINE = re.compile(r"[A-Z0-9_]+ ([0-9a-fA-F]{64}) [0-9a-fA-F]+")
"""RFC 9850, 2: label, client random, secret."""


def capture(connections: Sequence[Connection], secrets_of: str = SECRETS) -> bytes:
    """The file with all connections that passed a tap; empty if none did.

    ``secrets_of`` is a sentence that says what its secrets open.
    """
    tapped = [(connection, connection.tcp) for connection in connections if connection.tcp]
    if not tapped:
        return b""
    section = Section(
        hardware=platform.machine(),
        system=platform.platform(),
        application=_application(),
        comment=COMMENT.format(port=SERVER_PORT, secrets=secrets_of),
        interface="tap",
        description="the harness's own relay on loopback",
    )
    secrets = [line for connection, _ in tapped for line in key_log(connection)]
    stamped = [
        packet for stream, (connection, tcp) in enumerate(tapped) for packet in _packets(connection, tcp, stream)
    ]
    return pcapng(
        section, [f"# {secrets_of}", *secrets] if secrets else [], sorted(stamped, key=lambda packet: packet.at)
    )


def _packets(connection: Connection, tcp: Tcp, stream: int) -> Iterator[Stamped]:
    first = _whose(connection, tcp, stream)
    of_it = datagrams(connection.chunks, stream) if tcp.datagrams else packets(connection.chunks, tcp.ends, stream)
    for packet in of_it:
        comment = f"{packet.comment}: {connection.blocked}" if packet.comment and connection.blocked else packet.comment
        yield Stamped(tcp.began + round(packet.at * 1e9), packet.data, first or comment)
        first = ""


def _whose(connection: Connection, tcp: Tcp, stream: int) -> str:
    """The comment on the first packet of a stream."""
    ends = f"connection {connection.number}: client {connection.client.view.name}, server {connection.server.view.name}"
    ports = (
        f"Port {client_port(stream)} stands for the client's port {tcp.client_port}, {SERVER_PORT} for the tap's port "
        f"{tcp.tap_port}, which relays to the server's port {tcp.server_port}."
    )
    comment = f"{ends}\n{IN_MEMORY if tcp.in_memory else ports}"
    return comment if key_log(connection) else f"{comment}\n{SEALED}"


def _application() -> str:
    try:
        return f"{DISTRIBUTION} {version(DISTRIBUTION)}"
    except PackageNotFoundError:
        return DISTRIBUTION  # run from a checkout that was not installed


def key_log(connection: Connection) -> list[str]:
    """The lines of this connection; empty if its secrets are unknown.

    A line belongs to it if it has the random of one of its ClientHellos. If some of it could not be read, it may have
    another ClientHello (a renegotiation with a CBC cipher): then all lines of both ends are included.
    """
    transcript = connection.transcript
    randoms = {hello.random for hello in transcript.client_hellos}
    lines = dict.fromkeys(line for end in (connection.client, connection.server) for line in end.keylog)
    parsed = [(line, match[1]) for line in lines if (match := LINE.fullmatch(line))]
    own = [line for line, random in parsed if bytes.fromhex(random) in randoms]
    if own and not transcript.decrypted:
        return [line for line, _ in parsed]
    return own or _of_session(connection)


def _of_session(connection: Connection) -> list[str]:
    """The master secret of TLS 1.2 and earlier from the session: OpenSSL before 1.1.1 has no key log callback."""
    session, hellos = connection.last_session, connection.transcript.client_hellos
    if len(hellos) != 1 or session is None or not session.der or session.known.get("version") not in BEFORE_1_3:
        return []
    fields = structure.fields(structure.read(session.der), len(session.der))
    return [f"CLIENT_RANDOM {hellos[0].random.hex()} {fields.octets['master_key'].hex()}"]
