"""A callback that fails is named, and nothing waits for it."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from harness.model.errors import EndpointError
from harness.model.knobs import ServerConfig
from harness.model.tls import TLSVersion
from harness.pair.pair import Pair
from harness.runtime.runtime import Runtime
from harness.stacks.libssl import LibsslStack
from harness.tests.raw_agent import libssl_build

if TYPE_CHECKING:
    from collections.abc import Iterator


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
