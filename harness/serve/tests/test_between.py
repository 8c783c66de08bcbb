"""`resumption between` reads what a real client and a real server do, by the wire and whatever key log there is."""

from __future__ import annotations

import json
import re
import shutil
import sys
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from harness.cli import main
from harness.explain.proof.check import false_evidence
from harness.runtime.address import target
from harness.runtime.runtime import Runtime
from harness.serve.between import Between
from harness.serve.command import Command
from harness.serve.tests.clients import RESUMES
from harness.tests.real_servers import balanced, s_server, speaking

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CLIENT = RESUMES.replace("create_default_context(cafile=sys.argv[2])", "_create_unverified_context()").replace(
    "KEEPS", "True"
)
WITH_KEYS = CLIENT.replace("for _", "context.keylog_filename = sys.argv[2]\nfor _")
FORGETS = CLIENT.replace("if True:", "if False:")
SPOILS = """
import re, sys
true = open(sys.argv[2]).read()
open(sys.argv[2], "w").write(re.sub(r" [0-9a-f]{8}([0-9a-f]*)\\n", r" 00000000\\1\\n", true))
"""
needs_curl = pytest.mark.skipif(shutil.which("curl") is None, reason="this machine has no curl")


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with Runtime() as runtime, s_server(runtime.pki.issued("server"), "-www") as found:
        yield found


@pytest.fixture(autouse=True)
def no_key_log(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSLKEYLOGFILE", raising=False)


def command(script: str, times: int = 2) -> list[str]:
    return [sys.executable, "-c", script, "{port}", "{keylog}", str(times)]


def between(capsys: pytest.CaptureFixture[str], address: str, argv: list[str], *options: str) -> tuple[int, str, str]:
    code = main(["between", address, *options, "--", *argv])
    out, err = capsys.readouterr()
    return code, out, err


def found(capsys: pytest.CaptureFixture[str], address: str, argv: list[str], *options: str) -> dict[str, Any]:
    code, out, err = between(capsys, address, argv, "--json", *options)
    assert (code, err) == (0, "")
    shown: dict[str, Any] = json.loads(out)
    return shown


def test_a_key_log_shows_whose_session_is_resumed(capsys: pytest.CaptureFixture[str], address: str) -> None:
    code, out, _ = between(capsys, address, command(WITH_KEYS))

    assert code == 0
    assert out.splitlines() == [
        f"{address}: 2 connections of {sys.executable}; one witness: the wire, and a key log that opens them all",
        "Connection 1 was a full handshake: it offered no session",
        "Connection 2 was resumed by psk with the session of connection 1",
        f"{sys.executable} ended with exit code 0",
    ]


@pytest.mark.parametrize("tls", ["1.2", "1.3"])
def test_the_wire_alone_shows_what_resumed(
    capsys: pytest.CaptureFixture[str], address: str, monkeypatch: pytest.MonkeyPatch, tls: str
) -> None:
    monkeypatch.setenv("SSLKEYLOGFILE", "")
    limit = f"for _ in (setattr(context, 'maximum_version', ssl.TLSVersion.TLSv{tls.replace('.', '_')}),): pass\nfor _"
    shown = found(capsys, address, command(CLIENT.replace("for _", limit, 1)))

    assert [one["outcome"] for one in shown["connections"]] == ["full", "resumed"]
    assert shown["opened"] == []
    assert shown["witnesses"] == ["wire"]


@needs_curl
def test_the_variable_for_key_logs_is_set(capsys: pytest.CaptureFixture[str], address: str) -> None:
    shown = found(capsys, address, ["curl", "-sk", "{url}", "{url}"])

    assert shown["opened"] == [1, 2]
    assert [one["outcome"] for one in shown["connections"]] == ["full", "resumed"]


def test_a_client_that_keeps_none_gets_the_reason(capsys: pytest.CaptureFixture[str], address: str) -> None:
    shown = found(capsys, address, command(WITH_KEYS.replace("if True:", "if False:")))
    finding = shown["connections"][1]["explanation"]["findings"]

    assert [one["reason"] for one in finding] == ["no_session"]


def test_sealed_tickets_leave_two_reasons_that_are_true(
    capsys: pytest.CaptureFixture[str], address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSLKEYLOGFILE", "")
    shown = found(capsys, address, command(FORGETS))
    finding = shown["connections"][1]["explanation"]["findings"]

    assert [one["reason"] for one in finding] == ["no_session", "no_ticket_sent"]
    assert all(one["tell_apart"].startswith("the key log of connection 1") for one in finding)
    assert re.fullmatch(r"wire: [1-9]\d* records of connection 1 stay sealed", finding[0]["evidence"][0])


def test_its_evidence_is_true(address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSLKEYLOGFILE", "")
    with Runtime() as runtime:
        one = Between(runtime, target(address), tmp_path / "none")
        try:
            values = {"{port}": one.port, "{keylog}": tmp_path / "none"}
            Command(command(FORGETS), 60).run(runtime, values, one.wait, lambda: one.idle, "it")
            connections = one.connections()
        finally:
            one.close()

        assert false_evidence(connections) == ()


def test_a_balancer_over_two_servers_is_seen(capsys: pytest.CaptureFixture[str]) -> None:
    with Runtime() as runtime:
        issued = runtime.pki.issued("server")
        with s_server(issued, "-www") as one, s_server(issued, "-www") as two, balanced(one, two) as both:
            shown = found(capsys, both, command(WITH_KEYS, 3))

    assert [one["outcome"] for one in shown["connections"]] == ["full", "declined", "declined"]


def test_a_key_log_of_the_user_is_read_and_stays(
    capsys: pytest.CaptureFixture[str], address: str, tmp_path: Path
) -> None:
    file = tmp_path / "keys"
    shown = found(capsys, address, command(WITH_KEYS), f"--keylog={file}")

    assert shown["opened"] == [1, 2]
    assert file.stat().st_mode & 0o777 == 0o600
    assert "CLIENT_TRAFFIC_SECRET_0" in file.read_text()


def test_a_false_key_log_is_a_disagreement(capsys: pytest.CaptureFixture[str], address: str) -> None:
    (one,) = found(capsys, address, command(WITH_KEYS + SPOILS, 1))["connections"]

    assert one["outcome"] is None
    assert "key log: the client reports secrets that are wrong" in one["disagreement"]


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["no-such-program", "{url}"], "error: no-such-program: did not start: No such file or directory"),
        (["echo", "hello", "{url}"], "echo ended with 0 and never connected; it printed:\nhello"),
        (["sh", "-c", "sleep 603", "{url}"], "waited 1 s for the end of sh against 127.0.0.1:"),
    ],
)
def test_a_command_that_shows_nothing_is_exit_code_125(
    capsys: pytest.CaptureFixture[str], address: str, monkeypatch: pytest.MonkeyPatch, argv: list[str], message: str
) -> None:
    monkeypatch.delenv("RESUMPTION_DEADLINE", raising=False)
    code, out, err = between(capsys, address, argv, "--deadline=1")

    assert (code, out) == (125, "")
    assert message in err
    assert not any(process.info["cmdline"] == ["sleep", "603"] for process in psutil.process_iter(["cmdline"]))


