"""A line that s_client forgets within a renegotiation is given again, once each time, when s_client has read."""

from __future__ import annotations

import pytest

from harness.stacks.openssl.unsent import Unsent


@pytest.mark.parametrize(
    ("printed", "again"),
    [
        ([], 0),
        ([b"read R BLOCK"], 0),
        ([b"write R BLOCK"], 0),
        ([b"write R BLOCK", b"read R BLOCK", b"read R BLOCK"], 1),
        ([b"write R BLOCK", b"read R BLOCK", b"write R BLOCK", b"read R BLOCK"], 2),
        ([b"write R BLOCK", b"a line of the server"], 1),
        ([b"write R BLOCK", b"TIMEOUT occurred"], 0),
        ([b"write R BLOCK", b"TIMEOUT occurred", b"read R BLOCK"], 1),
    ],
)
def test_a_line_is_given_again_each_time_that_it_was_lost(printed: list[bytes], again: int) -> None:
    given: list[bytes] = []
    unsent = Unsent(given.append)
    unsent.wrote(b"ping\n")

    for line in printed:
        unsent.heard(line)

    assert given == [b"ping\n"] * again


@pytest.mark.parametrize(
    ("printed", "again"),
    [
        ([b"write R BLOCK", b"read R BLOCK", b"read R BLOCK"], 0),
        ([b"write R BLOCK", b"write R BLOCK", b"read R BLOCK"], 1),
        ([b"depth=0 CN = server", b"write R BLOCK", b"read R BLOCK"], 0),
    ],
)
def test_the_first_block_of_a_renegotiation_by_command_is_about_no_line(printed: list[bytes], again: int) -> None:
    given: list[bytes] = []
    unsent = Unsent(given.append)
    unsent.renegotiates()
    unsent.wrote(b"ping\n")

    for line in printed:
        unsent.heard(line)

    assert given == [b"ping\n"] * again


def test_a_renegotiation_that_never_blocked_is_over_with_the_answer() -> None:
    given: list[bytes] = []
    unsent = Unsent(given.append)
    unsent.renegotiates()
    unsent.wrote(b"ping\n")
    unsent.answered()
    unsent.wrote(b"ping\n")
    unsent.heard(b"write R BLOCK")
    unsent.heard(b"read R BLOCK")

    assert given == [b"ping\n"]


def test_a_line_that_was_answered_is_not_given_again() -> None:
    given: list[bytes] = []
    unsent = Unsent(given.append)
    unsent.wrote(b"ping\n")
    unsent.answered()
    unsent.heard(b"write R BLOCK")
    unsent.heard(b"read R BLOCK")

    assert not given
