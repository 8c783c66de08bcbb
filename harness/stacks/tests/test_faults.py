"""A callback that raises, ends its process or never returns is named, whatever library calls it, and nothing hangs.

The fault is put into the agent's own callback as its process starts; the agent is else as it is. What libssl does is in
test_callbacks.
"""

from __future__ import annotations

import os
import shutil
import sys
from contextlib import ExitStack
from ctypes.util import find_library
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from harness.agent.vocabulary import ChosenAt
from harness.builds.system import build_for
from harness.model.build import Build
from harness.model.errors import EndpointError, HarnessError, TimedOutError
from harness.model.knobs import ClientConfig
from harness.model.tls import Role, TLSVersion
from harness.pair.pair import Pair
from harness.runtime.runtime import Runtime
from harness.stacks.foreign import ForeignStack, Registration, ask_hello
from harness.stacks.libssl import LibsslStack
from harness.stacks.pyopenssl import PyopensslStack
from harness.stacks.ssl_ import SslStack
from harness.tests.raw_agent import libssl_build

if TYPE_CHECKING:
    from harness.stacks.base import Stack

FOREIGN = Path(__file__).parents[2] / "foreign"
NAME = "other.example"
SOON = 1.0
"""Seconds after which these tests give up on a callback that does not return."""
IN_PYTHON = """
import os, signal, threading
from {module} import {owner}
def {method}(*_given):
    {fault}
{method}.__qualname__ = "{owner}.{method}"
{owner}.{method} = {method}
"""
FAULTS = {
    "raises": "raise ZeroDivisionError('a fault that the test made')",
    "dies": "os.kill(os.getpid(), signal.SIGKILL)",
    "hangs": "threading.Event().wait()",
}
IN_NODE = """
const { TLSSocket } = require("tls");
const on = TLSSocket.prototype.on;
TLSSocket.prototype.on = function (name, listener) {
  return on.call(this, name, name === "keylog" ? () => { FAULT } : listener);
};
"""
NODE_FAULTS = {
    "raises": "throw new Error('a fault that the test made')",
    "dies": "process.kill(process.pid, 'SIGKILL')",
    "hangs": "Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)",
}


@dataclass(frozen=True)
class Called:
    """A function of an agent that its library calls, or that such a function calls."""

    module: str
    owner: str
    method: str
    named: str
    """The callback that is named."""


CALLED = {
    "pyopenssl": Called(
        "harness.agent.drivers.pyopenssl.context", "PyopensslContext", "_adopt", "PyopensslContext._named"
    ),
    "ssl": Called("harness.agent.drivers.ssl_.context", "SslContext", "adopt", "SslContext._named"),
    "gnutls": Called(
        "harness.foreign.gnutls.connection", "GnutlsConnection", "_on_secret", "GnutlsConnection._on_secret"
    ),
}


def stack_with(name: str, fault: str, runtime: Runtime, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Stack:
    """The stack whose agent has this fault in a callback; skips what is not here."""
    called = CALLED[name]
    text = IN_PYTHON.format(**vars(called), fault=FAULTS[fault])
    (folder / "sitecustomize.py").write_text(text)
    if name == "gnutls":
        if find_library("gnutls") is None:
            pytest.skip("no libgnutls here: apt install libgnutls30")
        monkeypatch.setenv("PYTHONPATH", os.pathsep.join((str(folder), str(FOREIGN.parents[1]))))
        one = Registration(name, (sys.executable, "-P", "-m", "harness.foreign.gnutls.agent"))
        return ForeignStack(one, ask_hello(one, runtime), runtime)
    build = build_for(name)
    assert isinstance(build, Build)
    faulty = replace(build, environment={**build.environment, "PYTHONPATH": str(folder)})
    return (PyopensslStack if name == "pyopenssl" else SslStack)(faulty, runtime)


def failure_of(stack: Stack, runtime: Runtime, *, chooses: bool) -> HarnessError:
    """What becomes of a connection whose server has the fault."""
    with ExitStack() as opened:
        client = LibsslStack(libssl_build(), runtime)
        opened.callback(stack.close)
        opened.callback(client.close)
        pair = Pair((client, stack), TLSVersion.TLSv1_2, runtime, client=ClientConfig(server_name=NAME))
        opened.callback(pair.close)
        if chooses:
            first = pair.server
            other = pair.new_server()
            pair.use(Role.SERVER, 1)
            first.choose(NAME, other, ChosenAt.SERVER_NAME)
        with pytest.raises(HarnessError) as caught:
            pair.connect()
        return caught.value


@pytest.mark.parametrize("fault", list(FAULTS))
@pytest.mark.parametrize("name", list(CALLED))
def test_a_callback_with_a_fault_is_named(
    name: str, fault: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Runtime() as runtime:
        stack = stack_with(name, fault, runtime, tmp_path, monkeypatch)
        runtime.loop.deadline = SOON if fault == "hangs" else runtime.loop.deadline
        error = failure_of(stack, runtime, chooses=name != "gnutls")

    assert isinstance(error, TimedOutError if fault == "hangs" else EndpointError)
    said = str(error)
    assert stack.label in said
    if fault == "raises":
        assert "ZeroDivisionError: a fault that the test made" in said
        assert f"raised in the callback {CALLED[name].named}" in said
    else:
        assert ("was killed by SIGKILL" if fault == "dies" else "waited 1 s for") in said


@pytest.mark.parametrize("fault", list(NODE_FAULTS))
def test_a_listener_of_node_with_a_fault_is_named(fault: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An exception that no listener of Node.js catches ends its process, which says what it was."""
    program = shutil.which("node")
    if program is None:
        pytest.skip("no node here: apt install nodejs")
    (tmp_path / "fault.js").write_text(IN_NODE.replace("FAULT", NODE_FAULTS[fault]))
    monkeypatch.setenv("NODE_OPTIONS", f"--require {tmp_path / 'fault.js'}")
    with Runtime() as runtime:
        one = Registration("node", (program, str(FOREIGN / "node/agent.js")))
        stack = ForeignStack(one, ask_hello(one, runtime), runtime)
        runtime.loop.deadline = SOON if fault == "hangs" else runtime.loop.deadline
        error = failure_of(stack, runtime, chooses=False)

    said = str(error)
    assert stack.label in said
    expected = {
        "raises": "a fault that the test made",
        "dies": "was killed by SIGKILL",
        "hangs": "waited 1 s for",
    }
    assert expected[fault] in said