def test_a_server_that_is_not_there_is_exit_code_125(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = between(capsys, "127.0.0.1:1", command(CLIENT))

    assert (code, out, err) == (125, "", "error: 127.0.0.1:1 cannot be reached: Connection refused\n")


@pytest.mark.parametrize("said", [b"", b"220 hello\r\n"])
def test_a_server_without_tls_is_exit_code_125(capsys: pytest.CaptureFixture[str], said: bytes) -> None:
    with speaking(said) as found_at:
        code, out, err = between(capsys, found_at, command(CLIENT))

    assert (code, out) == (125, "")
    assert err == f"error: {found_at} answered none of 1 connections with TLS\n"


@pytest.mark.parametrize("said", [b"", bytes.fromhex("160303007a0200")])
@pytest.mark.parametrize(("deadline", "options"), [("10", ("--deadline=5",)), ("2", ())])
def test_a_server_that_never_answers_is_named(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    said: bytes,
    deadline: str,
    options: tuple[str, ...],
) -> None:
    monkeypatch.setenv("RESUMPTION_DEADLINE", deadline)
    with speaking(said, ends=False) as found_at:
        code, out, err = between(capsys, found_at, ["openssl", "s_client", "-connect", "localhost:{port}"], *options)

    assert (code, out) == (125, "")
    assert re.fullmatch(
        f"error: {re.escape(found_at)} did not answer the handshake of connection 1 in [0-9.]+ s\n", err
    )


def test_a_server_that_stops_answering_is_in_the_error(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("RESUMPTION_DEADLINE", raising=False)
    argv = ["sh", "-c", "(echo hello; sleep 604) | openssl s_client -tls1_2 -quiet -connect localhost:$0", "{port}"]
    with Runtime() as runtime, s_server(runtime.pki.issued("server")) as found_at:
        code, out, err = between(capsys, found_at, argv, "--deadline=6")

    assert (code, out) == (125, "")
    assert re.match(
        r"error: waited 6 s for the end of sh \(connection 1 has had no answer for [0-9.]+ s\) against", err
    )


@pytest.mark.parametrize(
    ("address", "argv", "options", "message"),
    [
        ("127.0.0.1", ["true", "{url}"], [], "'127.0.0.1' is not HOST:PORT"),
        ("192.0.3.1:443", ["true", "{url}"], [], "which is neither a loopback nor a private address; add --allow-pub"),
        ("127.0.0.1:1", ["true"], [], "the command says nowhere where the server is"),
        ("127.0.0.1:1", ["curl", "{ca}", "{url}"], [], "give it with --ca, or leave {ca} out"),
        ("127.0.0.1:1", ["true", "{url}"], ["--keylog=/no/such"], "--keylog /no/such cannot be used: No such file or"),
        ("127.0.0.1:1", [], [], "Missing argument 'COMMAND...'"),
    ],
)
def test_bad_usage_is_one_error_that_says_what_is_allowed(
    capsys: pytest.CaptureFixture[str], address: str, argv: list[str], options: list[str], message: str
) -> None:
    code, out, err = between(capsys, address, argv, *options)

    assert (code, out) == (2, "")
    assert message in err


def test_nothing_is_left_in_the_folder_for_temporary_files(
    capsys: pytest.CaptureFixture[str], address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    found(capsys, address, command(WITH_KEYS))

    assert list(tmp_path.iterdir()) == []
