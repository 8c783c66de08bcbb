"""`resumption probe`: what it prints, how it ends, and one clear line for each bad server."""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import pytest

from harness.cli import main
from harness.model import probe
from harness.model.errors import VARIABLE, stretched
from harness.probe import visitor
from harness.report.json.documentation import probe_schema
from harness.report.json.probe_shapes import Topic
from harness.report.json.tests.json_schema import errors
from harness.runtime.runtime import Runtime
from harness.tests.made_pages import same_schemas
from harness.tests.real_servers import s_server, sending, speaking

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.runtime.pki import Issued


@pytest.fixture(scope="module")
def issued() -> Iterator[Issued]:
    with Runtime() as runtime:
        yield runtime.pki.issued("server")


def refused(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 125) -> str:
    """The one line that a probe ends with."""
    ended = main(["probe", *arguments])
    said = capsys.readouterr()
    assert (ended, said.out) == (code, "")
    assert len(said.err.splitlines()) == 1, said.err
    return said.err.strip()


def test_a_probe_says_who_witnessed_it(issued: Issued, capsys: pytest.CaptureFixture[str]) -> None:
    with s_server(issued, "-www") as address:
        code = main(["probe", address, "--offers", "4", "--seed", "7", "--tls", "1.3"])
    printed = capsys.readouterr().out

    assert code == 0
    head = " ".join(printed.splitlines()[:2]).replace("  ", " ")
    assert head.startswith(f"{address}: 9 connections by libssl@")
    assert "seed 7; two witnesses: the client and the wire" in head


def test_the_evidence_is_shown_where_it_is_asked_for(issued: Issued, capsys: pytest.CaptureFixture[str]) -> None:
    with s_server(issued, "-www") as address:
        main(["probe", address, "--offers", "4", "--tls", "1.3", "-v"])

    assert "- connection 6: resumed the session of connection " in capsys.readouterr().out


def test_an_address_without_a_listener_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert refused(capsys, "127.0.0.1:1") == "error: 127.0.0.1:1 cannot be reached: Connection refused"


def test_a_host_without_an_address_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert refused(capsys, "nowhere.invalid:443").startswith("error: nowhere.invalid:443 cannot be reached: ")


def test_a_server_without_the_version_is_one_line(issued: Issued, capsys: pytest.CaptureFixture[str]) -> None:
    with s_server(issued, "-www", "-tls1_2") as address:
        said = refused(capsys, address, "--tls", "1.3")

    assert said == (
        f"error: {address}: the handshake fails: protocol_version (70) sent by the server; "
        "it speaks no version that was asked for: leave --tls out"
    )


def test_a_listener_that_does_no_tls_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with speaking(b"SSH-2.0-OpenSSH_9.2\r\n") as address:
        said = refused(capsys, address)

    assert said == f"error: {address} does not speak TLS: its answer begins with 'SSH-2.0-OpenSSH_9.2..'"


def test_a_server_that_closes_at_once_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with speaking(b"") as address:
        said = refused(capsys, address)

    assert said == f"error: {address} closed the connection without an answer to the ClientHello"


def test_a_server_that_hangs_is_one_line_in_the_deadline(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, "9")
    with speaking(b"", ends=False) as address:
        said = refused(capsys, address)

    assert said == f"error: {address} did not answer the client's handshake in 9 s"


def test_a_server_that_floods_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with speaking(b"x" * 65536, again=True) as address:
        said = refused(capsys, address)

    assert said.startswith(f"error: {address} does not speak TLS")


def test_a_refusal_of_starttls_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with speaking(b"554 no service\r\n") as address:
        said = refused(capsys, address, "--starttls", "smtp")

    assert said == f"error: {address} refuses STARTTLS of smtp: it answers '554 no service\\r\\n'"


