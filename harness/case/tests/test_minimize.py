"""A minimized case keeps exactly the parts that affect its result."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.case.case import run
from harness.case.desk import desk
from harness.case.minimize import minimized
from harness.model.errors import HarnessError
from harness.model.knobs import ClientConfig, ServerConfig, Verify
from harness.model.tls import Close, Outcome, TLSVersion
from harness.story.step import Offer
from harness.story.steps import Connect, NewServer

if TYPE_CHECKING:
    from harness.case.case import CaseResult
    from harness.case.minimize import Minimal
    from harness.runtime.runtime import Runtime
    from harness.stacks.machine import Machine
    from harness.story.story import Story


def smallest(machine: tuple[Machine, Runtime], case: Story) -> Minimal:
    libssl = machine[0].one("libssl")

    def again(case: Story) -> CaseResult:
        return run(case, libssl, libssl, machine[1])

    return minimized(case, again(case), again)


def test_what_makes_it_declined_stays(machine: tuple[Machine, Runtime]) -> None:
    case = desk(
        tls=TLSVersion.TLSv1_2,
        client=ClientConfig(server_name="server.example"),
        server=ServerConfig(tickets=False, timeout=300, groups="P-256"),
        close=Close.CLIENT_ONLY,
        times=2,
    )
    found = smallest(machine, case)

    assert found.left_out == (
        "step 3 (connect)",
        "client knob server_name=server.example",
        "server knob timeout=300",
        "server knob groups=P-256",
        "close client-only of step 2 (connect)",
    )
    assert found.story.server.knobs == {"tickets": "off"}
    assert found.story.steps == (Connect(close=Close.CLIENT_ONLY), Connect(offer=Offer()))
    assert found.result.connections[-1].observed_outcome() is Outcome.DECLINED


def test_a_restart_stays_though_its_knobs_do_not_matter(machine: tuple[Machine, Runtime]) -> None:
    case = desk(tls=TLSVersion.TLSv1_3, then_server={"num_tickets": 3, "timeout": 77}, close=Close.EOF)
    found = smallest(machine, case)

    assert found.left_out == ("close eof", "num_tickets=3 of step 2 (new_server)", "timeout=77 of step 2 (new_server)")
    assert found.story.steps[1] == NewServer()


def test_the_alert_must_stay_too(machine: tuple[Machine, Runtime]) -> None:
    case = desk(
        tls=TLSVersion.TLSv1_3,
        client=ClientConfig(client_certificate="stranger", alpn=("h2",)),
        server=ServerConfig(verify=Verify.REQUIRED),
    )
    found = smallest(machine, case)

    assert found.left_out == ("client knob alpn=h2",)


def test_nothing_is_left_out_of_the_smallest(machine: tuple[Machine, Runtime]) -> None:
    assert smallest(machine, desk(tls=TLSVersion.TLSv1_3)).left_out == ()


def test_a_smaller_case_that_cannot_be_run_is_none(machine: tuple[Machine, Runtime]) -> None:
    libssl = machine[0].one("libssl")
    case = desk(tls=TLSVersion.TLSv1_3, age=10)

    def fails(_case: Story) -> CaseResult:
        raise HarnessError("no")

    assert minimized(case, run(case, libssl, libssl, machine[1]), fails).story == case
