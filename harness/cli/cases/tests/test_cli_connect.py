"""`resumption connect` reports a case truthfully, exits as documented, and says what is allowed where a user errs."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING

import pytest

from harness.builds.store import BuildStore
from harness.cli import main

if TYPE_CHECKING:
    from pathlib import Path

LIBSSL = "connect --client libssl --server libssl --tls 1.3"


def run(capsys: pytest.CaptureFixture[str], arguments: str) -> tuple[int, str, str]:
    code = main(shlex.split(arguments))
    out, err = capsys.readouterr()
    return code, out, err


def test_a_case_is_shown_connection_by_connection(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, f"{LIBSSL} --expect resumed")

    assert (code, err) == (0, "")
    assert "Connection 1 of 2: full" in out
    assert "Connection 2 of 2: resumed by psk" in out
    assert out.count("SSL_session_reused() == 1") == 2
    assert "pre_shared_key in ServerHello (identity 0)" in out
    assert "Counters of the server: accept 2, accept_good 2, hits 1, cache_size 20480; 0: items" in out


def test_the_answer_comes_first_and_the_timeline_next(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = run(capsys, f"{LIBSSL} --then-server-set num_tickets=1")
    first, *lines = out.splitlines()

    assert first.startswith("Connection 2 was declined: the client offered a ticket that this server has no key for")
    assert "Connection 1 of 2: full                          │ Connection 2 of 2: declined" in lines


@pytest.mark.parametrize(
    ("options", "line"),
    [
        ("", "Connection 2 was resumed by psk with the session of connection 1"),
        ("--server-set timeout=60 --age 61", "Connection 2 was declined: the session had expired at the server"),
        ("--server-set timeout=60 --age-copy 61", "Connection 2 was resumed by psk"),
        ("--times 0", "Connection 1 was a full handshake: it had no session to offer"),
        ("--times 3", "Connection 4 was resumed by psk with the session of connection 3"),
        (
            "--then-server-set num_tickets=1",
            "Connection 2 was declined: the client offered a ticket that this server has no key for",
        ),
    ],
)
def test_quiet_prints_the_answer_alone(capsys: pytest.CaptureFixture[str], options: str, line: str) -> None:
    _, quiet, _ = run(capsys, f"{LIBSSL} --quiet {options}")
    _, whole, _ = run(capsys, f"{LIBSSL} {options}")

    assert quiet.startswith(line)
    assert quiet.count("\n") == 1
    assert whole.startswith(quiet)


@pytest.mark.parametrize(
    ("options", "lines"),
    [
        ("--tls 1.2 --server-set timeout=60 --age 120", ["was declined: the session had expired at the server"]),
        ("--tls 1.3 --server-set timeout=300 --age 301", ["was declined: the session had expired at the server"]),
        (
            "--tls 1.3 --server-set timeout=300 --age-copy 301",
            [
                "was resumed by psk, but the session was 301 s old by its client's clock, and its lifetime is 300 s",
                "The session that connection 2 resumed expires first at the client, at an age of 302 s",
            ],
        ),
    ],
)
def test_an_age_is_explained_to_the_second(capsys: pytest.CaptureFixture[str], options: str, lines: list[str]) -> None:
    _, out, _ = run(capsys, f"connect --client libssl --server libssl {options}")

    assert [line for line in lines if line not in out] == []


@pytest.mark.parametrize(
    ("client", "server", "options", "lines"),
    [
        (
            "4.0.3",
            "1.1.1n",
            "--server-set timeout=2592000 --age 691200",
            [
                "it cut the 2592000 that the server set",
                "wire: the server gave the ticket a lifetime of 2592000 seconds in connection 1",
                "a longer timeout at the server changes nothing",
            ],
        ),
        (
            "1.1.1k",
            "4.0.3",
            "--client-set client_certificate=large-client --server-set verify=required --times 0",
            ["illegal_parameter (47) sent by the client", "reason=152", "NewSessionTicket"],
        ),
    ],
    ids=["lifetime-that-the-client-cuts", "ticket-that-the-client-refuses"],
)
def test_what_a_build_does_to_a_ticket_is_explained(
    capsys: pytest.CaptureFixture[str], client: str, server: str, options: str, lines: list[str]
) -> None:
    lacking = {client, server} - {*BuildStore().serving("libssl")}
    if lacking:
        pytest.skip(f"not fetched; run: resumption builds fetch {' '.join(sorted(lacking))}")
    code, out, _ = run(capsys, f"connect --client libssl@{client} --server libssl@{server} --tls 1.3 {options}")

    assert code == 0
    assert [line for line in lines if line not in out] == []


def test_all_shows_every_message_with_every_field(capsys: pytest.CaptureFixture[str]) -> None:
    short = run(capsys, LIBSSL)[1]
    whole = run(capsys, f"{LIBSSL} --all")[1]

    assert "legacy_version TLSv1.2" not in short
    assert whole.count("legacy_version TLSv1.2") == 2
    assert whole.count("master_key_length         48 bytes") == 2


def test_what_does_not_run_again_is_said_to_be_gone(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = run(capsys, LIBSSL)

    assert "Commands, as they were run. The ports and the files in the run's private folder no longer exist;" in out


def test_json_is_one_object_with_a_schema(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, f"{LIBSSL} --json --server-set num_tickets=1 --then-server-set num_tickets=3")
    shown = json.loads(out)

    assert code == 0
    assert shown["schema"] == 1
    assert [c["outcome"] for c in shown["connections"]] == ["full", "declined"]
    assert [c["views"]["wire"]["outcome"] for c in shown["connections"]] == ["full", "full"]
    assert shown["knobs"]["then_server"] == {"num_tickets": "3"}
    assert shown["connections"][1]["session"]["has_ticket"] is True
    assert shown["connections"][1]["offered"]["taken_from"].startswith("libssl@")
    assert shown["connections"][1]["offered"]["taken_from"] == shown["server"]
    assert shown["connections"][1]["session"]["ticket_length"] > 0


def test_an_outcome_that_was_not_expected_is_exit_code_1(capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = run(capsys, f"{LIBSSL} --then-server-set num_tickets=1 --expect resumed")

    assert code == 1
    assert err == "connection 2 was expected to be resumed and is declined\n"


def test_a_refused_resumption_is_aborted_with_its_alert(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(
        capsys,
        "connect --client libssl --server libssl --tls 1.2 --server-set session_id_context=none "
        "--server-set verify=optional --client-set client_certificate=client --expect aborted --json",
    )

    assert code == 0
    assert json.loads(out)["connections"][1]["alert"] == {
        "number": 80,
        "name": "internal_error",
        "level": 2,
        "sender": "server",
    }


def test_times_counts_the_connections_after_the_first(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = run(capsys, f"{LIBSSL} --times 3 --json")

    assert [c["outcome"] for c in json.loads(out)["connections"]] == ["full", "resumed", "resumed", "resumed"]


def test_what_is_kept_is_the_evidence(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    run(capsys, f"{LIBSSL} --keep {tmp_path}/kept")
    kept = {path.name for path in (tmp_path / "kept").iterdir()}

    assert {"capture.pcapng", "case.json", "evidence.txt", "keylog.txt"} <= kept


BAD_USAGE = [
    ("--client nope --server libssl --tls 1.3", "no stack matches 'nope'"),
    ("--client '*' --server libssl --tls 1.3", "; name one of them"),
    ("--client libssl --server libssl --tls 1.4", "'1.4' is not one of '1.0', '1.1', '1.2', '1.3'"),
    (
        "--client libssl --server libssl --tls 1.3 --client-set nope=1",
        "no client knob 'nope'; the knobs of a client are",
    ),
    ("--client libssl --server libssl --tls 1.3 --server-set tickets=maybe", "cannot be 'maybe'; allowed: on | off"),
    ("--client libssl --server libssl --tls 1.3 --server-set timeout", "--server-set: invalid KNOB=VALUE: 'timeout'"),
    (
        "--client libssl --server libssl --tls 1.3 --then-server-set tickets",
        "--then-server-set: invalid KNOB=VALUE: 'tickets'",
    ),
    ("--client openssl --server libssl --tls 1.3 --client-set timeout=5", "lacks knob timeout: no flag sets"),
    ("--client openssl --server libssl --tls 1.3 --close server-only", "lacks close server-only: s_client answers"),
    ("--client libssl --server libssl --tls 1.3 --server-set server_certificate=x", "no certificate 'x' in certs/"),
    ("--client libssl --server libssl --tls 1.2 --server-set ciphers=nonsense", "ciphers"),
    ("--client libssl --server openssl --tls 1.2 --server-set ciphers=nonsense", "refused -cipher nonsense: lib=20 "),
    ("--client openssl --server libssl --tls 1.2 --client-set ciphers=nonsense", "refused -cipher nonsense: lib=20 "),
    ("--client ssl --server libssl --tls 1.2 --client-set groups=nonsense", "unknown elliptic curve name"),
    ("--client libssl --server libssl --tls 1.3 --server-set num_tickets=-1", "allowed: 0 to 4096"),
    (
        "--client libssl --server libssl --tls 1.3 --server-set timeout=9223372036854775808",
        "allowed: seconds, a signed 64-bit",
    ),
    (
        "--client libssl --server libssl --tls 1.3 --server-set alpn=",
        "allowed: names of 1 to 255 bytes joined by commas, at most 65535 bytes with a length byte each, or unset",
    ),
    ("--client libssl --server libssl --tls 1.3 --keep /dev/null/x", "nothing can be written to /dev/null/x"),
    ("--client libssl --server libssl --tls 1.3 --times -1", "-1 is not in the range 0<=x<=10000"),
    ("--client libssl --server libssl --tls 1.3 --json --all", "--json and --all cannot be combined"),
    ("--client libssl --server libssl --tls 1.3 --json --quiet", "--json and --quiet cannot be combined"),
    (
        "--client libssl --server libssl --tls 1.3 --times 0 --age 5",
        "--age has no effect with --times 0",
    ),
    (
        "--client libssl --server libssl --tls 1.3 --times 0 --age-copy 5",
        "--age-copy has no effect with --times 0",
    ),
    (
        "--client libssl --server libssl --tls 1.3 --age 99999999999",
        "99999999999 is not in the range",
    ),
    ("--client libssl --server libssl --tls 1.3 --unlike 3.5", "--unlike needs --minimize"),
    (
        "--client libssl --server libssl --tls 1.3 --minimize --unlike libssl --story-out /tmp/never-written.json",
        "--unlike libssl shows the same; name a build that differs, or leave it out",
    ),
    (
        "--client libssl --server libssl --tls 1.3 --times 0 --then-server-set num_tickets=1",
        "--then-server-set has no effect with --times 0",
    ),
]


@pytest.mark.parametrize(("arguments", "message"), BAD_USAGE)
def test_bad_usage_is_exit_code_2_and_says_what_is_allowed(
    capsys: pytest.CaptureFixture[str], arguments: str, message: str
) -> None:
    code, out, err = run(capsys, f"connect {arguments}")

    assert (code, out) == (2, "")
    assert message in err
    assert "Traceback" not in err


def test_the_stacks_are_shown_with_knobs_and_reasons(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "stacks --why")

    assert code == 0
    assert "openssl@" in out
    assert "ticket_keys" in out
    assert "no flag sets a session timeout" in " ".join(out.split())


def test_the_stacks_as_json_say_what_each_lacks(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = run(capsys, "stacks --json")
    shown = json.loads(out)
    openssl = next(stack for stack in shown["stacks"] if stack["name"] == "openssl")

    assert shown["schema"] == 1
    assert openssl["lacks"]["client"]["timeout"] == "no flag sets a session timeout"
    assert shown["knobs"]["server"]["num_tickets"]["values"] == "0 to 4096"


def test_an_edited_session_without_a_ticket_has_a_plain_answer(capsys: pytest.CaptureFixture[str]) -> None:
    ends = "--client libssl --server libssl --tls 1.3 --server-set num_tickets=0"
    code, out, _ = run(capsys, f"connect {ends} --edit-copy timeout=5")

    assert code == 0
    assert out.startswith(
        "Connection 2 offered no session: the session has neither a ticket nor a session id, so no server can "
        "resume it; which connection it comes from cannot be seen in it\n"
        "  - session: it has no ticket\n"
    )
    assert "contradict" not in out
