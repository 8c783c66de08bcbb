"""What tshark makes of captures that are broken, that end badly, or in which more happens than a handshake."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from harness.case.desk import desk
from harness.model.knobs import ClientConfig, ServerConfig, Verify
from harness.model.tls import USUAL_VERSIONS, Close, Outcome, Role
from harness.pair.pair import Pair
from harness.report.capture import capture
from harness.report.tests.real_cases import connections
from harness.runtime.runtime import Runtime
from harness.stacks.machine import Machine
from harness.tests.tshark import handshake, values

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.tests.tshark import Tshark

pytestmark = [pytest.mark.tshark, pytest.mark.network]  # network: only where the machine has no tshark

V12, V13 = USUAL_VERSIONS
HELLOS = ["ClientHello", "ServerHello"]
FULL_12 = [*HELLOS, "Certificate", "ServerKeyExchange", "ServerHelloDone", "ClientKeyExchange"]


def without_secrets(content: bytes) -> bytes:
    """The same file with another type of block in place of the secrets', which readers pass over."""
    at = content.index(b"KSLT") - 8
    return content[:at] + b"\x0a\0\0\x80" + content[at + 4 :]


def with_wrong_secrets(content: bytes) -> bytes:
    """The same file with another last digit of each secret."""
    return re.sub(rb"([0-9a-fA-F])\n(?=[A-Z]|\0)", lambda match: (b"1" if match[1] == b"0" else b"0") + b"\n", content)


BROKEN = [without_secrets, with_wrong_secrets]


@pytest.fixture(scope="module")
def whole() -> bytes:
    """A full and a resumed connection, TLS 1.3."""
    return capture(connections("libssl", "openssl", desk(tls=V13)))


@pytest.mark.parametrize("broken", BROKEN)
def test_without_its_secrets_nothing_sealed_is_read(
    whole: bytes, broken: Callable[[bytes], bytes], tshark: Tshark
) -> None:
    frames = tshark.read(broken(whole))

    assert handshake(frames) == HELLOS * 2
    assert values(frames, "data.data") == []


def test_a_changed_byte_is_complained_about(whole: bytes, tshark: Tshark) -> None:
    changed = bytearray(whole)
    changed[whole.index(bytes([127, 0, 0, 1, 127, 0, 0, 2]) + b"\xea\x60", whole.index(b"\x16\x03\x01")) + 20] ^= 1
    frames = tshark.read(bytes(changed))

    assert any("Bad checksum" in complaint for frame in frames for complaint in frame.complaints)


@pytest.mark.parametrize(
    ("how", "complaints"),
    [(Close.EOF, set()), (Close.RST, {"Connection reset (RST)"}), (Close.CLIENT_ONLY, set())],
)
def test_another_end_of_tcp_is_no_other_complaint(how: Close, complaints: set[str], tshark: Tshark) -> None:
    frames = tshark.read(capture(connections("libssl", "libssl", desk(tls=V13, close=how))))

    assert {complaint for frame in frames for complaint in frame.complaints} == complaints


def test_records_with_a_mac_are_decrypted_as_by_the_harness(tshark: Tshark) -> None:
    server = ServerConfig(ciphers="ECDHE-RSA-AES128-SHA:ECDHE-ECDSA-AES128-SHA")
    made = connections("libssl", "openssl", desk(tls=V12, server=server))
    frames = tshark.read(capture(made))

    assert made[0].transcript.decrypted
    assert handshake(frames, 0) == [*FULL_12, "Finished", "NewSessionTicket", "Finished"]
    assert handshake(frames, 1) == [*HELLOS, "Finished", "Finished"]


@pytest.mark.parametrize("ciphers", ["ECDHE-RSA-AES128-SHA:ECDHE-ECDSA-AES128-SHA", None])
@pytest.mark.parametrize("by", Role)
def test_a_renegotiation_is_decrypted(by: Role, ciphers: str | None, tshark: Tshark) -> None:
    with Runtime() as runtime:
        machine = Machine(runtime)
        libssl = machine.one("libssl")
        server = ServerConfig(client_renegotiation=True, ciphers=ciphers)
        pair = Pair((libssl, libssl), V12, runtime, server=server)
        live = pair.open()
        live.exchange()
        done = live.renegotiate(by)
        frames = tshark.read(capture([live.close()]))
        pair.close()
        machine.close()
    asked = ["HelloRequest"] if by is Role.SERVER else []

    assert done
    assert handshake(frames)[9 : 9 + len(asked) + 2] == [*asked, *HELLOS]
    assert handshake(frames).count("Finished") == 4


def test_early_data_is_decrypted(tshark: Tshark) -> None:
    client, server = ClientConfig(max_early_data=100), ServerConfig(max_early_data=1024)
    made = connections("libssl", "libssl", desk(tls=V13, client=client, server=server))
    frames = tshark.read(capture(made))
    resumed = ["ClientHello", "ServerHello", "EncryptedExtensions", "Finished", "EndOfEarlyData", "Finished"]

    assert made[1].client.early_data == "accepted"
    assert handshake(frames, 1)[: len(resumed)] == resumed
    assert len(values(frames, "data.data", 1)) == 3


def test_an_alert_that_ends_a_handshake_is_decrypted(tshark: Tshark) -> None:
    server = ServerConfig(verify=Verify.REQUIRED)
    [made] = connections("libssl", "libssl", desk(tls=V13, server=server, times=0))
    frames = tshark.read(capture([made]))

    assert made.observed_outcome() is Outcome.ABORTED
    assert values(frames, "tls.alert_message.desc") == ["116"]
