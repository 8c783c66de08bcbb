"""Reading TLS's numbers and vectors out of bytes (RFC 8446, 3); a read past the end says what is cut short."""

from __future__ import annotations

from harness.model.errors import WireFormatError


class Cursor:
    """A place in ``data``; ``what`` names the structure in errors, ``base`` is the stream offset of its first byte."""

    __slots__ = ("_at", "_base", "_data", "_what")

    def __init__(self, data: bytes, what: str, base: int = 0) -> None:
        self._data = data
        self._what = what
        self._base = base
        self._at = 0

    @property
    def left(self) -> int:
        """Bytes that were not read yet."""
        return len(self._data) - self._at

    @property
    def offset(self) -> int:
        """Stream offset of the next byte."""
        return self._base + self._at

    def take(self, size: int) -> bytes:
        """Read ``size`` bytes."""
        end = self._at + size
        if end > len(self._data):
            raise WireFormatError(f"{self._what} is cut short: {size} bytes expected, {self.left} left", self.offset)
        taken = self._data[self._at : end]
        self._at = end
        return taken

    def number(self, size: int) -> int:
        """Read an unsigned number of ``size`` bytes."""
        return int.from_bytes(self.take(size), "big")

    def vector(self, size: int) -> bytes:
        """Read a vector whose length stands before it in ``size`` bytes."""
        return self.take(self.number(size))

    def inner(self, size: int, what: str = "") -> Cursor:
        """Read a vector as a structure of its own."""
        length = self.number(size)
        base = self.offset
        return Cursor(self.take(length), what or self._what, base)

    def end(self) -> None:
        """WireFormatError if anything is left."""
        if self.left:
            raise WireFormatError(f"{self._what} has {self.left} bytes too many", self.offset)
