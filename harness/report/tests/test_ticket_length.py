"""Lengths of tickets are alike where the size of a random ticket_age_add can account for what differs."""

from __future__ import annotations

import pytest

from harness.report.ticket_length import TicketLength, der_size


@pytest.mark.parametrize(("number", "size"), [(0, 1), (0x7F, 1), (0x80, 2), (0x7FFFFFFF, 4), (0x80000000, 5)])
def test_a_number_takes_so_many_bytes_in_der(number: int, size: int) -> None:
    assert der_size(number) == size


SHORT, LONG = 0x01000000, 0x80000000


def test_equal_lengths_are_alike() -> None:
    assert TicketLength.tls13(208, SHORT).alike(TicketLength.tls13(208, LONG))


def test_one_block_more_is_alike_where_the_number_is_longer() -> None:
    assert TicketLength.tls13(208, SHORT).alike(TicketLength.tls13(224, LONG))


def test_one_block_more_is_not_alike_where_the_number_is_shorter() -> None:
    assert not TicketLength.tls13(208, LONG).alike(TicketLength.tls13(224, SHORT))


def test_one_block_more_is_not_alike_where_the_number_has_one_size() -> None:
    assert not TicketLength.tls13(208, LONG).alike(TicketLength.tls13(224, LONG))


def test_two_blocks_more_are_never_alike() -> None:
    assert not TicketLength.tls13(208, 0).alike(TicketLength.tls13(240, LONG))


def test_one_block_more_is_alike_where_the_number_is_unknown() -> None:
    assert TicketLength.tls13(208, None).alike(TicketLength.tls13(224, None))


def test_nothing_is_random_about_the_length_of_a_tls12_ticket() -> None:
    assert not TicketLength(160).alike(TicketLength(176))
