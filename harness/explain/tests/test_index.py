"""The origin of each session is found without a search: what is done for a connection does not grow with its number."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from harness.explain import explain
from harness.explain.facts.index import index_of, keys_of, yielded
from harness.explain.facts.origin import full_handshake_of, origin_of
from harness.explain.resumed.lifetime import expiry_of
from harness.model.tls import TLSVersion
from harness.pair.pair import Pair

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

    from harness.model.connection import Connection
    from harness.runtime.runtime import Runtime
    from harness.stacks.libssl import LibsslStack

SHORT, LONG = 20, 60


@pytest.fixture(scope="module")
def chain(runtime: Runtime, honest: LibsslStack) -> Iterator[tuple[Connection, ...]]:
    """Connections of which each one resumes the session of the one before."""
    pair = Pair((honest, honest), TLSVersion.TLSv1_3, runtime)
    last = pair.connect()
    for _ in range(LONG):
        last = pair.connect(last.session)
    yield tuple(pair.connections)
    pair.close()


def calls_in(connections: tuple[Connection, ...]) -> int:
    """How many functions of the harness are called to explain the last connection, where all before it were."""
    for connection in connections[:-1]:
        explain(connections, connection)
        expiry_of(connections, connection)
    count = 0

    def counts(frame: FrameType, event: str, _argument: object) -> None:
        nonlocal count
        count += event == "call" and "/harness/" in frame.f_code.co_filename

    sys.setprofile(counts)
    try:
        explain(connections, connections[-1])
        expiry_of(connections, connections[-1])
    finally:
        sys.setprofile(None)
    return count


def test_the_work_does_not_grow_with_the_connections_before(chain: tuple[Connection, ...]) -> None:
    short, long = calls_in(chain[:SHORT]), calls_in(chain[:LONG])

    assert short > 0
    assert long <= short * 1.1


def test_each_session_comes_from_the_one_before_and_the_first(chain: tuple[Connection, ...]) -> None:
    origins = [origin_of(one.offered, chain[:place]) for place, one in enumerate(chain)]
    full = [full_handshake_of(one.offered, chain[:place]) for place, one in enumerate(chain)]

    assert [origin.connection.number for origin in origins if origin] == list(range(1, LONG + 1))
    assert full == [None, *[chain[0]] * LONG]


def test_other_connections_with_one_beginning_have_their_own_index(chain: tuple[Connection, ...]) -> None:
    first, second, third = chain[:3]
    stripped = replace(second, last_session=None, sessions=(), held_sessions=())
    known = origin_of(third.offered, (first, second))
    blind = origin_of(third.offered, (first, stripped))

    assert known is not None
    assert known.connection is second
    assert blind is None
    assert index_of((first, second)) is not index_of((first, stripped))


def test_a_session_is_found_by_each_of_its_keys(chain: tuple[Connection, ...]) -> None:
    session = next(iter(yielded(chain[0])))

    assert all(keys_of(session, kind) for kind in ("content", "name", "secret"))
    assert keys_of(session, "object") == ()
