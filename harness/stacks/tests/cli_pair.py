"""s_client against s_server through their endpoints, without a tap; for the tests of the openssl stack."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.builds.system import build_for
from harness.model.build import Build
from harness.model.knobs import ClientConfig, ServerConfig
from harness.stacks.openssl import OpensslStack

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from harness.model.session import Session
    from harness.model.view import EndpointReport
    from harness.runtime.loop import Pending
    from harness.runtime.runtime import Runtime
    from harness.stacks.openssl.client import OpensslClient
    from harness.stacks.openssl.client_link import OpensslClientLink
    from harness.stacks.openssl.server import OpensslServer, OpensslServerLink

PING = b"ping\n"
ANSWER = b"Stats please\n"


@dataclass
class Conversation:
    """One connection that is over: what each end read, the session, the reports."""

    ping: bytes
    answer: bytes
    session: Session | None
    sessions: tuple[Session, ...]
    client: EndpointReport
    server: EndpointReport


class CliPair:
    """One s_server and the runs of s_client against it."""

    def __init__(self, runtime: Runtime, client: ClientConfig, server: ServerConfig) -> None:
        self.loop = runtime.loop
        self.stack = system_stack(runtime)
        self.server: OpensslServer = self.stack.server(server)
        self.client: OpensslClient = self.stack.client(client)

    def links(self, offer: Session | None = None) -> tuple[OpensslClientLink, OpensslServerLink]:
        """Both ends of the next connection."""
        return self.client.connect(self.server.port, offer), self.server.accept()

    def settle(self, *pendings: Pending[Any]) -> None:
        """Wait for all of them."""
        self.loop.settle(pendings)

    def converse(self, offer: Session | None = None) -> Conversation:
        """Handshake, a line each way, the session, close with close_notify on both ends."""
        client, server = self.links(offer)
        steps = [client.handshake(), server.handshake(), client.write(PING)]
        ping = server.read_line()
        steps.append(server.write(ANSWER))
        answer, session, sessions = client.read_line(), client.ask("session"), client.ask("sessions")
        steps.append(client.shutdown())
        ends = [server.await_end(), client.await_end()]
        reports = client.release(), server.release()
        self.loop.settle([*steps, ping, answer, session, sessions, *ends, *reports])
        return Conversation(
            ping.result(),
            answer.result(),
            session.result(),
            sessions.result(),
            reports[0].result(),
            reports[1].result(),
        )

    def close(self) -> None:
        """End both endpoints."""
        self.client.close()
        self.server.close()


def system_stack(runtime: Runtime) -> OpensslStack:
    """The stack on the machine's own program."""
    build = build_for("openssl")
    if not isinstance(build, Build):
        raise TypeError(build.reason)
    return OpensslStack(build, runtime)


def scripted_stack(runtime: Runtime, folder: Path, script: str) -> OpensslStack:
    """The stack on a shell script that stands for the openssl program."""
    program = folder / "openssl"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return OpensslStack(Build("3.0.19", "script", openssl=(str(program),)), runtime)


@contextmanager
def cli_pair(
    runtime: Runtime, client: ClientConfig | None = None, server: ServerConfig | None = None
) -> Iterator[CliPair]:
    """A CliPair that is closed whatever happens."""
    pair = CliPair(runtime, client or ClientConfig(), server or ServerConfig())
    try:
        yield pair
    finally:
        pair.close()
