"""A program that dies, hangs, floods or is not an openssl is caught within its deadline, with what it printed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psutil
import pytest

from harness.model.errors import EndpointError, TimedOutError, UnsupportedError, UsageError
from harness.model.knobs import ClientConfig, ServerConfig
from harness.model.session import Session
from harness.runtime.runtime import Runtime
from harness.stacks.tests.cli_pair import cli_pair, scripted_stack

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from harness.runtime.loop import Pending

FLOOD = "yes 'a long line of nothing but letters, again and again and again and again and again'"


@pytest.fixture
def runtime() -> Iterator[Runtime]:
    before = psutil.Process().children(recursive=True)
    with Runtime() as runtime:
        yield runtime
    assert psutil.Process().children(recursive=True) == before


def _client_error(runtime: Runtime, folder: Path, script: str) -> EndpointError:
    client = scripted_stack(runtime, folder, script).client(ClientConfig())
    link = client.connect(1)
    handshake: Pending[bool] = link.handshake()
    later = link.read_line()
    runtime.loop.settle([handshake, later])
    client.close()
    assert isinstance(handshake.error, EndpointError)
    assert later.error is handshake.error
    return handshake.error


def test_a_client_that_dies_is_an_error_with_its_output(runtime: Runtime, tmp_path: Path) -> None:
    error = _client_error(runtime, tmp_path, "echo unknown option -sess_out >&2; exit 1")

    assert "ended with exit code 1" in error.what
    assert "unknown option -sess_out" in error.output


def test_a_client_that_is_killed_is_an_error(runtime: Runtime, tmp_path: Path) -> None:
    error = _client_error(runtime, tmp_path, "kill -SEGV $$")

    assert "was killed by SIGSEGV" in error.what


def test_a_client_that_floods_is_an_error(runtime: Runtime, tmp_path: Path) -> None:
    error = _client_error(runtime, tmp_path, FLOOD)

    assert "printed more than" in error.what


def test_a_client_that_hangs_is_named_by_the_deadline(runtime: Runtime, tmp_path: Path) -> None:
    client = scripted_stack(runtime, tmp_path, "read -r _; read -r _").client(ClientConfig())
    handshake = client.connect(1).handshake()

    with pytest.raises(TimedOutError, match=r"waited 0.2 s for the handshake of openssl@3.0.19 \(s_client\)"):
        runtime.loop.settle([handshake], 0.2)
    client.close()


def test_a_program_that_is_not_there_is_an_error(runtime: Runtime, tmp_path: Path) -> None:
    stack = scripted_stack(runtime, tmp_path, "true")
    (tmp_path / "openssl").unlink()
    handshake = stack.client(ClientConfig()).connect(1).handshake()

    assert isinstance(handshake.error, EndpointError)
    assert "did not start: No such file or directory" in handshake.error.what


def test_a_server_that_dies_before_it_is_ready_is_an_error(runtime: Runtime, tmp_path: Path) -> None:
    stack = scripted_stack(runtime, tmp_path, "echo unable to load certificate; exit 1")

    with pytest.raises(EndpointError, match="exit code 1 before it was ready\nunable to load certificate"):
        stack.server(ServerConfig())


def test_a_server_that_floods_before_it_is_ready_is_an_error(runtime: Runtime, tmp_path: Path) -> None:
    stack = scripted_stack(runtime, tmp_path, FLOOD)

    with pytest.raises(EndpointError, match="printed more than"):
        stack.server(ServerConfig())


def test_a_server_that_never_becomes_ready_says_what_was_waited_for(
    runtime: Runtime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runtime.loop, "deadline", 0.2)
    stack = scripted_stack(runtime, tmp_path, "echo thinking; read -r _; read -r _")

    with pytest.raises(TimedOutError, match=r"the line ACCEPT of openssl@3.0.19 \(s_server\); it printed: thinking"):
        stack.server(ServerConfig())


def test_a_server_that_dies_later_fails_the_connections_that_wait(runtime: Runtime, tmp_path: Path) -> None:
    script = "echo ACCEPT 127.0.0.1:1; read -r _; echo a last word; exit 3"
    server = scripted_stack(runtime, tmp_path, script).server(ServerConfig())
    waiting = server.accept().handshake()
    server.send(b"go\n")
    runtime.loop.settle([waiting])
    after = server.accept().handshake()
    server.close()

    assert isinstance(waiting.error, EndpointError)
    assert "ended with exit code 3" in waiting.error.what
    assert "a last word" in waiting.error.output
    assert isinstance(after.error, EndpointError)


def test_a_program_that_ignores_sigterm_is_killed(runtime: Runtime, tmp_path: Path) -> None:
    script = "trap '' TERM; echo ACCEPT 127.0.0.1:1; while :; do read -r _ </dev/zero; done"
    server = scripted_stack(runtime, tmp_path, script).server(ServerConfig())
    process = psutil.Process(server.pid)
    server.close()

    assert not process.is_running()


def test_a_client_that_finds_no_server_is_aborted(runtime: Runtime) -> None:
    with cli_pair(runtime) as pair:
        port = pair.server.port
        pair.server.close()
        link = pair.client.connect(port)
        handshake, report = link.handshake(), link.release()
        pair.settle(handshake, report)

    assert handshake.result() is False
    assert report.result().errors


@pytest.mark.parametrize("line", [b"Quit\n", b"R\n", b"k\n"])
def test_a_line_that_the_client_takes_for_a_command_is_refused(runtime: Runtime, line: bytes) -> None:
    with cli_pair(runtime) as pair:
        client, server = pair.links()
        write = client.write(line)
        pair.settle(client.handshake(), server.handshake(), write, client.release(), server.release())

    assert isinstance(write.error, UsageError)


@pytest.mark.parametrize("line", [b"quiet\n", b"r\n", b"Plain\n"])
def test_a_line_that_the_server_takes_for_a_command_is_refused(runtime: Runtime, line: bytes) -> None:
    with cli_pair(runtime) as pair:
        client, server = pair.links()
        write = server.write(line)
        pair.settle(client.handshake(), server.handshake(), write, client.release(), server.release())

    assert isinstance(write.error, UsageError)


def test_a_session_without_der_cannot_be_offered(runtime: Runtime) -> None:
    with cli_pair(runtime) as pair, pytest.raises(UnsupportedError, match="could not export the session as DER"):
        pair.client.connect(pair.server.port, Session({}, taken_by="ssl@3.0.19"))


def test_s_server_cannot_begin_to_close(runtime: Runtime) -> None:
    with cli_pair(runtime) as pair:
        asked = pair.server.accept().shutdown()

    assert isinstance(asked.error, UnsupportedError)
