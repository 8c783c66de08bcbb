"""The comparison of two objects masks what is random, reports all else, and knows every key of the shape."""

from __future__ import annotations

import copy
import json
from typing import Any, get_origin

import pytest

from harness.model.connection import Counters
from harness.model.knobs import ClientConfig, ServerConfig
from harness.model.tls import TLSVersion
from harness.report.diff.difference import Difference, differences, observables
from harness.report.json.comparing import EXACTLY, INSIDE, Connections, Each, Inside
from harness.report.json.encode import case_json
from harness.report.json.shapes import CellObject, ConnectionObject, fields, held
from harness.tests.made.connections import aborted, connection

HELLO = {
    "sender": "client",
    "type": "ClientHello",
    "length": 200,
    "session_id_length": 32,
    "compression_methods": 1,
    "cipher_suites": [0x1302],
    "extensions": [
        {"number": 10, "name": "supported_groups", "length": 12},
        {"number": 41, "name": "pre_shared_key", "length": 60},
    ],
}


def message(sender: str, kind: str, length: int = 10, **fields: str) -> dict[str, Any]:
    return {"at": 1.0, "sender": sender, "type": kind, "length": length, "encrypted": True, "fields": fields}


def cell(**changes: Any) -> dict[str, Any]:
    """A cell with one connection; ``changes`` are values by path, ``case__connections__0__alert``."""
    case = case_json(
        "libssl@1",
        "libssl@1",
        TLSVersion.TLSv1_3,
        [connection()],
        Counters(items=3),
        (ClientConfig(), ServerConfig(timeout=5)),
    )
    made: dict[str, Any] = json.loads(
        json.dumps(
            {
                "cell": "libssl@1--libssl@1-TLSv1.3",
                "scenario": "scenarios/a.py::test_a",
                "client": "libssl@1",
                "server": "libssl@1",
                "tls": "1.3",
                "verdict": "passed",
                "reason": "",
                "seconds": 0.1,
                "folder": None,
                "case": case,
            }
        )
    )
    made["case"]["connections"][0]["hellos"] = [copy.deepcopy(HELLO)]
    made["case"]["connections"][0]["session"]["age_add"] = 0x10000000
    for path, value in changes.items():
        *way, last = [int(step) if step.isdigit() else step for step in path.split("__")]
        place: Any = made
        for step in way:
            place = place[step]
        place[last] = value
    return made


FIRST = "case__connections__0__"


def found(before: dict[str, Any], after: dict[str, Any]) -> list[tuple[str, str, str]]:
    return [(d.observable, d.before, d.after) for d in differences(CellObject, before, after)]


def compared(kind: Any) -> list[Any]:
    """The object types whose keys the walk compares, from this one on."""
    walked = [field for field in fields(kind).values() if isinstance(field.compare, Inside | Each | Connections)]
    return list(dict.fromkeys([kind, *(other for field in walked for other in compared(held(field.kind)))]))


@pytest.mark.parametrize("kind", compared(CellObject), ids=lambda kind: kind.__name__)
def test_a_list_of_objects_says_how_it_is_compared(kind: Any) -> None:
    lists = {key: field for key, field in fields(kind).items() if get_origin(field.kind) is list and held(field.kind)}

    assert [key for key, field in lists.items() if field.compare is EXACTLY] == []


def test_an_object_is_compared_key_by_key_if_nothing_is_said() -> None:
    assert fields(ConnectionObject)["endpoints"].compare is INSIDE


def test_a_cell_does_not_differ_from_itself() -> None:
    assert found(cell(), cell()) == []


def test_an_aborted_connection_does_not_differ_from_itself() -> None:
    case = case_json("a@1", "a@1", TLSVersion.TLSv1_3, [aborted()], None, (ClientConfig(), ServerConfig()))

    assert found(cell(case=case), cell(case=case)) == []


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("cell", "other"),
        ("client", "libssl@2"),
        ("reason", "words"),
        ("seconds", 9.5),
        ("folder", "/elsewhere"),
        ("case__client", "libssl@2"),
        (f"{FIRST}views__client__name", "openssl@2"),
        (f"{FIRST}views__client__evidence", ["other words"]),
        (f"{FIRST}commands__client", ["openssl s_client -connect 127.0.0.1:9"]),
        (f"{FIRST}messages__0__at", 99.5),
        (f"{FIRST}session__session_id", "ff" * 32),
        (f"{FIRST}session__ticket", "ff" * 208),
        (f"{FIRST}session__time", 1),
        (f"{FIRST}session__age_add", 0x20000000),
        (f"{FIRST}session__taken_by", "openssl@2"),
    ],
)
def test_what_is_random_or_of_a_machine_is_masked(path: str, value: Any) -> None:
    assert found(cell(), cell(**{path: value})) == []


