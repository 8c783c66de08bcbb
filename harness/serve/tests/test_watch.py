"""`resumption watch` shows what real clients do with the sessions of each kind of server."""

from __future__ import annotations

import json
import shutil
import sys
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from harness.cli import main
from harness.runtime.clock import library
from harness.serve.tests.clients import RESUMES
from harness.serve.watching import expectations, kinds_named

if TYPE_CHECKING:
    from pathlib import Path

CURL = ["curl", "-s", "--cacert", "{ca}", "{url}", "{url}", "{url}"]
needs_curl = pytest.mark.skipif(shutil.which("curl") is None, reason="this machine has no curl")
needs_clock = pytest.mark.skipif(library() is None, reason="this machine has no libfaketime")
KEEPS_ON = """
import http.client, ssl, sys
context = ssl.create_default_context(cafile=sys.argv[2])
for _ in range(3):
    connection = http.client.HTTPSConnection("localhost", int(sys.argv[1]), context=context)
    connection.request("GET", "/")
    assert connection.getresponse().read().startswith(b"connection")
    connection.close()
"""
"""A client that is given no session to keep: http.client has no way to do so."""
LIES = """
import re, socket, ssl, sys
context = ssl.create_default_context(cafile=sys.argv[2])
context.keylog_filename = sys.argv[3]
with socket.create_connection(("127.0.0.1", int(sys.argv[1]))) as tcp:
    with context.wrap_socket(tcp, server_hostname="localhost") as tls:
        tls.sendall(b"GET / HTTP/1.1\\r\\n\\r\\n")
        while tls.recv(1000):
            pass
        true = open(sys.argv[3]).read()
        open(sys.argv[3], "w").write(re.sub(r" [0-9a-f]{8}([0-9a-f]*)\\n", r" 00000000\\1\\n", true))
"""


def python(*, keeps: bool, times: int = 3) -> list[str]:
    return [sys.executable, "-c", RESUMES.replace("KEEPS", str(keeps)), "{port}", "{ca}", str(times)]


def watch(capsys: pytest.CaptureFixture[str], options: list[str], command: list[str]) -> tuple[int, str, str]:
    code = main(["watch", *options, "--", *command])
    out, err = capsys.readouterr()
    return code, out, err


def watched(capsys: pytest.CaptureFixture[str], kinds: list[str], command: list[str]) -> dict[str, dict[str, Any]]:
    code, out, err = watch(capsys, [*(f"--kind={kind}" for kind in kinds), "--json"], command)
    assert (code, err) == (0, "")
    return {found["kind"]: found for found in json.loads(out)["kinds"]}


def test_a_client_that_keeps_its_sessions_is_shown_kind_by_kind(capsys: pytest.CaptureFixture[str]) -> None:
    found = watched(capsys, [], python(keeps=True))

    assert {kind: one["says"] for kind, one in found.items()} == {
        "tls12-id": "2 of 2 offers resumed",
        "tls12-ticket": "2 of 2 offers resumed",
        "tls13": "2 of 2 offers resumed",
        "one-ticket": "2 of 2 offers resumed",
        "none": "right: there is nothing to offer",
        "expiring": "right: does not offer it",
        "declining": "recovers: completes a full one",
        "aborting": "does not recover: none followed",
        "unclean": "2 of 2 offers resumed",
        "rotating": "recovers: a later one resumed",
    }
    assert [found["tls12-id"][key] for key in ("which", "twice")] == ["the id of connection 1", True]
    assert [found["tls13"][key] for key in ("which", "twice")] == ["ticket 2 of 2 of connection 1", False]
    assert found["one-ticket"]["which"] == "ticket 1 of 1 of connection 1"
    assert found["tls13"]["offers"] == [2, 3]
    assert 0 < found["tls13"]["age"] < 60


def test_python_s_http_client_never_offers_a_session(capsys: pytest.CaptureFixture[str]) -> None:
    found = watched(capsys, ["tls12-id", "tls13"], [sys.executable, "-c", KEEPS_ON, "{port}", "{ca}"])

    assert [one["says"] for one in found.values()] == ["never resumes"] * 2


@needs_curl
def test_curl_resumes_and_recovers_from_a_decline(capsys: pytest.CaptureFixture[str]) -> None:
    found = watched(capsys, ["tls12-id", "tls13", "aborting", "rotating"], CURL)

    assert [one["says"] for one in found.values()] == [
        "2 of 2 offers resumed",
        "2 of 2 offers resumed",
        "recovers: connection 3 is full",
        "recovers: a later one resumed",
    ]


@needs_curl
def test_curl_asks_for_no_ticket_of_tls_1_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert watched(capsys, ["tls12-ticket"], CURL)["tls12-ticket"]["says"] == "never resumes"


def test_s_client_reconnects_with_the_same_ticket_again(capsys: pytest.CaptureFixture[str]) -> None:
    argv = ["openssl", "s_client", "-connect", "127.0.0.1:{port}", "-reconnect"]
    found = watched(capsys, ["tls12-ticket"], argv)["tls12-ticket"]

    assert found["says"] == "5 of 5 offers resumed"
    assert found["twice"] is True


@needs_clock
def test_a_client_whose_clock_is_slow_offers_an_expired_session(capsys: pytest.CaptureFixture[str]) -> None:
    slow = ["env", f"LD_PRELOAD={library()}", "FAKETIME=+0 x0.01", *python(keeps=True, times=2)]
    code, out, err = watch(capsys, ["--kind=expiring", "--expect=drops-expired"], slow)

    assert code == 1
    assert "wrong: offers one" in out
    assert err.startswith("expiring: expected that it does not offer an expired session; wrong:")


