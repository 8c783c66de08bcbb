"""An agent that dies, hangs, floods or lies is caught by AgentProcess, within its deadline, with what it printed."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import closing
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from harness.agent.vocabulary import LONGEST_LINE
from harness.model.errors import (
    VARIABLE,
    EndpointError,
    RefusedError,
    TimedOutError,
    UnsupportedError,
    UsageError,
    stretched,
)
from harness.runtime.process import FLOOD
from harness.runtime.runtime import Runtime
from harness.stacks.agent import AgentHost, AgentProcess
from harness.stacks.agent.agent_process import packed
from harness.stacks.agent.host import agent_command, agent_environment
from harness.tests.raw_agent import libssl_build

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

SOON = 0.3
"""Seconds after which these tests give up on an agent that hangs."""

ANSWER = """
import sys, json
def answer(text):
    for line in sys.stdin:
        request = json.loads(line)
        print(text.replace("ID", str(request["id"])), flush=True)
"""
HANG = "import time; time.sleep(600)"
LIES = {
    "no JSON": ("Stats please", "DecodeError: JSON is malformed"),
    "no object": ("[1]", "TypeError"),
    "no id": ('{"ok": {}}', "KeyError: 'id'"),
    "an id that nobody asked for": ('{"id": 4711, "ok": {}}', "no request 4711 is open"),
    "neither ok nor error": ('{"id": ID}', "KeyError: 'ok'"),
    "an error without its kind": ('{"id": ID, "error": {"message": "x"}}', "KeyError: 'kind'"),
    "an error that is not an object": ('{"id": ID, "error": 3}', "TypeError"),
    "a result without what was asked for": ('{"id": ID, "ok": {}}', "KeyError: 'protocol'"),
    "a second reply": ('{"id": ID, "ok": {"protocol": 1}}\n{"id": ID, "ok": {"protocol": 1}}', "no request"),
}


PACKED_LIES = {
    "no array": ("[", "DecodeError"),
    "no object": ("[1]", "TypeError"),
    "an id that nobody asked for": ('[{"id": 4711, "ok": {}}]', "no request 4711 is open"),
    "a second reply": ('[{"id": ID, "ok": {"protocol": 1}}, {"id": ID, "ok": {"protocol": 1}}]', "no request"),
}
"""Lies of an agent that replies in arrays; without that they are lies too."""


@pytest.fixture
def runtime() -> Iterator[Runtime]:
    with Runtime() as opened:
        yield opened


@pytest.fixture
def start(runtime: Runtime) -> Iterator[Callable[[str], AgentProcess]]:
    started: list[AgentProcess] = []

    def starter(script: str) -> AgentProcess:
        argv = (sys.executable, "-c", script)
        started.append(AgentProcess(runtime, "libssl@0.0", argv, deadline=SOON if script == HANG else stretched(10.0)))
        return started[-1]

    yield starter
    for process in started:
        process.close()


def answering(text: str) -> str:
    """A program that answers each request with the same text, in which ID is the request's id."""
    return f"{ANSWER}\nanswer({text!r})"


def children() -> list[psutil.Process]:
    """Return the agents of this process that run."""
    return [child for child in psutil.Process().children() if "harness.agent" in child.cmdline()]


def protocol(reply: Mapping[str, Any]) -> int:
    return int(reply["protocol"])


def test_an_agent_that_dies_is_an_error_with_what_it_printed(start: Callable[[str], AgentProcess]) -> None:
    process = start("import sys; sys.stdin.readline(); sys.exit('double free or corruption')")

    with pytest.raises(EndpointError, match=r"ended with exit code 1; unanswered: hello\ndouble free or corruption"):
        process.call("hello", {}, protocol)
    assert not process.alive


def test_every_request_of_an_agent_that_died_fails_at_once(
    runtime: Runtime, start: Callable[[str], AgentProcess]
) -> None:
    process = start("import os, signal; input(); os.kill(os.getpid(), signal.SIGSEGV)")
    first, second = (process.ask("hello", {}, protocol) for _ in range(2))
    runtime.loop.settle([first, second])
    third = process.ask("hello", {}, protocol)

    assert "was killed by SIGSEGV; unanswered: hello, hello" in str(first.error)
    assert isinstance(second.error, EndpointError)
    assert isinstance(third.error, EndpointError)


def test_an_agent_that_hangs_is_killed_at_its_deadline(start: Callable[[str], AgentProcess], runtime: Runtime) -> None:
    process = start(HANG)

    with pytest.raises(EndpointError, match=r"did not answer hello within 0\.3 s; unanswered: hello"):
        process.call("hello", {}, protocol)
    runtime.loop.settle([process.child.ended])
    assert process.child.ended.result() == -9


def test_an_agent_that_hangs_as_it_starts_is_killed_at_a_later_deadline(
    start: Callable[[str], AgentProcess], runtime: Runtime
) -> None:
    process = start(HANG)

    with pytest.raises(EndpointError, match=r"did not answer hello within 0\.9 s; unanswered: hello"):
        process.started(process.ask("hello", {}, protocol))
    runtime.loop.settle([process.child.ended])
    assert process.child.ended.result() == -9


