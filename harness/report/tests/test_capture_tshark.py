"""tshark decrypts a capture without further input, and finds nothing wrong with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from harness.case.desk import desk
from harness.model.tls import USUAL_VERSIONS, TLSVersion
from harness.pair.open_connection import ANSWER, PING
from harness.report.capture import capture
from harness.report.tests.real_cases import connections
from harness.tests.tshark import GOOD, handshake, values

if TYPE_CHECKING:
    from harness.model.connection import Connection
    from harness.tests.tshark import Frame, Tshark

pytestmark = [pytest.mark.tshark, pytest.mark.network]  # network: only where the machine has no tshark

V12, V13 = USUAL_VERSIONS
ENDS = [("libssl", "openssl"), ("openssl", "ssl"), ("pyopenssl", "libssl"), ("ssl", "pyopenssl")]
HELLOS = ["ClientHello", "ServerHello"]
CERTIFIED = ["Certificate", "ServerKeyExchange", "ServerHelloDone", "ClientKeyExchange"]
MESSAGES = {
    V12: [
        [*HELLOS, *CERTIFIED, "Finished", "NewSessionTicket", "Finished"],
        [*HELLOS, "Finished", "Finished"],
    ],
    V13: [
        [
            *HELLOS,
            "EncryptedExtensions",
            "Certificate",
            "CertificateVerify",
            *["Finished"] * 2,
            *["NewSessionTicket"] * 2,
        ],
        [*HELLOS, "EncryptedExtensions", *["Finished"] * 2, "NewSessionTicket"],
    ],
}
"""Of a full handshake and of one that resumes it (RFC 5077, 3.1; RFC 8446, 2.2), with two tickets, then one."""


@dataclass(frozen=True)
class Seen:
    """A full connection and one that resumes it, and what tshark makes of their capture."""

    connections: tuple[Connection, ...]
    frames: list[Frame]

    def values(self, field: str, stream: int | None = None) -> list[str]:
        """The values of a field, of one connection or of all."""
        return values(self.frames, field, stream)


@pytest.fixture(scope="module", params=ENDS, ids="-".join)
def ends(request: pytest.FixtureRequest) -> tuple[str, str]:
    client, server = request.param
    return client, server


@pytest.fixture(scope="module", params=[V12, V13], ids=str)
def tls(request: pytest.FixtureRequest) -> TLSVersion:
    return TLSVersion(request.param)


@pytest.fixture(scope="module")
def seen(ends: tuple[str, str], tls: TLSVersion, tshark: Tshark) -> Seen:
    made = connections(*ends, desk(tls=tls))
    return Seen(made, tshark.read(capture(made)))


@pytest.mark.parametrize("stream", [0, 1])
def test_every_handshake_message_is_listed(seen: Seen, tls: TLSVersion, stream: int) -> None:
    assert handshake(seen.frames, stream) == MESSAGES[tls][stream]


@pytest.mark.parametrize("stream", [0, 1])
def test_tickets_are_those_that_the_harness_decrypts(seen: Seen, stream: int) -> None:
    transcript = seen.connections[stream].transcript

    assert seen.values("tls.handshake.session_ticket", stream)[-len(transcript.tickets or ()) :] == [
        ticket.ticket.hex() for ticket in transcript.tickets or ()
    ]


@pytest.mark.parametrize("stream", [0, 1])
def test_application_data_is_readable(seen: Seen, stream: int) -> None:
    assert [bytes.fromhex(data) for data in seen.values("data.data", stream)] == [PING, ANSWER]


@pytest.mark.parametrize("stream", [0, 1])
def test_alerts_are_readable(seen: Seen, stream: int) -> None:
    assert seen.values("tls.alert_message.desc", stream) == ["0", "0"]


def test_there_is_nothing_to_complain_about(seen: Seen) -> None:
    assert [complaint for frame in seen.frames for complaint in frame.complaints] == []
    assert [protocols for protocols in seen.values("frame.protocols") if "malformed" in protocols] == []


@pytest.mark.parametrize("field", ["ip.checksum.status", "tcp.checksum.status"])
def test_each_checksum_is_right(seen: Seen, field: str) -> None:
    assert seen.values(field) == [GOOD] * len(seen.frames)
