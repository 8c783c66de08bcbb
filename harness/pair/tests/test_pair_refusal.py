"""A pair reports for which reasons OpenSSL refuses a server, and refuses what an end cannot take its part in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.builds.system import build_for
from harness.model.build import Build
from harness.model.errors import HarnessError, UsageError
from harness.model.tls import Close, TLSVersion
from harness.pair.pair import Pair
from harness.runtime.runtime import Runtime
from harness.stacks.libssl import LibsslStack
from harness.stacks.openssl import OpensslStack

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def pair() -> Iterator[Pair]:
    build = build_for("libssl")
    if not isinstance(build, Build):
        raise TypeError(build)
    with Runtime() as runtime:
        stack = LibsslStack(build, runtime)
        made = Pair((stack, stack), TLSVersion.TLSv1_3, runtime)
        yield made
        made.close()
        stack.close()


def test_the_reason_codes_are_reported(pair: Pair) -> None:
    assert pair.refusal(session_id_context=b"a" * 33) == (273,)


def test_a_server_that_is_taken_is_an_error(pair: Pair) -> None:
    with pytest.raises(HarnessError, match="did not refuse a server with"):
        pair.refusal(session_id_context=b"a" * 32)


def test_the_present_server_stays(pair: Pair) -> None:
    server = pair.server
    pair.refusal(session_id_context=b"a" * 33)

    assert pair.server is server


def test_a_close_that_an_endpoint_does_not_support_is_refused_at_once() -> None:
    build = build_for("openssl")
    if not isinstance(build, Build):
        raise TypeError(build)
    with Runtime() as runtime:
        stack = OpensslStack(build, runtime)
        pair = Pair((stack, stack), TLSVersion.TLSv1_3, runtime)
        try:
            with pytest.raises(UsageError, match=r"as client lacks close server-only: .*says scenario\(close="):
                pair.connect(close=Close.SERVER_ONLY)
        finally:
            pair.close()

    assert pair.opened == 0
