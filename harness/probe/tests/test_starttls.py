"""A server is asked for TLS in the words of each protocol, and one that refuses is reported."""

from __future__ import annotations

import socket
import threading

import pytest

from harness.model.errors import UnreachableError
from harness.probe.starttls import TURNS, starttls

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
        for turn, answer in zip(TURNS[kind], answers, strict=False):
            if turn.say:
                theirs.recv(4096)
            theirs.sendall(answer)
            answered.append(answer)

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
