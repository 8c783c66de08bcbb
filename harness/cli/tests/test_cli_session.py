"""`resumption session` shows a session's fields, or one clear error with exit code 2, never a traceback."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import click
import pytest

from harness.cli import command as cli
from harness.cli import main
from harness.model.errors import SessionFormatError, TimedOutError, UsageError, stretched
from harness.model.session import SESSION_FIELDS
from harness.wire.session import der as asn1
from harness.wire.session import structure
from harness.wire.session.codec import decode

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from harness.tests.live_sessions import Live


@pytest.fixture
def file(live: Live, tmp_path: Path) -> str:
    """A PEM file with a TLS 1.3 session."""
    path = tmp_path / "session.pem"
    path.write_bytes(live.pem("tls13"))
    return str(path)


def run(arguments: list[str], data: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """The command in a process of its own."""
    argv = [sys.executable, "-m", "harness.cli", *arguments]
    return subprocess.run(argv, input=data, capture_output=True, check=False, timeout=stretched(20))


def test_every_field_is_shown(file: str, capsys: pytest.CaptureFixture[str]) -> None:
    main(["session", file])
    shown = [line.split()[0] for line in capsys.readouterr().out.splitlines() if not line.startswith(" ")]

    assert shown == list(SESSION_FIELDS)


def test_success_is_exit_code_0(file: str) -> None:
    assert main(["session", file]) == 0


def test_json_holds_every_field(file: str, capsys: pytest.CaptureFixture[str]) -> None:
    main(["session", file, "--json"])

    assert list(json.loads(capsys.readouterr().out)) == ["taken_by", "taken_from", *SESSION_FIELDS]


def test_json_holds_the_ticket_as_hex(live: Live, file: str, capsys: pytest.CaptureFixture[str]) -> None:
    main(["session", file, "--json"])

    assert json.loads(capsys.readouterr().out)["ticket"] == decode(live.der("tls13")).ticket.hex()


def test_a_real_process_reads_der_from_stdin(live: Live) -> None:
    found = run(["session", "-", "--json"], live.der("tls12-id"))

    assert json.loads(found.stdout)["version"] == "1.2"


def test_every_session_of_a_text_is_shown_with_its_number(live: Live) -> None:
    shown = run(["session", "-"], b"a log\n" + live.pem("tls13") + live.pem("tls12-id")).stdout.decode()

    assert [line.rstrip() for line in shown.splitlines() if line.startswith(("session ", "protocol"))] == [
        "session 1 of 2",
        "protocol                  TLSv1.3",
        "session 2 of 2",
        "protocol                  TLSv1.2",
    ]


def test_json_has_one_object_for_each_session(live: Live) -> None:
    text = run(["session", "-", "--json"], live.pem("tls13") + live.pem("tls12-id")).stdout.decode()
    first, end = json.JSONDecoder().raw_decode(text)

    assert [first["version"], json.loads(text[end:])["version"]] == ["1.3", "1.2"]


def test_a_broken_session_is_an_error_after_the_others_are_shown(live: Live) -> None:
    broken = live.pem("tls13").replace(b"-----\nM", b"-----\n*", 1)
    found = run(["session", "-"], broken + live.pem("tls12-id"))

    assert b"session 2 of 2" in found.stdout
    assert found.stderr.startswith(b"error: session 1 of 2: wrong base64")
    assert found.returncode == 2


def test_an_endless_file_is_refused() -> None:
    found = run(["session", "/dev/zero"])

    assert found.stderr == b"error: /dev/zero has more than 16 MiB; cut out the sessions, of a few kilobytes each\n"
    assert found.returncode == 2


def test_control_characters_of_a_file_do_not_reach_the_terminal(live: Live) -> None:
    name = b"\x1b[31mred"
    elements = structure.read(live.der("tls12-id"))
    named = [element for element in elements if element.name in {f"[{tag}]" for tag in range(6)}]
    der = structure.write([*elements[:5], *named, asn1.explicit(6, asn1.octet_string(name))])
    shown = run(["session", "-"], der).stdout

    assert b"\\x1b[31mred" in shown
    assert b"\x1b" not in shown


@pytest.mark.parametrize("data", [b"", b"hello\n", b"\x30\x03\x02\x01"])
def test_what_is_no_session_is_one_line_on_stderr(data: bytes) -> None:
    found = run(["session", "-"], data)

    assert found.stderr.startswith(b"error: ")
    assert found.stderr.count(b"\n") == 1


@pytest.mark.parametrize("data", [b"", b"hello\n", b"\x30\x03\x02\x01"])
def test_what_is_no_session_is_exit_code_2(data: bytes) -> None:
    assert run(["session", "-"], data).returncode == 2


@pytest.mark.parametrize("arguments", [["session"], ["session", "/nowhere"], ["sesion"], ["session", "-", "--colour"]])
def test_bad_usage_is_exit_code_2(arguments: list[str]) -> None:
    assert main(arguments) == 2


def raising(error: BaseException) -> Callable[..., None]:
    def fail(*_: object, **__: object) -> None:
        raise error

    return fail


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (UsageError("no such knob"), 2),
        (SessionFormatError("no session", 7), 2),
        (TimedOutError("the ticket", 10), 1),
        (KeyboardInterrupt(), 130),
        (click.Abort(), 130),
    ],
)
def test_an_error_becomes_its_exit_code(monkeypatch: pytest.MonkeyPatch, error: BaseException, code: int) -> None:
    monkeypatch.setattr(cli.Subcommands, "get_command", raising(error))

    assert main(["session"]) == code


def test_an_error_is_shown_without_a_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(cli.Subcommands, "get_command", raising(TimedOutError("the ticket", 10)))
    main(["session"])

    assert capsys.readouterr().err == "error: waited 10 s for the ticket\n"


@pytest.mark.parametrize("name", list(cli.SUBCOMMANDS))
def test_every_subcommand_is_there(name: str) -> None:
    assert main([name, "--help"]) == 0


def test_help_imports_no_subcommand() -> None:
    script = "import sys; from harness.cli import main; main(['--help']); print('harness.cli.session' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True, timeout=stretched(20))

    assert found.stdout.splitlines()[-1] == b"False"
