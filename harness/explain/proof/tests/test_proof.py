"""Every line of evidence about real connections is true, and each is false once a word or a number in it differs."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from harness.explain import explain
from harness.explain.proof.check import false_evidence, false_lines
from harness.explain.tests.test_explain_stripped import STORIES
from harness.model.reason import Explanation, Finding, Question, Reason
from harness.pair.pair import Pair

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.model.connection import Connection
    from harness.runtime.runtime import Runtime
    from harness.stacks.machine import Machine

WORDS = {
    "has no": "has",
    "own": "the same",
    "true": "false",
    "false": "true",
    "offers TLSv1.2": "offers TLSv1.3",
    "is required": "is none",
    "is optional": "is none",
    "is off": "is on",
    "is the default": "is on",
    "server": "client",
    "is none": "is off",
    "sha384": "sha256",
    "sha256": "sha384",
    "absent": "1",
    "first": "second",
    "SSL_CTX_remove_session": "SSL_CTX_flush_sessions",
    "have": "lack",
    "NO_INTERNAL": "no",
}
"""What a line is changed by where it has no number: the first word that it has, to its opposite."""


@pytest.fixture(scope="module", params=STORIES)
def recorded(request: pytest.FixtureRequest, machine: tuple[Machine, Runtime]) -> Iterator[list[Connection]]:
    _, tls, server, client, story = STORIES[request.param]
    libssl = machine[0].one("libssl")
    pair = Pair((libssl, libssl), tls, machine[1], client=client, server=server)
    story(pair)
    yield pair.connections
    pair.close()


def explained(connections: list[Connection]) -> Explanation:
    explanation = explain(connections, connections[-1])
    assert explanation is not None
    return explanation


def saying(line: str) -> Explanation:
    finding = Finding(Reason.DECLINED_UNKNOWN, "title", (line,), "remedy")
    return Explanation(Question.DECLINED, (finding,))


def changed(line: str) -> Iterator[str]:
    """The line with each number made another one, or with a word turned to its opposite."""
    witness, _, said = line.partition(": ")
    numbers = list(re.finditer(r"(?<![\w.])\d+(?![\w.]*[a-z_])", said))
    for found in numbers:
        yield f"{witness}: {said[: found.start()]}{int(found[0]) + 1}{said[found.end() :]}"
    if not numbers:
        yield from (f"{witness}: {said.replace(word, other, 1)}" for word, other in WORDS.items() if word in said)


def test_all_evidence_about_real_connections_is_true(recorded: list[Connection]) -> None:
    assert false_evidence(recorded) == ()


def test_a_line_with_another_number_or_word_is_false(recorded: list[Connection]) -> None:
    lines = [line for finding in explained(recorded).findings for line in finding.evidence]
    lies = {lie: false_lines(recorded, recorded[-1], saying(lie)) for line in lines for lie in changed(line)}

    assert lies
    assert [lie for lie, found in lies.items() if not found] == []


def test_a_false_line_is_named_with_its_finding(recorded: list[Connection]) -> None:
    (finding, *_) = explained(recorded).findings
    lie = replace(finding, evidence=(*finding.evidence, "wire: the ServerHello negotiates TLSv1.1"))
    found = false_lines(recorded, recorded[-1], Explanation(finding.reason.question, (lie,)))

    assert len(found) == 1
    assert found[0].startswith(f"{finding.reason}: 'wire: the ServerHello negotiates TLSv1.1' is false")


@pytest.mark.parametrize("line", ["", "wire: ", "wire: the moon is full", "nobody: it rains", "no witness at all"])
def test_a_line_that_no_statement_checks_is_an_error(recorded: list[Connection], line: str) -> None:
    assert false_lines(recorded, recorded[-1], saying(line))


@pytest.mark.parametrize(
    "line",
    [
        "knob: the server's tickets in connection 9 is off",
        "wire: the ClientHello of connection 9 has no server name",
        "counters: in connection 9 misses rose from 0 to 1",
        "setup: connection 9 ended with no alert",
    ],
)
def test_a_line_about_a_connection_that_was_not_there_is_false(recorded: list[Connection], line: str) -> None:
    assert false_lines(recorded, recorded[-1], saying(line))
