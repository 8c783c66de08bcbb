"""Clocks inside the process: the libraries' calls of time, gettimeofday and clock_gettime show a context's own time.

The dynamic linker keeps the address of each imported function in a table (ELF's relocations of type JUMP_SLOT and
GLOB_DAT); these entries are replaced, in libssl and libcrypto alone.
"""

from __future__ import annotations

import mmap
import struct
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.agent.library import LackError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.agent.drivers.libssl.native import Native

READ_WRITE = 3
SLOTS = {62: (6, 7), 183: (1025, 1026)}
"""The types of relocations GLOB_DAT and JUMP_SLOT by ELF's machine: x86-64 and AArch64."""
LOAD, DYNAMIC = 1, 2
STRTAB, SYMTAB, RELA, RELASZ, JMPREL, PLTRELSZ = 5, 6, 7, 8, 23, 2
ENTRY = 24
"""Bytes of a relocation with an addend, and of a symbol."""
WALL = 0
"""CLOCK_REALTIME."""


@dataclass
class OwnClock:
    """The time of a context that is moved or stopped."""

    seconds: int
    stopped: bool

    def now(self) -> float:
        """Return seconds since the epoch."""
        return self.seconds if self.stopped else time.time() + self.seconds


@dataclass
class RunningClock:
    """A clock that shows a time when it is first read, seconds since the epoch, and runs on at a pace."""

    at: float
    pace: float
    _first: float | None = None

    def now(self) -> float:
        """Return seconds since the epoch."""
        true = time.time()
        self._first = true if self._first is None else self._first
        return self.at + (true - self._first) * self.pace


class Times:
    """Replaces the functions; ``native.clock`` is whose time they show, None for the true one."""

    def __init__(self, native: Native, *libraries: str) -> None:
        self._native = native
        self._libc: Any = native.ffi.dlopen(None)
        ffi = native.ffi
        self._functions = {
            b"time": ffi.callback("long(*)(long *)", self._time),
            b"gettimeofday": ffi.callback("int(*)(long *, void *)", self._gettimeofday),
            b"clock_gettime": ffi.callback("int(*)(int, long *)", self._clock_gettime),
        }
        found = [slot for path in libraries for slot in slots(Path(path).resolve())]
        for address, name in found:
            self._replace(address, name)
        if not found:
            raise LackError("clock: these libraries import no function of the time")

    def _replace(self, address: int, name: bytes) -> None:
        ffi = self._native.ffi
        page = address & -mmap.PAGESIZE
        if self._libc.mprotect(ffi.cast("void *", page), mmap.PAGESIZE, READ_WRITE):
            raise LackError("clock: mprotect refuses to make the table of functions writable")
        ffi.cast("void **", address)[0] = ffi.cast("void *", self._functions[name])

    def _now(self) -> float:
        clock = self._native.clock
        return time.time() if clock is None else clock.now()

    def _time(self, place: Any) -> int:
        now = int(self._now())
        if place != self._native.ffi.NULL:
            place[0] = now
        return now

    def _gettimeofday(self, place: Any, _zone: Any) -> int:
        now = self._now()
        place[0], place[1] = int(now), int(now % 1 * 1_000_000)
        return 0

    def _clock_gettime(self, number: int, place: Any) -> int:
        if number != WALL:
            return int(self._libc.clock_gettime(number, place))
        now = self._now()
        place[0], place[1] = int(now), int(now % 1 * 1_000_000_000)
        return 0


def slots(path: Path) -> Iterator[tuple[int, bytes]]:
    """Yield the address and the name of each function of the time that a loaded library imports."""
    data = path.read_bytes()
    machine, offset, size, count = _header(data)
    if machine not in SLOTS:
        raise LackError(f"clock: ELF machine {machine} is unknown to the harness")
    base = _base(path)
    segments = [struct.unpack_from("<IIQQQQQQ", data, offset + size * number) for number in range(count)]

    def place(address: int) -> int:
        """The place in the file of an address."""
        for kind, _flags, at, start, _physical, length, _memory, _align in segments:
            if kind == LOAD and start <= address < start + length:
                return int(at + address - start)
        raise LackError(f"clock: {path} has no address {address:#x}")

    _, _, at, _, _, length, _, _ = next(segment for segment in segments if segment[0] == DYNAMIC)
    entries = dict(struct.iter_unpack("<qQ", data[at : at + length // 16 * 16]))
    for table, bytes_of in ((RELA, RELASZ), (JMPREL, PLTRELSZ)):
        if table in entries:
            start = place(entries[table])
            for where, about, _addend in struct.iter_unpack("<QQq", data[start : start + entries[bytes_of]]):
                if about & 0xFFFFFFFF in SLOTS[machine]:
                    symbol = place(entries[SYMTAB]) + ENTRY * (about >> 32)
                    begin = place(entries[STRTAB]) + struct.unpack_from("<I", data, symbol)[0]
                    name = data[begin : data.index(b"\0", begin)]
                    if name in {b"time", b"gettimeofday", b"clock_gettime"}:
                        yield base + where, name


def _header(data: bytes) -> tuple[int, int, int, int]:
    """The machine, and the offset, size and number of the program headers; LackError if it is not 64-bit ELF."""
    if data[:6] != b"\x7fELF\x02\x01":
        raise LackError("clock: the library is not little-endian 64-bit ELF")
    (machine,) = struct.unpack_from("<H", data, 18)
    (offset,) = struct.unpack_from("<Q", data, 32)
    size, count = struct.unpack_from("<HH", data, 54)
    return machine, offset, size, count


def _base(path: Path) -> int:
    """Where the library is loaded."""
    for line in Path("/proc/self/maps").read_text(encoding="utf-8").splitlines():
        addresses, _, offset, _, _, *name = line.split(maxsplit=5)
        if name == [str(path)] and int(offset, 16) == 0:
            return int(addresses.partition("-")[0], 16)
    raise LackError(f"clock: {path} is not loaded")
