"""Sessions that real OpenSSLs make while a test runs: s_server and s_client, and the one inside cryptography."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cryptography.hazmat.bindings._rust import _openssl
from OpenSSL import SSL

from harness.model.errors import stretched
from harness.runtime.loop import Pending
from harness.runtime.process import Child
from harness.wire.session.pem import from_pem

if TYPE_CHECKING:
    from harness.model.build import Build
    from harness.runtime.runtime import Runtime

FILES = ("tls12-id", "tls12-ticket", "tls13", "server-name", "alpn", "early-data", "fragment")
"""Written by ``s_client -sess_out``."""
WRITTEN = (*FILES, "client-cert", "cryptography-tls12", "cryptography-tls13")
"""All kinds: also one that s_server prints, and two of i2d_SSL_SESSION in cryptography's OpenSSL."""

LEAN = ("-no-CAfile", "-no-CApath")
REQUEST = b"GET / HTTP/1.0\r\n\r\n"


def program(build: Build | None) -> tuple[str, ...]:
    """The command of a build's program; of the machine's own without a build."""
    return ("openssl",) if build is None else tuple(build.openssl or ())


def serve(runtime: Runtime, *arguments: str, build: Build | None = None) -> tuple[Child, str]:
    """An s_server with the certificate of issued.toml; the child and its address."""
    address = Pending[str]("ACCEPT of s_server")
    issued = runtime.pki.issued("server")
    argv = (*program(build), "s_server", "-accept", "127.0.0.1:0", *LEAN, "-cert", str(issued.certificate))
    server = Child(
        runtime.loop,
        runtime.warden,
        "s_server",
        (*argv, "-key", str(issued.key), *arguments),
        environment=build.environment if build else None,
        on_line=lambda line: address.resolve(line.split()[1].decode()) if line.startswith(b"ACCEPT ") else None,
    )
    runtime.loop.settle([address])
    return server, address.result()


def taken_by_client(
    runtime: Runtime, server: tuple[str, ...], client: tuple[str, ...], build: Build | None = None
) -> bytes:
    """The file that ``s_client -sess_out`` writes after it has read a page, so that TLS 1.3 tickets are there."""
    child, address = serve(runtime, "-www", *server, build=build)
    path = runtime.path(".pem")
    argv = (*program(build), "s_client", "-connect", address, *LEAN, "-ign_eof", "-sess_out", str(path), *client)
    environment = build.environment if build else None
    reader = Child(runtime.loop, runtime.warden, "s_client", argv, environment=environment)
    reader.send(REQUEST)
    runtime.loop.settle([reader.ended])
    reader.close()
    child.close()
    return path.read_bytes()


def printed_by_server(runtime: Runtime, server: tuple[str, ...], client: tuple[str, ...]) -> bytes:
    """The output of an s_server, which holds the PEM of its own session."""
    child, address = serve(runtime, *server)
    visitor = Child(
        runtime.loop, runtime.warden, "s_client", ("openssl", "s_client", "-connect", address, *LEAN, *client)
    )
    runtime.loop.wait(lambda: "-----END SSL SESSION" in child.output, "the session that s_server prints")
    visitor.close()
    child.close()
    return child.output.encode()


def inside_cryptography(runtime: Runtime, version: int) -> bytes:
    """The DER that i2d_SSL_SESSION of cryptography's OpenSSL gives to a client that has read its tickets."""
    contexts = [SSL.Context(SSL.TLS_METHOD) for _ in range(2)]
    for context in contexts:
        context.set_min_proto_version(version)
        context.set_max_proto_version(version)
    issued = runtime.pki.issued("server")
    contexts[1].use_certificate_chain_file(str(issued.certificate))
    contexts[1].use_privatekey_file(str(issued.key))
    client, server = (SSL.Connection(context, None) for context in contexts)
    client.set_connect_state()
    client.set_tlsext_host_name(b"server.example")
    server.set_accept_state()
    for step in (client.do_handshake, server.do_handshake) * 2 + (lambda: client.recv(1),):
        with contextlib.suppress(SSL.WantReadError):
            step()
        for source, target in ((client, server), (server, client)):
            with contextlib.suppress(SSL.WantReadError):
                target.bio_write(source.bio_read(1 << 16))
    session = client.get_session()
    if session is None:
        raise AssertionError("the client holds no session")
    return exported(session)


def exported(session: SSL.Session) -> bytes:
    """i2d_SSL_SESSION."""
    lib, ffi = _openssl.lib, _openssl.ffi
    pointer = vars(session)["_session"]
    size = lib.i2d_SSL_SESSION(pointer, ffi.NULL)
    buffer = ffi.new("unsigned char[]", size)
    lib.i2d_SSL_SESSION(pointer, ffi.new("unsigned char **", buffer))
    return bytes(ffi.buffer(buffer, size))


def openssl(*arguments: str, data: bytes = b"") -> bytes:
    """What the ``openssl`` on PATH prints; CalledProcessError if it fails."""
    program = shutil.which("openssl") or "openssl"
    return subprocess.run(
        [program, *arguments], input=data, capture_output=True, check=True, timeout=stretched(10)
    ).stdout


def printed(der: bytes) -> str:
    """``openssl sess_id -text`` of a session; it fails where OpenSSL cannot read it."""
    return openssl("sess_id", "-inform", "DER", "-text", "-noout", data=der).decode()


@dataclass(frozen=True)
class Live:
    """The sessions of one run, each made when it is first asked for."""

    runtime: Runtime
    made: dict[str, bytes] = field(default_factory=dict)

    def pem(self, kind: str) -> bytes:
        """A file that an OpenSSL wrote."""
        if kind not in self.made:
            self.made[kind] = self._make(kind)
        return self.made[kind]

    def der(self, kind: str) -> bytes:
        """The DER in it."""
        made = self.pem(kind)
        return made if kind.startswith("cryptography") else from_pem(made)

    def printed(self, kind: str) -> str:
        """What OpenSSL prints of it."""
        return printed(self.der(kind))

    def _make(self, kind: str) -> bytes:
        issued = self.runtime.pki.issued("server")
        second = ("-servername", "server.example", "-cert2", str(issued.certificate), "-key2", str(issued.key))
        client = self.runtime.pki.issued("client")
        authority = str(self.runtime.pki.authority())
        offers = ("-cert", str(client.certificate), "-key", str(client.key), "-tls1_2")
        made = {
            "tls12-id": lambda: taken_by_client(self.runtime, ("-no_ticket",), ("-tls1_2",)),
            "tls12-ticket": lambda: taken_by_client(self.runtime, (), ("-tls1_2",)),
            "tls13": lambda: taken_by_client(self.runtime, (), ("-tls1_3", "-CAfile", authority)),
            "server-name": lambda: taken_by_client(self.runtime, second, ("-servername", "server.example")),
            "alpn": lambda: taken_by_client(self.runtime, ("-alpn", "h2,http/1.1"), ("-alpn", "http/1.1")),
            "early-data": lambda: taken_by_client(self.runtime, ("-max_early_data", "1234"), ("-tls1_3",)),
            "fragment": lambda: taken_by_client(self.runtime, (), ("-tls1_2", "-maxfraglen", "1024")),
            "client-cert": lambda: printed_by_server(
                self.runtime, ("-Verify", "1", "-CAfile", authority, "-context", "resume"), offers
            ),
            "cryptography-tls12": lambda: inside_cryptography(self.runtime, SSL.TLS1_2_VERSION),
            "cryptography-tls13": lambda: inside_cryptography(self.runtime, SSL.TLS1_3_VERSION),
        }
        return made[kind]()
