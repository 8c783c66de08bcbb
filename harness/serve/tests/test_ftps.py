"""`resumption watch --ftps` shows whether real clients' data connections resume the control connection's session."""

from __future__ import annotations

import json
import shutil
import socket
import sys
from typing import TYPE_CHECKING, Any

import pytest

from harness.cli import main
from harness.model.errors import stretched
from harness.model.knobs import ServerConfig
from harness.serve.ftps import LONGEST
from harness.serve.served import Served

if TYPE_CHECKING:
    from harness.runtime.runtime import Runtime
    from harness.stacks.machine import Machine

PYTHON = """
import ftplib, ssl, sys
port, ca, how, lists = int(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4])
class Reusing(ftplib.FTP_TLS):
    def ntransfercmd(self, cmd, rest=None):
        conn, size = ftplib.FTP.ntransfercmd(self, cmd, rest)
        return self.context.wrap_socket(conn, server_hostname=self.host, session=self.sock.session), size
context = ssl.create_default_context(cafile=ca)
ftp = (Reusing if how == "reuse" else ftplib.FTP_TLS)(context=context)
ftp.connect("localhost", port)
ftp.login()
ftp.prot_p()
for _ in range(lists):
    assert ftp.nlst() == ["hello.txt"]
got = []
ftp.retrbinary("RETR hello.txt", got.append)
assert b"".join(got) == b"hello\\n", got
ftp.quit()
"""
"""Python's own client, which opens each data connection with a new session, or one that gives it the control's."""
needs_curl = pytest.mark.skipif(shutil.which("curl") is None, reason="this machine has no curl")
CURL = ["curl", "-s", "--ssl-reqd", "--cacert", "{ca}", "{url}"]


def python(how: str, lists: int = 0) -> list[str]:
    return [sys.executable, "-c", PYTHON, "{port}", "{ca}", how, str(lists)]


def watch(capsys: pytest.CaptureFixture[str], options: list[str], command: list[str]) -> tuple[int, str, str]:
    code = main(["watch", *options, "--", *command])
    out, err = capsys.readouterr()
    return code, out, err


def watched(capsys: pytest.CaptureFixture[str], options: list[str], command: list[str]) -> dict[str, dict[str, Any]]:
    code, out, err = watch(capsys, ["--json", *options], command)
    assert (code, err) == (0, "")
    return {found["kind"]: found for found in json.loads(out)["kinds"]}


@needs_curl
@pytest.mark.parametrize("how", ["explicit", "implicit"])
def test_curl_resumes_the_control_connection_s_session(capsys: pytest.CaptureFixture[str], how: str) -> None:
    found = watched(capsys, [f"--ftps={how}", "--kind=tls12-id", "--kind=tls13"], CURL)

    assert {one["says"] for one in found.values()} == {"data: 1 of 1 resumed the control connection's session"}
    assert [one["controls"] for one in found.values()] == [{"2": 1}] * 2
    assert found["tls13"]["statuses"] == [0]


def test_python_s_own_client_does_not(capsys: pytest.CaptureFixture[str]) -> None:
    found = watched(capsys, ["--ftps=explicit", "--kind=tls12-ticket", "--kind=tls13"], python("forget", 1))
    nothing = "data: 0 of 2 resumed the control connection's session; nothing was offered"

    assert [one["says"] for one in found.values()] == [nothing] * 2
    assert found["tls13"]["statuses"] == [0]


def test_python_s_client_resumes_where_it_is_told_to(capsys: pytest.CaptureFixture[str]) -> None:
    found = watched(capsys, ["--ftps=explicit", "--kind=tls12-ticket", "--kind=tls13"], python("reuse", 1))

    assert [one["says"] for one in found.values()] == ["data: 2 of 2 resumed the control connection's session"] * 2


def test_an_expectation_fails_with_what_was_seen(capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--ftps=explicit", "--kind=one-ticket", "--expect=data-resumes"]
    code, _, err = watch(capsys, options, python("forget"))

    assert code == 1
    assert err.startswith(
        "one-ticket: expected that each data connection of FTP resumes the session of its control con"
    )


@needs_curl
def test_a_client_that_fetches_nothing_is_advised(capsys: pytest.CaptureFixture[str]) -> None:
    found = watched(capsys, ["--ftps=explicit", "--kind=tls13"], [*CURL, "--quote", "QUIT"])

    assert found["tls13"]["says"] == "no data connection; give a command that lists or fetches"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--ftps=sftp"], "'sftp' is not one of 'explicit', 'implicit'"),
        (["--ftps=explicit", "--kind=none"], "--ftps has no server of kind none; it has: tls12-id, "),
        (["--expect=data-resumes"], "--expect data-resumes needs --ftps"),
    ],
)
def test_bad_usage_is_one_error_that_says_what_is_allowed(
    capsys: pytest.CaptureFixture[str], options: list[str], message: str
) -> None:
    code, out, err = watch(capsys, options, ["true", "{url}"])

    assert (code, out) == (2, "")
    assert message in err


@pytest.mark.parametrize("said", [b"", b"\x16\x03\x01\x00", b"x" * (LONGEST + 1)])
def test_a_client_that_does_not_ask_for_tls_reaches_no_server(machine: tuple[Machine, Runtime], said: bytes) -> None:
    served = Served(machine[0].one("libssl"), machine[1], ServerConfig(), ftps="explicit")
    try:
        with socket.create_connection(("127.0.0.1", served.port)) as client:
            client.sendall(said)
            client.shutdown(socket.SHUT_WR)
            client.settimeout(0)
            read: list[bytes] = []

            def ended() -> bool:
                try:
                    read.append(client.recv(1000))
                except BlockingIOError:
                    return False
                except ConnectionResetError:
                    read.append(b"")
                return read[-1] == b""

            served.wait(ended, "the end of the connection", stretched(10))
    finally:
        served.close()

    assert served.connections == []
