"""Reads TLS's numbers and vectors out of bytes (RFC 8446, 3); a read past the end says what is cut short."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from harness.model.errors import WireFormatError

if TYPE_CHECKING:
    from collections.abc import Iterator

ENTRY = 4
"""Bytes before the vector of an entry: its number and the vector's length."""


class Cursor:
    """A place in ``data``; ``what`` names the structure in errors, ``base`` is the stream offset of its first byte.

    Every hello passes through here, so no method of it calls another.
    """

    __slots__ = ("_at", "_base", "_data", "_what")

    def __init__(self, data: bytes, what: str, base: int = 0) -> None:
        self._data = data
        self._what = what
        self._base = base
        self._at = 0

    @property
    def left(self) -> int:
        """Bytes not read yet."""
        return len(self._data) - self._at

    @property
    def offset(self) -> int:
        """Stream offset of the next byte."""
        return self._base + self._at

    def _cut(self, size: int) -> NoReturn:
        raise WireFormatError(f"{self._what} is cut short: {size} bytes expected, {self.left} left", self.offset)

    def take(self, size: int) -> bytes:
        """Read ``size`` bytes."""
        data, at = self._data, self._at
        end = at + size
        if end > len(data):
            self._cut(size)
        self._at = end
        return data[at:end]

    def number(self, size: int) -> int:
        """Read an unsigned number of ``size`` bytes."""
        data, at = self._data, self._at
        end = at + size
        if end > len(data):
            self._cut(size)
        self._at = end
        return int.from_bytes(data[at:end], "big")

    def vector(self, size: int) -> bytes:
        """Read a vector, whose length comes first, in ``size`` bytes."""
        data, at = self._data, self._at
        start = at + size
        if start > len(data):
            self._cut(size)
        length = int.from_bytes(data[at:start], "big")
        end = start + length
        if end > len(data):
            self._at = start
            self._cut(length)
        self._at = end
        return data[start:end]

    def inner(self, size: int, what: str = "") -> Cursor:
        """Read a vector as a structure of its own."""
        data = self.vector(size)
        return Cursor(data, what or self._what, self.offset - len(data))

    def entries(self) -> Iterator[tuple[int, int, bytes]]:
        """Read the rest as entries of a number and a vector, two bytes each: stream offset, number, vector."""
        data, size = self._data, len(self._data)
        while (at := self._at) < size:
            start = at + ENTRY
            end = start + (data[at + 2] << 8 | data[at + 3]) if start <= size else size + 1
            if end > size:  # say what is cut short
                self.number(2)
                self.vector(2)
            self._at = end
            yield self._base + at, data[at] << 8 | data[at + 1], data[start:end]

    def end(self) -> None:
        """WireFormatError if anything is left."""
        if self.left:
            raise WireFormatError(f"{self._what} has {self.left} bytes too many", self.offset)
