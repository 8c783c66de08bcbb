"""A minimized case keeps exactly the parts that affect its result."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.case.case import Case, run
from harness.case.minimize import minimized
from harness.model.errors import HarnessError
from harness.model.knobs import ClientConfig, ServerConfig, Verify
from harness.model.tls import Close, Outcome, TLSVersion

if TYPE_CHECKING:
    from harness.case.case import CaseResult
    from harness.case.minimize import Minimal
    from harness.runtime.runtime import Runtime
    from harness.stacks.machine import Machine


def smallest(machine: tuple[Machine, Runtime], case: Case) -> Minimal:
    libssl = machine[0].one("libssl")

    def again(case: Case) -> CaseResult:
        return run(case, libssl, libssl, machine[1])

    return minimized(case, again(case), again)


def test_what_makes_it_declined_stays(machine: tuple[Machine, Runtime]) -> None:
    case = Case(
        tls=TLSVersion.TLSv1_2,
        client=ClientConfig(server_name="server.example"),
        server=ServerConfig(tickets=False, timeout=300, groups="P-256"),
        close=Close.CLIENT_ONLY,
        times=2,
    )
    found = smallest(machine, case)

    assert found.left_out == (
        "--client-set server_name=server.example",
        "--server-set timeout=300",
        "--server-set groups=P-256",
        "--times 2",
    )
    assert found.case == Case(
        tls=TLSVersion.TLSv1_2, server=ServerConfig(tickets=False), close=Close.CLIENT_ONLY, times=1
    )
    assert found.result.connections[-1].observed_outcome() is Outcome.DECLINED


def test_a_restart_stays_though_its_knob_does_not_matter(machine: tuple[Machine, Runtime]) -> None:
    case = Case(tls=TLSVersion.TLSv1_3, then_server={"num_tickets": 3, "timeout": 77}, close=Close.EOF)
    found = smallest(machine, case)

    assert found.left_out == ("--then-server-set num_tickets=3", "--close eof")
    assert found.case.then_server == {"timeout": 77}


def test_the_alert_must_stay_too(machine: tuple[Machine, Runtime]) -> None:
    case = Case(
        tls=TLSVersion.TLSv1_3,
        client=ClientConfig(client_certificate="stranger", alpn=("h2",)),
        server=ServerConfig(verify=Verify.REQUIRED),
    )
    found = smallest(machine, case)

    assert found.left_out == ("--client-set alpn=h2",)


def test_nothing_is_left_out_of_the_smallest(machine: tuple[Machine, Runtime]) -> None:
    assert smallest(machine, Case(tls=TLSVersion.TLSv1_3)).left_out == ()


def test_a_smaller_case_that_cannot_be_run_is_none(machine: tuple[Machine, Runtime]) -> None:
    libssl = machine[0].one("libssl")
    case = Case(tls=TLSVersion.TLSv1_3, age=10)

    def fails(_case: Case) -> CaseResult:
        raise HarnessError("no")

    assert minimized(case, run(case, libssl, libssl, machine[1]), fails).case == case
