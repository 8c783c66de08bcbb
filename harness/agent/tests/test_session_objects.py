"""An SSL connects again once, and threads that wait for another one end with their connections."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.agent.tests.libssl_ends import Ends
from harness.model.errors import EndpointError
from harness.runtime.runtime import Runtime

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def ends() -> Iterator[Ends]:
    with Runtime() as runtime:
        made = Ends(runtime)
        yield made
        made.close()


def test_an_ssl_that_was_kept_connects_again_once(ends: Ends) -> None:
    server, client = ends.server(), ends.client()
    kept = ends.talk(client, server, during=lambda _b, a: (a.ask("keep_session", ssl=True),)).during[0]
    again = ends.talk(client, server, kept)
    server.accept()
    third = client.connect(server.port, kept)

    assert again.saw == ("resumed", "resumed")
    with pytest.raises(EndpointError, match="has connected again already"):
        ends.done(third.opened)


def test_a_duplicate_has_the_time_and_timeout_that_it_is_given(ends: Ends) -> None:
    server, client = ends.server(), ends.client()
    first, changed = ends.talk(
        client,
        server,
        during=lambda _b, a: (a.ask("keep_session"), a.ask("keep_session", duplicate=True, older=60, timeout=5)),
    ).during

    assert first.time - changed.time == 60
    assert (first.timeout, changed.timeout) == (7200, 5)


def test_threads_that_wait_for_another_one_end_with_their_context(ends: Ends) -> None:
    server, client, other = ends.server(), ends.client(), ends.client()
    for _ in range(2):
        server.accept()
        client.connect(server.port).ask("handshake", together=3)
    client.close()

    assert ends.talk(other, ends.server()).saw == ("full", "full")