def test_files_that_do_not_hold_what_they_should_are_refused(
    issued: Issued, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    openssl = ["openssl", "genpkey", "-algorithm", "ed25519"]
    other, sealed, cert, key = tmp_path / "other", tmp_path / "sealed", str(issued.certificate), str(issued.key)
    subprocess.run([*openssl, "-out", other], check=True)
    subprocess.run([*openssl, "-aes128", "-pass", "pass:x", "-out", sealed], check=True)
    lines = {
        ("--ca", key): f"error: --ca {key} holds no certificate in PEM that can be read; give one",
        ("--cert", key, "--key", key): f"error: --cert {key} holds no certificate in PEM that can be read; give one",
        ("--cert", cert, "--key", str(other)): f"error: --key {other} is not the key of --cert {cert}; give its own",
        ("--cert", cert, "--key", str(sealed)): (
            f"error: --key {sealed} holds no unencrypted private key in PEM; give that of --cert {cert}"
        ),
        ("--cert", cert, "--key", cert): (
            f"error: --key {cert} holds no unencrypted private key in PEM; give that of --cert {cert}"
        ),
    }

    for options, line in lines.items():
        assert refused(capsys, "127.0.0.1:1", *options, code=2) == line


@pytest.mark.parametrize(
    ("first", "again", "pause"),
    [(b"", b"x" * 16384, 0.0), (b"HTTP/1.1 200 OK\r\n", b"X: y\r\n", 0.05), (b"", b"", 0.0)],
    ids=["floods", "drips", "is-mute"],
)
def test_a_server_that_never_ends_is_probed_in_bounds(
    issued: Issued,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    first: bytes,
    again: bytes,
    pause: float,
) -> None:
    monkeypatch.setattr(visitor, "PATIENCE", 0.03)
    with sending(issued, first, again, pause) as address:
        assert main(["probe", address, "--tls", "1.3", "--offers", "1"]) == 0

    assert "resumes by stateless ticket in 1 of 1" in capsys.readouterr().out


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "127.0.0.1:", "127.0.0.1:0", "127.0.0.1:65536", "https://a.test:1", ""]
)
def test_an_address_of_another_form_is_refused(address: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert "is not HOST:PORT; it should look like" in refused(capsys, address, code=2)


@pytest.mark.parametrize("address", ["192.0.3.1:443", "[2600::1]:443", "[::ffff:8.8.8.8]:443"])
def test_a_public_address_is_refused(address: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert "--allow-public" in refused(capsys, address, code=2)


def test_more_offers_than_connections_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert "--connections allows 200" in refused(capsys, "127.0.0.1:1", "--offers", "100", code=2)


def test_the_pace_is_kept(issued: Issued, capsys: pytest.CaptureFixture[str]) -> None:
    with s_server(issued, "-www") as address:
        begun = time.monotonic()
        main(["probe", address, "--offers", "2", "--tls", "1.3", "--rate", "4"])
    took = time.monotonic() - begun

    assert "5 connections" in capsys.readouterr().out
    assert took >= 4 / 4


def test_a_server_that_does_not_answer_a_get_is_probed_in_silence(
    issued: Issued, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(visitor, "QUICK", 0.25)  # it never answers
    monkeypatch.setattr(visitor, "ANSWERS", 0)
    with s_server(issued) as address:
        main(["probe", address, "--offers", "2", "--tls", "1.3"])
    printed = capsys.readouterr().out

    assert f"note: the server did not answer the GET in {stretched(0.25):g} s" in printed
    assert "resumes by stateless ticket in 2 of 2" in printed


def test_an_expectation_that_holds_ends_with_0(issued: Issued) -> None:
    with s_server(issued, "-www") as address:
        assert main(["probe", address, "--offers", "2", "--expect", "resumes,resumes-1.2,shared,single-key"]) == 0


@pytest.mark.parametrize(
    ("options", "expected", "text"),
    [
        (("-no_ticket", "-no_cache"), "resumes", "TLS 1.3: never: 0 of 2 shuffled offers"),
        (("-no_ticket", "-no_cache"), "resumes-1.2", "TLS 1.2 ticket: no: the server issues no ticket"),
        ((), "bound-name", "and it could not be judged"),
    ],
)
def test_an_expectation_that_does_not_hold_ends_with_1(
    options: tuple[str, ...], expected: str, text: str, issued: Issued, capsys: pytest.CaptureFixture[str]
) -> None:
    with s_server(issued, "-www", *options) as address:
        code = main(["probe", address, "--offers", "2", "--expect", expected])

    assert code == 1
    said = capsys.readouterr().err
    assert said.startswith(f"{address}: expected {expected}")
    assert text in said


@pytest.mark.parametrize(("words", "unknown"), [("resumes,fast", "fast"), ("", ""), ("resumes,", "")])
def test_an_unknown_expectation_is_refused(words: str, unknown: str, capsys: pytest.CaptureFixture[str]) -> None:
    said = refused(capsys, "127.0.0.1:1", "--expect", words, code=2)

    assert said.startswith(f"error: --expect has no {unknown!r}; it takes: resumes, ")


def test_a_certificate_that_does_not_verify_is_one_line(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    with Runtime() as runtime, Runtime() as other:
        (tmp_path / "ca.pem").write_bytes(other.pki.authority().read_bytes())
        with s_server(runtime.pki.issued("server"), "-www") as address:
            said = refused(capsys, address, "--ca", str(tmp_path / "ca.pem"))

    remedy = "give the authority that issued it, or leave --ca out"
    assert said == f"error: {address}: the certificate does not verify with --ca; {remedy}"


def test_a_certificate_that_verifies_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with Runtime() as runtime, s_server(runtime.pki.issued("server"), "-www") as address:
        code = main(["probe", address, "--offers", "1", "--tls", "1.3", "--ca", str(runtime.pki.authority())])

    assert code == 0
    assert "; the certificate verifies" in capsys.readouterr().out


def test_a_certificate_without_its_key_is_refused(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "x.pem").write_text("")

    said = refused(capsys, "127.0.0.1:1", "--cert", str(tmp_path / "x.pem"), code=2)

    assert said == "error: --cert and --key go together; give both, or neither"


def test_the_json_is_what_its_schema_says(issued: Issued, capsys: pytest.CaptureFixture[str]) -> None:
    with s_server(issued, "-www") as address:
        code = main(["probe", address, "--offers", "2", "--json", "--sni", "a.test,b.test", "--expect", "single-use"])
    printed = json.loads(capsys.readouterr().out)
    schema = probe_schema()

    assert errors(printed, schema, schema["$defs"]) == []
    assert code == 1
    one = printed["probes"][0]
    assert [study["mechanism"] for study in one["studies"]] == ["psk", "session_ticket", "session_id"]
    assert one["witnesses"] == ["client", "wire"]
    assert one["unmet"][0].startswith(f"{address}: expected single-use")


@same_schemas
def test_the_schema_of_probes_is_written() -> None:
    written = Path(__file__).parents[3] / "docs" / "probe.schema.json"

    assert json.loads(written.read_text()) == probe_schema(), "run: python docs/generate.py"


def test_every_topic_is_in_the_schema() -> None:
    assert get_args(Topic) == tuple(topic.value for topic in probe.Topic)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "give HOST:PORT, or --from HOST:PORT and --to HOST:PORT"),
        (("--from", "127.0.0.1:1"), "--from and --to go together"),
        (("127.0.0.1:1", "--from", "127.0.0.1:1", "--to", "127.0.0.1:2"), "give HOST:PORT, or --from"),
        (("127.0.0.1:1", "--every", "1h"), "--every and --for go together"),
        (("127.0.0.1:1", "--every", "1y", "--for", "2d"), "--every '1y': give a number and s, min, h or d"),
        (("127.0.0.1:1", "--every", "", "--for", "2d"), "--every '': give a number and s, min, h or d"),
        (("127.0.0.1:1", "--every", "", "--state", "x"), "--every and --for go together"),
        (("127.0.0.1:1", "--for", ""), "--every and --for go together"),
        (("127.0.0.1:1", "--every", "2d", "--for", "1h"), "--every 2d is longer than --for 1h"),
        (("127.0.0.1:1", "--state", "x"), "--state needs --every and --for"),
        (("127.0.0.1:1", "--client", "nothing@*"), "no stack matches 'nothing@*'"),
        (("--from", "127.0.0.1:1", "--to", "192.0.3.1:1"), "--allow-public"),
    ],
    ids=range(12),
)
def test_options_that_do_not_fit_together_are_refused(
    arguments: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert said in refused(capsys, *arguments, code=2)


def test_a_folder_that_others_can_read_keeps_nothing(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "open").mkdir(mode=0o755)

    assert "others may look into it" in refused(capsys, "127.0.0.1:1", "--keep", str(tmp_path / "open"), code=2)


def test_what_is_kept_opens_the_capture_and_offers_the_sessions(
    issued: Issued, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    with s_server(issued, "-www") as address:
        main(["probe", address, "--offers", "1", "--tls", "1.3", "--keep", str(tmp_path / "kept")])
        (kept,) = (tmp_path / "kept").iterdir()
        session = next(path for path in sorted(kept.iterdir()) if path.name.startswith("session-"))
        capsys.readouterr()
        main(["probe", address, "--offers", "1", "--tls", "1.3", "--session-in", str(session)])

    assert kept.name == f"{address.replace(':', '_')}--libssl@{kept.name.rpartition('@')[2]}"
    assert "resumes by psk" in capsys.readouterr().out
    assert (kept / "keylog.txt").read_text().startswith("SERVER_HANDSHAKE_TRAFFIC_SECRET ")
    assert {path.stat().st_mode & 0o777 for path in kept.iterdir()} == {0o600}
    assert (kept.stat().st_mode & 0o777, kept.parent.stat().st_mode & 0o777) == (0o700, 0o700)


def test_each_client_of_a_glob_probes(issued: Issued, capsys: pytest.CaptureFixture[str]) -> None:
    with s_server(issued, "-www") as address:
        code = main(["probe", address, "--offers", "1", "--tls", "1.3", "--client", "*ssl@3.0*", "--seed", "1"])
    heads = [line for line in capsys.readouterr().out.splitlines() if line.startswith(f"{address}:")]

    assert code == 0
    assert len(heads) > 1
