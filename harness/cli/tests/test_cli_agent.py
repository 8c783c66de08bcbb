"""`resumption agent check` says which rules of the protocol an agent breaks: 0, 1, or 125 if it cannot be run."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import pytest

from harness.case import conformance
from harness.cli import main
from harness.tests.liars.lying import LIAR

if TYPE_CHECKING:
    from pathlib import Path

OWN_AGENT = ("-P", "-m", "harness.agent", "ssl")
RESUMES = "as a {} of libssl in {}: connects, resumes, and says what the wire shows"


@pytest.fixture(autouse=True)
def configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A user without registered stacks."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))


def lying(**lie: Any) -> list[str]:
    return [sys.executable, LIAR, json.dumps(lie), *OWN_AGENT]


def verdicts(text: str) -> dict[str, str]:
    """What was said of each rule."""
    found = (line.split(maxsplit=1) for line in text.splitlines() if line.startswith(("ok ", "FAILS ")))
    return {rule: verdict for verdict, rule in found}


def test_the_own_agent_keeps_every_rule(capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["agent", "check", "--", sys.executable, *OWN_AGENT])
    said = capsys.readouterr().out

    assert set(verdicts(said).values()) == {"ok"}
    assert RESUMES.format("server", "TLSv1.2") in verdicts(said)
    assert {rule for rule, _ in conformance.RULES} | {conformance.BY_SIGTERM} <= verdicts(said).keys()
    assert said.endswith("every rule is kept\n")
    assert code == 0


def test_an_agent_that_lies_about_resumption_fails(capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["agent", "check", "--", *lying(facts={"reused": True})])
    found = verdicts(capsys.readouterr().out)

    assert {rule for rule, verdict in found.items() if verdict == "FAILS"} == {
        RESUMES.format(role, version) for role in ("client", "server") for version in ("TLSv1.2", "TLSv1.3")
    }
    assert code == 1


IGNORES = """
import runpy, signal, sys
signal.signal(signal.SIGTERM, signal.SIG_IGN)
sys.argv = ["agent", "ssl"]
runpy.run_module("harness.agent", run_name="__main__")
"""


def test_an_agent_that_ignores_sigterm_fails(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conformance, "PATIENCE", 2.0)
    code = main(["agent", "check", "--", sys.executable, "-P", "-c", IGNORES])
    found = verdicts(capsys.readouterr().out)

    assert {rule for rule, verdict in found.items() if verdict == "FAILS"} == {conformance.BY_SIGTERM}
    assert code == 1


@pytest.mark.parametrize(
    ("hello", "says"),
    [
        ({"protocol": 1}, "protocol 1 is not spoken here, but 2"),
        ({"knobs": {"client": {}}}, "knobs of hello must be an object with an object for each of its roles"),
    ],
)
def test_an_agent_with_a_wrong_hello_fails(
    capsys: pytest.CaptureFixture[str], hello: dict[str, Any], says: str
) -> None:
    code = main(["agent", "check", "--", *lying(hello=hello)])
    said = capsys.readouterr().out

    assert list(verdicts(said).values()) == ["FAILS"]
    assert says in said
    assert code == 1


@pytest.mark.parametrize(
    ("command", "says"),
    [
        (["/nonexistent/agent"], "did not start"),
        ([sys.executable, "-c", "pass"], "ended with status 0 at hello"),
        ([sys.executable, "-c", "print('ready', flush=True); input(); input()"], "wrote the line 'ready'"),
        ([sys.executable, "-c", "input(); input()"], "hello got no reply"),
    ],
)
def test_an_agent_that_cannot_be_run_is_exit_code_125(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, command: list[str], says: str
) -> None:
    monkeypatch.setattr(conformance, "STARTS_WITHIN", 1.0)
    code = main(["agent", "check", "--", *command])

    assert says in capsys.readouterr().err
    assert code == 125


def test_no_command_is_bad_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["agent", "check"]) == 2
    assert "write the agent's command line after --" in capsys.readouterr().err
