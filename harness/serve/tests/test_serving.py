"""The fixture `served` serves the client in the test's own thread, and reports what it does."""

from __future__ import annotations

import socket
import ssl
from typing import TYPE_CHECKING

import pytest

from harness.explain import reasons
from harness.model.errors import TimedOutError, UsageError
from harness.model.reason import Reason
from harness.model.tls import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.serve.serving import Serving


def get(server: Serving) -> bytes:
    context = ssl.create_default_context(cafile=server.ca)
    with (
        socket.create_connection((server.host, server.port)) as tcp,
        context.wrap_socket(tcp, server_hostname=server.host) as tls,
    ):
        tls.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        answer = b""
        while data := tls.recv(4096):
            answer += data
        return answer


def test_two_servers_of_a_test_are_apart(served: Callable[..., Serving]) -> None:
    one, other = served("libssl"), served("pyopenssl")
    get(one)
    get(other)
    get(one)

    assert [connection.outcome for connection in one.connections] == [Outcome.FULL] * 2
    assert reasons(one, one.connections[1]) == (Reason.NO_SESSION,)
    assert [connection.outcome for connection in other.connections] == [Outcome.FULL]


def test_a_connection_that_stays_open_is_named(served: Callable[..., Serving], monkeypatch: pytest.MonkeyPatch) -> None:
    server = served()
    monkeypatch.setenv("RESUMPTION_DEADLINE", "1")
    with socket.create_connection((server.host, server.port)), pytest.raises(TimedOutError, match="close what the"):
        _ = server.connections


@pytest.mark.parametrize(
    ("stack", "knobs", "message"),
    [("libtls", {}, "no stack matches 'libtls'"), ("libssl", {"speed": 1}, "no server knob 'speed'")],
)
def test_what_does_not_exist_is_a_usage_error(
    served: Callable[..., Serving], stack: str, knobs: dict[str, object], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        served(stack, **knobs)
