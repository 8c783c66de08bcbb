"""A server that the harness does not drive: it has an address, and reports nothing of its connections."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.agent.verbs import VERBS
from harness.model.build import Build, Library
from harness.model.capability import Abilities
from harness.model.errors import UnsupportedError
from harness.model.tls import Ending
from harness.model.view import EndpointReport, Saw, View, Witness
from harness.runtime.loop import resolved
from harness.stacks.agent.reply_results import no_result

if TYPE_CHECKING:
    from harness.model.knobs import ClientConfig, ServerConfig
    from harness.model.tls import Role
    from harness.runtime.loop import Pending
    from harness.runtime.tap import Address
    from harness.stacks.base import ClientEndpoint

NOT_DRIVEN = "the harness does not drive this server"
UNKNOWN = Library("unknown", *(None,) * 5)
"""What is known of its library, which is nothing."""


def foreign_server(name: str, keylog: tuple[str, ...] = ()) -> EndpointReport:
    """The report of a server that is not a witness; ``keylog`` are the lines that somebody wrote of its connection."""
    return EndpointReport(View(Witness.SERVER, Saw.UNKNOWN, (NOT_DRIVEN,), name), keylog=keylog, driven=False)


class RemoteLink:
    """The far end of one connection: every step is done at once, and the report is empty."""

    def __init__(self, name: str) -> None:
        self.name = name

    def process(self) -> int | None:
        """None: its process is not the harness's."""
        return None

    def printed_so_far(self) -> str:
        """Nothing is read of what it prints."""
        return ""

    def handshake(self) -> Pending[bool]:
        """The client's handshake decides."""
        return resolved(value=True)

    def write(self, data: bytes) -> Pending[bool]:
        """Only the server decides what it writes."""
        return resolved(not data)

    def read_line(self) -> Pending[bytes]:
        """What it reads is unknown."""
        return resolved(b"")

    def ask(self, verb: str, **_fields: object) -> Pending[Any]:
        """No verb reaches it."""
        return resolved(no_result(VERBS[verb]))

    def shutdown(self) -> Pending[bool]:
        """Only the server decides whether it closes."""
        return resolved(value=False)

    def await_end(self) -> Pending[Ending]:
        """What it reads at the end is unknown."""
        return resolved(Ending.EOF)

    def release(self) -> Pending[EndpointReport]:
        """A report of an endpoint that is not a witness."""
        return resolved(foreign_server(self.name))


class RemoteEndpoint:
    """A server at an address."""

    def __init__(self, name: str, address: Address) -> None:
        self.name = name
        self.address = address

    def accept(self) -> RemoteLink:
        """Return the far end of the next connection."""
        return RemoteLink(self.name)

    def control(self, verb: str, **_fields: object) -> Pending[Any]:
        """No verb reaches it."""
        raise UnsupportedError(self.name, verb, NOT_DRIVEN)

    def move_clock(self, seconds: int) -> None:
        """Its clock is its own."""
        raise UnsupportedError(self.name, f"move_clock({seconds})", NOT_DRIVEN)

    def stop_clock(self, at: int) -> None:
        """Its clock is its own."""
        raise UnsupportedError(self.name, f"stop_clock({at})", NOT_DRIVEN)

    def run_clock(self, at: float, pace: float = 1) -> None:
        """Its clock is its own."""
        raise UnsupportedError(self.name, f"run_clock({at}, {pace})", NOT_DRIVEN)

    def close(self) -> None:
        """Leave the server as it is."""


class RemoteStack:
    """The stack of a server at an address, so that a Pair can connect to it; ``name`` is what users see."""

    def __init__(self, name: str, address: Address) -> None:
        self.name = name
        self.build = Build("", "remote", library=UNKNOWN)
        self.address = address

    @property
    def label(self) -> str:
        """Return the name; there is no build to add."""
        return self.name

    def abilities(self, role: Role) -> Abilities:
        """Return none: no knob can be set."""
        return Abilities(role, {})

    def prepare(self, _config: ClientConfig | ServerConfig) -> None:
        """Start nothing."""

    def client(self, _config: ClientConfig) -> ClientEndpoint:
        """UnsupportedError: it is a server."""
        raise UnsupportedError(self.name, "the role of a client", NOT_DRIVEN)

    def server(self, _config: ServerConfig) -> RemoteEndpoint:
        """Return the server."""
        return RemoteEndpoint(self.name, self.address)

    def close(self) -> None:
        """Leave the server as it is."""
