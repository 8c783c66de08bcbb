"""Reads the facts of a connection from the output of s_client."""

from __future__ import annotations

import re
from dataclasses import dataclass

from harness.model.tls import Ending, TLSVersion
from harness.stacks.openssl.output import VERIFY, WAITS, Output
from harness.wire.names import group_named

CIPHER = re.compile(rb"(New|Reused), ([^,]+), Cipher is (.+)")
TEMP_KEY = re.compile(r"(?:Server|Peer) Temp Key: (.+)")
NEGOTIATED = "Negotiated TLS1.3 group: "
PROTOCOL = re.compile(r"    Protocol  : (\S+)")
"""Of the session, where TLS 1.3 is not spoken: the suite's own version, printed before, may be an earlier one."""
QUIC = b"Protocol: QUICv1"
"""What s_client prints of the connection (openssl-s_client(1), -quic); its session is one of TLS 1.3."""
SERVER_NAME = re.compile(rb"Can't use SSL_get_servername")
ENCRYPTED_HELLO = re.compile(rb"ECH: .*")
"""s_client 4.0 prints this about Encrypted Client Hello after the other facts of the connection."""


@dataclass
class ClientOutput(Output):
    """One run of s_client, which is one connection: pass every printed line to ``feed``, in order."""

    peer_temp_key: str = ""
    """The server's ephemeral key, empty if none was printed, as without a key exchange."""
    negotiated: str = ""
    """The group that is printed of TLS 1.3 since 3.5: the session's, if there was no key exchange."""
    tickets: int = 0
    """TLS 1.3 tickets that arrived."""
    renegotiations: int = 0
    """Renegotiations that were started."""
    closing: bool = False
    """It or the peer closes; from now on s_client decodes nothing."""
    summary: bool = False
    """All facts of the connection are printed; no earlier line is data."""
    _in_ticket: bool = False

    def feed(self, line: bytes) -> None:
        """Take the next line, without its newline."""
        if self.is_error(line):
            return
        if line in {b"DONE", b"closed"}:
            self.closing = True
            self.ending = self.ending or (Ending.CLOSE_NOTIFY if line == b"closed" else None)
        elif self.summary:
            self._after_summary(line)
        else:
            self._fact(line)

    def _fact(self, line: bytes) -> None:
        text = line.decode(errors="replace")
        if found := CIPHER.fullmatch(line):
            self.reused = found[1] == b"Reused"
            self.cipher = found[3].decode(errors="replace")
            self.version = TLSVersion.labelled(found[2].decode(errors="replace"))
            self.evidence.append(text)
        elif line == QUIC:
            self.version = TLSVersion.QUICv1
        elif printed := PROTOCOL.fullmatch(text):
            self.version = self.version if self.version is TLSVersion.QUICv1 else TLSVersion.labelled(printed[1])
        elif line == b"---" and self.reused is not None:
            self.summary = True
            self.established = not self.trouble and not self.closing
        elif line in {b"Server certificate", b"no peer certificate available"}:
            self.peer_certificate = line == b"Server certificate"
        elif line.startswith(b"ALPN protocol: "):
            self.alpn = text.removeprefix("ALPN protocol: ")
        elif temp := TEMP_KEY.fullmatch(text):
            self.peer_temp_key = temp[1]
        elif text.startswith(NEGOTIATED):
            self.negotiated = text.removeprefix(NEGOTIATED)
        elif line.startswith(b"Early data was "):
            self.early_data = text.removeprefix("Early data was ").replace(" ", "_")

    def group(self, *, skips: bool) -> str | None:
        """The group of this connection's key exchange, empty if it had none; None if the output does not show it.

        Of QUIC it shows none, and no tickets: s_client prints both where SSL_version says TLS 1.3.

        ``skips`` is whether the client allows a resumption without a key exchange (psk_ke).
        """
        if not self.established or self.version is TLSVersion.QUICv1:
            return None
        kind, *more = self.peer_temp_key.split(", ")
        if kind == "DH":
            return None
        if kind:
            return group_named(more[0] if kind == "ECDH" else kind)
        unsure = self.reused and skips and "MLKEM" in self.negotiated
        return None if unsure else group_named("" if self.reused and skips else self.negotiated)

    def _after_summary(self, line: bytes) -> None:
        if self._in_ticket:
            self._in_ticket = line != b"---"
        elif line.startswith(b"Post-Handshake New Session Ticket"):
            self.tickets += 1
            self._in_ticket = True
        elif line == b"RENEGOTIATING":
            self.renegotiations += 1
        elif line == b"---" or any(own.match(line) for own in (WAITS, VERIFY, SERVER_NAME, ENCRYPTED_HELLO)):
            pass
        else:
            self.received(line)