def test_a_claim_that_holds_is_exit_code_0(capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--kind=tls13", "--kind=declining", "--expect=resumes", "--expect=declining:recovers", "--expect=once"]

    assert watch(capsys, options, python(keeps=True))[0] == 0


def test_a_claim_that_does_not_hold_is_exit_code_1(capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = watch(capsys, ["--kind=tls13", "--expect=offers"], python(keeps=False))

    assert code == 1
    assert err == "tls13: expected that it offers a session; never resumes\n"


def test_the_evidence_is_shown_when_it_is_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    out = watch(capsys, ["--kind=tls13", "-v"], python(keeps=True, times=2))[1]

    assert "TLS 1.3, two tickets; the command ended with 0" in out
    assert "Connection 2 was resumed by psk with the session of connection 1" in out
    assert "pre_shared_key in ServerHello (identity 0)" in out


def test_a_false_key_log_of_the_client_is_caught(capsys: pytest.CaptureFixture[str]) -> None:
    """The client's library writes true secrets; the client spoils them before its connection ends."""
    argv = [sys.executable, "-c", LIES, "{port}", "{ca}", "{keylog}"]
    (connection,) = watched(capsys, ["tls13"], argv)["tls13"]["connections"]

    assert connection["outcome"] is None
    assert "key log: the client reports secrets that are wrong" in connection["disagreement"]


@pytest.mark.parametrize(("kind", "claim"), [("tls13", "once"), ("none", ""), ("expiring", "drops-expired")])
def test_a_client_that_refuses_the_certificate_shows_nothing(
    capsys: pytest.CaptureFixture[str], kind: str, claim: str
) -> None:
    distrusts = RESUMES.replace("cafile=sys.argv[2]", "").replace("KEEPS", "False")
    argv = [sys.executable, "-c", distrusts, "{port}", "{ca}", "1"]
    code, out, err = watch(capsys, [f"--kind={kind}", "--times=3", *([f"--expect={claim}"] if claim else [])], argv)

    line = "no handshake is completed: unknown_ca (48) sent by the client; let the command trust {ca}"
    assert (code, " ".join(out.split()).endswith(line)) == (1 if claim else 0, True)
    assert err.endswith(f"; {line}\n") is bool(claim)


def test_a_command_that_connects_once_is_advised(capsys: pytest.CaptureFixture[str]) -> None:
    found = watched(capsys, ["tls13"], python(keeps=True, times=1))

    assert found["tls13"]["says"].startswith("one connection offers nothing yet")


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (["no-such-program", "{url}"], "error: no-such-program: did not start: No such file or directory; give a"),
        (["/", "{url}"], "error: /: did not start: Permission denied"),
        (["echo", "hello", "{url}"], "echo ended with 0 and never connected to the server of kind tls13; it printed:"),
        (["false", "{url}"], "false ended with 1 and never connected to the server of kind tls13; it printed nothing"),
        (["sh", "-c", "exec sleep 600", "{url}"], "waited 2 s for the end of sh against the server of kind tls13; --d"),
    ],
)
def test_a_command_that_shows_nothing_is_exit_code_125(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, command: list[str], message: str
) -> None:
    monkeypatch.delenv("RESUMPTION_DEADLINE", raising=False)
    code, out, err = watch(capsys, ["--kind=tls13", "--deadline=2"], command)

    assert (code, out) == (125, "")
    assert message in err


@pytest.mark.parametrize(
    ("options", "command", "message"),
    [
        ([], ["true"], "the command says nowhere where the server is: write {url} or {port} into it"),
        ([], ["", "{url}"], "the command begins with an empty word, where its program has to be"),
        (["--kind=tls14"], ["true", "{url}"], "no kind of server 'tls14'; the kinds are: tls12-id, "),
        (["--expect=fast"], ["true", "{url}"], "--expect cannot be 'fast'; give offers, resumes, once, recovers, "),
        (["--expect=tls14:once"], ["true", "{url}"], "--expect cannot be 'tls14:once'"),
        (["--expect=none:offers"], ["true", "{url}"], "--expect none:offers can be asked of none of: tls12-id, "),
        (["--kind=tls13", "--expect=recovers"], ["true", "{url}"], "--expect recovers can be asked of none of: tls13"),
        (["--server=openssl", "--kind=tls13"], ["true", "{url}"], "lacks serving strangers"),
        (["--times=0"], ["true", "{url}"], "0 is not in the range"),
        (["--deadline=0"], ["true", "{url}"], "0.0 is not in the range"),
        ([], [], "Missing argument 'COMMAND...'"),
    ],
)
def test_bad_usage_is_one_error_that_says_what_is_allowed(
    capsys: pytest.CaptureFixture[str], options: list[str], command: list[str], message: str
) -> None:
    code, out, err = watch(capsys, options, command)

    assert (code, out) == (2, "")
    assert message in err


def test_nothing_is_left_of_a_command_that_does_not_end(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    monkeypatch.delenv("RESUMPTION_DEADLINE", raising=False)
    watch(capsys, ["--kind=tls13", "--deadline=1"], ["sh", "-c", "sleep 601 & wait", "{url}"])

    assert list(tmp_path.iterdir()) == []
    assert not any(process.info["cmdline"] == ["sleep", "601"] for process in psutil.process_iter(["cmdline"]))


def test_a_claim_that_is_given_twice_is_asked_once() -> None:
    kinds = kinds_named(["tls13"])

    assert expectations(["offers", "offers", "tls13:once"], kinds) == [("offers", kinds[0]), ("once", kinds[0])]
