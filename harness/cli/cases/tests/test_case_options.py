"""Tests of the options that describe a case at a desk."""

from __future__ import annotations

import pytest
from click.shell_completion import ShellComplete

from harness.agent.knobs import why_not
from harness.cli.cases.case_options import edits, knobs
from harness.cli.command import cli
from harness.model.errors import DEADLINE, VARIABLE, UsageError, stretched
from harness.model.knobs import ClientConfig, config_type, parse_knob, show_knob
from harness.model.session import parse_edit
from harness.model.tls import Role
from harness.runtime.loop import Loop


def test_a_knob_that_is_given_twice_is_refused() -> None:
    with pytest.raises(UsageError, match="--server-set sets tickets twice; give each knob one value"):
        knobs(Role.SERVER, "server-set", ("tickets=on", "tickets=off"))


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        (("ticket",), "--edit-copy: invalid FIELD=VALUE: 'ticket'; the fields are: protocol, cipher, "),
        (("alpn=61", "alpn=62"), "--edit-copy changes alpn twice; give each field one value"),
    ],
)
def test_an_edit_that_is_malformed_is_refused(settings: tuple[str, ...], why: str) -> None:
    with pytest.raises(UsageError, match=why):
        edits(settings)


def test_unset_restores_the_default_of_a_knob() -> None:
    changed = ClientConfig(alpn=("h2",)).changed(**knobs(Role.CLIENT, "then-client-set", ("alpn=unset",)))

    assert changed == ClientConfig()
    assert show_knob(parse_knob(Role.CLIENT, "alpn", "unset")) == "unset"


@pytest.mark.parametrize(
    ("role", "name", "hint"),
    [
        (Role.CLIENT, "num_tickets", "no client knob 'num_tickets' (it is a knob of the server)"),
        (Role.SERVER, "num_ticket", "no server knob 'num_ticket' (did you mean 'num_tickets'?)"),
    ],
)
def test_an_unknown_knob_is_refused_with_what_was_meant(role: Role, name: str, hint: str) -> None:
    with pytest.raises(UsageError) as refused:
        parse_knob(role, name, "1")

    assert str(refused.value).startswith(hint)


@pytest.mark.parametrize(
    ("name", "text", "refused"),
    [
        ("verify", "optinal", "server knob verify cannot be 'optinal' (did you mean 'optional'?); allowed: none | "),
        (
            "cache_mode",
            "off,servr",
            "server knob cache_mode cannot be 'off,servr' (did you mean 'server'?); allowed: ",
        ),
        (
            "tickets",
            "unst",
            "server knob tickets cannot be 'unst' (did you mean 'unset'?); allowed: on | off, or unset",
        ),
        ("tickets", "7", "server knob tickets cannot be '7'; allowed: on | off"),
    ],
)
def test_an_unknown_word_is_refused_with_what_was_meant(name: str, text: str, refused: str) -> None:
    with pytest.raises(UsageError) as error:
        parse_knob(Role.SERVER, name, text)

    assert str(error.value).startswith(refused)


def test_an_unknown_field_of_a_session_is_refused_with_what_was_meant() -> None:
    with pytest.raises(UsageError, match=r"no field 'tiem' of a session can be changed \(did you mean 'time'\?\)"):
        parse_edit("tiem", "3")


LONG = str((1 << 63) - 1)
LISTS = [",".join("a" * 250 + f"{number:04}" for number in range(count)) for count in (257, 258)]
"""Protocol names of 65535 bytes with their lengths, and of 65790."""
ALLOWED = [
    (Role.CLIENT, "alpn", "a" * 255),
    (Role.CLIENT, "alpn", LISTS[0]),
    (Role.CLIENT, "alpn", "é"),
    (Role.CLIENT, "server_name", "a" * 255),
    (Role.SERVER, "session_id_context", "a" * 33),
    (Role.SERVER, "session_id_prefix", "a" * 31),
    (Role.SERVER, "num_tickets", "4096"),
    (Role.SERVER, "timeout", LONG),
    (Role.SERVER, "timeout", f"-{LONG}"),
    (Role.SERVER, "cache_size", "4294967295"),
    (Role.SERVER, "max_early_data", "4294967295"),
    (Role.CLIENT, "clock", "-4294967295"),
    (Role.CLIENT, "ciphersuites", ""),
    (Role.CLIENT, "ciphers", "a" * 8192),
]
REFUSED = [
    (Role.CLIENT, "alpn", "", "names of 1 to 255 bytes"),
    (Role.SERVER, "alpn", "a,,b", "names of 1 to 255 bytes"),
    (Role.CLIENT, "alpn", "a" * 256, "names of 1 to 255 bytes"),
    (Role.SERVER, "alpn", "é" * 128, "names of 1 to 255 bytes"),
    (Role.CLIENT, "alpn", LISTS[1], "at most 65535 bytes"),
    (Role.CLIENT, "alpn", "a\0b", "names of 1 to 255 bytes"),
    (Role.CLIENT, "alpn", "\udcff", "names of 1 to 255 bytes"),
    (Role.CLIENT, "server_name", "", "a host name, 1 to 255 bytes"),
    (Role.CLIENT, "server_name", "a" * 256, "a host name, 1 to 255 bytes"),
    (Role.CLIENT, "server_name", "é" * 128, "a host name, 1 to 255 bytes"),
    (Role.CLIENT, "server_name", "a\0b", "a host name, 1 to 255 bytes"),
    (Role.SERVER, "session_id_prefix", "a" * 32, "at most 31 bytes"),
    (Role.SERVER, "session_id", "a" * 33, "1 to 32 bytes"),
    (Role.SERVER, "session_id", "hex:0", "1 to 32 bytes"),
    (Role.SERVER, "num_tickets", "4097", "0 to 4096"),
    (Role.SERVER, "num_tickets", "-1", "0 to 4096"),
    (Role.SERVER, "timeout", str(1 << 63), "a signed 64-bit integer"),
    (Role.SERVER, "timeout", "9" * 5000, "a signed 64-bit integer"),
    (Role.SERVER, "cache_size", "4294967296", "0 to 4294967295"),
    (Role.SERVER, "max_early_data", "4294967296", "0 to 4294967295"),
    (Role.CLIENT, "clock", "4294967296", "seconds, -4294967295 to 4294967295"),
    (Role.CLIENT, "ciphers", "", "an OpenSSL cipher list, 1 to 8192 bytes"),
    (Role.CLIENT, "ciphers", "a" * 8193, "an OpenSSL cipher list, 1 to 8192 bytes"),
    (Role.CLIENT, "ciphers", "ALL\0x", "an OpenSSL cipher list"),
    (Role.CLIENT, "groups", "", "names joined by colons, 1 to 8192 bytes"),
    (Role.SERVER, "ticket_keys", "", "a name"),
    (Role.SERVER, "server_certificate", "", "a name of certs/issued.toml"),
]


