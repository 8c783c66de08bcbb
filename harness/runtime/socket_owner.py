"""Finds the process that has an end of a TCP connection open, by sock_diag(7) and proc(5)."""

from __future__ import annotations

import os
import socket
import struct
from contextlib import suppress

NETLINK_SOCK_DIAG = 4
SOCK_DIAG_BY_FAMILY = 20
NLMSG_ERROR = 2
REQUEST = 1
"""NLM_F_REQUEST."""
HEADER = struct.Struct("=IHHII")
"""struct nlmsghdr: length, type, flags, sequence number, port."""
QUERY = struct.Struct("=BBBBI2s2s16s16sI8s")
"""struct inet_diag_req_v2: family, protocol, extensions, padding, states, then struct inet_diag_sockid."""
INODE = slice(HEADER.size + 68, HEADER.size + 72)
"""Where struct inet_diag_msg has the inode of the socket."""
NO_COOKIE = b"\xff" * 8


def inode(ours: tuple[str, int], theirs: tuple[str, int], protocol: int = socket.IPPROTO_TCP) -> int | None:
    """Return the inode of the TCP or UDP socket with this address and peer: 0 if no process holds it, None if unknown.

    Linux looks for the UDP socket that a datagram from the first address to the second would reach.
    """
    if protocol == socket.IPPROTO_UDP:
        ours, theirs = theirs, ours
    addresses = [socket.inet_aton(address).ljust(16, b"\0") for address, _port in (ours, theirs)]
    ports = [port.to_bytes(2, "big") for _address, port in (ours, theirs)]
    query = QUERY.pack(socket.AF_INET, protocol, 0, 0, 0xFFFFFFFF, *ports, *addresses, 0, NO_COOKIE)
    try:
        with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_SOCK_DIAG) as asked:
            asked.settimeout(1)
            asked.send(HEADER.pack(HEADER.size + len(query), SOCK_DIAG_BY_FAMILY, REQUEST, 1, 0) + query)
            answer = asked.recv(4096)
    except (AttributeError, OSError):
        return None
    if HEADER.unpack_from(answer)[1] == NLMSG_ERROR:
        return 0
    return int.from_bytes(answer[INODE], "little")


def holds(pid: int, socket_inode: int) -> bool:
    """Return whether a process, or one that it started, has this socket open."""
    if _has(pid, socket_inode):
        return True
    import psutil  # noqa: PLC0415 - needed only if a program starts another one, or for a stray connection

    with suppress(psutil.Error):
        return any(_has(child.pid, socket_inode) for child in psutil.Process(pid).children(recursive=True))
    return False


def _has(pid: int, socket_inode: int) -> bool:
    wanted, folder = f"socket:[{socket_inode}]", f"/proc/{pid}/fd"
    with suppress(OSError):
        for file in sorted(os.listdir(folder), key=int, reverse=True):  # noqa: PTH208 - the newest is mostly the last
            with suppress(OSError):  # closed in the meantime
                if os.readlink(f"{folder}/{file}") == wanted:  # noqa: PTH115 - a Path takes twice as long
                    return True
    return False
