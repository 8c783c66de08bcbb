"""Servers that the harness does not drive, for tests of the probe: nginx, s_server, and a balancer before several."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import socket
import ssl
import subprocess
import threading
from itertools import cycle
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from harness.runtime.pki import Issued

LOOPBACK = "127.0.0.1"
NGINX = """
daemon off;
worker_processes 1;
error_log {folder}/error.log;
pid {folder}/nginx.pid;
events {{ }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    ssl_protocols TLSv1.2 TLSv1.3;
    ssl_certificate {certificate};
    ssl_certificate_key {key};
{settings}
}}
"""
SITE = "    server {{ listen {listen} ssl; {lines} location / {{ return 200 'hello\\n'; }} }}"
"""One server block of nginx."""


def listener() -> socket.socket:
    """A listening socket on a port of the kernel's choice."""
    return socket.create_server((LOOPBACK, 0), backlog=128)


@contextlib.contextmanager
def ended(process: subprocess.Popen[bytes]) -> Iterator[subprocess.Popen[bytes]]:
    """End a process, however the test ends."""
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextlib.contextmanager
def nginx(folder: Path, issued: Issued, settings: str = "", sites: Sequence[str] = (SITE,)) -> Iterator[str]:
    """Run nginx with these settings of its http block; HOST:PORT. Skips where it is not installed.

    It inherits a socket that already listens, so that its port is the kernel's and nobody waits for it.
    """
    program = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    if program is None:
        pytest.skip("this machine has no nginx: apt-get install --no-install-recommends nginx")
    folder.mkdir(parents=True)
    with listener() as bound:
        address = f"{LOOPBACK}:{bound.getsockname()[1]}"
        lines = "\n".join([settings, *(site.format(listen=address, lines="") for site in sites)])
        files = {"certificate": issued.certificate, "key": issued.key}
        (folder / "nginx.conf").write_text(NGINX.format(folder=folder, settings=lines, **files))
        process = subprocess.Popen(
            [program, "-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", str(folder / "error.log")],
            pass_fds=[bound.fileno()],
            env={**os.environ, "NGINX": f"{bound.fileno()};"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        with ended(process):
            yield address


@contextlib.contextmanager
def s_server(issued: Issued, *options: str, program: str = "openssl") -> Iterator[str]:
    """Run `openssl s_server` with these options; HOST:PORT."""
    argv = [program, "s_server", "-accept", f"{LOOPBACK}:0", "-cert", str(issued.certificate), "-key", str(issued.key)]
    process = subprocess.Popen(
        [*argv, *options], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    assert process.stdout
    assert process.stdin
    with process.stdout, process.stdin:
        with ended(process):
            line = next(line for line in process.stdout if line.startswith(b"ACCEPT "))
            reading = threading.Thread(target=process.stdout.read)  # it must not block on a full pipe
            reading.start()
            yield f"{LOOPBACK}:{int(line.rpartition(b':')[2])}"
        reading.join()


async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Pass bytes on until their end."""
    with contextlib.suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    with contextlib.suppress(OSError):
        writer.write_eof()


@contextlib.contextmanager
def balanced(*addresses: str) -> Iterator[str]:
    """Run a TCP balancer that gives each connection to the next address in turn; HOST:PORT."""
    turn = cycle([address.rpartition(":") for address in addresses])
    loop = asyncio.new_event_loop()
    listening = listener()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        host, _, port = next(turn)
        inner, outer = await asyncio.open_connection(host, int(port))
        try:
            await asyncio.gather(relay(reader, outer), relay(inner, writer))
        finally:
            outer.close()
            writer.close()

    async def serve(stop: asyncio.Event) -> None:
        server = await asyncio.start_server(accept, sock=listening)
        async with server:
            await stop.wait()
        while tasks := asyncio.all_tasks() - {asyncio.current_task()}:  # one may just accept a connection
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    stop = asyncio.Event()
    thread = threading.Thread(target=lambda: loop.run_until_complete(serve(stop)))
    thread.start()
    try:
        yield f"{LOOPBACK}:{listening.getsockname()[1]}"
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()


@contextlib.contextmanager
def speaking(data: bytes, *, again: bool = False, ends: bool = True) -> Iterator[str]:
    """Run a TCP server that does no TLS: it sends its bytes, for ever if ``again``, and closes if ``ends``."""
    stop = threading.Event()
    listening = listener()
    listening.settimeout(None)

    def serve() -> None:
        opened: list[socket.socket] = []
        with contextlib.suppress(OSError):
            while not stop.is_set():
                peer = listening.accept()[0]
                opened.append(peer)
                with contextlib.suppress(OSError):
                    peer.sendall(data)
                    while again:
                        peer.sendall(data)
                if ends:
                    peer.close()
        for peer in opened:
            peer.close()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield f"{LOOPBACK}:{listening.getsockname()[1]}"
    finally:
        stop.set()
        listening.shutdown(socket.SHUT_RDWR)
        thread.join()
        listening.close()


@contextlib.contextmanager
def sending(issued: Issued, first: bytes, again: bytes = b"", pause: float = 0.0) -> Iterator[str]:
    """Run a TLS server that sends these bytes after a handshake, then others for ever, and never ends; HOST:PORT."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(issued.certificate, issued.key)
    stop, listening = threading.Event(), listener()

    def serve(peer: socket.socket) -> None:
        with contextlib.suppress(OSError), context.wrap_socket(peer, server_side=True) as tls:
            tls.sendall(first)
            while not stop.wait(pause) and again:
                tls.sendall(again)
            stop.wait()

    def accept(threads: list[threading.Thread]) -> None:
        with contextlib.suppress(OSError):
            while not stop.is_set():
                threads.append(threading.Thread(target=serve, args=(listening.accept()[0],)))
                threads[-1].start()
        for thread in threads:
            thread.join()

    accepting = threading.Thread(target=accept, args=([],))
    accepting.start()
    try:
        yield f"{LOOPBACK}:{listening.getsockname()[1]}"
    finally:
        stop.set()
        listening.shutdown(socket.SHUT_RDWR)
        accepting.join()
        listening.close()
