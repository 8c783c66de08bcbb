"""Which builds a declared difference is about."""

from __future__ import annotations

from datetime import date
from types import SimpleNamespace
from typing import Any

import pytest

from harness.builds.versions import build_version
from harness.matrix.expectation import Builds, Differs, Expectation, broken_by, unmatched
from harness.model.errors import UsageError
from harness.model.knobs import ClientConfig, ServerConfig
from harness.model.tls import Role, TLSVersion
from harness.tests.fakes import fake_stack

SEEN = date(2026, 11, 21)


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        ("1.0.2u", "1.0.2za"),
        ("1.0.2z", "1.0.2zh"),
        ("1.1.1", "1.1.1a"),
        ("1.1.1w", "3.0.0"),
        ("3.0.9", "3.0.19"),
        ("4.0.0-dev", "4.0.0-alpha1"),
        ("4.0.0-beta1", "4.0.0"),
    ],
)
def test_versions_of_builds_are_in_the_order_of_their_releases(older: str, newer: str) -> None:
    assert build_version(older) < build_version(newer)


@pytest.mark.parametrize(
    ("builds", "stack", "version", "held"),
    [
        ("libssl@>=3.0,<3.2", "libssl", "3.0.19", True),
        ("libssl@>=3.0,<3.2", "libssl", "3.2.0", False),
        ("libssl@>=3.0,<3.2", "openssl", "3.0.19", False),
        ("*@<=1.1.1w", "openssl", "1.1.1w", True),
        ("*@<1.1.1w", "openssl", "1.1.1w", False),
        ("*ssl@==1.1.1.*", "pyopenssl", "1.1.1k", True),
        ("ssl", "ssl", "3.0.19", True),
        ("ssl", "openssl", "3.0.19", False),
        ("*@>=4.0.0-dev", "openssl", "4.0.0-beta1", True),
        ("openssl:*@>=3.0", "libssl", "3.0.19", True),
        ("gnutls:*@>=3.0", "libssl", "3.0.19", False),
    ],
)
def test_a_range_holds_the_builds_of_its_stacks_and_versions(
    builds: str, stack: str, version: str, *, held: bool
) -> None:
    assert (fake_stack(stack, version) in Builds(builds)) is held


@pytest.mark.parametrize(
    ("builds", "stack", "family", "version", "held"),
    [
        ("*@>=3.0", "gnutls", "gnutls", "3.7.9", False),
        ("*", "gnutls", "gnutls", "3.7.9", False),
        ("*@>=3.0", "odd", "odd", "not a number", False),
        ("gnu*@>=3.0", "gnutls", "gnutls", "3.7.9", False),
        ("gnutls@>=3.7", "gnutls", "gnutls", "3.7.9", True),
        ("gnutls@>=3.8", "gnutls", "gnutls", "3.7.9", False),
        ("gnutls", "gnutls", "gnutls", "3.7.9", True),
        ("gnutls:*@>=3.7", "gnutls", "gnutls", "3.7.9", True),
        ("gnutls:*@>=3.7", "go", "go", "3.7.9", False),
        ("gnutls:cli*@>=3.7", "gnutls", "gnutls", "3.7.9", False),
        ("openssl:gnutls@>=3.7", "gnutls", "gnutls", "3.7.9", False),
        ("*@>=3.0", "node", "openssl", "3.0.19", True),
    ],
)
def test_a_range_holds_builds_of_one_family(builds: str, stack: str, family: str, version: str, *, held: bool) -> None:
    assert (fake_stack(stack, version, family=family) in Builds(builds)) is held


@pytest.mark.parametrize("builds", [":*@>=3", "GnuTLS:*@>=3", "a:b:*"])
def test_a_family_that_cannot_be_read_is_a_usage_error(builds: str) -> None:
    with pytest.raises(UsageError, match="names no family before the colon"):
        Differs(1, Role.SERVER, builds, SEEN, "seen")


def test_a_range_that_cannot_be_read_is_a_usage_error_with_an_example() -> None:
    with pytest.raises(UsageError, match=r"'libssl@3 to 4' is not a range of builds, as in libssl@>=3\.0,<3\.2"):
        Differs(1, Role.SERVER, "libssl@3 to 4", SEEN, "seen")


def test_a_difference_without_evidence_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="needs its evidence"):
        Differs(1, Role.SERVER, "libssl", SEEN, " ")


