"""Keeps what a probe saw, with its secrets, in a folder that is its owner's alone."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from harness.model.errors import UsageError
from harness.report.capture import capture, key_log
from harness.runtime.files import write_whole
from harness.wire.session.codec import to_pem

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from harness.model.connection import Connection

SECRETS = "The secrets in this file open the connections of a probe of a running server: keep it to yourself."
OWNER = 0o700
OTHERS = 0o077


def folder(given: Path) -> Path:
    """Make the folder of ``--keep`` for its owner alone; UsageError if it cannot be made, or others can read it."""
    try:
        given.mkdir(mode=OWNER, parents=True, exist_ok=True)
        mode = given.stat().st_mode
    except OSError as error:
        raise UsageError(f"--keep {given}: {error.strerror}; give a folder that can be made") from error
    if mode & OTHERS:
        raise UsageError(
            f"--keep {given}: others may look into it; chmod 700 it, or give a folder that is not there yet"
        )
    return given


class Keeper:
    """The part of the folder that belongs to one address and one client."""

    def __init__(self, root: Path, address: str, client: str) -> None:
        self.folder = root / re.sub(r"[^\w.@-]+", "_", f"{address}--{client}")
        self.folder.mkdir(mode=OWNER, exist_ok=True)

    def keep(self, connections: Sequence[Connection], name: str = "") -> None:
        """Write the capture, the key log, and the session of each connection that yielded one.

        ``name`` begins the names of the files.
        """
        if not connections:
            return
        lines = [line for connection in connections for line in key_log(connection)]
        self.write(f"{name}capture.pcapng", capture(connections, SECRETS))
        self.write(f"{name}keylog.txt", "".join(f"{line}\n" for line in lines).encode())
        for connection in connections:
            if connection.last_session is not None and connection.last_session.der:
                self.write(f"{name}session-{connection.number:03}.pem", to_pem(connection.last_session.der))

    def write(self, name: str, data: bytes) -> None:
        """Write a file whole, or not at all."""
        write_whole(self.folder / name, data)
