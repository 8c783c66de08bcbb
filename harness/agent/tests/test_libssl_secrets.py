"""The key log that the driver makes for releases without one has the master key that openssl prints of a session."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from harness.agent.drivers.libssl.secrets import master_key
from harness.runtime.runtime import Runtime
from harness.tests.live_sessions import Live

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def live() -> Iterator[Live]:
    with Runtime() as runtime:
        yield Live(runtime)


@pytest.mark.parametrize("kind", ["tls12-id", "tls12-ticket", "client-cert"])
def test_the_third_octet_string_of_a_session_is_its_master_key(live: Live, kind: str) -> None:
    shown = re.search(r"Master-Key: ([0-9A-F]+)", live.printed(kind))

    assert shown is not None
    assert master_key(live.der(kind)) == bytes.fromhex(shown[1])


def test_what_has_no_third_octet_string_has_no_master_key() -> None:
    assert master_key(bytes.fromhex("3007020101040100")) == b""
