"""OpenSSL's ssl-tests become stories; a word that no story can say is named, and an expectation that fails is seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.case.ssl_tests import read
from harness.cli import main
from harness.cli.cases.importing import NO_VERDICT
from harness.model.errors import UsageError
from harness.model.tls import TLSVersion

if TYPE_CHECKING:
    from pathlib import Path

TESTS = """
num_tests = 4
test-0 = 0-resumed
test-1 = 1-renegotiated
test-2 = 2-unsaid
test-3 = 3-datagrams
[0-resumed]
ssl_conf = 0-ssl
[0-ssl]
server = 0-server
client = 0-client
resume-server = 0-resume-server
resume-client = 0-client
[0-server]
Certificate = ${ENV::TEST_CERTS_DIR}/servercert.pem
CipherString = DEFAULT:@SECLEVEL=0
MaxProtocol = TLSv1.2
MinProtocol = TLSv1.2
Options = -SessionTicket
[0-resume-server]
MaxProtocol = TLSv1.3
MinProtocol = TLSv1.2
Options = -SessionTicket
[0-client]
VerifyMode = Peer
[test-0]
ExpectedProtocol = TLSv1.3
HandshakeMode = Resume
ResumptionExpected = WANTED
[1-renegotiated]
ssl_conf = 1-ssl
[1-ssl]
server = 0-server
client = 0-client
[test-1]
HandshakeMode = RenegotiateServer
ResumptionExpected = Yes
[2-unsaid]
ssl_conf = 1-ssl
[test-2]
Method = QUIC
server = 2-extra
[2-extra]
BrokenWord = Yes
[3-datagrams]
ssl_conf = 3-ssl
[3-ssl]
server = 3-server
client = 3-client
[3-server]
MaxProtocol = DTLSv1
[3-client]
[test-3]
Method = DTLS
ExpectedProtocol = DTLSv1
"""


def test_a_test_becomes_a_story_with_its_expectations() -> None:
    resumed, renegotiated, unsaid, datagrams = read(TESTS.replace("WANTED", "No"))

    assert resumed.story is not None
    assert resumed.story.tls is TLSVersion.TLSv1_2
    assert [step.kind for step in resumed.story.steps] == ["connect", "new_server", "connect"]
    assert resumed.story.steps[1].knobs == {"versions": "1.2,1.3"}
    assert resumed.story.server.knobs["tickets"] == "off"
    assert resumed.story.expect[1] == "connection[2].outcome != resumed"
    assert renegotiated.story is not None
    assert [step.kind for step in renegotiated.story.steps] == ["open", "exchange", "renegotiate", "close"]
    assert unsaid.story is None
    assert unsaid.unsaid == ("BrokenWord = Yes of the server", "Method = QUIC")
    assert datagrams.story is not None
    assert datagrams.story.tls is TLSVersion.DTLSv1
    assert datagrams.story.client.knobs["versions"] == "dtls1.0,dtls1.2"
    assert datagrams.story.expect == ("connection[1].endpoints.client.version == 'dtls1.0'",)


SECOND_CONTEXT = """
test-0 = 0-sni
[0-sni]
ssl_conf = 0-ssl
[0-ssl]
server = 0-server
client = 0-client
server2 = 0-server2
[0-server]
CipherString = AES128-SHA
MaxProtocol = TLSv1.2
[0-server2]
MaxProtocol = TLSv1.2
Options = -SessionTicket
[0-client]
Certificate = ${ENV::TEST_CERTS_DIR}/ee.pem
[test-0]
ExpectedServerName = CHOSEN
SessionTicketExpected = No
SessionIdExpected = Yes
client = 0-extra
server = 0-server-extra
[0-extra]
ServerName = server2
ALPNProtocols =
[0-server-extra]
ServerNameCallback = IgnoreMismatch
"""


def test_a_second_context_is_chosen_by_the_server_name() -> None:
    (test,) = read(SECOND_CONTEXT.replace("CHOSEN", "server2"))

    assert test.story is not None
    assert [step.kind for step in test.story.steps] == ["new_server", "use_server", "choose_context", "connect"]
    assert test.story.steps[0].knobs == {"ciphers": "unset", "external_cache": "imported", "tickets": "off"}
    assert test.story.client.knobs["client_certificate"] == "client"
    assert "alpn" not in test.story.client.knobs
    assert test.story.expect == ("connection[1].session.has_ticket == false", "connection[1].session.session_id != ''")


def test_a_context_that_the_story_does_not_choose_is_named() -> None:
    (test,) = read(SECOND_CONTEXT.replace("CHOSEN", "server1"))

    assert test.unsaid == ("ExpectedServerName = server1",)


@pytest.mark.parametrize("text", ["", "[a]\nb = c\n"])
def test_another_file_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match=r"no test-0"):
        read(text)


BROKEN = {
    "test-0 = a\nnothing\n": r"line 2 is neither a \[section\] nor WORD = VALUE: 'nothing'$",
    "\0" * 1000: r"line 1 is neither a \[section\] nor WORD = VALUE: '(\\x00){60}'$",
    ".include itself.cnf\n": r"line 1 includes another file, .*: copy it in$",
    "num_tests = 2\ntest-0 = a\n[a]\n": r"num_tests is '2', and the file has 1: take the whole file$",
    "test-0 = a\n": r"test-0 names the section \[a\], which the file does not have",
    "test-0 = a\n[a]\nssl_conf = b\n": r"ssl_conf of \[a\] names the section \[b\]",
    "test-0 = a\n[a]\nssl_conf = b\n[b]\nserver = c\n": r"the server names the section \[c\]",
    "test-0 = a\n[a]\nssl_conf = b\n[b]\n[test-0]\nclient = c\n": r"the client names the section \[c\]",
}


@pytest.mark.parametrize(("text", "says"), BROKEN.items(), ids=range(len(BROKEN)))
def test_a_broken_file_is_refused_in_one_line(text: str, says: str) -> None:
    with pytest.raises(UsageError, match=says) as raised:
        read(text)
    assert "\n" not in str(raised.value)


def test_a_test_is_found_by_its_number(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = TESTS.replace("num_tests = 4", "num_tests = 3").replace("test-0 = 0-resumed\n", "")

    assert [test.name for test in read(text)] == ["1-renegotiated", "2-unsaid", "3-datagrams"]
    assert read(text)[1].unsaid[-1] == "Method = QUIC"
    file = tmp_path / "broken.cnf"
    file.write_text("num_tests = 1\ntest-0 = a\n")
    assert main(["import", str(file)]) == BOTH
    assert f"{file}: test-0 names the section [a]" in "".join(capsys.readouterr().err.splitlines())


@pytest.mark.parametrize(("wanted", "code"), [("No", 0), ("Yes", 1)])
def test_an_expectation_that_does_not_hold_is_a_failure(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], wanted: str, code: int
) -> None:
    file = tmp_path / "tests.cnf"
    file.write_text(TESTS.replace("WANTED", wanted))

    assert main(["import", str(file), "--stories", str(tmp_path / "stories")]) == code
    shown = capsys.readouterr().out
    assert "BrokenWord" in shown
    assert f"4 tests: {3 - code} agrees, {code} differs, 1 cannot be said" in shown
    assert sorted(path.name for path in (tmp_path / "stories").iterdir()) == [
        "0-resumed.json",
        "1-renegotiated.json",
        "3-datagrams.json",
    ]


BOTH = 2
DTLS_TEST = """
num_tests = 1
test-0 = 0-resumed
[0-resumed]
ssl_conf = 0-ssl
[0-ssl]
server = 0-end
client = 0-end
[0-end]
MaxProtocol = DTLSv1.2
MinProtocol = DTLSv1.2
[test-0]
Method = DTLS
WORDS
"""


@pytest.mark.parametrize(
    ("words", "ends"),
    [
        ("HandshakeMode = Magic", ()),
        ("UseSCTP = Yes", ()),
        ("HandshakeMode = Resume", ("--client", "ssl", "--server", "ssl")),
    ],
)
def test_a_file_of_which_nothing_can_run_is_no_agreement(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: str, ends: tuple[str, ...]
) -> None:
    """Neither words that no story can say nor ends that cannot do it are a pass."""
    file = tmp_path / "tests.cnf"
    file.write_text(DTLS_TEST.replace("WORDS", words))

    assert main(["import", str(file), *ends]) == NO_VERDICT
    assert "1 tests: 0 agrees, 0 differs, 1 cannot be said" in capsys.readouterr().out


def test_a_condition_of_another_provider_or_carrier_changes_nothing() -> None:
    words = "HandshakeMode = Resume\nFIPSversion = <=3.1.0\nUseSCTP = No"
    (plain,), (with_them,) = (read(DTLS_TEST.replace("WORDS", each)) for each in ("HandshakeMode = Resume", words))

    assert with_them == plain
    assert plain.story is not None


CALLS = """
test-0 = 0-data
test-1 = 1-refused
[0-data]
ssl_conf = 0-ssl
[0-ssl]
server = 0-server
client = 0-client
resume-server = 0-server
resume-client = 0-client
[0-server]
MaxProtocol = VERSION
MinProtocol = VERSION
[0-client]
VerifyMode = Peer
[test-0]
server = 0-extra
resume-server = 0-extra
HandshakeMode = Resume
ResumptionExpected = Yes
ExpectedSessionTicketAppData = GIVEN
[0-extra]
SessionTicketAppData = HelloWorld
[1-refused]
ssl_conf = 1-ssl
[1-ssl]
server = 1-server
client = 1-client
[1-server]
MaxProtocol = TLSv1.2
Options = -ClientRenegotiation
[1-client]
VerifyMode = Peer
[test-1]
HandshakeMode = RenegotiateClient
ExpectedResult = ClientFail
ExpectedServerAlert = NoRenegotiation
"""


@pytest.mark.parametrize(
    ("version", "given", "agrees"),
    [("TLSv1.1", "HelloWorld", 2), ("TLSv1.3", "HelloWorld", 2), ("TLSv1", "Another", 1)],
)
def test_calls_and_refusals_are_compared(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], version: str, given: str, agrees: int
) -> None:
    file = tmp_path / "tests.cnf"
    file.write_text(CALLS.replace("VERSION", version).replace("GIVEN", given))

    assert main(["import", str(file)]) == (agrees < BOTH)
    assert f"2 tests: {agrees} agrees, {BOTH - agrees} differs, 0 cannot be said" in capsys.readouterr().out
