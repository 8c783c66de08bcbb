"""Any bytes are read or refused with the documented error: parsers, results, the agent's protocol, the command line.

RESUMPTION_FUZZ sets how many inputs each target gets; `tox run -e fuzz` sets many.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.configuration import set_hypothesis_home_dir

from harness.cli import main
from harness.cli.command import SUBCOMMANDS
from harness.cli.command import cli as command_line
from harness.model.errors import SessionFormatError, UsageError
from harness.model.session import Session
from harness.model.tls import USUAL_VERSIONS
from harness.report.json.encode import session_json
from harness.report.text.session_text import session_rows
from harness.results.reader import kept_run
from harness.runtime.runtime import Runtime
from harness.tests.raw_agent import RawAgent
from harness.wire.judge import judge
from harness.wire.reading import read
from harness.wire.session.codec import load_all
from harness.wire.tests.tls_in_memory import Captures

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from click import Command

    from harness.model.tls import TLSVersion
    from harness.tests.live_sessions import Live

INPUTS = int(os.environ.get("RESUMPTION_FUZZ", "30"))
FUZZED = settings(
    max_examples=INPUTS,
    deadline=None,
    database=None,
    report_multiple_bugs=False,
    suppress_health_check=list(HealthCheck),
    print_blob=True,
)
SLOW = settings(FUZZED, max_examples=max(INPUTS // 5, 1))
"""For a target that starts a process or reads files for each input."""

NUMBERS = st.sampled_from(["0", "-1", "1e9", "9" * 40, "0x7fffffff", "nan", "٣", ""])
WORDS = (
    st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20)
    | NUMBERS
    | st.sampled_from(["=", "a=", "=b", "timeout=", "alpn=" + "x" * 300, "1.3", "unset"])
)
"""Words of a command line; none can have a byte of value 0 (execve(2))."""


@pytest.fixture(scope="module", autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Where Hypothesis keeps files: not in the checkout."""
    set_hypothesis_home_dir(tmp_path_factory.mktemp("hypothesis"))


def damaged(data: bytes) -> st.SearchStrategy[bytes]:
    """The data with some pieces replaced, removed, doubled or inserted."""
    place = st.integers(0, len(data))
    edit = st.tuples(
        place, st.integers(0, 8), st.binary(max_size=8) | st.sampled_from([b"\xff" * 4, b"\x00" * 4, data[:64]])
    )

    def apply(edits: list[tuple[int, int, bytes]]) -> bytes:
        changed = data
        for at, removed, inserted in edits:
            changed = changed[:at] + inserted + changed[at + removed :]
        return changed

    return st.lists(edit, max_size=6).map(apply)


def shows(one: Session | SessionFormatError) -> None:
    """Whatever was decoded can be shown, and holds nothing that a terminal would obey."""
    if isinstance(one, Session):
        assert all(value.isprintable() for _, value in session_rows(one))
        json.dumps(session_json(one))


@pytest.mark.parametrize("kind", ["tls12-ticket", "tls13", "client-cert"])
@given(choice=st.data())
@FUZZED
def test_a_session_of_any_bytes_is_shown_or_refused(live: Live, kind: str, choice: st.DataObject) -> None:
    data = choice.draw(damaged(live.der(kind)) | damaged(live.pem(kind)) | st.binary(max_size=300))
    with suppress(SessionFormatError):
        for one in load_all(data):
            shows(one)


def test_a_fault_of_a_parser_is_found(live: Live) -> None:
    @given(damaged(live.der("tls13")))
    @FUZZED
    def refused(data: bytes) -> None:
        load_all(data)

    with pytest.raises(SessionFormatError):
        refused()


@pytest.fixture(scope="module")
def captures(tmp_path_factory: pytest.TempPathFactory) -> Captures:
    """Real connections."""
    return Captures(tmp_path_factory.mktemp("captures"))


@pytest.mark.parametrize("version", USUAL_VERSIONS)
@pytest.mark.parametrize("keyed", [True, False])
@given(choice=st.data())
@FUZZED
def test_any_bytes_on_the_wire_are_judged(
    captures: Captures, version: TLSVersion, choice: st.DataObject, *, keyed: bool
) -> None:
    capture = captures.resumed(version)
    at = choice.draw(st.integers(0, len(capture.chunks) - 1))
    chunks = [
        replace(chunk, data=choice.draw(damaged(chunk.data))) if number == at else chunk
        for number, chunk in enumerate(capture.chunks)
    ]
    keys = capture.keylog + choice.draw(st.lists(st.text(max_size=40), max_size=2)) if keyed else []

    assert judge(read(chunks, keys)).view


