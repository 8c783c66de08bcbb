"""FTP over TLS (RFC 4217), with a port for data that shares the context of the port for control."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from harness.agent.sockets import LOOPBACK
from harness.model.tls import Role
from harness.serve.visit import Visit

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from harness.runtime.loop import Loop
    from harness.runtime.tap import Tapped
    from harness.serve.visit import Manner
    from harness.stacks.base import Link

EXPLICIT, IMPLICIT = "explicit", "implicit"
SCHEMES = {EXPLICIT: "ftp", IMPLICIT: "ftps"}
"""The scheme of a URL by how TLS begins: after AUTH TLS (RFC 4217, 4), or at once."""
LISTING = b"-rw-r--r-- 1 ftp ftp 6 Jan 01 00:00 hello.txt\r\n"
CONTENT = b"hello\n"
LONGEST = 4096
"""Bytes that a client may send before AUTH TLS."""
REPLIES = {
    "USER": "331 any password",
    "PASS": "230 logged in",
    "PBSZ": "200 PBSZ=0",
    "PROT": "200 the data are protected",
    "FEAT": "211 no features",
    "SYST": "215 UNIX Type: L8",
    "PWD": '257 "/"',
    "CWD": "250 /",
    "TYPE": "200 binary",
    "MODE": "200 stream",
    "STRU": "200 file",
    "OPTS": "200 done",
    "NOOP": "200 done",
    "REST": "350 from the start",
    "SIZE": f"213 {len(CONTENT)}",
}
"""What is answered to a command (RFC 959, 5.4), whatever its argument."""
SENT = {"LIST": LISTING, "NLST": b"hello.txt\r\n", "RETR": CONTENT}
"""What a command sends over a data connection."""


class Foreword:
    """The words before TLS at an explicit server: a greeting, and AUTH TLS; then ``begin`` is called."""

    def __init__(self, loop: Loop, client: socket.socket, begin: Callable[[], None]) -> None:
        self._loop, self._client, self._begin = loop, client, begin
        self._read = b""
        client.settimeout(0)
        self._say("220 ready")
        loop.watch(client, self._more)

    def _say(self, line: str) -> None:
        with contextlib.suppress(OSError):  # the client is gone, which the next read shows
            self._client.send(f"{line}\r\n".encode())

    def _more(self) -> None:
        try:
            data = self._client.recv(LONGEST)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        self._read += data
        if not data or len(self._read) > LONGEST:
            self._loop.forget(self._client)
            self._client.close()
            return
        *lines, self._read = self._read.split(b"\n")
        for line in lines:
            words = line.decode(errors="replace").upper().split()
            if words[:2] in (["AUTH", "TLS"], ["AUTH", "SSL"]):
                self._say("234 begin TLS")
                self._loop.forget(self._client)
                self._begin()
                return
            self._say("211 no features" if words[:1] == ["FEAT"] else "530 first AUTH TLS (RFC 4217, 4)")


class Transfers:
    """Which data connection is whose: each belongs to the control connection that got the port last."""

    def __init__(self, how: str) -> None:
        self.implicit = how == IMPLICIT
        self.port = 0
        """The port for data."""
        self.controls: dict[int, int] = {}
        """The numbers of control connections, by that of their data connections."""
        self._expecting: list[Control] = []

    def expect(self, control: Control) -> None:
        """Expect a data connection for this control connection."""
        self._expecting = [one for one in self._expecting if one is not control] + [control]

    def taken(self, data: int) -> Control | None:
        """The control connection of a new data connection of this number; None if none got the port."""
        if not self._expecting:
            return None
        control = self._expecting.pop(0)
        self.controls[data] = control.number
        return control

    def control(self, number: int, link: Link, tapped: Tapped, manner: Manner) -> Visit:
        """The visit of a new control connection."""
        return Control(number, link, tapped, manner, self)

    def data(self, number: int, link: Link, tapped: Tapped, manner: Manner) -> Visit:
        """The visit of a new data connection."""
        return Data(number, link, tapped, manner, self)


class Control(Visit):
    """A control connection. It reads no further command before a transfer is over, since its link works in order."""

    def __init__(self, number: int, link: Link, tapped: Tapped, manner: Manner, transfers: Transfers) -> None:
        self._transfers = transfers
        self._sending: bytes | None = None
        """What the present command sends."""
        self._data: Data | None = None
        """The data connection that waits for it."""
        super().__init__(number, link, tapped, manner)

    def _begin(self) -> None:
        if self._transfers.implicit:
            self._say("220 ready")
        self._read()

    def _say(self, line: str) -> None:
        self._done(self._link.write(f"{line}\r\n".encode()), lambda _sent: None)

    def _on_line(self, line: bytes) -> None:
        command = (line.decode(errors="replace").split() or [""])[0].upper()
        if command == "QUIT":
            self._say("221 bye")
        if not line.endswith(b"\n") or command == "QUIT":
            self._close()
        elif command in SENT:
            self._say("150 over the data connection")
            self._sending = SENT[command]
            self._send()
        else:
            self._say(self._here(command) if command in {"EPSV", "PASV"} else REPLIES.get(command, "502 unknown here"))
            self._read()

    def _here(self, command: str) -> str:
        self._transfers.expect(self)
        port = self._transfers.port
        numbers = ",".join([*LOOPBACK.split("."), str(port >> 8), str(port & 0xFF)])
        return f"229 here (|||{port}|)" if command == "EPSV" else f"227 here ({numbers})"

    def has(self, data: Data) -> None:
        """Take over a data connection whose handshake is complete."""
        self._data = data
        self._send()

    def _send(self) -> None:
        if self._data is not None and self._sending is not None:
            self._data.send(self._sending)
            self._data = None

    def transferred(self, *, complete: bool) -> None:
        """Say how the transfer ended, and go on."""
        if self._sending is not None:
            self._sending = None
            self._say("226 sent" if complete else "425 the data connection failed")
            self._read()

    def tick(self) -> None:
        """Leave if the client is gone while a transfer waits for it."""
        super().tick()
        if self._sending is not None and any(end.sender is Role.CLIENT for end in self.tapped.tcp.ends):
            self._sending = None
            self._release()


class Data(Visit):
    """A data connection."""

    def __init__(self, number: int, link: Link, tapped: Tapped, manner: Manner, transfers: Transfers) -> None:
        self._control = transfers.taken(number)
        self._complete = False
        super().__init__(number, link, tapped, manner)

    def _begin(self) -> None:
        self._complete = True
        if self._control is None:
            self._close()
        else:
            self._control.has(self)

    def send(self, content: bytes) -> None:
        """Send all of it, and end the connection."""
        self._done(self._link.write(content), lambda _sent: None)
        self._close()

    def _release(self) -> None:
        super()._release()
        control, self._control = self._control, None
        if control is not None and self._report is not None:
            self._report.when_done(lambda: control.transferred(complete=self._complete))
