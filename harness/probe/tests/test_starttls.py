"""A server is asked for TLS in the words of each protocol, and one that refuses is reported."""

from __future__ import annotations

import socket
import threading
from typing import TYPE_CHECKING

import pytest

from harness.model.errors import UnreachableError
from harness.model.probe import Topic
from harness.model.tls import TLSVersion
from harness.probe.starttls import TURNS, starttls
from harness.probe.tests.probers import answer
from harness.probe.tests.starttls_servers import SERVERS, starttls_server

if TYPE_CHECKING:
    from pathlib import Path

    from harness.probe.tests.probers import Prober

XMPP = b"<stream:stream><stream:features><starttls xmlns='x'/></stream:features>"
AGREES: dict[str, tuple[bytes, ...]] = {
    "smtp": (b"220-a\r\n220 b\r\n", b"250-b\r\n250 STARTTLS\r\n", b"220 go\r\n"),
    "ftp": (b"220 a\r\n", b"234 go\r\n"),
    "imap": (b"* OK a\r\n", b"a OK go\r\n"),
    "pop3": (b"+OK a\r\n", b"+OK go\r\n"),
    "ldap": (b"\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\x00\x04\x00\x04\x00",),
    "postgres": (b"S",),
    "mysql": (b"\x4a\0\0\0\x0a8.0.36\0",),
    "xmpp": (XMPP, b"<proceed xmlns='x'/>"),
}
REFUSES: dict[str, tuple[bytes, ...]] = {
    "smtp": (b"220 a\r\n", b"250 b\r\n", b"502 no\r\n"),
    "ftp": (b"220 a\r\n", b"530 no\r\n"),
    "imap": (b"* OK a\r\n", b"a BAD no\r\n"),
    "pop3": (b"+OK a\r\n", b"-ERR no\r\n"),
    "ldap": (b"\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\x02\x04\x00\x04\x00",),
    "postgres": (b"N",),
    "mysql": (b"\x4a\0\0\0\xffno\0",),
    "xmpp": (b"<stream:stream><stream:features></stream:features>",),
}


def talk(kind: str, answers: tuple[bytes, ...]) -> int:
    """Talk with a server that answers so; how many turns it answered."""
    ours, theirs = socket.socketpair()
    answered: list[bytes] = []

    def serve() -> None:
        for turn, said in zip(TURNS[kind], answers, strict=False):
            if turn.say:
                theirs.recv(4096)
            theirs.sendall(said)
            answered.append(said)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        starttls(kind, "here:1", "here")(ours)
    finally:
        thread.join()
        ours.close()
        theirs.close()
    return len(answered)


@pytest.mark.parametrize("kind", sorted(TURNS))
def test_a_server_that_agrees_begins_tls(kind: str) -> None:
    ended = talk(kind, AGREES[kind])

    assert ended == len(AGREES[kind])


@pytest.mark.parametrize("kind", sorted(TURNS))
def test_a_server_that_refuses_is_told(kind: str) -> None:
    with pytest.raises(UnreachableError, match=f"here:1 refuses STARTTLS of {kind}: it answers "):
        talk(kind, REFUSES[kind])


def test_a_server_that_closes_refuses() -> None:
    ours, theirs = socket.socketpair()
    theirs.close()

    with ours, pytest.raises(UnreachableError, match="here:1 refuses STARTTLS of pop3: "):
        starttls("pop3", "here:1", "here")(ours)


ISSUES = {"smtp": 2, "ftp": 2, "ldap": 0, "imap": 2, "pop3": 2}
"""Tickets of a full handshake: slapd of Debian uses GnuTLS without a ticket key."""


@pytest.mark.parametrize("kind", sorted(SERVERS))
def test_a_real_server_is_probed_after_its_talk(prober: Prober, tmp_path: Path, kind: str) -> None:
    with starttls_server(kind, tmp_path, prober.runtime.pki.issued("server")) as address:
        done = prober(address, offers=1, versions=(TLSVersion.TLSv1_3,), starttls=kind, say="none")

    assert answer(done, Topic.TICKETS).text.startswith(f"{ISSUES[kind]} after a full handshake")


def test_a_real_server_of_another_protocol_refuses(prober: Prober, tmp_path: Path) -> None:
    with (
        starttls_server("ftp", tmp_path, prober.runtime.pki.issued("server")) as address,
        pytest.raises(UnreachableError, match=f"^{address} refuses STARTTLS of smtp: it answers '500 "),
    ):
        prober(address, offers=1, starttls="smtp")