def values() -> st.SearchStrategy[Any]:
    """JSON of any shape."""
    leaf = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12)
    return st.recursive(
        leaf, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    )


def replaced(value: Any, choice: st.DataObject) -> Any:
    """The JSON with one of its parts, however deep, replaced or removed."""
    if isinstance(value, dict) and value and choice.draw(st.integers(0, 9)):
        key = choice.draw(st.sampled_from(sorted(value)))
        rest = {name: part for name, part in value.items() if name != key}
        return rest if choice.draw(st.integers(0, 19)) == 0 else {**rest, key: replaced(value[key], choice)}
    if isinstance(value, list) and value and choice.draw(st.integers(0, 9)):
        at = choice.draw(st.integers(0, len(value) - 1))
        return [*value[:at], replaced(value[at], choice), *value[at + 1 :]]
    return choice.draw(values())


@given(choice=st.data())
@SLOW
def test_damaged_results_are_a_report_or_a_usage_error(
    wrong: Path, choice: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("results")
    whole = json.loads((wrong / "results.json").read_text())
    (folder / "results.json").write_text(json.dumps(replaced(whole, choice)))
    with suppress(UsageError):
        kept_run(folder)
        assert main(["report", str(folder), "--output", str(folder / "report")]) == 0


@pytest.fixture(scope="module")
def agent() -> Iterator[RawAgent]:
    """One agent for all inputs: none may end it."""
    with Runtime() as runtime:
        one = RawAgent(runtime)
        yield one
        one.child.close()


REQUESTS = [
    {"id": 1, "verb": "hello"},
    {"id": 2, "verb": "context", "as": "c2", "role": "client", "knobs": {"versions": ["1.3"], "timeout": 5}},
    {"id": 3, "verb": "context", "as": "c1", "role": "server", "knobs": {}, "files": {}},
    {"id": 4, "verb": "listen", "context": "c1", "as": "l1"},
    {"id": 5, "verb": "accept", "listener": "l1", "as": "k1"},
    {"id": 6, "verb": "handshake", "connection": "k1"},
    {"id": 7, "verb": "connect", "context": "c2", "port": 1, "session": None, "as": "k2"},
    {"id": 8, "verb": "write", "connection": "k2", "data": "70696e670a"},
    {"id": 9, "verb": "session", "connection": "k2"},
    {"id": 20, "verb": "counters", "context": "c1"},
    {"id": 21, "verb": "free_context", "context": "c2"},
]
"""Requests of PROTOCOL.md, to be damaged and sent in any order; an answer may come late or, to an accept, never."""


@given(choice=st.data())
@FUZZED
def test_an_agent_answers_any_line_and_lives(agent: RawAgent, choice: st.DataObject) -> None:
    request = choice.draw(st.sampled_from(REQUESTS))
    text = json.dumps(replaced(request, choice)).encode()
    line = choice.draw(damaged(text) | st.just(text)).replace(b"\n", b" ")

    agent.child.forget()  # a child that prints too much in total is killed
    agent.child.send(line + b"\n")

    assert agent.answer(id=77, verb="hello")
    assert not agent.child.ended.done


def leaves(name: str, found: Command) -> list[tuple[list[str], Command]]:
    """A command, or those of a group, each with the words that name it."""
    inner = getattr(found, "commands", {})
    return [([name, part], command) for part, command in inner.items()] or [([name], found)]


COMMANDS = [
    leaf
    for name in SUBCOMMANDS
    if (found := command_line.get_command(None, name)) is not None  # type: ignore[arg-type] # it is not read
    for leaf in leaves(name, found)
]
REACHING_OUT = {"check", "fetch", "make", "probe", "remove", "run", "serve", "watch"}
"""Commands that a valid line would let download, build, remove, connect, start a program, or run for minutes."""


@pytest.mark.parametrize("words", [words for words, _ in COMMANDS if words[-1] not in REACHING_OUT], ids=" ".join)
@given(choice=st.data())
@SLOW
def test_any_command_line_ends_with_an_exit_code(
    words: list[str], choice: st.DataObject, capsys: pytest.CaptureFixture[str]
) -> None:
    command = next(command for names, command in COMMANDS if names == words)
    options = [name for parameter in command.params for name in parameter.opts if name.startswith("-")]
    arguments = choice.draw(st.lists(st.sampled_from([*options, "-x"]) | WORDS, min_size=1, max_size=5))

    assert main([*words, *arguments]) in {0, 1, 2, 125}
    assert "Traceback" not in capsys.readouterr().err
