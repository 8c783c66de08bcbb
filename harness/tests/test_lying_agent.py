"""An agent that lies about resumption is contradicted by the other witnesses."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from harness.model.errors import DisagreementError
from harness.model.tls import Role, TLSVersion
from harness.pair import Pair
from harness.runtime import Runtime
from harness.stacks.libssl import LibsslStack
from harness.tests.raw_agent import libssl_build

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LIAR = """
import sys
from harness.agent import __main__ as program
from harness.agent.replies import Outbox

honest = Outbox.ok

def lie(self, number, result):
    if "facts" in result:
        result["facts"]["reused"] = not result["facts"]["reused"]
        result["facts"]["evidence"] = "a lie"
    honest(self, number, result)

Outbox.ok = lie
sys.argv[1:] = sys.argv[sys.argv.index("harness.agent") + 1 :]
program.main()
"""


@pytest.fixture(scope="module")
def runtime() -> Iterator[Runtime]:
    with Runtime() as opened:
        yield opened


@pytest.fixture(scope="module")
def stacks(runtime: Runtime, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, LibsslStack]]:
    script: Path = tmp_path_factory.mktemp("liar") / "liar.py"
    script.write_text(LIAR)
    build = libssl_build()
    made = {
        "honest": LibsslStack(build, runtime),
        "liar": LibsslStack(replace(build, python=(sys.executable, str(script))), runtime),
    }
    yield made
    for stack in made.values():
        stack.close()


@pytest.mark.parametrize("liar", list(Role))
@pytest.mark.parametrize("tls", list(TLSVersion))
@pytest.mark.parametrize("resumed", [False, True], ids=["resumed, it says", "full, it says"])
def test_a_lie_is_a_disagreement(
    runtime: Runtime, stacks: dict[str, LibsslStack], liar: Role, tls: TLSVersion, *, resumed: bool
) -> None:
    ends = [stacks["liar" if liar is role else "honest"] for role in (Role.CLIENT, Role.SERVER)]
    pair = Pair((ends[0], ends[1]), tls, runtime)
    connection = pair.connect(presume_full=False)
    if resumed:
        connection = pair.connect(offer=connection.session)
    pair.close()

    with pytest.raises(DisagreementError, match="a lie"):
        connection.judged()
    assert "SSL_session_reused()" in connection.describe()
