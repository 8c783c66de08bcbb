"""A session's fields read as people need them: units, names, UTC, and unknown where nobody could know."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.model.session import SESSION_FIELDS, Session
from harness.report.text.session_text import hexadecimal, moment, session_rows
from harness.wire.session.codec import decode

if TYPE_CHECKING:
    from harness.tests.live_sessions import Live


def row(name: str, value: object, **others: object) -> str:
    return dict(session_rows(Session({name: value, **others})))[name]


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("cipher", 0x1301, "0x1301  TLS_AES_128_GCM_SHA256"),
        ("cipher", 0xFEFE, "0xfefe"),
        ("time", 0, "0  1970-01-01T00:00:00Z"),
        ("time", 1 << 60, "1152921504606846976"),
        ("timeout", 300, "300 s"),
        ("verify_result", 0, "0  X509_V_OK"),
        ("verify_result", 9999, "9999"),
        ("lifetime_hint", 0, "0  none"),
        ("max_early_data", 16384, "16384 bytes"),
        ("max_fragment_length_mode", 2, "2  1024 bytes"),
        ("flags", 1, "0x1"),
        ("kex_group", 0, "0  not recorded"),
        ("kex_group", 4588, "4588  X25519MLKEM768"),
        ("has_ticket", False, "no"),
        ("server_name", "", "empty"),
        ("ticket", b"", "empty"),
        ("ticket", b"\xff", "1 byte  ff"),
        ("session_id_context", b"resume", '6 bytes  726573756d65  "resume"'),
        ("resumable", True, "yes"),
        ("compression", 1, "1  DEFLATE"),
        ("srp_username", b"someone", '7 bytes  736f6d656f6e65  "someone"'),
        ("server_name", "\x1b[1m", "\\x1b[1m"),
    ],
)
def test_a_value_is_shown_with_its_unit_or_name(name: str, value: object, shown: str) -> None:
    assert row(name, value) == shown


def test_a_timeout_is_shown_with_its_end() -> None:
    assert row("timeout", 60, time=0) == "60 s, until 1970-01-01T00:01:00Z"


def test_a_field_that_nobody_reported_is_unknown() -> None:
    assert dict(session_rows(Session({})))["ticket"] == "unknown"


def test_a_protocol_that_the_harness_does_not_speak_is_said() -> None:
    assert row("protocol", "DTLSv1.2") == "DTLSv1.2"
    assert dict(session_rows(Session({"protocol": "DTLSv1.2"})))["version"] == "none that the harness speaks"


def test_every_field_has_its_row(live: Live) -> None:
    assert [name for name, _ in session_rows(decode(live.der("tls13")))] == list(SESSION_FIELDS)


def test_hex_that_is_cut_keeps_the_whole_length() -> None:
    assert hexadecimal(b"\xab" * 9, 2) == "9 bytes  abab…"


@pytest.mark.parametrize("seconds", [-(1 << 63), -(1 << 40), 1 << 40, (1 << 63) - 1])
def test_a_time_beyond_the_calendar_has_no_date(seconds: int) -> None:
    assert moment(seconds) == ""


def test_a_certificate_is_shown_by_its_hash() -> None:
    assert row("peer_certificate", b"xx").startswith("2 bytes  SHA-256 5dde896887f6754c")
