"""A value that the TLS library refuses has the same end on each stack, which names the knob; what fits resumes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.case.case import run
from harness.case.desk import desk
from harness.model.errors import RefusedError, UnsupportedError
from harness.model.knobs import ClientConfig, ServerConfig
from harness.model.tls import Outcome, Role, TLSVersion

if TYPE_CHECKING:
    from harness.case.case import CaseResult
    from harness.model.knobs import Config
    from harness.runtime.runtime import Runtime
    from harness.stacks.machine import Machine

STACKS = ("libssl", "openssl", "pyopenssl", "ssl")


def case(machine: tuple[Machine, Runtime], stack: str, config: Config) -> CaseResult:
    """Run a case whose client or server, as the config says, is of this stack."""
    ends = {"client": machine[0].one("libssl"), "server": machine[0].one("libssl")}
    ends[config.role] = machine[0].one(stack)
    made = desk(tls=TLSVersion.TLSv1_3, **{str(config.role): config})  # type: ignore[arg-type]
    return run(made, ends["client"], ends["server"], machine[1])


@pytest.mark.parametrize("stack", STACKS)
@pytest.mark.parametrize("knobs", [{"ciphers": "nonsense"}, {"groups": "nonsense"}], ids=str)
def test_a_name_that_openssl_does_not_know_is_unsupported(
    machine: tuple[Machine, Runtime], stack: str, knobs: dict[str, str]
) -> None:
    [(name, value)] = knobs.items()
    lacks = machine[0].one(stack).abilities(Role.CLIENT).lacks_knob(name, value)
    if lacks:
        pytest.skip(f"{stack}: {lacks}")

    with pytest.raises(UnsupportedError, match=name.removesuffix("s")):
        case(machine, stack, ClientConfig(**knobs))  # type: ignore[arg-type]


@pytest.mark.parametrize("stack", ["libssl", "pyopenssl"])
def test_a_context_of_33_bytes_is_refused(machine: tuple[Machine, Runtime], stack: str) -> None:
    with pytest.raises(RefusedError, match=r"\(session_id_context\): lib=20 reason=273"):
        case(machine, stack, ServerConfig(session_id_context=b"a" * 33))


@pytest.mark.parametrize("stack", STACKS)
@pytest.mark.parametrize(
    "config",
    [ClientConfig(alpn=("a" * 255,)), ServerConfig(alpn=("a" * 255, "b")), ServerConfig(num_tickets=1512)],
    ids=["client alpn", "server alpn", "tickets"],
)
def test_the_longest_values_work_on_each_stack(machine: tuple[Machine, Runtime], stack: str, config: Config) -> None:
    assert case(machine, stack, config).connections[-1].outcome is Outcome.RESUMED


@pytest.mark.parametrize("stack", ["libssl", "openssl"])
def test_early_data_that_the_session_does_not_allow_are_not_sent(machine: tuple[Machine, Runtime], stack: str) -> None:
    server = ServerConfig(max_early_data=50, anti_replay=False)
    made = desk(tls=TLSVersion.TLSv1_3, client=ClientConfig(max_early_data=51), server=server)
    result = run(made, machine[0].one(stack), machine[0].one("libssl"), machine[1])

    assert result.connections[-1].outcome is Outcome.RESUMED
    assert result.connections[-1].client.early_data == "not_sent"
    assert result.notes == (
        "connection 2 sends no early data: the client's max_early_data is 51 bytes and the session allows 50",
    )
