"""Runs a program that listens on every interface in a network of its own, and passes it a socket's connections.

A script: its arguments are the descriptor of a listening socket, the port in that network, and the program with its
arguments. It prints READY once the network is there. Linux alone has such networks (network_namespaces(7)).
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import fcntl
import os
import signal
import socket
import struct
import subprocess
import sys

READY = "ready"
LACKS = 77
"""The exit code if there can be no such network here."""
CLONE_NEWUSER, CLONE_NEWNET = 0x10000000, 0x40000000
"""unshare(2)."""
SIOCSIFFLAGS, IFF_UP = 0x8914, 1
"""netdevice(7)."""
PR_SET_PDEATHSIG = 1
"""prctl(2)."""
LOOPBACK = "127.0.0.1"
TURN = 0.02
"""Seconds after which a program that does not listen yet is looked at."""


def enter() -> None:
    """Go into a new network, in which only loopback is; OSError if that is not allowed."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNET) and libc.unshare(CLONE_NEWUSER | CLONE_NEWNET):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    with socket.socket() as any_socket:
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sh22x", b"lo", IFF_UP))


def _end_with_parent() -> None:
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Pass bytes on until their end."""
    with contextlib.suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
        writer.write_eof()


class _Door:
    def __init__(self, port: int, process: subprocess.Popen[bytes]) -> None:
        self._port = port
        self._process = process

    async def _reached(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A connection to the program, once it listens; ConnectionError if it ends before."""
        while self._process.poll() is None:
            try:
                return await asyncio.open_connection(LOOPBACK, self._port)
            except ConnectionRefusedError:
                await asyncio.sleep(TURN)
        raise ConnectionError

    async def relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Pass one connection on."""
        try:
            inner, outer = await self._reached()
            try:
                await asyncio.gather(_pass(reader, outer), _pass(inner, writer))
            finally:
                outer.close()
        except ConnectionError:
            pass
        finally:
            writer.close()


async def serve(listening: socket.socket, port: int, process: subprocess.Popen[bytes]) -> int:
    """Pass connections on until the program ends; its exit code."""
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, process.terminate)
    async with await asyncio.start_server(_Door(port, process).relay, sock=listening):
        sys.stdout.write(f"{READY}\n")
        sys.stdout.flush()
        return await asyncio.to_thread(process.wait)


def main() -> int:
    """Do what the module says."""
    listening = socket.socket(fileno=int(sys.argv[1]))
    try:
        enter()
    except OSError as error:
        sys.stderr.write(f"a network of its own cannot be made here: {error.strerror}\n")
        return LACKS
    process = subprocess.Popen(sys.argv[3:], stdin=subprocess.DEVNULL, preexec_fn=_end_with_parent)  # noqa: PLW1509 - no thread runs yet
    try:
        return asyncio.run(serve(listening, int(sys.argv[2]), process))
    finally:
        process.kill()
        process.wait()


if __name__ == "__main__":
    sys.exit(main())
