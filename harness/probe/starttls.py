"""Asks a server to begin TLS on a connection that begins in plain text, in the words of its protocol."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.model.errors import DEADLINE, UnreachableError, stretched

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

LONGEST = 1 << 16
"""Bytes of an answer."""
SHOWN = 60
"""Characters of an answer that a refusal repeats."""
STREAM = b"<stream:stream xmlns:stream='http://etherx.jabber.org/streams' xmlns='jabber:client' to='%s' version='1.0'>"


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn of the talk: what the client says, if anything, and the answer that it goes on after."""

    say: bytes
    ready: re.Pattern[bytes]
    """The whole answer of a server that agrees."""
    over: re.Pattern[bytes]
    """An answer that is whole, whether the server agrees or not."""


def _lines(*turns: tuple[bytes, bytes]) -> tuple[Turn, ...]:
    """Turns of a protocol with status codes: the last line of an answer has a space after its code."""
    over = re.compile(rb"(?ms)^\d{3}(?: [^\r\n]*)?\r?\n\Z")
    return tuple(Turn(say, re.compile(rb"(?ms).*^%s[ \r\n]" % code), over) for say, code in turns)


def _tagged(*turns: tuple[bytes, bytes, bytes]) -> tuple[Turn, ...]:
    return tuple(
        Turn(say, re.compile(rb"(?ms).*^%s" % ready), re.compile(rb"(?ms)^%s[^\r\n]*\r?\n\Z" % over))
        for say, ready, over in turns
    )


def _binary(say: bytes, ready: bytes, least: int) -> Turn:
    return Turn(say, re.compile(ready, re.DOTALL), re.compile(rb".{%d}" % least, re.DOTALL))


LDAP_OID = b"1.3.6.1.4.1.1466.20037"
"""StartTLS (RFC 4511, 4.14)."""
LDAP = bytes([0x30, 0x1D, 2, 1, 1, 0x77, 0x18, 0x80, len(LDAP_OID)]) + LDAP_OID
POSTGRES = bytes([0, 0, 0, 8, 4, 0xD2, 0x16, 0x2F])
"""SSLRequest (PostgreSQL, "Message Formats")."""
MYSQL = bytes([32, 0, 0, 1, 0x05, 0xAE, 0, 0, 0, 0, 0, 1, 45]) + bytes(23)
"""SSLRequest with CLIENT_SSL (MySQL, "Protocol::SSLRequest")."""
TURNS: dict[str, tuple[Turn, ...]] = {
    "smtp": _lines((b"", b"220"), (b"EHLO resumption-probe\r\n", b"250"), (b"STARTTLS\r\n", b"220")),
    "ftp": _lines((b"", b"220"), (b"AUTH TLS\r\n", b"234")),
    "imap": _tagged((b"", rb"\* OK", rb"\*"), (b"a STARTTLS\r\n", b"a OK", b"a ")),
    "pop3": _tagged((b"", rb"\+OK", rb"[+-]"), (b"STLS\r\n", rb"\+OK", rb"[+-]")),
    "ldap": (_binary(LDAP, rb".*\x0a\x01\x00", 12),),
    "postgres": (_binary(POSTGRES, b"S", 1),),
    "mysql": (_binary(b"", rb"...\x00\x0a", 5), Turn(MYSQL, re.compile(b""), re.compile(b""))),
    "xmpp": (
        Turn(STREAM, re.compile(b".*<starttls", re.DOTALL), re.compile(b"</(?:\\w+:)?features>|</(?:\\w+:)?stream>")),
        Turn(
            b"<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>",
            re.compile(b".*<proceed", re.DOTALL),
            re.compile(b"<(?:proceed|failure)[^>]*>"),
        ),
    ),
}
"""The talk of each protocol: RFC 3207, 4217, 9051, 2595, 4511, PostgreSQL, MySQL, RFC 6120."""


def starttls(kind: str, text: str, host: str) -> Callable[[socket.socket], None]:
    """Make the talk of a protocol with the server ``text``; UnreachableError if the server does not agree in time."""

    def talk(server: socket.socket) -> None:
        server.settimeout(stretched(DEADLINE))
        for turn in TURNS[kind]:
            said = turn.say % host.encode() if b"%s" in turn.say else turn.say
            try:
                server.sendall(said)
                answer = _answer(server, turn)
            except TimeoutError as error:
                raise UnreachableError(f"{text} did not answer {kind} in {stretched(DEADLINE):g} s") from error
            except OSError as error:
                raise UnreachableError(f"{text} refuses STARTTLS of {kind}: {error.strerror or error}") from error
            if not turn.ready.match(answer):
                shown = ascii(answer.decode("latin-1")[:SHOWN])
                raise UnreachableError(f"{text} refuses STARTTLS of {kind}: it answers {shown}")

    return talk


def _answer(server: socket.socket, turn: Turn) -> bytes:
    """Read until the answer is whole, TCP ends, or it is too long; not a byte of TLS may be read."""
    answer = b""
    while not turn.over.search(answer) and len(answer) < LONGEST:
        data = server.recv(LONGEST)
        if not data:
            break
        answer += data
    return answer
