"""A name that a library does not know, as of a group, is unsupported by its build."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.builds.system import build_for
from harness.model.build import Build
from harness.model.errors import UnsupportedError
from harness.model.knobs import ClientConfig, ServerConfig
from harness.model.tls import TLSVersion
from harness.pair.pair import Pair
from harness.runtime.runtime import Runtime
from harness.stacks.libssl import LibsslStack
from harness.stacks.openssl import OpensslStack
from harness.stacks.pyopenssl import PyopensslStack
from harness.stacks.ssl_ import SslStack

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from harness.stacks.base import Stack

    Connect = Callable[[str, str, ClientConfig, ServerConfig], Pair]

STACKS: dict[str, Callable[[Build, Runtime], Stack]] = {
    "openssl": OpensslStack,
    "libssl": LibsslStack,
    "pyopenssl": PyopensslStack,
    "ssl": SslStack,
}
KNOBS = {"groups": "groups", "ciphers": "cipher", "ciphersuites": "ciphersuites"}
"""The knobs whose values are names, and the flags of s_client and s_server."""


@pytest.fixture
def connect() -> Iterator[Connect]:
    """Make a pair of two stacks, by their names, and a connection; close all of it after the test."""
    made: list[Stack | Pair] = []

    def stack_of(name: str) -> Stack:
        build = build_for(name)
        if not isinstance(build, Build):
            raise TypeError(build)
        stack = STACKS[name](build, runtime)
        made.append(stack)
        return stack

    def run(client: str, server: str, client_knobs: ClientConfig, server_knobs: ServerConfig) -> Pair:
        stacks = stack_of(client), stack_of(server)
        pair = Pair(stacks, TLSVersion.TLSv1_3, runtime, client=client_knobs, server=server_knobs)
        made.append(pair)
        pair.connect()
        return pair

    with Runtime() as runtime:
        yield run
        for each in reversed(made):
            each.close()


@pytest.mark.parametrize("name", STACKS)
@pytest.mark.parametrize(("knob", "flag"), KNOBS.items())
def test_client_that_does_not_know_a_name_is_unsupported(connect: Connect, name: str, knob: str, flag: str) -> None:
    with pytest.raises(UnsupportedError, match=rf"^{name}@\S+ lacks .*({knob}|-{flag} nonsense)"):
        connect(name, "libssl", ClientConfig().changed(**{knob: "nonsense"}), ServerConfig())


@pytest.mark.parametrize("name", STACKS)
@pytest.mark.parametrize(("knob", "flag"), KNOBS.items())
def test_server_that_does_not_know_a_name_is_unsupported(connect: Connect, name: str, knob: str, flag: str) -> None:
    with pytest.raises(UnsupportedError, match=rf"^{name}@\S+ lacks .*({knob}|-{flag} nonsense)"):
        connect("libssl", name, ClientConfig(), ServerConfig().changed(**{knob: "nonsense"}))


@pytest.mark.parametrize("name", ["openssl", "libssl"])
def test_early_data_is_reported_byte_for_byte_by_both_ends(connect: Connect, name: str) -> None:
    pair = connect(name, name, ClientConfig(max_early_data=20), ServerConfig(max_early_data=100))
    first = pair.connections[0]
    second = pair.connect(offer=first.session)

    assert first.client.early_bytes is None
    assert second.client.early_bytes == b"0000000000000008" + b"0000"
    assert second.server.early_bytes == second.client.early_bytes
