"""A timeline aligns what both connections have, and recognises the tickets and ids of one in the other."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from harness.model.tls import Alert
from harness.model.transcript import EARLY_DATA, Message, NewSessionTicket
from harness.model.view import Saw
from harness.report.alignment import aligned
from harness.report.recognition import abbreviated
from harness.report.text.timeline_text import timeline_text
from harness.report.text.witnesses_text import outcome_line
from harness.report.timeline import timeline
from harness.tests.made.accounts import (
    DECLINED13,
    FIRST,
    FULL12,
    FULL13,
    NST,
    RESUMED12,
    RESUMED13,
    SECOND,
    TAKEN,
    aborted12,
)
from harness.tests.made.handshakes import CLIENT, KEY, SERVER, answer13, hello13, made, session, ticket, transcript

if TYPE_CHECKING:
    from harness.model.connection import Connection
    from harness.model.transcript import Transcript


def kinds(connection: Connection, before: Connection | None) -> list[tuple[str, str]]:
    """The types of the messages of each row."""
    rows = timeline(connection, before)
    return [(one.message.type if one else "", other.message.type if other else "") for one, other in rows]


def fields(connection: Connection, kind: str, before: Connection | None = FULL13) -> dict[str, tuple[str, ...]]:
    """The fields of the first message of a type of the right side."""
    entry = next(entry for _, entry in timeline(connection, before) if entry and entry.message.type == kind)
    return dict(entry.fields)


def second(shown: Transcript, **changes: Any) -> Connection:
    return made(2, Saw.FULL, shown, offered=TAKEN, last_session=None, **changes)


def offering(psk: bytes, age: int = 0, **changes: Any) -> Connection:
    """A connection that offers a ticket, and nothing more."""
    return second(transcript((CLIENT, hello13(1, psk, age=age, **changes))))


def test_a_certificate_that_only_the_full_handshake_has_stands_alone() -> None:
    rows = kinds(RESUMED13, FULL13)

    assert ("Certificate", "") in rows
    assert ("Finished", "Finished") in rows


def test_no_message_is_lost_or_reported_twice() -> None:
    rows = kinds(RESUMED12, FULL12)

    assert [one for one, _ in rows if one] == [message.type for message in FULL12.transcript.messages]
    assert [other for _, other in rows if other] == [message.type for message in RESUMED12.transcript.messages]


def test_an_alert_that_ends_the_handshake_is_not_beside_a_close_notify() -> None:
    subject = aborted12().subject

    assert kinds(subject, FULL12)[:2] == [("ClientHello", "ClientHello"), ("", "Alert")]


def test_messages_of_another_sender_do_not_meet() -> None:
    sent = second(transcript((SERVER, "Finished", 12)))
    received = second(transcript((CLIENT, "Finished", 12)))

    assert kinds(sent, received) == [("", "Finished"), ("Finished", "")]


@pytest.mark.parametrize(
    ("left", "right", "rows"),
    [
        ("", "", []),
        ("ab", "", [("a", None), ("b", None)]),
        ("abc", "ac", [("a", "a"), ("b", None), ("c", "c")]),
        ("ab", "xb", [(None, "x"), ("a", None), ("b", "b")]),
    ],
)
def test_the_order_of_either_side_is_kept(left: str, right: str, rows: list[tuple[str | None, str | None]]) -> None:
    assert aligned(left, right, str) == rows


def test_what_weighs_more_meets() -> None:
    weight = {"d": 1, "t": 2}

    assert aligned("dt", "td", str, weight.__getitem__) == [("d", None), ("t", "t"), (None, "d")]
    assert aligned("td", "dt", str, weight.__getitem__) == [(None, "d"), ("t", "t"), ("d", None)]


def test_tickets_meet_whether_or_not_data_came_before_them() -> None:
    early = second(transcript((CLIENT, "ApplicationData", 5), (SERVER, NST[FIRST]), (SERVER, "ApplicationData", 13)))
    late = second(transcript((SERVER, NST[SECOND]), (CLIENT, "ApplicationData", 5), (SERVER, "ApplicationData", 13)))

    assert ("NewSessionTicket", "NewSessionTicket") in kinds(late, early)
    assert ("NewSessionTicket", "NewSessionTicket") in kinds(early, late)


@pytest.mark.parametrize(
    ("value", "text"),
    [(b"", "empty"), (b"\1\2", "0102(2)"), (b"\1\2\3\4\5", "0102…0405(5)"), (FIRST, "9e3d…0101(208)")],
)
def test_a_long_value_is_reported_by_both_its_ends(value: bytes, text: str) -> None:
    assert abbreviated(value) == text


def test_two_tickets_of_one_key_do_not_look_the_same() -> None:
    assert abbreviated(FIRST) != abbreviated(SECOND)


def test_the_offered_ticket_is_the_one_that_was_received() -> None:
    assert fields(DECLINED13, "ClientHello")["pre_shared_key"][1] == "ticket 2 of connection 1"


def test_an_only_ticket_has_no_number() -> None:
    one = replace(FULL13, transcript=transcript((SERVER, NST[SECOND])))

    assert fields(DECLINED13, "ClientHello", one)["pre_shared_key"][1] == "the ticket of connection 1"


def test_a_ticket_that_was_never_received_is_said_to_be_none_of_those() -> None:
    made_up = offering(ticket(KEY, 9))

    assert fields(made_up, "ClientHello")["pre_shared_key"][1] == "no ticket of connection 1"


def test_a_ticket_that_could_not_be_decrypted_is_known_from_the_session() -> None:
    sealed = replace(FULL13, transcript=transcript((SERVER, "EncryptedRecord", 255), decrypted=False))

    assert fields(DECLINED13, "ClientHello", sealed)["pre_shared_key"][1] == "a ticket of connection 1"


def test_nothing_is_said_of_a_ticket_that_nobody_could_see() -> None:
    sealed = replace(
        FULL13,
        transcript=transcript((SERVER, "EncryptedRecord", 255), decrypted=False),
        sessions=(),
        last_session=None,
    )

    assert fields(DECLINED13, "ClientHello", sealed)["pre_shared_key"] == ("9e3d…0202(208)", "age 0 s", "binder (48)")


@pytest.mark.parametrize(("after", "age"), [(0, "age 0 s"), (1500, "age 1.5 s"), (2**32 - 5000, "age -5 s")])
def test_the_age_is_what_is_left_without_age_add(after: int, age: str) -> None:
    offered = offering(SECOND, (588_587_051 + after) % 2**32)

    assert fields(offered, "ClientHello")["pre_shared_key"][2] == age


def test_the_age_of_a_ticket_that_is_not_offered_comes_from_its_message() -> None:
    assert fields(offering(FIRST, 1007), "ClientHello")["pre_shared_key"][2] == "age 1 s"


def test_the_age_of_an_unknown_ticket_is_unknown() -> None:
    assert fields(offering(ticket(KEY, 9), 5), "ClientHello")["pre_shared_key"][2:] == ("binder (48)",)


def test_each_identity_is_reported() -> None:
    both: dict[str, Any] = {"psk_identities": (FIRST, SECOND), "psk_ages": (7, 0), "psk_binders": (bytes(32),)}
    shown = fields(offering(SECOND, **both), "ClientHello")

    assert shown["pre_shared_key 0"] == ("9e3d…0101(208)", "ticket 1 of connection 1", "age 0 s", "binder (32)")
    assert shown["pre_shared_key 1"][-1] == "no binder"


def test_an_offer_that_is_not_taken_up_is_reported_in_the_server_hello() -> None:
    assert fields(DECLINED13, "ServerHello")["pre_shared_key"] == ("absent", "none accepted")


def test_where_nothing_was_offered_nothing_is_absent() -> None:
    assert "pre_shared_key" not in fields(FULL13, "ServerHello", None)


def test_a_hello_retry_request_accepts_nothing_yet() -> None:
    retry = replace(answer13(1), hello_retry_request=True)
    shown = transcript((CLIENT, hello13(1, SECOND)), (SERVER, retry))

    assert "pre_shared_key" not in fields(second(shown), "ServerHello")


@pytest.mark.parametrize(
    ("session_id", "known"), [(bytes(range(32)), "the offered session's"), (bytes(32), ""), (b"", "")]
)
def test_a_session_id_is_that_of_the_session_or_unknown(session_id: bytes, known: str) -> None:
    shown = transcript((CLIENT, replace(hello13(1), session_id=session_id)))

    assert fields(second(shown), "ClientHello")["session_id"][1:] == ((known,) if known else ())


def test_early_data_that_the_server_does_not_mention_are_refused() -> None:
    early = replace(hello13(1, SECOND), extensions={**hello13(1).extensions, EARLY_DATA: b""})
    shown = transcript((CLIENT, early), (SERVER, answer13(1)), (SERVER, "EncryptedExtensions", 2))

    assert fields(second(shown), "ClientHello")["early_data"] == ("present",)
    assert fields(second(shown), "EncryptedExtensions")["early_data"] == ("absent", "refused")


def test_a_ticket_reports_early_data_only_if_it_allows_them() -> None:
    allowing = NewSessionTicket(7200, SECOND, max_early_data=1000)
    shown = fields(second(transcript((SERVER, allowing))), "NewSessionTicket")

    assert shown["max_early_data"] == ("1000 bytes",)
    assert "max_early_data" not in fields(DECLINED13, "NewSessionTicket")


def test_a_malformed_message_does_not_shift_the_others() -> None:
    broken = Message(CLIENT, "ClientHello", 9, 0.0, fields={"malformed": "too short"})
    shown = transcript((CLIENT, hello13(1, SECOND)))
    shifted = second(replace(shown, messages=(broken, *shown.messages)))
    entries = [entry for _, entry in timeline(shifted) if entry]

    assert entries[0].fields == {"malformed": ("too short",)}
    assert "pre_shared_key" in entries[1].fields


def test_what_no_structure_reports_is_read_from_the_message() -> None:
    plain = replace(transcript((CLIENT, hello13(1)), (SERVER, NST[FIRST])), client_hellos=(), tickets=None)

    assert fields(second(plain), "NewSessionTicket")["ticket"] == ("208 bytes",)
    assert fields(second(plain), "ClientHello")["session_id"] == ("01" * 32,)


def test_milliseconds_are_reported_without_tenths_where_there_are_many() -> None:
    slow = replace(transcript((CLIENT, Alert(0, CLIENT, 1))), messages=(Message(CLIENT, "Finished", 12, 12.3456),))
    text = timeline_text(second(slow), None, [outcome_line(second(slow))]).plain

    assert text.splitlines()[-1] == "12346 → Finished (12)"


def test_a_session_of_which_little_is_known_reports_no_age() -> None:
    shown = replace(offering(SECOND, 7), offered=replace(session(), known={"ticket": SECOND}))

    assert "age" not in " ".join(fields(shown, "ClientHello", None)["pre_shared_key"])