@pytest.mark.parametrize(
    ("path", "value", "shown"),
    [
        ("verdict", "failed", ("verdict", "passed", "failed")),
        (f"{FIRST}outcome", "declined", ("outcome", "resumed", "declined")),
        (f"{FIRST}mechanism", None, ("mechanism", "psk", "none")),
        (f"{FIRST}tickets", 2, ("tickets", "1", "2")),
        (f"{FIRST}was_offered", False, ("was_offered", "true", "false")),
        (f"{FIRST}disagreement", "many words", ("disagreement", "none", "present")),
        (f"{FIRST}session", None, ("session", "present", "none")),
        (f"{FIRST}session__session_id", "ff", ("session.session_id", "32 bytes", "1 bytes")),
        (f"{FIRST}session__lifetime_hint", 7, ("session.lifetime_hint", "none", "7")),
        (f"{FIRST}session__age_add", 0, ("session.age_add", "not 0", "0")),
        (f"{FIRST}session__ticket_length", 240, ("session.ticket_length", "208", "240")),
        (f"{FIRST}endpoints__client__ending", "eof", ("endpoints.client.ending", "none", "eof")),
        (f"{FIRST}endpoints__server__errors", ["lib=20 reason=294 x"], ("endpoints.server.errors", "none", "20:294")),
        (f"{FIRST}hellos__0__cipher_suites", [1], ("hellos.client.ClientHello.cipher_suites", "1302", "0001")),
        ("case__counters__items", 4, ("counters.items", "3", "4")),
        ("case__counters", None, ("counters", "present", "none")),
        ("case__knobs__server__timeout", "6", ("knobs.server.timeout", "5", "6")),
        ("case__knobs__client", {"alpn": "h2"}, ("knobs.client.alpn", "absent", "present")),
        ("case__connections", [], ("connection", "present", "absent")),
    ],
)
def test_all_else_is_reported(path: str, value: Any, shown: tuple[str, str, str]) -> None:
    assert found(cell(), cell(**{path: value})) == [shown]


def test_an_alert_is_reported_by_its_number_and_sender() -> None:
    alert = {"number": 50, "name": "decode_error", "level": 2, "sender": "client"}

    assert found(cell(), cell(**{f"{FIRST}alert": alert})) == [("alert", "none", "decode_error (50) by client")]


def test_the_words_of_an_error_are_not_compared() -> None:
    path = f"{FIRST}endpoints__client__errors"

    assert found(cell(**{path: ["lib=20 reason=1 a"]}), cell(**{path: ["lib=20 reason=1 b"]})) == []


def test_a_difference_names_its_connection() -> None:
    (shown,) = differences(CellObject, cell(), cell(**{f"{FIRST}tickets": 2}))

    assert shown.connection == 2


def test_differences_of_two_connections_are_one_difference() -> None:
    assert Difference("tickets", "1", "2", 1) == Difference("tickets", "1", "2", 2)


def messages(*made: dict[str, Any]) -> dict[str, Any]:
    return cell(**{f"{FIRST}messages": list(made)})


def test_a_message_that_is_missing_is_reported() -> None:
    before = messages(message("server", "NewSessionTicket"), message("server", "NewSessionTicket"))

    assert found(before, messages(message("server", "NewSessionTicket"))) == [
        ("messages.server.NewSessionTicket", "present", "absent")
    ]


def test_what_dtls_sends_again_is_chance() -> None:
    first = message("server", "ServerHello")
    again = message("server", "retransmitted ServerHello", 12), message("server", "retransmitted Certificate")

    assert found(messages(first), messages(first, *again)) == []


def test_the_order_of_one_sender_is_reported() -> None:
    one, other = message("server", "ChangeCipherSpec"), message("server", "NewSessionTicket")

    assert found(messages(one, other), messages(other, one)) == [
        ("messages.server order", "ChangeCipherSpec NewSessionTicket", "NewSessionTicket ChangeCipherSpec")
    ]


def test_where_application_data_came_is_chance() -> None:
    one, other = message("server", "ApplicationData"), message("server", "NewSessionTicket")

    assert found(messages(one, other), messages(other, one)) == []


def test_whose_bytes_came_first_is_chance() -> None:
    one, other = message("client", "Alert"), message("server", "Alert")

    assert found(messages(one, other), messages(other, one)) == []


@pytest.mark.parametrize("kind", ["Certificate", "CertificateVerify", "ServerKeyExchange", "EncryptedRecord"])
def test_the_length_of_what_is_signed_or_not_decrypted_is_masked(kind: str) -> None:
    assert found(messages(message("server", kind, 70)), messages(message("server", kind, 72))) == []


def test_the_length_of_another_message_is_reported() -> None:
    assert found(messages(message("server", "Finished", 36)), messages(message("server", "Finished", 52))) == [
        ("messages.server.Finished.length", "36", "52")
    ]


