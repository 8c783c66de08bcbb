"""Keeps Python's garbage collector from looking again and again at data that only grows."""

from __future__ import annotations

import gc
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

YOUNG = 20_000
"""New objects after which the youngest are looked at. Python's own number is 700; a cell makes tens of thousands."""


@contextmanager
def uncollected() -> Iterator[None]:
    """Collect no cycles meanwhile: the cells of a run are hundreds of thousands of objects, and none is garbage."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


@contextmanager
def settled() -> Iterator[None]:
    """Look for cycles among new objects alone, and less often; what is there already stays as it is meanwhile."""
    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(YOUNG, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()
