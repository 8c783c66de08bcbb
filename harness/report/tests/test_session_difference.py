"""The difference of two sessions names every field once, masks none, and fits."""

from __future__ import annotations

import pytest

from harness.model.session import SESSION_FIELDS, Session
from harness.model.tls import TLSVersion
from harness.report.session_difference import session_difference
from harness.report.text.session_difference_text import session_difference_text
from harness.tests.made.handshakes import session

OLD = session(TLSVersion.TLSv1_2, ticket=b"\1" * 176, verify_result=20)
NEW = session(TLSVersion.TLSv1_3, ticket=b"\2" * 208, session_id=bytes(32), verify_result=0)
UNTOLD = Session({"version": TLSVersion.TLSv1_3})


def text(width: int) -> str:
    return session_difference_text("Both", ("offered", "yielded"), OLD, NEW, width).plain


@pytest.mark.parametrize("pair", [(OLD, NEW), (OLD, OLD), (NEW, UNTOLD), (UNTOLD, UNTOLD)])
def test_every_field_is_reported_once(pair: tuple[Session, Session]) -> None:
    found = session_difference(*pair)

    assert sorted([*found.differing, *found.equal, *found.empty, *found.unknown]) == sorted(SESSION_FIELDS)


def test_what_is_random_differs_too() -> None:
    assert {"session_id", "ticket"} <= set(session_difference(OLD, NEW).differing)


def test_a_session_does_not_differ_from_itself() -> None:
    assert session_difference(OLD, OLD).differing == ()


def test_a_field_that_only_one_side_knows_differs() -> None:
    assert "cipher" in session_difference(NEW, UNTOLD).differing


def test_a_field_that_is_empty_on_both_sides_is_not_listed_as_equal() -> None:
    found = session_difference(OLD, NEW)

    assert "alpn" in found.empty
    assert "alpn" not in found.equal


@pytest.mark.parametrize("width", [120, 100, 80, 60])
def test_it_fits_however_long_the_names_are(width: int) -> None:
    assert max(map(len, text(width).splitlines())) <= width


def test_a_value_that_is_folded_stays_in_its_column() -> None:
    lines = text(80).splitlines()
    at = lines[1].index("yielded")
    ciphers = [line[at:].strip() for line in lines if "TLS_AES_256_GCM_SHA384" in line]

    assert ciphers == ["TLS_AES_256_GCM_SHA384"]


def test_both_values_of_a_field_are_shown() -> None:
    (row,) = (line for line in text(100).splitlines() if line.startswith("  ticket_length"))

    assert row.split() == ["ticket_length", "176", "bytes", "208", "bytes"]
