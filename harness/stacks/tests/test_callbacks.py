"""A callback that fails is named, and nothing waits for it."""

from __future__ import annotations

import os
import shutil
import signal
from threading import Thread
from typing import TYPE_CHECKING

import psutil
import pytest

from harness.model.errors import EndpointError, TimedOutError
from harness.model.knobs import ServerConfig
from harness.model.tls import Mechanism, TLSVersion
from harness.pair.pair import Pair
from harness.runtime.runtime import Runtime
from harness.stacks.libssl import LibsslStack
from harness.tests.raw_agent import libssl_build

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture
def pair() -> Iterator[Pair]:
    """A pair whose server has an external cache."""
    with Runtime() as runtime:
        stack = LibsslStack(libssl_build(), runtime)
        server = ServerConfig(tickets=False, external_cache="a")
        made = Pair((stack, stack), TLSVersion.TLSv1_2, runtime, server=server)
        yield made
        made.close()
        stack.close()


def test_a_callback_that_raises_is_an_error_with_its_cause(pair: Pair) -> None:
    shutil.rmtree(pair.runtime.folder / "external_caches")

    with pytest.raises(EndpointError) as caught:
        pair.connect()

    assert "FileNotFoundError" in str(caught.value)
    assert "raised in the callback ExternalCache._new" in str(caught.value)


def test_a_session_that_no_openssl_reads_is_not_found(pair: Pair) -> None:
    first = pair.connect()
    [file] = (pair.runtime.folder / "external_caches").rglob("*/*")
    file.write_bytes(b"not a session")
    pair.new_server()
    second = pair.connect(offer=first.session)

    first_call = (second.server.callback_calls or ())[0]
    assert (first_call.call, first_call.result) == ("get", "unreadable")
    assert second.observed_mechanism is None


class SlowCache:
    """In place of the file of a session a pipe: the get callback waits until somebody writes into it."""

    def __init__(self, pair: Pair) -> None:
        self.session = pair.connect().session
        [self._file] = (pair.runtime.folder / "external_caches").rglob("*/*")
        self._der = self._file.read_bytes()
        self._file.unlink()
        os.mkfifo(self._file)
        pair.new_server()

    def when_asked(self, then: Callable[[Callable[[], object]], object]) -> Thread:
        """Run a function once the callback waits; it gets what lets the callback go on."""

        def wait() -> None:
            with self._file.open("wb") as pipe:  # which blocks until the callback reads
                then(lambda: pipe.write(self._der))

        thread = Thread(target=wait)
        thread.start()
        return thread


def test_a_cache_that_is_slow_is_waited_for(pair: Pair) -> None:
    cache = SlowCache(pair)
    thread = cache.when_asked(lambda answer: answer())
    second = pair.connect(offer=cache.session)
    thread.join()

    assert second.mechanism is Mechanism.SESSION_ID
    assert second.server.callback_calls is not None
    assert [(call.call, call.result) for call in second.server.callback_calls][:1] == [("get", "session")]


def test_an_agent_that_dies_in_a_callback_is_named(pair: Pair) -> None:
    cache = SlowCache(pair)
    agents = [each for each in psutil.Process().children(recursive=True) if "harness.agent" in each.cmdline()]

    def kill(_answer: object) -> None:
        for agent in agents:
            agent.send_signal(signal.SIGKILL)

    thread = cache.when_asked(kill)
    with pytest.raises(EndpointError, match=r"libssl@.*was killed by SIGKILL"):
        pair.connect(offer=cache.session)
    thread.join()

    assert len(agents) == 1


def test_a_cache_that_never_answers_ends_with_the_deadline(pair: Pair) -> None:
    cache = SlowCache(pair)
    pair.runtime.loop.deadline = 1.0
    with pytest.raises(TimedOutError, match=r"waited 1 s for libssl@.*'s reply to handshake"):
        pair.connect(offer=cache.session)