def test_a_field_of_a_message_is_reported() -> None:
    before, after = (message("server", "NewSessionTicket", lifetime=text) for text in ("300 s", "7200 s"))

    assert found(messages(before), messages(after)) == [
        ("messages.server.NewSessionTicket.fields.lifetime", "300 s", "7200 s")
    ]


def hello(*extensions: tuple[int, str, int], length: int) -> dict[str, Any]:
    listed = [{"number": number, "name": name, "length": size} for number, name, size in extensions]
    return cell(**{f"{FIRST}hellos": [{**HELLO, "length": length, "extensions": listed}]})


def test_an_extension_of_another_length_is_reported_once() -> None:
    before, after = hello((10, "supported_groups", 12), length=100), hello((10, "supported_groups", 22), length=110)

    assert found(before, after) == [("hellos.client.ClientHello.extensions.supported_groups.length", "12", "22")]


def test_the_length_of_a_ticket_in_a_hello_is_masked() -> None:
    before, after = hello((41, "pre_shared_key", 60), length=160), hello((41, "pre_shared_key", 76), length=176)

    assert found(before, after) == []


def test_an_extension_that_is_new_is_reported_once() -> None:
    before, after = hello(length=100), hello((22, "encrypt_then_mac", 0), length=104)

    assert found(before, after) == [("hellos.client.ClientHello.extensions.encrypt_then_mac", "absent", "present")]


def test_a_length_that_no_part_explains_is_reported() -> None:
    assert [shown[0] for shown in found(hello(length=100), hello(length=101))] == ["hellos.client.ClientHello.length"]


def test_extensions_in_another_order_are_reported() -> None:
    one, other = (22, "encrypt_then_mac", 0), (23, "extended_master_secret", 0)

    assert [shown[0] for shown in found(hello(one, other, length=99), hello(other, one, length=99))] == [
        "hellos.client.ClientHello.extensions order"
    ]


def test_a_ticket_that_may_hold_a_certificate_is_compared_by_presence() -> None:
    knobs = {"client_certificate": "client"}
    before = cell(case__knobs__client=knobs)
    after = cell(case__knobs__client=knobs, **{f"{FIRST}session__ticket_length": 240})

    assert found(before, after) == []


def test_what_is_equal_differs_where_the_knobs_mask_only_one_side() -> None:
    certified = cell(case__knobs__client={"client_certificate": "client"})

    assert next(one.observable for one in differences(CellObject, cell(), certified)).startswith("knobs.client")
    assert differences(CellObject, certified, json.loads(json.dumps(certified))) == []


def test_each_observable_that_differs_is_an_observable_of_one_of_the_two() -> None:
    one, other = cell(), cell(**{f"{FIRST}messages": [], f"{FIRST}session": None, "case__counters": None})
    named = {found.observable for found in differences(CellObject, one, other)}

    assert {"session", "counters"} <= named
    assert named <= observables(CellObject, one) | observables(CellObject, other)
    assert {"outcome", "session.lifetime_hint", "counters.hits"} <= observables(CellObject, one)
    assert not {"session.lifetime_hint", "nonsense"} & observables(CellObject, other)


FLIGHT = [message("client", "ClientHello"), message("server", "Finished"), message("client", "Finished")]
DATA = message("client", "ApplicationData")


@pytest.mark.parametrize(
    ("after", "left"),
    [
        ([message("server", "Alert", level="fatal", alert="unknown_ca (48)")], 0),
        ([message("server", "Alert", level="warning", alert="close_notify (0)")], 1),
        ([message("server", "ApplicationData"), message("server", "Alert", level="fatal", alert="x (10)")], 1),
        ([message("client", "Alert", level="fatal", alert="unknown_ca (48)")], 1),
    ],
)
def test_data_to_a_peer_that_refuses_the_last_flight_is_a_matter_of_time(
    after: list[dict[str, Any]], left: int
) -> None:
    early = [FLIGHT[0], DATA, *FLIGHT[1:]]
    before, other = cell(case__connections__0__messages=early + after), copy.deepcopy(cell())
    other["case"]["connections"][0]["messages"] = [*early, DATA, *after]

    found = [one.observable for one in differences(CellObject, before, other)]

    assert found == ["messages.client.ApplicationData"] * left


def test_a_reason_of_every_library_has_the_number_that_it_had_before_3_0() -> None:
    path = f"{FIRST}endpoints__server__errors"
    of_3_0, of_1_1_1 = (cell(**{path: [f"lib=20 reason={reason} internal error"]}) for reason in (786691, 68))
    other = cell(**{path: ["lib=20 reason=786692 disabled"]})

    assert differences(CellObject, of_1_1_1, of_3_0) == []
    (found,) = differences(CellObject, of_1_1_1, other)
    assert (found.before, found.after) == ("20:68", "20:69")
