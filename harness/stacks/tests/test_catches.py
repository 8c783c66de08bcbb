"""A server is asked to reload only once it takes the signal."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from harness.stacks.programs.program import catches

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="there is no /proc here")


@pytest.fixture(autouse=True)
def as_it_was() -> Iterator[None]:
    """The signal's handler and mask are as before."""
    handler = signal.getsignal(signal.SIGUSR2)
    yield
    signal.signal(signal.SIGUSR2, handler)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGUSR2})


def test_a_process_with_a_handler_catches_the_signal() -> None:
    signal.signal(signal.SIGUSR2, lambda _number, _frame: None)

    assert catches(os.getpid(), signal.SIGUSR2)


@pytest.mark.parametrize("handler", [signal.SIG_IGN, signal.SIG_DFL])
def test_a_process_without_one_does_not(handler: signal.Handlers) -> None:
    signal.signal(signal.SIGUSR2, handler)

    assert not catches(os.getpid(), signal.SIGUSR2)


def test_a_process_that_blocks_the_signal_does_not() -> None:
    signal.signal(signal.SIGUSR2, lambda _number, _frame: None)
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR2})

    assert not catches(os.getpid(), signal.SIGUSR2)
