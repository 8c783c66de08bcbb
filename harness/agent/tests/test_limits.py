"""Lines, replies and application data that are too long are errors with the limit, and the agent goes on."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest

from harness.agent.agent import PACK
from harness.agent.conversation import LONGEST_DATA
from harness.agent.fields import RequestError
from harness.agent.replies import Outbox
from harness.agent.requests import Lines
from harness.agent.tests.libssl_ends import Ends
from harness.agent.vocabulary import LONGEST_LINE, PROTOCOL
from harness.agent.watcher import Watcher
from harness.model.knobs import ClientConfig, ServerConfig
from harness.runtime.runtime import Runtime
from harness.tests.raw_agent import RawAgent, libssl_agent

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def runtime() -> Iterator[Runtime]:
    with Runtime() as opened:
        yield opened


@pytest.mark.parametrize("size", [1, 7, 65536])
def test_lines_are_cut_wherever_the_pieces_end(size: int) -> None:
    lines = Lines()
    text = b"one\n\ntwo and more\nrest"
    found = [line for start in range(0, len(text), size) for line in lines.feed(text[start : start + size])]

    assert found == [b"one", b"", b"two and more"]
    assert lines.feed(b"\n") == [b"rest"]


@pytest.mark.parametrize("more", [0, 1, 1000])
def test_a_line_that_is_too_long_is_dropped_once(more: int) -> None:
    lines = Lines()
    found = [*lines.feed(b"x" * LONGEST_LINE), *lines.feed(b"x" * more), *lines.feed(b"\nnext\n")]

    assert [line if line is None else len(line) for line in found] == [None if more else LONGEST_LINE, 4]


def test_a_request_that_is_too_long_is_refused_and_the_next_is_served(runtime: Runtime) -> None:
    agent = RawAgent(runtime)
    refused, served = agent.answers(b"x" * (LONGEST_LINE + 1), b'{"id": 2, "verb": "hello"}')
    agent.child.close()

    assert refused["id"] is None
    assert refused["error"]["kind"] == "usage"
    assert f"at most {LONGEST_LINE} bytes" in refused["error"]["message"]
    assert served["ok"]["protocol"] == PROTOCOL


def test_a_reply_that_is_too_long_is_an_error_in_its_place() -> None:
    ours, theirs = os.pipe()
    outbox = Outbox(theirs, Watcher())
    outbox.ok(7, {"data": "x" * LONGEST_LINE})
    outbox.flush()
    reply = json.loads(os.read(ours, 65536))
    os.close(ours)
    os.close(theirs)

    assert (reply["id"], reply["error"]["kind"]) == (7, "usage")
    assert f"a line at most {LONGEST_LINE}" in reply["error"]["message"]


def test_replies_that_are_too_long_together_have_a_line_each_in_order() -> None:
    ours, theirs = os.pipe()
    outbox = Outbox(theirs, Watcher())
    outbox.packs = True
    outbox.ok(1, {"data": "x" * 100})
    outbox.error(2, RequestError("no such thing"))
    outbox.flush()
    together = json.loads(os.read(ours, 65536))
    outbox.ok(3, {"data": "x" * 100})
    outbox.ok(4, {"data": "x" * LONGEST_LINE})
    outbox.error(5, RequestError("no such thing"))
    outbox.flush()
    apart = [json.loads(line) for line in os.read(ours, 65536).splitlines()]
    os.close(ours)
    os.close(theirs)

    assert [(each["id"], "ok" in each) for each in together] == [(1, True), (2, False)]
    assert [(each["id"], "ok" in each) for each in apart] == [(3, True), (4, False), (5, False)]
    assert f"a line at most {LONGEST_LINE}" in apart[1]["error"]["message"]


def test_each_request_of_an_array_has_its_reply_in_an_array(runtime: Runtime) -> None:
    agent = RawAgent(runtime, *libssl_agent(PACK))
    ((hello, wrong, unread),) = agent.answers(b'[{"id": 1, "verb": "hello"}, {"id": 2, "verb": "dance"}, 3]')
    agent.child.close()

    assert (hello["id"], hello["ok"]["protocol"]) == (1, PROTOCOL)
    assert (wrong["id"], wrong["error"]["kind"]) == (2, "usage")
    assert (unread["id"], unread["error"]["message"]) == (None, "a request must be a JSON object, not int")


def test_an_agent_without_the_extension_takes_no_array(runtime: Runtime) -> None:
    agent = RawAgent(runtime)
    (refused,) = agent.answers(b'[{"id": 1, "verb": "hello"}]')
    agent.child.close()

    assert refused["error"]["message"] == "a request must be a JSON object, not list"


def test_data_without_a_newline_end_a_read(runtime: Runtime) -> None:
    ends = Ends(runtime)
    server = ends.stack.server(ServerConfig())
    there = server.accept()
    client = ends.stack.client(ClientConfig()).connect(server.port)
    steps = [client.handshake(), there.handshake()]
    steps += [client.write(b"x" * LONGEST_DATA), client.write(b"x" * 65536)]
    line = there.read_line()
    runtime.loop.wait(lambda: line.done, "the error")
    ends.stack.close()

    assert f"no newline came within {LONGEST_DATA} bytes" in str(line.error)
