"""The agent keeps to PROTOCOL.md: the page names what the agent knows, its conversation runs, and no input ends it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import harness.agent
from harness.agent.library import Facts, defaults_reported
from harness.agent.replies import KINDS
from harness.agent.verbs import OPTIONAL
from harness.agent.vocabulary import PROTOCOL
from harness.model.capability import Capability
from harness.model.errors import stretched
from harness.report.verbs_page import verbs_section
from harness.runtime.runtime import Runtime
from harness.tests.raw_agent import RawAgent, libssl_build, stub_agent

if TYPE_CHECKING:
    from collections.abc import Iterator

FOLDER = Path(harness.agent.__file__).parent
PAGE = (FOLDER / "PROTOCOL.md").read_text()
SECTIONS = dict(re.findall(r"^## ([^\n]+)\n(.*?)(?=^##)", PAGE, re.MULTILINE | re.DOTALL))
FACT_ROWS = re.findall(r"^\| `(\w+)` \|", SECTIONS["Facts"], re.MULTILINE)
KIND_ROWS = re.findall(r"^\| `(\w+)` \|", PAGE[: PAGE.index("## Life cycle")], re.MULTILINE)
CONVERSATION = PAGE[PAGE.rindex("```\n>") :].strip("`\n").splitlines()
COPY = 4711
"""The version of the protocol that the copied agent says it speaks, so that it cannot be taken for another one."""
HEAVY = {"cffi", "asn1crypto", "cryptography", "hashlib", "harness.runtime.loop", "harness.model", "psutil", "ssl"}


@pytest.fixture
def runtime() -> Iterator[Runtime]:
    with Runtime() as opened:
        yield opened


@pytest.fixture
def fresh(runtime: Runtime) -> Iterator[RawAgent]:
    agent = RawAgent(runtime)
    yield agent
    agent.child.close()


@pytest.fixture
def stub(runtime: Runtime) -> Iterator[RawAgent]:
    agent = stub_agent(runtime)
    yield agent
    agent.child.close()


@pytest.fixture
def copied(runtime: Runtime, tmp_path: Path) -> Iterator[RawAgent]:
    """An agent that runs from a copy of its folder, isolated from the environment, the user and every other harness."""
    shutil.copytree(FOLDER, tmp_path / "copy", ignore=shutil.ignore_patterns("tests", "__pycache__"))
    program = tmp_path / "copy" / "vocabulary.py"
    program.write_text(program.read_text().replace("PROTOCOL = 2\n", f"PROTOCOL = {COPY}\n"))
    build = libssl_build()
    options = ("--libssl", str(build.libssl), "--libcrypto", str(build.libcrypto))
    argv = (sys.executable, "-I", "-X", "importtime", str(tmp_path / "copy"), "libssl", *options)
    agent = RawAgent(runtime, *argv)
    yield agent
    agent.child.close()


@pytest.fixture(scope="module")
def agent() -> Iterator[RawAgent]:
    with Runtime() as opened:
        agent = RawAgent(opened)
        yield agent
        agent.child.close()


def test_the_verbs_of_the_page_are_the_table() -> None:
    assert verbs_section() in PAGE, "run: python docs/generate.py"


def test_a_verb_needs_a_capability_of_the_model() -> None:
    needs = {capability for row in OPTIONAL for capability in (row.needs, *row.field_needs.values()) if capability}

    assert needs <= set(Capability)


def test_the_page_names_every_capability_and_no_other() -> None:
    section = PAGE.partition("\n## Capabilities\n")[2].partition("\n## ")[0]

    assert re.findall(r"^\| `([^`]+)` \|", section, re.MULTILINE) == [capability.value for capability in Capability]


def test_the_page_names_every_default_and_no_other() -> None:
    section = PAGE.partition("\n## Defaults\n")[2].partition("\n## ")[0]

    assert re.findall(r"^\| `([^`]+)` \|", section, re.MULTILINE) == list(defaults_reported("3.0.19"))


def test_the_page_names_every_fact_and_no_other() -> None:
    assert [fact.name for fact in fields(Facts)] == FACT_ROWS


def test_the_page_names_every_kind_of_error_and_no_other() -> None:
    assert sorted(KIND_ROWS) == sorted(KINDS)


def alike(written: Any, real: Any) -> bool:
    """Whether a real value is what is written, where … stands for anything; a list may be of other length then."""
    if written == "…":
        return True
    if isinstance(written, dict):
        same = isinstance(real, dict) and written.keys() == real.keys()
        return same and all(alike(value, real[key]) for key, value in written.items())
    if isinstance(written, list):
        return len(written) == len(real) and all(map(alike, sorted(written, key=str), sorted(real, key=str)))
    if isinstance(written, str) and written.endswith("…"):
        return isinstance(real, str) and real.startswith(written[:-1])
    return bool(written == real)


def play(runtime: Runtime, fresh: RawAgent, protocol: int) -> tuple[dict[int, Any], dict[int, Any]]:
    """Have the conversation of the page with an agent: its replies on the page, and in fact, by the id."""
    issued = runtime.pki.issued("server")
    written = {(r := json.loads(line[2:]))["id"]: r for line in CONVERSATION if line.startswith("< ")}
    real: dict[int, Any] = {}
    port = b"0"
    for burst in re.findall(r"(?:^> .*\n)+", "\n".join([*CONVERSATION, ""]), re.MULTILINE):
        text = burst.replace("/run/harness/server.crt", str(issued.certificate))
        lines = [line[2:].encode() for line in text.replace("/run/harness/server.key", str(issued.key)).splitlines()]
        lines = [re.sub(rb'"port": \d+', b'"port": ' + port, line) for line in lines]
        for reply in fresh.answers(*lines):
            real[reply["id"]] = reply
            port = str(reply.get("ok", {}).get("port", port.decode())).encode()
    written[1]["ok"] |= {"pid": fresh.child.pid, "protocol": protocol}
    written[4]["ok"]["port"] = int(port)
    return written, real


def test_the_conversation_on_the_page_runs(runtime: Runtime, fresh: RawAgent) -> None:
    written, real = play(runtime, fresh, PROTOCOL)

    assert {number: reply for number, reply in written.items() if not alike(reply, real[number])} == {}
    assert real.keys() == written.keys()


def test_the_conversation_runs_with_a_copy_of_the_folder_alone(runtime: Runtime, copied: RawAgent) -> None:
    written, real = play(runtime, copied, COPY)
    imported = set(re.findall(r"\bharness[\w.]*", copied.child.output))

    assert {number: reply for number, reply in written.items() if not alike(reply, real[number])} == {}
    assert "harness.agent.drivers.libssl.context" in imported
    assert {name for name in imported if not name.startswith("harness.agent")} == set()


BAD_LINES = {
    "no JSON": (b"hello", "one line with one JSON object"),
    "an empty line": (b"", "one line with one JSON object"),
    "half an object": (b'{"id": 1, "verb": "hello"', "one line with one JSON object"),
    "no UTF-8": (b'{"id": 1, "verb": "\xff\xfe"}', "one line with one JSON object"),
    "nested too deeply": (b"[" * 100_000, "one line with one JSON object"),
    "no object": (b"[1, 2]", "must be a JSON object, not list"),
    "no id": (b'{"verb": "hello"}', "id must be an integer, not None"),
    "an id of text": (b'{"id": "1", "verb": "hello"}', "id must be an integer, not '1'"),
    "an id of true": (b'{"id": true, "verb": "hello"}', "id must be an integer, not True"),
    "no verb": (b'{"id": 1}', "no verb None; the verbs are: hello, context, "),
    "an unknown verb": (b'{"id": 1, "verb": "dance"}', "no verb 'dance'; the verbs are: hello, "),
    "a verb of a list": (b'{"id": 1, "verb": []}', "no verb []; the verbs are"),
    "an unknown field": (b'{"id": 1, "verb": "hello", "x": 1}', "hello has no field x; its fields are: none"),
    "a missing field": (b'{"id": 1, "verb": "listen", "as": "l"}', "listen needs context: 1 to 64 letters"),
    "an unknown context": (
        b'{"id": 1, "verb": "listen", "context": "c", "as": "l"}',
        "no context 'c'; there are: none",
    ),
    "an unknown listener": (b'{"id": 1, "verb": "unlisten", "listener": "l"}', "no listener 'l'; there are: none"),
    "an unknown connection": (b'{"id": 1, "verb": "release", "connection": "k"}', "no connection 'k'; there are: none"),
    "a bad name": (b'{"id": 1, "verb": "release", "connection": "a b"}', "connection of release cannot be 'a b'"),
    "bad bytes": (b'{"id": 1, "verb": "write", "connection": "k", "data": "0g"}', "hexadecimal digits, two per byte"),
    "a bad role": (b'{"id": 1, "verb": "context", "as": "c", "role": "both"}', 'allowed: "client" | "server"'),
    "an unknown knob": (
        b'{"id": 1, "verb": "context", "as": "c", "role": "client", "knobs": {"num_tickets": 1}}',
        "a client has no knob num_tickets; its knobs are: versions, ",
    ),
    "a knob of the wrong type": (
        b'{"id": 1, "verb": "context", "as": "c", "role": "client", "knobs": {"tickets": "on"}}',
        "knob tickets cannot be 'on'; allowed: true or false",
    ),
    "a knob beyond its range": (
        b'{"id": 1, "verb": "context", "as": "c", "role": "server", "knobs": {"ticket_keys": "00"}}',
        "allowed: 80 bytes",
    ),
    "an unknown file": (
        b'{"id": 1, "verb": "context", "as": "c", "role": "client", "files": {"crl": "x"}}',
        "there is no file crl; the files are: ca, certificate, key",
    ),
}


@pytest.mark.parametrize(("line", "words"), BAD_LINES.values(), ids=BAD_LINES.keys())
def test_a_bad_line_gets_an_error_that_says_what_is_allowed(agent: RawAgent, line: bytes, words: str) -> None:
    [reply] = agent.answers(line)

    assert reply["error"]["kind"] == "usage"
    assert words in reply["error"]["message"]


def test_the_agent_lives_on_after_bad_lines(agent: RawAgent) -> None:
    agent.answers(b"\x00", b"{}", b'{"id": 1, "verb": 2}')

    assert agent.answer(id=2, verb="hello")["ok"]["protocol"] == 2


def test_what_a_library_prints_does_not_reach_the_replies(stub: RawAgent) -> None:
    reply = stub.answer(id=1, verb="context", **{"as": "c", "role": "client"})

    assert reply == {"id": 1, "error": {"kind": "lack", "message": "no contexts here"}}
    assert "a library that prints" in stub.child.output


def test_a_fault_of_a_driver_is_an_internal_error_with_its_traceback(stub: RawAgent) -> None:
    reply = stub.answer(id=1, verb="context", **{"as": "c", "role": "client", "knobs": {"timeout": 1}})

    assert reply["error"]["kind"] == "internal"
    assert "RuntimeError: a fault of the driver" in reply["error"]["message"]


def test_the_agent_ends_when_its_input_ends(runtime: Runtime, fresh: RawAgent) -> None:
    fresh.answer(id=1, verb="hello")
    fresh.child.end_input()
    runtime.loop.settle([fresh.child.ended])

    assert fresh.child.ended.result() == 0


def test_the_agent_ends_on_sigterm(runtime: Runtime, fresh: RawAgent) -> None:
    fresh.answer(id=1, verb="hello")
    fresh.child.terminate()
    runtime.loop.settle([fresh.child.ended])

    assert fresh.child.ended.result() == -15


def test_an_agent_whose_library_does_not_load_says_so_and_ends(runtime: Runtime) -> None:
    argv = (sys.executable, "-P", "-m", "harness.agent", "libssl", "--libssl", "/nowhere", "--libcrypto", "/nowhere")
    agent = RawAgent(runtime, *argv)
    runtime.loop.settle([agent.child.ended])
    agent.child.close()

    assert agent.child.ended.result() == 1
    assert "cannot load libssl --libssl /nowhere --libcrypto /nowhere" in agent.child.output


def test_the_agent_imports_nothing_heavy_before_its_driver() -> None:
    code = "import harness.agent.program, sys; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, check=True, text=True, timeout=stretched(10)
    )

    assert HEAVY & set(loaded.stdout.split()) == set()


def test_requests_from_a_file_are_refused_with_what_to_do(tmp_path: Path) -> None:
    requests = tmp_path / "requests"
    requests.write_text('{"id": 1, "verb": "hello"}\n')
    with requests.open() as file:
        argv = [sys.executable, "-P", "-m", "harness.agent", "ssl"]
        done = subprocess.run(argv, check=False, stdin=file, capture_output=True, text=True, timeout=stretched(10))

    assert (done.returncode, done.stdout) == (1, "")
    assert "reads requests from a pipe, not from a file: cat FILE |" in done.stderr
