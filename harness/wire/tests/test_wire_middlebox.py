"""The strict middlebox lets TLS 1.2 pass, and TLS 1.3 only where it looks like a TLS 1.2 resumption."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

import pytest

from harness.model.tls import Role, TLSVersion
from harness.wire.gates.middlebox import StrictMiddlebox
from harness.wire.tests.tls_in_memory import Captures

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harness.model.transcript import Chunk
    from harness.wire.tests.tls_in_memory import Capture

V12, V13 = TLSVersion.TLSv1_2, TLSVersion.TLSv1_3
C, S = Role.CLIENT, Role.SERVER
CCS = bytes.fromhex("140303000101")
APPLICATION_DATA = bytes.fromhex("1703030003616263")


def _verdict(chunks: Iterable[Chunk]) -> str | None:
    middlebox = StrictMiddlebox()
    verdicts = [middlebox.feed(chunk.sender, chunk.data) for chunk in chunks]
    return verdicts[-1]


@pytest.fixture(scope="module")
def captures(tmp_path_factory: pytest.TempPathFactory) -> Captures:
    return Captures(tmp_path_factory.mktemp("captures"))


@pytest.mark.parametrize("size", [1, 7, 100_000])
@pytest.mark.parametrize("tickets", [True, False])
@pytest.mark.parametrize("version", [V12, V13])
def test_full_and_resumed_connections_pass(
    captures: Captures, version: TLSVersion, size: int, *, tickets: bool
) -> None:
    full = captures.full(version, tickets=tickets)
    resumed = captures.resumed(version, tickets=tickets)

    assert _verdict(full.rechunked(size)) is None
    assert _verdict(resumed.rechunked(size)) is None


def _with_modes(captures: Captures, client: bool, server: bool, *, resume: bool) -> Capture:  # noqa: FBT001 - a 2 x 2 table
    pair = captures.pair(V13)
    for context, mode in ((pair.client, client), (pair.server, server)):
        if not mode:
            context.options &= ~ssl.OP_ENABLE_MIDDLEBOX_COMPAT
    first = pair.connect()
    return pair.connect(first.session) if resume else first


@pytest.mark.parametrize("resume", [True, False])
@pytest.mark.parametrize(
    ("client", "server", "reason"),
    [
        (True, True, None),
        (
            False,
            True,
            (
                "the server sent change_cipher_spec after ServerHello, "
                "but the ClientHello has no session id that could be resumed"
            ),
        ),
        (True, False, "the server sent application data before its change_cipher_spec"),
        (False, False, "the server sent application data before its change_cipher_spec"),
    ],
)
def test_tls13_passes_only_with_the_mode_on_at_both_ends(
    captures: Captures, *, client: bool, server: bool, reason: str | None, resume: bool
) -> None:
    assert _verdict(_with_modes(captures, client, server, resume=resume).chunks) == reason


def test_a_client_that_sends_no_change_cipher_spec_is_blocked(captures: Captures) -> None:
    capture = captures.resumed(V13)
    mute = [type(c)(c.sender, c.at, c.data.replace(CCS, b"") if c.sender is C else c.data) for c in capture.chunks]

    assert _verdict(mute) == "the client sent application data before its change_cipher_spec"


def test_a_session_id_that_is_not_echoed_is_blocked(captures: Captures) -> None:
    capture = captures.resumed(V13)
    session_id = capture.stream(C)[44:76]
    forged = [
        type(c)(c.sender, c.at, c.data.replace(session_id, bytes(32)) if c.sender is S else c.data)
        for c in capture.chunks
    ]

    assert _verdict(forged) == (
        "the server sent change_cipher_spec after ServerHello, but the session id is not echoed"
    )


@pytest.mark.parametrize(
    ("sender", "data", "reason"),
    [
        (C, b"GET / HTTP/1.0\r\n\r\n", "the client sent no TLS record but b'GET / HTTP/1.0\\r\\n' at offset 0"),
        (C, APPLICATION_DATA, "the client sent application data before its change_cipher_spec"),
        (C, CCS, "the client sent change_cipher_spec before any ClientHello"),
        (S, CCS, "the server sent change_cipher_spec before any ServerHello"),
        (S, bytes.fromhex("15030300020250"), "the server sent an alert before any ClientHello"),
        (S, bytes.fromhex("16030300040e000000"), "the server sent ServerHelloDone where TLS 1.2 has none"),
        (C, bytes.fromhex("18030300020101"), "the client sent a heartbeat"),
        (C, bytes.fromhex("16030300080100000403010000"), ("the client sent ClientHello of version 0x0301, "
         "which is not TLS 1.2")),
    ],
)  # fmt: skip
def test_what_does_not_begin_a_handshake_is_blocked(sender: Role, data: bytes, reason: str) -> None:
    assert StrictMiddlebox().feed(sender, data) == reason


def test_a_blocked_connection_stays_blocked(captures: Captures) -> None:
    middlebox = StrictMiddlebox()
    reason = middlebox.feed(S, CCS)

    assert middlebox.feed(C, captures.full(V12).chunks[0].data) == reason


def test_a_change_cipher_spec_after_application_data_is_blocked(captures: Captures) -> None:
    first = list(captures.resumed(V13).chunks[:3])

    blocked = _verdict([*first, type(first[0])(C, 9.0, CCS)])

    assert blocked == "the client sent a change_cipher_spec after application data"


@pytest.mark.parametrize("sender", [C, S])
def test_a_repeated_change_cipher_spec_in_the_handshake_passes(captures: Captures, sender: Role) -> None:
    capture = captures.resumed(V13)
    twice = [
        type(c)(c.sender, c.at, c.data.replace(CCS, CCS * 2) if c.sender is sender else c.data) for c in capture.chunks
    ]

    assert _verdict(twice) is None


def test_an_alert_passes(captures: Captures) -> None:
    middlebox = StrictMiddlebox()
    middlebox.feed(C, captures.full(V13).chunks[0].data)

    assert middlebox.feed(S, bytes.fromhex("15030300020250")) is None
