"""The garbage collector rests while data grows, and is as it was before afterwards."""

from __future__ import annotations

import gc

import pytest

from harness.results.uncollected import uncollected


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
