"""The garbage collector rests while data grows, and is as it was before afterwards."""

from __future__ import annotations

import gc
import weakref

import pytest

from harness.results.uncollected import YOUNG, settled, uncollected


def test_nothing_is_collected_meanwhile() -> None:
    with uncollected():
        assert not gc.isenabled()

    assert gc.isenabled()


def test_it_is_as_before_after_an_error() -> None:
    with pytest.raises(ValueError, match="damaged"), uncollected():
        raise ValueError("damaged")

    assert gc.isenabled()


def test_one_that_was_off_stays_off() -> None:
    with uncollected(), uncollected():
        pass
    gc.disable()
    try:
        with uncollected():
            pass

        assert not gc.isenabled()
    finally:
        gc.enable()


class Ring:
    """An object that only the garbage collector can remove."""

    def __init__(self) -> None:
        self.itself = self


def test_cycles_of_settled_data_are_left_until_afterwards() -> None:
    before = gc.get_threshold()
    old = Ring()
    seen = weakref.ref(old)
    with settled():
        del old
        gc.collect()

        assert seen() is not None

    gc.collect()

    assert seen() is None
    assert gc.get_threshold() == before


def test_new_cycles_are_removed_while_data_is_settled() -> None:
    with settled():
        rings = [weakref.ref(Ring()) for _ in range(YOUNG * 3)]

    assert sum(ring() is None for ring in rings) > YOUNG


def test_the_collector_is_as_before_after_an_error_in_settled_data() -> None:
    before = gc.get_threshold()
    with pytest.raises(ValueError, match="damaged"), settled():
        raise ValueError("damaged")

    assert gc.get_threshold() == before
    assert gc.get_freeze_count() == 0
