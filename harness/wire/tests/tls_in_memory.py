"""Two real TLS peers in this process and what they said to each other, as the tap would have recorded it."""

from __future__ import annotations

import contextlib
import ssl
import warnings
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from harness.model.tls import Role, TLSVersion
from harness.model.transcript import Chunk
from harness.runtime.pki import Pki

if TYPE_CHECKING:
    from pathlib import Path

    from harness.runtime.pki import Issued

VERSIONS = {version: ssl.TLSVersion(version.wire) for version in TLSVersion if not version.datagrams}


@dataclass
class Capture:
    """What was recorded, with what the client itself says of it."""

    chunks: list[Chunk] = field(default_factory=list)
    keylog: list[str] = field(default_factory=list)
    session: ssl.SSLSession | None = None
    reused: bool | None = None

    def stream(self, role: Role) -> bytes:
        """All bytes of one role."""
        return b"".join(chunk.data for chunk in self.chunks if chunk.sender is role)

    def rechunked(self, size: int) -> list[Chunk]:
        """The same bytes in chunks of at most ``size``."""
        return [
            Chunk(c.sender, c.at, c.data[at : at + size]) for c in self.chunks for at in range(0, len(c.data), size)
        ]


class SslPair:
    """A client and a server of Python's ssl, whose contexts serve several connections."""

    def __init__(self, version: TLSVersion, issued: Issued, folder: Path, *, tickets: bool = True) -> None:
        self._folder = folder
        self.client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self.client.check_hostname = False
        self.client.verify_mode = ssl.CERT_NONE
        self.server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.server.load_cert_chain(issued.certificate, issued.key)
        self.client.keylog_filename = str(folder / "client.keys")
        for context in (self.client, self.server):
            with warnings.catch_warnings(action="ignore", category=DeprecationWarning):  # of TLS 1.0 and 1.1
                context.minimum_version = context.maximum_version = VERSIONS[version]
        if not tickets:
            self.server.options |= ssl.OP_NO_TICKET

    def connect(self, session: ssl.SSLSession | None = None, *, complete: bool = True) -> Capture:
        """Handshake, a line each way, close_notify each way; only the first flights if not complete or if it fails."""
        capture = Capture()
        to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
        client = self.client.wrap_bio(to_client, out_c := ssl.MemoryBIO(), server_hostname="localhost", session=session)
        server = self.server.wrap_bio(to_server, out_s := ssl.MemoryBIO(), server_side=True)

        def relay() -> None:
            for role, source, target in ((Role.CLIENT, out_c, to_server), (Role.SERVER, out_s, to_client)):
                if data := source.read():
                    capture.chunks.append(Chunk(role, float(len(capture.chunks)), data))
                    target.write(data)

        for step in (client, server, client, server, client)[: 5 if complete else 2]:
            with contextlib.suppress(ssl.SSLError):
                step.do_handshake()
            relay()
        if client.version() and server.version():  # None before the end of the handshake
            client.write(b"ping\n")
            relay()
            server.read(100)
            server.write(b"pong\n")
            relay()
            client.read(100)
            capture.session, capture.reused = client.session, client.session_reused
            for end in (client, server):
                with contextlib.suppress(ssl.SSLWantReadError):
                    end.unwrap()
                relay()
        keys = self._folder / "client.keys"
        if keys.exists():
            capture.keylog = keys.read_text().splitlines()
        return capture


class Captures:
    """Real connections by what happened on them, each made when it is first asked for."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._issued = Pki(folder).issued("server")
        self._made: dict[tuple[str, TLSVersion, bool], Capture] = {}

    def pair(self, version: TLSVersion, *, tickets: bool = True) -> SslPair:
        """New contexts, which share nothing with others."""
        return SslPair(version, self._issued, self._folder, tickets=tickets)

    def full(self, version: TLSVersion, *, tickets: bool = True) -> Capture:
        """A connection that offers nothing."""
        key = ("full", version, tickets)
        if key not in self._made:
            self._made[key] = self.pair(version, tickets=tickets).connect()
        return self._made[key]

    def resumed(self, version: TLSVersion, *, tickets: bool = True) -> Capture:
        """A connection that resumes the one before it."""
        key = ("resumed", version, tickets)
        if key not in self._made:
            pair = self.pair(version, tickets=tickets)
            self._made[key] = pair.connect(pair.connect().session)
        return self._made[key]

    def declined(self, version: TLSVersion, *, tickets: bool = True) -> Capture:
        """A connection that offers a session to a server that was restarted."""
        key = ("declined", version, tickets)
        if key not in self._made:
            pair = self.pair(version, tickets=tickets)
            session = pair.connect().session
            pair.server = self.pair(version, tickets=tickets).server
            self._made[key] = pair.connect(session)
        return self._made[key]

    def stopped(self, version: TLSVersion) -> Capture:
        """A connection that ends after the server's first flight."""
        return self.pair(version).connect(complete=False)
