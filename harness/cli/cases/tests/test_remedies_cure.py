"""`resumption connect` says in its first line why the session did not resume, and what it says would change that, does.

Each row is a command, its first line, and options that do what its remedy says: with them the last connection resumes.
"""

from __future__ import annotations

import json
import shlex
from typing import NamedTuple

import pytest

from harness.cli import main

BOTH = "connect --client libssl --server libssl"
OUTSIDE = "--server-set tickets=off --server-set external_cache=x --server-set cache_mode=server,no_internal"
EARLY = "--client-set max_early_data=100 --server-set max_early_data=100"


class Row(NamedTuple):
    """A command, its first line, and options with which it resumes."""

    options: str
    line: str
    cured: str


CACHED = "--server-set tickets=off"
NAME = "--client-set verify=required --client-set expected_name"
TURNED = "Connection 2 was declined: the offered session id differs from the issued one"
ROWS = (
    Row(
        f"--tls 1.3 {NAME}=foo.example",
        "Connection 2 was aborted: the server's certificate does not have the name 'foo.example', which the client "
        "expects (bad_certificate (42) sent by the client, after the server's Finished)",
        f"--tls 1.3 {NAME}=server.example",
    ),
    Row(
        "--tls 1.2 --server-set tickets=off --server-set external_cache=x --server-set session_id_context=a "
        "--then-server-set session_id_context=b",
        "Connection 2 was declined: the session belongs to a different session id context than the server's",
        "--tls 1.2 --server-set tickets=off --server-set external_cache=x --server-set session_id_context=a "
        "--then-server-set session_id_context=a",
    ),
    Row(
        f"--tls 1.2 {OUTSIDE} --server-set external_get=other_id",
        "Connection 2 was aborted: the server resumed a session with another id than the offered one, and its client "
        "expects a full handshake (unexpected_message (10) sent by the client, after the server's Finished)",
        f"--tls 1.2 {OUTSIDE} --server-set external_get=session",
    ),
    Row(
        "--tls 1.3 --server-set ticket_data=abc --server-set ticket_use=abort",
        "Connection 2 was aborted: the server's callback for decrypted tickets returned SSL_TICKET_RETURN_ABORT, which "
        "ends the handshake",
        "--tls 1.3 --server-set ticket_data=abc --server-set ticket_use=use",
    ),
    Row(
        "--tls 1.3 --edit-copy cipher=0x1301",
        "Connection 2 was aborted: the client's copy of the session has TLS_AES_128_GCM_SHA256, and the session was "
        "made with TLS_AES_256_GCM_SHA384 (decode_error (50) sent by the server, after the client's ClientHello)",
        "--tls 1.3",
    ),
    Row(
        "--tls 1.2 --edit-copy cipher=0xc02b",
        "Connection 2 was aborted: the client's copy of the session has TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, and "
        "the session was made with TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384 (illegal_parameter (47) sent by the client, "
        "after the server's Finished)",
        "--tls 1.2",
    ),
    Row(f"--tls 1.2 --edit-copy session_id=flip:0 {CACHED}", TURNED, f"--tls 1.2 {CACHED}"),
    Row(f"--tls 1.2 --edit-copy session_id=flip:0 {OUTSIDE}", TURNED, f"--tls 1.2 {OUTSIDE}"),
    Row(f"--tls 1.3 --edit-copy ticket=flip:5 {CACHED}", TURNED, f"--tls 1.3 {CACHED}"),
    Row(
        "--tls 1.3 --edit-copy ticket=",
        "Connection 2 offered no session: the ticket of connection 1 is not in the session any more",
        "--tls 1.3",
    ),
    Row(
        "--tls 1.3 --client-set ciphersuites=TLS_AES_128_GCM_SHA256 --then-client-set "
        "ciphersuites=TLS_AES_256_GCM_SHA384",
        "Connection 2 was declined: the session is bound to sha256, but the server chose TLS_AES_256_GCM_SHA384 with "
        "sha384",
        "--tls 1.3 --client-set ciphersuites=TLS_AES_128_GCM_SHA256 --then-client-set "
        "ciphersuites=TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384",
    ),
    Row(
        f"--tls 1.3 {EARLY} --client-set groups=X25519:P-384 --server-set groups=P-384",
        "Connection 2 was declined: the session can be used only once, and this connection's first ClientHello used it",
        f"--tls 1.3 {EARLY} --client-set groups=P-384 --server-set groups=P-384",
    ),
)


def first_line(capsys: pytest.CaptureFixture[str], options: str) -> tuple[int, str]:
    code = main(shlex.split(f"{BOTH} --quiet {options}"))
    out, err = capsys.readouterr()
    assert err == ""
    return code, out.rstrip("\n")


@pytest.mark.parametrize(("options", "line", "cured"), ROWS, ids=range(len(ROWS)))
def test_the_answer_names_the_cause_and_its_remedy_cures(
    capsys: pytest.CaptureFixture[str], options: str, line: str, cured: str
) -> None:
    found = first_line(capsys, options)
    after = first_line(capsys, f"{cured} --expect resumed")

    assert found == (0, line)
    assert after[0] == 0


def test_a_session_of_one_use_names_the_connection_beside_it_that_used_it(capsys: pytest.CaptureFixture[str]) -> None:
    code = main(shlex.split(f"{BOTH} --tls 1.3 {EARLY} --threads 4 --json"))
    out, err = capsys.readouterr()
    made = json.loads(out)["connections"][1:]
    resumed = [one["number"] for one in made if one["outcome"] == "resumed"]
    declined = [one for one in made if one["outcome"] == "declined"]

    assert (code, err) == (0, "")
    assert len(resumed) == 1
    assert len(declined) == 3
    assert {one["explanation"]["findings"][0]["title"] for one in declined} == {
        f"the session can be used only once, and connection {resumed[0]} used it"
    }


def test_an_empty_knob_is_said_to_be_empty(capsys: pytest.CaptureFixture[str]) -> None:
    code = main(shlex.split(f"{BOTH} --tls 1.3 --server-set ciphersuites="))
    out, err = capsys.readouterr()

    assert code == 0
    assert err == "note: connection 1 yielded no session, so connection 2 offers none\n"
    assert "  - knob: the server's ciphersuites is empty\n" in out


def test_an_external_psk_of_another_hash_at_each_end_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    psk = "--client-set psk_key=k --server-set psk_key=k --client-set psk_cipher=TLS_AES_256_GCM_SHA384"
    _, line = first_line(capsys, f"--tls 1.3 --times 0 {psk}")
    _, cured = first_line(capsys, f"--tls 1.3 --times 0 {psk} --server-set psk_cipher=TLS_AES_256_GCM_SHA384")

    assert line.endswith("the external PSK 'Client_identity' has sha384 at the client and sha256 at the server")
    assert cured == (
        "Connection 1 was a full handshake by the external PSK 'Client_identity': it had no session to offer"
    )
