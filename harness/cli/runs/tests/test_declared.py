"""A difference is declared if a scenario of its cells says that these builds differ in these values."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.cli.runs.declared import declared
from harness.report.diff.causes import Cause

CLOSES, PSK = "scenarios/close_modes.py", "scenarios/external_psk.py"


def cause(before: str, after: str, file: str = CLOSES) -> Cause:
    """A cause with these values in a cell of the scenario."""
    return Cause("outcome", before, after, 1, ((f"{file}::test_x", "libssl--libssl-TLSv1.2"),), 2, ())


@pytest.mark.parametrize(
    ("before", "after", "values", "found"),
    [
        ("libssl@3.6.5", "libssl@4.0.3", ("declined", "resumed"), f"declared in {CLOSES}, since 4.0 (for *@>=4.0"),
        ("libssl@3.0.19", "libssl@3.6.5", ("declined", "resumed"), ""),
        ("libssl@3.6.5", "libssl@4.0.3", ("declined", "aborted"), ""),
    ],
)
def test_a_difference_is_declared_by_range_and_values(
    before: str, after: str, values: tuple[str, str], found: str
) -> None:
    assert declared(cause(*values), [before], [after]).startswith(found)
    assert bool(declared(cause(*values), [before], [after])) is bool(found)


def test_the_release_of_a_change_is_said_with_its_letter() -> None:
    one = cause("aborted", "full", "scenarios/large_client_certificate.py")

    assert ", since 1.1.1l (for *@<1.1.1l" in declared(one, ["libssl@1.1.1k"], ["libssl@1.1.1w"])


def test_a_scenario_that_is_not_there_declares_nothing() -> None:
    assert declared(cause("declined", "resumed", "scenarios/none.py"), ["libssl@3.6.5"], ["libssl@4.0.3"]) == ""


@pytest.mark.parametrize(
    ("change", "before", "after", "found"),
    [
        (("hellos.client.ClientHello.extensions.supported_groups.length", "12", "22"), "1.1.1w", "3.0.20", "since 3.0"),
        (("hellos.client.ClientHello.extensions.supported_groups.length", "18", "26"), "3.6.5", "4.0.3", "since 4.0"),
        (("hellos.client.ClientHello.extensions.key_share.length", "38", "1258"), "3.0.20", "3.5.9", "since 3.5"),
        (("hellos.client.ClientHello.extensions.key_share.length", "38", "1258"), "3.5.8", "3.5.9", ""),
        (("hellos.client.ClientHello.extensions.server_name.length", "38", "12"), "3.0.20", "3.5.9", ""),
    ],
)
def test_a_constant_declares_the_observable_that_it_is_named_after(
    change: tuple[str, str, str], before: str, after: str, found: str
) -> None:
    one = Cause(*change, 1, (("scenarios/hello_by_version.py::test_x", "libssl--libssl-TLSv1.3"),), 1, ())

    said = declared(one, [f"libssl@{before}"], [f"libssl@{after}"])

    assert found in said
    assert bool(said) is bool(found)


@pytest.mark.parametrize(
    ("observable", "before", "after"),
    [
        ("session.kex_group", "3.0.20", "3.5.9"),
        ("hellos.client.ClientHello.cipher_suites", "3.3.3", "3.4.0"),
        ("hellos.client.ClientHello.extensions.renegotiation_info", "3.3.3", "3.4.0"),
    ],
)
def test_what_every_hello_has_is_declared_for_every_scenario(observable: str, before: str, after: str) -> None:
    one = Cause(observable, "29", "4588", 1, (("scenarios/unexpected_eof.py::test_x", "x"),), 1, ())

    assert declared(one, [f"libssl@{before}"], [f"libssl@{after}"]).startswith(
        "declared in scenarios/hello_by_version.py"
    )


def test_a_fact_with_a_short_name_is_declared_by_a_constant_with_that_word() -> None:
    one = Cause("session.alpn", "none", "6832", 1, (("scenarios/why_resumed_but.py::test_x", "x"),), 1, ())

    assert "session_fields.py, since 1.1.1 " in declared(one, ["libssl@1.1.0l"], ["libssl@1.1.1b"])
    assert declared(one, ["libssl@3.0.20"], ["libssl@3.5.9"]) == ""


@pytest.mark.parametrize("observable", ["compress_certificate", "early_data.length"])
def test_a_word_of_many_facts_declares_nothing(observable: str) -> None:
    """A scenario has a constant with `certificate` in its name that is about builds between 3.1 and 3.2.5."""
    place = f"hellos.client.ClientHello.extensions.{observable}"
    one = Cause(place, "absent", "present", 1, (("scenarios/post_handshake_auth.py::test_x", "x"),), 2, ())

    assert declared(one, ["libssl@3.2.3"], ["libssl@3.3.1"]) == ""


def test_an_alert_is_declared_by_its_number() -> None:
    change = ("alert", "missing_extension (109) by client", "illegal_parameter (47) by client")
    one = Cause(*change, 1, (("scenarios/lying_servers.py::test_x", "libssl--tlslite-TLSv1.3"),), 2, ())

    said = declared(one, ["libssl@3.0.20"], ["libssl@3.5.9"])

    assert said.startswith("declared in scenarios/lying_servers.py, since 3.4 (for *@<3.4, seen ")


@pytest.mark.parametrize(
    ("errors", "builds", "file", "found"),
    [
        (("none", "20:294"), ("1.1.1w", "3.0.20"), CLOSES, "declared in scenarios/unexpected_eof.py, since 3.0"),
        (("none", "20:294"), ("3.0.20", "3.5.9"), CLOSES, ""),
        (("none", "20:295"), ("1.1.1w", "3.0.20"), CLOSES, ""),
        (("20:1047", "20:1051, other"), ("3.0.20", "3.5.9"), PSK, f"declared in {PSK}, since 3.4"),
        (("20:1047", "20:1049"), ("3.0.20", "3.5.9"), PSK, ""),
    ],
)
def test_an_error_is_declared_with_its_alert_or_by_its_code(
    errors: tuple[str, str], builds: tuple[str, str], file: str, found: str
) -> None:
    one = replace(cause(*errors, file), observable="endpoints.client.errors")
    said = declared(one, *([f"libssl@{build}"] for build in builds))

    assert said.startswith(found)
    assert bool(said) is bool(found)


def test_what_changed_beside_a_cause_can_declare_it() -> None:
    beside = (("outcome", "declined", "resumed"),)
    one = replace(cause("1", "2"), observable="counters.items", changes=beside)

    assert declared(one, ["libssl@3.6.5"], ["libssl@4.0.3"]).startswith(f"declared in {CLOSES}")


def test_a_rule_that_a_scenario_declares_as_broken_is_declared() -> None:
    one = Cause("breaches", "extended_master_secret_not_added", "none", 1, ((f"{CLOSES}::test_x", "x"),), 2, ())

    assert "known_breaches.py, for *@<1.1.0" in declared(one, ["libssl@1.0.2r"], ["libssl@1.1.1w"])
    assert declared(one, ["libssl@1.1.1w"], ["libssl@3.5.9"]) == ""


BUILDS = (["libssl@3.0.20"], ["libssl@3.5.9"])
QUESTION = ((("scenarios/group_preference.py::test_x", "x"),), 1)


def test_what_is_as_weak_as_its_head_can_declare_a_cause() -> None:
    retry = (("messages.server.HelloRetryRequest", "absent", "present"),)
    one = Cause("messages.client.ClientHello", "absent", "present", 1, *QUESTION, (retry[0][0],), retry)

    assert declared(one, *BUILDS).startswith("declared in scenarios/group_preference.py, since 3.5")
    assert declared(replace(one, beside=(), changes=()), *BUILDS) == ""
    assert declared(replace(one, observable="counters.accept"), *BUILDS) == ""


def test_a_declared_value_is_not_the_length_of_a_message() -> None:
    length = (("messages.server.EncryptedExtensions.length", "1", "2"),)
    one = Cause("counters.accept", "5", "6", 1, *QUESTION, (length[0][0],), length)

    assert declared(one, *BUILDS) == ""
    assert declared(replace(one, changes=(("counters.hits", "1", "2"),)), *BUILDS) != ""


def test_the_groups_of_a_server_are_declared_for_every_scenario() -> None:
    one = cause("none", "supported_groups")
    named = replace(one, observable="messages.server.EncryptedExtensions.fields.extensions")

    assert declared(named, *BUILDS).startswith("declared in scenarios/hello_by_version.py, since 3.5")
    assert declared(named, ["libssl@3.5.8"], ["libssl@3.5.9"]) == ""