def played(client: str, server: str, tls: TLSVersion = TLSVersion.TLSv1_3) -> Any:
    return SimpleNamespace(
        client_stack=fake_stack(client, "3.0.19"),
        server_stack=fake_stack(server, "3.0.19"),
        client_config=ClientConfig(middlebox_compat=True),
        server_config=ServerConfig(middlebox_compat=False),
        tls=tls,
        left={},
        declared=[],
    )


UNREAD = Expectation(True, Differs(False, Role.SERVER, "*@<3.0", SEEN, "seen", left="*@>=3.0"))  # noqa: FBT003 - values


@pytest.mark.parametrize(
    ("left", "present", "value"),
    [("3.5.7", "1.1.1w", False), ("1.1.1w", "3.5.7", True), ("1.1.0l", "1.1.1w", True), (None, "1.1.1w", True)],
)
def test_a_difference_about_builds_that_were_left_asks_for_both_ranges(
    left: str | None, present: str, *, value: bool
) -> None:
    pair = played("libssl", "libssl")
    pair.server_stack = fake_stack("libssl", present)
    pair.left = {Role.SERVER: fake_stack("libssl", left)} if left else {}

    assert UNREAD.of(pair) is value


RESUMES_AT_OLD = Expectation(False, Differs(True, Role.CLIENT, "*@>=3.0", SEEN, "seen", peer="*@<3.0"))  # noqa: FBT003 - values


@pytest.mark.parametrize(("peer", "value"), [("1.1.1w", True), ("3.5.7", False)])
def test_a_difference_about_the_build_at_the_other_end_asks_for_it(peer: str, *, value: bool) -> None:
    pair = played("libssl", "libssl")
    pair.server_stack = fake_stack("libssl", peer)

    assert RESUMES_AT_OLD.of(pair) is value


@pytest.mark.parametrize(
    ("server", "lines"), [("1.1.1w", []), ("3.5.7", ["client *@>=3.0 with *@<3.0 gives True (seen 2026-11-21)"])]
)
def test_a_peer_build_difference_is_unmatched_without_a_peer_build(server: str, lines: list[str]) -> None:
    found = unmatched([RESUMES_AT_OLD], [fake_stack("libssl", "3.5.7")], [fake_stack("libssl", server)])

    assert found == lines


def test_a_difference_between_two_builds_is_unmatched_if_either_range_is() -> None:
    found = unmatched([UNREAD], [fake_stack("libssl", "3.5.7")], [fake_stack("libssl", "1.1.1w")])

    assert found == ["server *@<3.0 after *@>=3.0 gives False (seen 2026-11-21)"]


HINT = Expectation(7200, Differs(0, Role.SERVER, "ssl", SEEN, "seen", TLSVersion.TLSv1_3))


@pytest.mark.parametrize(
    ("pair", "value"),
    [
        (played("libssl", "ssl"), 0),
        (played("ssl", "libssl"), 7200),
        (played("libssl", "ssl", TLSVersion.TLSv1_2), 7200),
    ],
)
def test_a_difference_is_about_its_role_and_version_alone(pair: Any, value: int) -> None:
    assert HINT.of(pair) == value


def test_two_differences_that_contradict_each_other_are_a_usage_error() -> None:
    both = Expectation(1, Differs(2, Role.CLIENT, "ssl", SEEN, "seen"), Differs(3, Role.SERVER, "*", SEEN, "seen"))

    with pytest.raises(UsageError, match="client ssl gives 2; server \\* gives 3"):
        both.of(played("ssl", "libssl"))


def test_a_range_that_no_build_of_the_run_is_in_is_named() -> None:
    found = unmatched([HINT], [fake_stack("ssl", "3.0.19")], [fake_stack("libssl", "3.0.19")])

    assert found == ["server ssl gives 0 (seen 2026-11-21)"]


@pytest.mark.parametrize(
    ("knobs", "about"),
    [
        ({}, True),
        ({"client": {"middlebox_compat": True}}, True),
        ({"client": {"middlebox_compat": False}}, False),
        ({"client": {"middlebox_compat": True}, "server": {"middlebox_compat": False}}, True),
        ({"server": {"middlebox_compat": None}}, False),
    ],
)
def test_a_difference_can_be_about_values_of_knobs(knobs: dict[str, Any], *, about: bool) -> None:
    broken = broken_by(Role.SERVER, "*", SEEN, "seen", **knobs)

    assert broken.about(played("libssl", "ssl")) is about
    assert broken.value is True
