"""Cells of a situation: which there are, what they are called, what makes one unsupported."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.matrix.cells import LONGEST, Situation, cells, knob_values, parse_id, shown
from harness.model.capability import Capability
from harness.model.errors import UsageError
from harness.model.knobs import CacheMode, PskMode
from harness.model.tls import USUAL_VERSIONS, Close, Role, TLSVersion
from harness.tests.fakes import fake_stack

if TYPE_CHECKING:
    from harness.stacks.base import Stack

STACKS: list[Stack] = [fake_stack("openssl", "3.0.19", "close client-only"), fake_stack("libssl", "4.0.0-beta1")]


def test_a_cell_has_the_version_that_its_id_says_at_both_ends() -> None:
    cell = next(cells(Situation(versions=(TLSVersion.TLSv1_2,)), STACKS, STACKS))

    assert cell.client.versions == (TLSVersion.TLSv1_2,)
    assert cell.server.versions == (TLSVersion.TLSv1_2,)


def test_versions_that_the_situation_sets_stay() -> None:
    both = USUAL_VERSIONS

    cell = next(cells(Situation(server={"versions": (both,)}), STACKS, STACKS))

    assert cell.server.versions == both
    assert cell.client.versions == (TLSVersion.TLSv1_2,)


def test_ids_name_only_what_varies_and_are_each_different() -> None:
    situation = Situation(
        client={"tickets": (True,), "timeout": (None, 7200)},
        server={"num_tickets": (0, 2)},
        close=(Close.BOTH, Close.EOF),
    )

    ids = [cell.id for cell in cells(situation, STACKS[:1], STACKS[1:])]

    assert len(set(ids)) == 16
    assert ids[0] == "openssl@3.0.19--libssl@4.0.0-beta1-TLSv1.2-client.timeout=default-server.num_tickets=0-close=both"


def test_a_second_client_is_each_other_client_and_named_in_the_id() -> None:
    situation = Situation(versions=(TLSVersion.TLSv1_3,), second_client=True)

    found = {cell.id: cell.seconds[Role.CLIENT] for cell in cells(situation, STACKS, STACKS[:1])}

    assert found == {
        "openssl@3.0.19--openssl@3.0.19-TLSv1.3-then=libssl@4.0.0-beta1": STACKS[1],
        "libssl@4.0.0-beta1--openssl@3.0.19-TLSv1.3-then=openssl@3.0.19": STACKS[0],
    }


def test_a_second_server_is_each_other_server_and_named_in_the_id() -> None:
    situation = Situation(versions=(TLSVersion.TLSv1_3,), second_server=True)

    found = {cell.id: cell.seconds[Role.SERVER] for cell in cells(situation, STACKS[:1], STACKS)}

    assert found == {
        "openssl@3.0.19--openssl@3.0.19-TLSv1.3-then.server=libssl@4.0.0-beta1": STACKS[1],
        "openssl@3.0.19--libssl@4.0.0-beta1-TLSv1.3-then.server=openssl@3.0.19": STACKS[0],
    }


def test_a_lone_server_has_no_second_one() -> None:
    assert not list(cells(Situation(second_server=True), STACKS, STACKS[:1]))


def test_a_second_client_and_a_second_server_are_crossed() -> None:
    situation = Situation(second_client=True, second_server=True)

    found = [cell.id for cell in cells(situation, STACKS, STACKS)]

    assert len(set(found)) == 8
    assert found[0] == ("openssl@3.0.19--openssl@3.0.19-TLSv1.2-then=libssl@4.0.0-beta1-then.server=libssl@4.0.0-beta1")


def test_what_a_second_server_lacks_makes_the_cell_unsupported() -> None:
    situation = Situation(needs={Role.SERVER: (Capability.CLOSE_CLIENT_ONLY,)}, second_server=True)

    found = {cell.unsupported for cell in cells(situation, STACKS, STACKS)}

    assert found == {"openssl@3.0.19 lacks close client-only as server: it is a fake"}


def test_a_second_server_of_another_family_makes_the_cell_unsupported() -> None:
    stacks = [fake_stack("libssl", "3.5.9"), fake_stack("wolfssl", "5.5.4", family="wolfssl"), STACKS[0]]

    found = {
        f"{cell.server_stack.label} {cell.seconds[Role.SERVER].label}": cell.unsupported
        for cell in cells(Situation(versions=(TLSVersion.TLSv1_3,), second_server=True), stacks[:1], stacks)
    }

    why = "wolfssl@5.5.4 lacks the sessions of libssl@3.5.9: what a ticket holds is each library's own choice"
    assert found["libssl@3.5.9 wolfssl@5.5.4"] == f"{why} (RFC 5077, 4)"
    assert found["wolfssl@5.5.4 libssl@3.5.9"].startswith("libssl@3.5.9 lacks the sessions of wolfssl@5.5.4")
    assert not found["libssl@3.5.9 openssl@3.0.19"]


def test_what_a_second_client_lacks_makes_the_cell_unsupported() -> None:
    situation = Situation(needs={Role.CLIENT: (Capability.CLOSE_CLIENT_ONLY,)}, second_client=True)

    found = {cell.unsupported for cell in cells(situation, STACKS, STACKS[1:])}

    assert found == {"openssl@3.0.19 lacks close client-only as client: it is a fake"}


def test_a_way_to_close_that_an_end_cannot_do_makes_the_cell_unsupported() -> None:
    found = [cell.unsupported for cell in cells(Situation(close=(Close.CLIENT_ONLY,)), STACKS[:1], STACKS[1:])]

    assert found == ["openssl@3.0.19 lacks close client-only as client: it is a fake"] * 2


@pytest.mark.parametrize(
    ("name", "given", "values"),
    [
        ("tickets", [True, False], (True, False)),
        ("tickets", "off", (False,)),
        ("versions", TLSVersion.TLSv1_3, ((TLSVersion.TLSv1_3,),)),
        (
            "cache_mode",
            {CacheMode.SERVER, CacheMode.NO_INTERNAL},
            (frozenset({CacheMode.SERVER, CacheMode.NO_INTERNAL}),),
        ),
        ("cache_mode", [CacheMode.OFF, None], (frozenset({CacheMode.OFF}), None)),
        ("alpn", ("h2", "http/1.1"), (("h2", "http/1.1"),)),
        ("psk_modes", [*PskMode], tuple(PskMode)),
        ("session_id_context", b"a" * 33, (b"a" * 33,)),
    ],
)
def test_a_list_varies_and_anything_else_is_one_value(name: str, given: object, values: tuple[object, ...]) -> None:
    assert knob_values(Role.SERVER, {name: given}) == {name: values}


def test_an_empty_list_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="client knob tickets has no value"):
        knob_values(Role.CLIENT, {"tickets": []})


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "on"),
        (None, "default"),
        (b"\x00\x01", "hex:0001"),
        (("h2", "http/1.1"), "h2,http/1.1"),
    ],
)
def test_a_value_in_an_id_is_what_a_user_would_type(value: object, text: str) -> None:
    assert shown(value) == text


@pytest.mark.parametrize("value", ["a" * 60, "with blanks [and] brackets", "müller.example"])
def test_a_value_that_does_not_fit_an_id_becomes_short_ascii(value: str) -> None:
    text = shown(value)

    assert text.isascii()
    assert len(text) <= LONGEST
    assert not set(text) & set(" []")


def test_two_long_values_that_begin_alike_differ_in_their_ids() -> None:
    assert shown("a" * 60) != shown("a" * 61)


@pytest.mark.parametrize(
    "cell", ["openssl@3.0.19--libssl@4.0.0-beta1-TLSv1.3", "openssl@3.0.19--libssl@4.0.0-beta1-TLSv1.3-x"]
)
def test_an_id_names_its_stacks_and_version(cell: str) -> None:
    assert parse_id(cell) == ("openssl@3.0.19", "libssl@4.0.0-beta1", TLSVersion.TLSv1_3)
