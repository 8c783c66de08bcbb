"""A flag that this build's program does not have: unsupported if it is that of a knob."""

from __future__ import annotations

import subprocess

import pytest

from harness.model.errors import UnsupportedError
from harness.model.tls import Role
from harness.stacks.openssl.refusal import refusal


@pytest.fixture(scope="module")
def unknown() -> str:
    """What the machine's s_server really prints of a flag that no build has."""
    done = subprocess.run(["openssl", "s_server", "-nonsense"], capture_output=True, text=True, check=False)  # noqa: S607
    assert "-nonsense" in done.stderr
    return done.stderr


def test_the_flag_of_a_knob_is_unsupported(unknown: str) -> None:
    refused = refusal("openssl", Role.SERVER, unknown.replace("-nonsense", "-cert_comp"), 3)

    assert isinstance(refused, UnsupportedError)
    assert "this build's s_server has no -cert_comp" in str(refused)


@pytest.mark.parametrize("flag", ["-nonsense", "-no_rx_cert_com"])
def test_another_flag_remains_an_error(unknown: str, flag: str) -> None:
    assert refusal("openssl", Role.SERVER, unknown.replace("-nonsense", flag), 3) is None
