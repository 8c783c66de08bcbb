"""A session of a stack without DER knows what it was given and nothing else, and says so."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.model.errors import UnknownFieldError
from harness.model.tls import TLSVersion
from harness.wire.session.codec import decode
from harness.wire.session.json_fields import from_fields, to_fields

if TYPE_CHECKING:
    from harness.tests.live_sessions import Live

FIELDS = {"session_id": "0a0b", "time": 5, "version": "1.3", "has_ticket": True, "timeout": None}


def test_hex_becomes_bytes() -> None:
    assert from_fields(FIELDS, "s1").session_id == b"\x0a\x0b"


def test_a_version_becomes_one() -> None:
    assert from_fields(FIELDS, "s1").version is TLSVersion.TLSv1_3


def test_the_handle_is_kept() -> None:
    assert from_fields(FIELDS, "s1").handle == "s1"


def test_only_what_was_given_or_follows_from_it_is_known() -> None:
    assert set(from_fields(FIELDS, "s1").known) == {"session_id", "time", "version", "protocol", "has_ticket"}


def test_another_field_is_unknown() -> None:
    with pytest.raises(UnknownFieldError, match="ssl@3 does not have ticket; it knows: has_ticket, protocol"):
        _ = from_fields(FIELDS, "s1", taken_by="ssl@3").ticket


def test_a_field_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match="no field 'colour' in a session; its fields are: protocol, version"):
        from_fields({"colour": 1}, "s1")


@pytest.mark.parametrize(
    "wrong", [{"time": "5"}, {"time": True}, {"has_ticket": 1}, {"session_id": "xy"}, {"session_id": 5}, {"version": 3}]
)
def test_a_value_of_another_type_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=f"{next(iter(wrong))} of a session cannot be"):
        from_fields(wrong, "s1")


def test_what_json_carries_comes_back(live: Live) -> None:
    session = decode(live.der("alpn"), resumable=False)

    assert from_fields(to_fields(session), None).known == session.known
