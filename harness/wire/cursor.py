"""Reads TLS's numbers and vectors out of bytes (RFC 8446, 3); a read past the end says what is cut short."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from harness.model.errors import WireFormatError

if TYPE_CHECKING:
    from collections.abc import Iterator


class Cursor:
    """A place in ``data``; ``what`` names the structure in errors, ``base`` is the stream offset of its first byte.

    Every hello passes through here, so `number` and `vector` do not call `take`.
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
        size = len(self._data)
        while self._at < size:
            offset = self.offset
            yield offset, self.number(2), self.vector(2)

    def end(self) -> None:
        """WireFormatError if anything is left."""
        if self.left:
            raise WireFormatError(f"{self._what} has {self.left} bytes too many", self.offset)
