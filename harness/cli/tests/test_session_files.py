"""Sessions of other programs come in by `--session-in`, and those that go out by `--session-out` work there."""

from __future__ import annotations

import re
import subprocess
import time
from typing import TYPE_CHECKING

import pytest

from harness.cli import main
from harness.runtime.runtime import Runtime
from harness.tests.real_servers import s_server
from harness.wire.session.codec import edited, load, to_pem

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CASE = ["connect", "--client=libssl", "--server=libssl", "--quiet"]
SHARED = ["--server-set", "ticket_keys=one"]
REQUEST = b"GET / HTTP/1.0\r\n\r\n"


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with Runtime() as runtime, s_server(runtime.pki.issued("server"), "-www") as found:
        yield found


def s_client(address: str, *options: str) -> str:
    """What s_client prints, which reads to the end of the server's answer."""
    argv = ["openssl", "s_client", "-connect", address, "-ign_eof", *options]
    return subprocess.run(argv, input=REQUEST, capture_output=True, check=True, timeout=60).stdout.decode()


def run(capsys: pytest.CaptureFixture[str], *argv: object) -> tuple[int, str, str]:
    code = main([str(word) for word in argv])
    out, err = capsys.readouterr()
    return code, out, err


@pytest.fixture
def file(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Path:
    """A session of TLS 1.3 of a server with the keys SHARED."""
    made = tmp_path / "session.pem"
    assert run(capsys, *CASE, "--tls=1.3", *SHARED, "--times=0", "--session-out", made)[0] == 0
    return made


@pytest.mark.parametrize("tls", ["1.2", "1.3"])
def test_a_session_of_s_client_comes_in_and_one_goes_out_to_it(
    capsys: pytest.CaptureFixture[str], address: str, tmp_path: Path, tls: str
) -> None:
    taken, given = tmp_path / "taken.pem", tmp_path / "given.pem"
    option = f"-tls{tls.replace('.', '_')}"
    s_client(address, option, "-sess_out", str(taken))
    probe = ["probe", address, f"--tls={tls}", "--offers=1", "--session-in", taken, "--session-out", given]
    code, out, _ = run(capsys, *probe)

    assert code == 0
    assert re.search(rf"^from a file +TLS {tls} +resumes by ", out, re.MULTILINE)
    assert given.stat().st_mode & 0o777 == 0o600
    assert f"Reused, TLSv{tls}" in s_client(address, option, "-sess_in", str(given))


def test_a_session_of_another_server_is_declined(capsys: pytest.CaptureFixture[str], address: str, file: Path) -> None:
    _, out, _ = run(capsys, "probe", address, "--tls=1.3", "--offers=1", "--session-in", file)

    assert "declined in 4 of 4 offers, by full handshakes" in out


def test_the_first_connection_of_a_case_offers_it(capsys: pytest.CaptureFixture[str], file: Path) -> None:
    case = [*CASE, "--tls=1.3", "--times=0", "--session-in", file]

    assert run(capsys, *case, *SHARED)[1] == "Connection 1 was resumed by psk\n"
    assert run(capsys, *case)[1].startswith("Connection 1 was declined: the client offered a ticket that this server")
    assert run(capsys, *CASE, "--tls=1.2", "--times=0", "--session-in", file)[1].startswith(
        "Connection 1 offered no session: the session is for TLSv1.3, but the client of connection 1 enables TLSv1.2"
    )


def test_der_comes_in_too(capsys: pytest.CaptureFixture[str], file: Path, tmp_path: Path) -> None:
    der = tmp_path / "session.der"
    der.write_bytes(load(file.read_bytes()).der or b"")

    assert run(capsys, *CASE, "--tls=1.3", "--times=0", *SHARED, "--session-in", der)[1].startswith(
        "Connection 1 was re"
    )


def test_a_file_is_replaced_only_where_the_user_says_so(capsys: pytest.CaptureFixture[str], file: Path) -> None:
    before = file.read_bytes()
    case = [*CASE, "--tls=1.3", "--times=0", "--session-out", file]
    code, out, err = run(capsys, *case)

    assert (code, out) == (2, "")
    assert err == f"error: --session-out {file} exists; add --overwrite, or give another file\n"
    assert file.read_bytes() == before
    file.chmod(0o644)
    assert run(capsys, *case, "--overwrite")[0] == 0
    assert file.read_bytes() != before
    assert file.stat().st_mode & 0o777 == 0o600


def test_no_session_is_an_error_and_no_file(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    none = tmp_path / "none.pem"
    case = [*CASE, "--tls=1.3", "--times=0", "--server-set", "num_tickets=0", "--session-out", none]
    code, _, err = run(capsys, *case)

    assert code == 1
    assert err == f"error: no session is written to {none}: there was none to resume\n"
    assert not none.exists()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "holds no session that can be read: no session: the data are empty"),
        (b"hello", "holds no session that can be read: "),
        (b"-----BEGIN CERTIFICATE-----\n", "where a session's says 'SSL SESSION PARAMETERS'"),
        ("cut", "the PEM is cut short"),
        ("expired", "holds a session that expired 100 s ago, 7200 s after it was made; give a fresh one"),
        ("ssl3", "holds a session of SSLv3; give one of TLS 1.0 to 1.3"),
        pytest.param(b"0" * ((1 << 20) + 1), "has more than 1 MiB", id="too long"),
        (None, "cannot be read: No such file or directory"),
    ],
)
def test_a_file_that_cannot_be_offered_is_named(
    capsys: pytest.CaptureFixture[str], file: Path, tmp_path: Path, content: bytes | str | None, message: str
) -> None:
    wrong = tmp_path / "wrong.pem"
    session = load(file.read_bytes())
    made = {
        "cut": file.read_bytes()[:200],
        "expired": to_pem(edited(session, time=int(time.time()) - 7300).der or b""),
        "ssl3": to_pem((session.der or b"").replace(b"\x02\x02\x03\x04", b"\x02\x02\x03\x00", 1)),
    }
    data = made.get(content) if isinstance(content, str) else content
    if data is not None:
        wrong.write_bytes(data)
    code, out, err = run(capsys, "probe", "127.0.0.1:1", "--session-in", wrong)

    assert (code, out) == (2, "")
    assert err.startswith(f"error: --session-in {wrong} ")
    assert message in err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--overwrite"], "--overwrite needs --session-out FILE"),
        (["--session-out=/no/such/folder"], "there is no folder /no/such"),
        (["--session-in=x", "--reproduce=y"], "--session-in and --reproduce cannot be combined"),
    ],
)
def test_bad_usage_is_one_error_that_says_what_is_allowed(
    capsys: pytest.CaptureFixture[str], options: list[str], message: str
) -> None:
    code, out, err = run(capsys, *CASE, "--tls=1.3", *options)

    assert (code, out) == (2, "")
    assert message in err
