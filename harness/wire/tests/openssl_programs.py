"""s_server and s_client with a tap between, for what Python's ssl cannot do: early data, KeyUpdate, renegotiation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from harness.runtime.process import Child
from harness.runtime.tap import Tap
from harness.wire.reading import read

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from harness.model.build import Build
    from harness.model.transcript import Chunk, Transcript
    from harness.runtime.runtime import Runtime

NO_CA = ("-no-CAfile", "-no-CApath", "-no-CAstore")


@dataclass(frozen=True)
class Step:
    """A line for the stdin of s_client, or of s_server, and what the transcript shows when it has worked."""

    line: bytes
    done: Callable[[Transcript], bool]
    to_server: bool = False


class Programs:
    """One s_server behind a tap; each call of ``client`` is a further connection.

    ``build`` has the programs, by default the machine's.
    """

    def __init__(self, runtime: Runtime, *arguments: str, build: Build | None = None) -> None:
        self._runtime = runtime
        self._program = (build and build.openssl) or ("openssl",)
        self._environment = build.environment if build else {}
        self._ports: list[int] = []
        issued = runtime.pki.issued("server")
        self.keys = runtime.path(".keys")
        certificate = ("-cert", str(issued.certificate), "-key", str(issued.key))
        keylog = ("-keylogfile", str(self.keys))
        self.server = Child(
            runtime.loop,
            runtime.warden,
            "s_server",
            [*self._program, "s_server", "-accept", "127.0.0.1:0", *certificate, *keylog, *NO_CA, *arguments],
            environment=self._environment,
            on_line=self._line,
        )
        runtime.loop.wait(lambda: bool(self._ports), "the ACCEPT line of s_server")
        self.tap = Tap(runtime.loop, lambda: ("127.0.0.1", self._ports[0]))

    def _line(self, line: bytes) -> None:
        if line.startswith(b"ACCEPT 127.0.0.1:"):
            self._ports.append(int(line.rpartition(b":")[2]))

    def client(self, *arguments: str, steps: tuple[Step, ...]) -> list[Chunk]:
        """What the tap recorded of one s_client that gets each step once the one before it has worked."""
        number = len(self.tap.connections)
        loop = self._runtime.loop
        child = Child(
            loop,
            self._runtime.warden,
            "s_client",
            [*self._program, "s_client", "-connect", f"127.0.0.1:{self.tap.port}", *NO_CA, *arguments],
            environment=self._environment,
        )
        try:
            loop.wait(lambda: len(self.tap.connections) > number, "the connection of s_client")
            tapped = self.tap.connections[number]
            for step in steps:
                if step.line:
                    (self.server if step.to_server else child).send(step.line)
                loop.wait(lambda done=step.done: done(self.read(tapped.chunks)), f"what {step.line!r} does")  # type: ignore[misc]
            child.send(b"Q\n")
            loop.wait(lambda: child.ended.done and tapped.ended, "the end of s_client's connection")
        finally:
            child.close()
        return tapped.chunks

    def read(self, chunks: list[Chunk]) -> Transcript:
        """The transcript with the server's key log as it is now."""
        return read(chunks, self.keylog)

    @property
    def keylog(self) -> list[str]:
        """The server's key log as it is now."""
        return self.keys.read_text().splitlines() if self.keys.exists() else []

    @property
    def session_file(self) -> Path:
        """A new path for -sess_out."""
        return self._runtime.path(".pem")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.tap.close()
        self.server.close()