@pytest.mark.parametrize(("role", "name", "text"), ALLOWED)
def test_the_longest_and_the_largest_values_are_allowed(role: Role, name: str, text: str) -> None:
    value = parse_knob(role, name, text)

    assert config_type(role)(**{name: value}).given() == {name: value}


@pytest.mark.parametrize(("role", "name", "text", "allowed"), REFUSED)
def test_a_value_beyond_the_limit_is_refused_with_what_is_allowed(
    role: Role, name: str, text: str, allowed: str
) -> None:
    with pytest.raises(UsageError, match=f"{role} knob {name} cannot be ") as refused:
        parse_knob(role, name, text)

    assert allowed in str(refused.value)
    assert len(str(refused.value)) < 400


@pytest.mark.parametrize(
    ("role", "knobs_"),
    [
        (Role.CLIENT, {"alpn": ("a" * 256,)}),
        (Role.CLIENT, {"alpn": ()}),
        (Role.CLIENT, {"alpn": 5}),
        (Role.CLIENT, {"server_name": "a" * 256}),
        (Role.SERVER, {"num_tickets": 4097}),
        (Role.SERVER, {"num_tickets": True}),
        (Role.SERVER, {"timeout": 1.5}),
        (Role.SERVER, {"timeout": 1 << 63}),
        (Role.SERVER, {"session_id": b""}),
        (Role.SERVER, {"session_id_context": "text"}),
        (Role.SERVER, {"tickets": "on"}),
        (Role.SERVER, {"ticket_keys": 5}),
        (Role.SERVER, {"server_certificate": ""}),
        (Role.CLIENT, {"versions": ()}),
    ],
)
def test_a_value_in_python_is_refused_at_the_same_door(role: Role, knobs_: dict[str, object]) -> None:
    (name,) = knobs_
    with pytest.raises(UsageError, match=f"{role} knob {name} cannot be "):
        config_type(role)(**knobs_)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("stack", "role", "name", "text"),
    [
        ("ssl", Role.CLIENT, "alpn", "é"),
        ("ssl", Role.CLIENT, "server_name", "é.example"),
        ("ssl", Role.CLIENT, "server_name", "a" * 64),
        ("ssl", Role.CLIENT, "server_name", ".example"),
        ("openssl", Role.SERVER, "max_early_data", "2147483648"),
        ("openssl", Role.CLIENT, "max_early_data", "4194305"),
        ("libssl", Role.CLIENT, "max_early_data", "4194305"),
    ],
)
def test_what_one_stack_cannot_take_is_unsupported_there(stack: str, role: Role, name: str, text: str) -> None:
    why = why_not(stack, role, "3.5.0", name, parse_knob(role, name, text))

    assert why is not None
    assert "(possible: " in why


def test_one_variable_stretches_every_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "60")

    assert Loop().deadline == 60
    assert stretched(2) == 12


@pytest.mark.parametrize("text", ["soon", "0", "-1", "nan", "inf"])
def test_a_deadline_that_is_no_number_above_0_is_refused(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv(VARIABLE, text)

    with pytest.raises(UsageError, match=f"{VARIABLE} cannot be '{text}'; give seconds above 0"):
        Loop()


def test_without_the_variable_a_wait_takes_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)

    assert Loop().deadline == DEADLINE


@pytest.mark.parametrize(
    ("option", "typed", "proposed"),
    [
        ("--client-set", "server_n", ["server_name="]),
        ("--server-set", "num", ["num_tickets="]),
        ("--server-set", "tickets=", ["tickets=on", "tickets=off", "tickets=unset"]),
        ("--then-client-set", "psk_modes=psk_k", ["psk_modes=psk_ke"]),
        ("--client-set", "nonsense=", []),
    ],
)
def test_a_shell_completes_a_knob_and_its_value(option: str, typed: str, proposed: list[str]) -> None:
    completion = ShellComplete(cli, {}, "resumption", "_RESUMPTION_COMPLETE")

    assert [item.value for item in completion.get_completions(["connect", option], typed)] == proposed