def test_an_agent_that_starts_slowly_has_no_more_time_later(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its interpreter takes longer than a request may, and then it answers ``hello`` alone."""
    monkeypatch.setattr("harness.stacks.agent.agent_process.STARTS", 200)
    reply = 'print(\'{"id": 1, "ok": {"protocol": 2}}\', flush=True)'
    script = f"import threading; input(); threading.Event().wait({2 * SOON}); {reply}; {HANG}"
    with closing(AgentProcess(runtime, "slow", (sys.executable, "-c", script), deadline=SOON)) as process:
        assert process.started(process.ask("hello", {}, protocol)) == 2
        with pytest.raises(EndpointError, match=r"did not answer counters within 0\.3 s; unanswered: counters"):
            process.call("counters", {}, protocol)


def test_a_request_that_waits_too_long_is_named(runtime: Runtime, start: Callable[[str], AgentProcess]) -> None:
    process = start(HANG)
    pending = process.ask("await_end", {"connection": "k1"}, protocol)

    with pytest.raises(TimedOutError, match=r"waited 0\.3 s for libssl@0\.0's reply to await_end k1"):
        runtime.loop.settle([pending], SOON)


def test_an_agent_that_hangs_holds_nobody_up(runtime: Runtime, start: Callable[[str], AgentProcess]) -> None:
    process = start(HANG)
    much = process.ask("write", {"connection": "k1", "data": "00" * 1_000_000}, protocol)

    with pytest.raises(TimedOutError):
        runtime.loop.settle([much], SOON)


def test_an_agent_that_reads_late_reads_all(start: Callable[[str], AgentProcess]) -> None:
    process = start(f"import time; time.sleep({SOON})\n" + answering('{"id": ID, "ok": {"protocol": 1}}'))

    assert process.call("write", {"connection": "k1", "data": "00" * 1_000_000}, protocol) == 1


def test_an_agent_that_floods_is_killed(runtime: Runtime, start: Callable[[str], AgentProcess]) -> None:
    process = start("while True: print('x' * 65536)")
    pending = process.ask("hello", {}, protocol)
    runtime.loop.settle([pending, process.child.ended])

    assert "broke the protocol" in str(pending.error)


def test_an_agent_whose_line_never_ends_is_killed(runtime: Runtime, start: Callable[[str], AgentProcess]) -> None:
    process = start("import sys\nwhile True: sys.stdout.write('x' * 65536)")
    pending = process.ask("hello", {}, protocol)
    runtime.loop.settle([pending])

    assert f"printed a line of more than {LONGEST_LINE} bytes" in str(pending.error)


def test_many_replies_are_no_flood(start: Callable[[str], AgentProcess]) -> None:
    process = start(
        answering('{"id": ID, "ok": {"protocol": 1, "more": "MORE"}}').replace("MORE", "' + 'x' * 4000000 + '")
    )

    for _ in range(4):
        assert process.call("hello", {}, protocol) == 1


def test_a_request_that_is_too_long_is_refused(start: Callable[[str], AgentProcess]) -> None:
    process = start(answering('{"id": ID, "ok": {"protocol": 1}}'))
    pending = process.ask("write", {"connection": "k1", "data": "00" * LONGEST_LINE}, protocol)

    assert isinstance(pending.error, UsageError)
    assert f"a line of the protocol has at most {LONGEST_LINE}" in str(pending.error)
    assert process.call("hello", {}, protocol) == 1


def test_an_agent_that_floods_its_errors_is_killed(runtime: Runtime, start: Callable[[str], AgentProcess]) -> None:
    process = start("import sys\nwhile True: sys.stderr.write('x' * 65536)")
    pending = process.ask("hello", {}, protocol)
    runtime.loop.settle([pending])

    assert f"printed more than {FLOOD} bytes" in str(pending.error)


@pytest.mark.parametrize(("line", "words"), LIES.values(), ids=LIES.keys())
def test_an_agent_that_breaks_the_protocol_is_an_error_that_shows_the_line(
    runtime: Runtime, start: Callable[[str], AgentProcess], line: str, words: str
) -> None:
    process = start(answering(line))
    first = process.ask("hello", {}, protocol)
    runtime.loop.settle([first])
    second = process.ask("hello", {}, protocol)
    runtime.loop.settle([second])

    error = first.error or second.error
    assert isinstance(error, EndpointError)
    assert "broke the protocol" in str(error)
    assert words in str(error)


@pytest.mark.parametrize(("line", "words"), PACKED_LIES.values(), ids=PACKED_LIES)
def test_an_agent_of_both_ends_breaks_the_protocol_in_arrays_too(runtime: Runtime, line: str, words: str) -> None:
    script = ANSWER.replace('request["id"]', 'request[0]["id"]') + f"answer({line!r})"
    process = AgentProcess(runtime, "libssl@0.0", (sys.executable, "-c", script), packs=True)
    first = process.ask("hello", {}, protocol)
    runtime.loop.settle([first])
    second = process.ask("hello", {}, protocol)
    runtime.loop.settle([second])
    process.close()

    error = first.error or second.error
    assert isinstance(error, EndpointError)
    assert "broke the protocol" in str(error)
    assert words in str(error)


def test_a_burst_that_is_too_long_for_one_line_is_several_arrays() -> None:
    half = b"x" * (LONGEST_LINE // 2)

    assert [len(line) for line in packed([b"1", half, half, b"2"])] == [len(half) + 4, len(half) + 4]
    assert packed([b"1", b"2"]) == [b"[1,2]"]
    assert packed([b"x" * (LONGEST_LINE - 2)])[0] == b"[%b]" % (b"x" * (LONGEST_LINE - 2))


@pytest.mark.parametrize(
    ("kind", "error"),
    [("usage", UsageError), ("internal", EndpointError), ("lack", UnsupportedError), ("tls", RefusedError)],
)
def test_an_error_reply_becomes_the_error_of_its_kind(
    start: Callable[[str], AgentProcess], kind: str, error: type[Exception]
) -> None:
    process = start(answering('{"id": ID, "error": {"kind": "KIND", "message": "because"}}'.replace("KIND", kind)))

    with pytest.raises(error):
        process.call("context", {}, protocol)
    assert process.alive


@pytest.fixture
def host(runtime: Runtime) -> Iterator[AgentHost]:
    build = libssl_build()
    paths = ("--libssl", str(build.libssl), "--libcrypto", str(build.libcrypto))
    host = AgentHost(runtime, "libssl", agent_command(build, "libssl", *paths), agent_environment(build))
    yield host
    host.close()


def test_one_process_is_kept_and_reused(host: AgentHost) -> None:
    assert host.process(None)[0] is host.process(None)[0]


def test_a_prepared_process_is_the_one_that_is_used(host: AgentHost) -> None:
    host.prepare()
    [child] = children()
    host.prepare()

    assert host.process(None)[0].child.pid == child.pid
    assert children() == [child]


def test_a_prepared_process_that_is_not_used_ends_with_its_host(host: AgentHost) -> None:
    host.prepare()
    host.close()

    assert children() == []


def test_a_prepared_process_that_died_is_an_error_when_it_is_needed(runtime: Runtime) -> None:
    host = AgentHost(runtime, "libssl", (sys.executable, "-c", "import sys; sys.exit('no such library')"), {})
    host.prepare()

    with pytest.raises(EndpointError, match=r"ended with exit code 1; unanswered: hello\nno such library"):
        host.process(None)


def test_an_endpoint_with_a_clock_has_a_process_of_its_own(host: AgentHost) -> None:
    shared, _ = host.process(None)
    own, clock = host.process(0)

    assert own is not shared
    assert clock is not None


def test_a_process_that_was_left_is_used_again_for_the_same_needs(host: AgentHost) -> None:
    first, clock = host.process(0)
    other, _ = host.process(0)
    host.done(first)
    with_needs, _ = host.process(0, {"OPENSSL_CONF": "/dev/null"})

    assert other is not first
    assert with_needs is not first
    assert host.process(60) == (first, clock)


def test_a_process_that_died_after_its_endpoint_left_is_not_used(host: AgentHost, runtime: Runtime) -> None:
    first, _ = host.process(0)
    host.done(first)
    first.child.kill()
    runtime.loop.settle([first.child.ended])

    second, _ = host.process(0)
    assert second is not first
    assert second.alive


def test_a_process_that_was_killed_is_replaced(host: AgentHost, runtime: Runtime) -> None:
    first, _ = host.process(None)
    first.child.kill()
    runtime.loop.settle([first.child.ended])

    second, _ = host.process(None)
    assert second is not first
    assert second.alive


@pytest.mark.parametrize("left", ["a context", "another request"])
def test_a_process_that_left_something_unanswered_and_hangs_is_replaced(
    left: str, host: AgentHost, runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, "10")
    first, _ = host.process(None)
    os.kill(first.child.pid, signal.SIGSTOP)
    if left == "a context":
        first.free("c1")
    else:
        first.ask("hello", {}, protocol)
    runtime.loop.turn(0)

    second, _ = host.process(None)
    assert second is not first
    assert not first.alive


def test_a_process_that_frees_a_context_is_asked_nothing_more(host: AgentHost) -> None:
    first, _ = host.process(None)
    first.free("c1")
    asked = first.unique("")

    second, _ = host.process(None)
    assert second is first
    assert first.idle
    assert int(second.unique("")) == int(asked) + 1


def test_an_agent_of_another_protocol_is_refused(runtime: Runtime) -> None:
    script = answering('{"id": ID, "ok": {"protocol": 1}}')
    host = AgentHost(runtime, "libssl", (sys.executable, "-c", script), {})

    with pytest.raises(EndpointError, match="protocol 1 is not spoken here, but 2"):
        host.process(None)
