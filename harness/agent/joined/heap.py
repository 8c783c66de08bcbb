"""The bytes that this process has from malloc and has not given back."""

from __future__ import annotations

import ctypes
import gc

FIELDS = ("arena", "ordblks", "smblks", "hblks", "hblkhd", "usmblks", "fsmblks", "uordblks", "fordblks", "keepcost")
"""Those of struct mallinfo2 (mallinfo(3))."""


class Mallinfo2(ctypes.Structure):
    """What glibc 2.33 and later say of the heap."""

    _fields_ = [(name, ctypes.c_size_t) for name in FIELDS]


def in_use() -> int | None:
    """Return the bytes in use, of all arenas; None if the C library has no mallinfo2.

    What the allocator keeps for later is not among them, nor are the small objects of Python, which has its own.
    """
    function = getattr(ctypes.CDLL(None), "mallinfo2", None)
    if function is None:
        return None
    gc.collect()  # cycles of Python may hold objects of the library
    function.restype = Mallinfo2
    found = function()
    return int(found.uordblks + found.hblkhd)
