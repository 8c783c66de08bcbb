"""Tests of the options that describe a case at a desk."""

from __future__ import annotations

import pytest
from click.shell_completion import ShellComplete

from harness.cli import cli
from harness.cli.case_options import knobs
from harness.model.errors import UsageError
from harness.model.knobs import ClientConfig, parse_knob, show_knob
from harness.model.tls import Role
from harness.runtime.loop import DEADLINE, VARIABLE, Loop, stretched


def test_a_knob_that_is_given_twice_is_refused() -> None:
    with pytest.raises(UsageError, match="--server-set sets tickets twice; give each knob one value"):
        knobs(Role.SERVER, "server-set", ("tickets=on", "tickets=off"))


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
