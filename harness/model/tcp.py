"""How TCP carried one connection through the tap: its start, its ports, and who ended it and how."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.model.tls import Role


@dataclass(frozen=True, slots=True)
class TcpEnd:
    """An end of TCP; ``at`` is seconds since the tap accepted the connection."""

    sender: Role | None
    """Whose FIN or RST the tap met; None where the tap itself sent it, towards both ends."""
    at: float
    reset: bool
    """RST, else FIN."""


@dataclass(frozen=True, slots=True)
class Tcp:
    """All of it is on 127.0.0.1. The client connects to the tap's port, the tap to the server's."""

    began: int
    """When the tap accepted the connection, nanoseconds since 1970 (time.time_ns)."""
    client_port: int
    tap_port: int
    server_port: int
    ends: tuple[TcpEnd, ...] = ()
    """In order; empty while both directions are open."""
