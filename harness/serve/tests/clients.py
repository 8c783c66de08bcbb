"""Clients that the harness does not drive, run beside a server that a test keeps open."""

from __future__ import annotations

import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from harness.model.errors import stretched
from harness.model.knobs import ServerConfig
from harness.serve.served import Served
from harness.serve.visit import Manner

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.runtime.runtime import Runtime
    from harness.stacks.machine import Machine

RESUMES = """
import socket, ssl, sys
context, session = ssl.create_default_context(cafile=sys.argv[2]), None
for _ in range(int(sys.argv[3])):
    with socket.create_connection(("127.0.0.1", int(sys.argv[1]))) as tcp:
        with context.wrap_socket(tcp, server_hostname="localhost", session=session) as tls:
            tls.sendall(b"GET / HTTP/1.1\\r\\nHost: localhost\\r\\n\\r\\n")
            while tls.recv(1000):
                pass
            if KEEPS:
                session = tls.session
            try:
                tls.unwrap()
            except (OSError, ValueError):
                pass
"""
"""Python's ssl; KEEPS is whether it keeps its session."""


@contextmanager
def serving(
    machine: tuple[Machine, Runtime], stack: str = "libssl", *, manner: Manner | None = None, **knobs: object
) -> Iterator[Served]:
    """A server on a port of the kernel's choice."""
    made = machine[0].one(stack)
    served = Served(made, machine[1], ServerConfig().changed(**knobs), manner=manner or Manner())
    try:
        yield served
    finally:
        served.close()


def python_client(served: Served, times: int, *, keeps: bool) -> list[str]:
    """The command of Python's ssl that connects so many times, one after another."""
    script = RESUMES.replace("KEEPS", str(keeps))
    return [sys.executable, "-c", script, str(served.port), str(served.ca), str(times)]


def run(served: Served, argv: Sequence[str], connections: int) -> str:
    """Run a client to its end, and serve until so many connections are over; what it printed."""
    printed = subprocess.PIPE
    with subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=printed, stderr=subprocess.STDOUT) as client:
        served.wait(
            lambda: client.poll() is not None and served.idle and len(served.connections) >= connections,
            f"{connections} connections of {argv[0]}",
            stretched(30),
        )
        assert client.stdout is not None
        return client.stdout.read().decode()
