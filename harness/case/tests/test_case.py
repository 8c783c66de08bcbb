"""`--age` lets time pass at both ends, exact to the second; `--age-copy` makes the client's copy alone older."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.case import case as case_module
from harness.case.case import Ends, refusals, run
from harness.case.desk import desk
from harness.explain.resumed.lifetime import expiry_of
from harness.model.knobs import ClientConfig, ServerConfig
from harness.model.tls import USUAL_VERSIONS, Outcome, Role
from harness.runtime.clock import library
from harness.stacks.openssl.abilities import program_abilities

if TYPE_CHECKING:
    from harness.model.tls import TLSVersion
    from harness.runtime.runtime import Runtime
    from harness.stacks.machine import Machine
    from harness.story.story import Story

TLS12, TLS13 = USUAL_VERSIONS
MINUTE = ServerConfig(timeout=60)
STATEFUL = ServerConfig(timeout=60, tickets=False)
FULL, DECLINED, RESUMED = Outcome.FULL, Outcome.DECLINED, Outcome.RESUMED

moves_clocks = pytest.mark.skipif(library() is None, reason="libfaketime has no library for this system")


def last(machine: tuple[Machine, Runtime], case: Story, client: str = "libssl", server: str = "libssl") -> Outcome:
    result = run(case, machine[0].one(client), machine[0].one(server), machine[1])
    return result.connections[-1].outcome


@moves_clocks
@pytest.mark.parametrize("server", [MINUTE, STATEFUL], ids=["stateless", "stateful"])
@pytest.mark.parametrize(
    ("tls", "seconds", "outcome"),
    [
        (TLS12, 59, RESUMED),
        (TLS12, 60, RESUMED),
        (TLS12, 61, DECLINED),
        (TLS12, 62, DECLINED),
        (TLS13, 59, RESUMED),
        (TLS13, 60, RESUMED),
        (TLS13, 61, DECLINED),
        (TLS13, 62, FULL),
    ],
)
def test_time_passes_at_both_ends(
    machine: tuple[Machine, Runtime], server: ServerConfig, tls: TLSVersion, seconds: int, outcome: Outcome
) -> None:
    assert last(machine, desk(tls=tls, server=server, age=seconds)) is outcome


@moves_clocks
@pytest.mark.parametrize(("tls", "seconds", "outcome"), [(TLS12, 99, RESUMED), (TLS13, 61, RESUMED), (TLS13, 62, FULL)])
def test_the_copy_alone_grows_older(
    machine: tuple[Machine, Runtime], tls: TLSVersion, seconds: int, outcome: Outcome
) -> None:
    assert last(machine, desk(tls=tls, server=MINUTE, age_copy=seconds)) is outcome


@moves_clocks
@pytest.mark.parametrize("client", ["openssl", "pyopenssl", "ssl"])
def test_time_passes_for_every_client(machine: tuple[Machine, Runtime], client: str) -> None:
    assert last(machine, desk(tls=TLS13, server=MINUTE, age=62), client) is FULL


@moves_clocks
def test_time_passes_before_each_further_connection(machine: tuple[Machine, Runtime]) -> None:
    libssl = machine[0].one("libssl")
    case = desk(tls=TLS12, server=STATEFUL, age=40, times=2)
    result = run(case, libssl, libssl, machine[1])

    assert [connection.outcome for connection in result.connections] == [FULL, RESUMED, DECLINED]


@moves_clocks
def test_time_passes_for_a_server_that_is_restarted(machine: tuple[Machine, Runtime]) -> None:
    shared = ServerConfig(timeout=60, ticket_keys="a")
    case = desk(tls=TLS12, server=shared, then_server={"clock": None, "timeout": 90}, age=61)

    assert last(machine, case) is DECLINED


@moves_clocks
def test_an_end_whose_clock_differs_keeps_its_difference(machine: tuple[Machine, Runtime]) -> None:
    case = desk(tls=TLS13, client=ClientConfig(clock=-30), server=MINUTE, age=61)

    assert last(machine, case) is DECLINED


def test_a_stack_whose_clock_cannot_move_says_so(
    machine: tuple[Machine, Runtime], monkeypatch: pytest.MonkeyPatch
) -> None:
    openssl = machine[0].one("openssl")
    still = program_abilities(Role.SERVER, openssl.build.version, "no libfaketime")
    monkeypatch.setattr(openssl, "abilities", lambda _role: still, raising=False)

    ends = Ends(machine[0].one("libssl"), openssl)

    assert refusals(desk(tls=TLS13, age=1), ends) == [
        case_module.NO_TIME.format(
            role="server", stack=openssl.label, step="step 1 (stop_clocks)", why="no libfaketime"
        )
    ]
    assert refusals(desk(tls=TLS13, age_copy=1), ends) == []


@moves_clocks
@pytest.mark.parametrize(
    ("tls", "server", "option", "first"),
    [
        (TLS12, STATEFUL, "age", ("server", 61)),
        (TLS12, MINUTE, "age", ("server", 61)),
        (TLS13, STATEFUL, "age", ("server", 61)),
        (TLS13, MINUTE, "age", ("server", 61)),
        (TLS13, MINUTE, "age_copy", ("client", 62)),
    ],
)
def test_a_resumption_reports_the_first_age_that_does_not_resume(
    machine: tuple[Machine, Runtime], tls: TLSVersion, server: ServerConfig, option: str, first: tuple[str, int]
) -> None:
    libssl = machine[0].one("libssl")

    def aged(seconds: int) -> Story:
        return desk(tls, server=server, age=seconds * (option == "age"), age_copy=seconds * (option == "age_copy"))

    result = run(aged(first[1] - 1), libssl, libssl, machine[1])
    expiry = expiry_of(result.connections, result.connections[-1])

    assert expiry is not None
    assert expiry.first == first
    assert last(machine, aged(first[1])) is not RESUMED
