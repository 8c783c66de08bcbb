"""Connections as one capture.pcapng, a TCP stream each, with the TLS secrets that Wireshark decrypts them with.

One file for all of them: that a session is resumed takes two connections, of which the reader wants both; and a
scenario may have hundreds.
"""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

from harness.report.key_log import key_log
from harness.wire.pcapng import Section, Stamped, pcapng
from harness.wire.segments import SERVER_PORT, client_port, packets

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.model.connection import Connection
    from harness.model.tcp import Tcp

NAME = "capture.pcapng"
DISTRIBUTION = "resumption-harness"
SECRETS = "The secrets in this file are those of throw-away test keys, made for one run and of no use after it."
SEALED = "Neither end told its secrets, so that what is sealed stays sealed."
COMMENT = f"""\
What a tap relayed between TLS clients and servers under test: TCP stream 0 is connection 1, and so on; the first packet
of each says whose it is. Bytes, times, FIN and RST are those of the connections. The TCP and IP around them is made up:
127.0.0.1 is the client, 127.0.0.2 with port {SERVER_PORT} the server.
{SECRETS}"""


def capture(connections: Sequence[Connection]) -> bytes:
    """The file, of all that passed a tap; empty if none did."""
    tapped = [(connection, connection.tcp) for connection in connections if connection.tcp]
    if not tapped:
        return b""
    section = Section(
        hardware=platform.machine(),
        system=platform.platform(),
        application=_application(),
        comment=COMMENT,
        interface="tap",
        description="the harness's own relay on loopback",
    )
    secrets = [line for connection, _ in tapped for line in key_log(connection)]
    stamped = [
        packet for stream, (connection, tcp) in enumerate(tapped) for packet in _packets(connection, tcp, stream)
    ]
    return pcapng(section, [f"# {SECRETS}", *secrets] if secrets else [], sorted(stamped, key=lambda packet: packet.at))


def _packets(connection: Connection, tcp: Tcp, stream: int) -> Iterator[Stamped]:
    first = _whose(connection, tcp, stream)
    for packet in packets(connection.chunks, tcp.ends, stream):
        comment = f"{packet.comment}: {connection.blocked}" if packet.comment and connection.blocked else packet.comment
        yield Stamped(tcp.began + round(packet.at * 1e9), packet.data, first or comment)
        first = ""


def _whose(connection: Connection, tcp: Tcp, stream: int) -> str:
    """What is said at the beginning of a stream."""
    told = (
        f"connection {connection.number}: client {connection.client.view.name}, server {connection.server.view.name}\n"
        f"Port {client_port(stream)} stands for the client's port {tcp.client_port}, {SERVER_PORT} for the tap's port "
        f"{tcp.tap_port}, which relays to the server's port {tcp.server_port}."
    )
    return told if key_log(connection) else f"{told}\n{SEALED}"


def _application() -> str:
    try:
        return f"{DISTRIBUTION} {version(DISTRIBUTION)}"
    except PackageNotFoundError:
        return DISTRIBUTION  # run from a checkout that was not installed
