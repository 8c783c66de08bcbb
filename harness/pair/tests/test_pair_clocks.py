"""Time passes for every endpoint of a pair, also for those that are made later, and never for one without a clock."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.model.errors import UsageError
from harness.model.knobs import ClientConfig, ServerConfig
from harness.model.setup import Action
from harness.model.tls import USUAL_VERSIONS, Outcome, Role
from harness.pair.pair import Pair
from harness.runtime.clock import library

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from harness.model.tls import TLSVersion
    from harness.runtime.runtime import Runtime
    from harness.stacks.machine import Machine

NOW = 1_800_000_000
STACKS = ("libssl", "openssl", "pyopenssl", "ssl")
TLS12, TLS13 = USUAL_VERSIONS

pytestmark = pytest.mark.skipif(library() is None, reason="libfaketime has no library for this system")


@pytest.fixture
def paired(machine: tuple[Machine, Runtime]) -> Iterator[Callable[..., Pair]]:
    made: list[Pair] = []

    def pair(client: str = "libssl", server: str = "libssl", tls: TLSVersion = TLS13, **knobs: object) -> Pair:
        configs = ClientConfig(clock=0), ServerConfig(clock=0).changed(**knobs)
        stacks = machine[0].one(client), machine[0].one(server)
        made.append(Pair(stacks, tls, machine[1], client=configs[0], server=configs[1]))
        return made[-1]

    yield pair
    for each in made:
        each.close()


@pytest.mark.parametrize("tls", USUAL_VERSIONS)
@pytest.mark.parametrize("server", STACKS)
def test_what_a_server_issued_expires_as_time_passes(paired: Callable[..., Pair], server: str, tls: TLSVersion) -> None:
    pair = paired(server=server, tls=tls)
    pair.stop_clocks(NOW)
    first = pair.connect()
    pair.age(7200)
    second = pair.connect(offer=first.session)
    pair.age(1)
    third = pair.connect(offer=first.session)

    assert second.outcome is Outcome.RESUMED
    assert third.outcome is Outcome.DECLINED


@pytest.mark.parametrize("client", STACKS)
def test_a_client_withholds_what_has_expired_as_time_passes(paired: Callable[..., Pair], client: str) -> None:
    pair = paired(client=client)
    first = pair.connect()
    pair.age(3 * 7200)
    second = pair.connect(offer=first.session, presume_full=False)

    assert second.outcome is Outcome.FULL


def test_time_has_passed_for_a_server_that_is_made_later(paired: Callable[..., Pair]) -> None:
    pair = paired(ticket_keys="shared")
    pair.stop_clocks(NOW)
    first = pair.connect()
    pair.age(7201)
    pair.new_server()
    second = pair.connect(offer=first.session)

    assert second.outcome is Outcome.DECLINED
    assert pair.server.counters().timeouts == 1


def test_what_passed_is_reported_of_both_ends(paired: Callable[..., Pair]) -> None:
    pair = paired()
    pair.stop_clocks(NOW)
    pair.age(60)
    first = pair.connect()
    values = {"at": NOW + 60, "passed": 60, "context": 1}

    assert first.setup is not None
    assert first.setup.before[-2:] == (
        Action("stop_clock", Role.SERVER, values),
        Action("stop_clock", Role.CLIENT, values),
    )


def test_a_clock_that_runs_shows_its_time_when_it_is_read(paired: Callable[..., Pair]) -> None:
    pair = paired()
    pair.client.run_clock(NOW + 0.25)
    first = pair.connect()

    assert first.session.time == NOW


def test_without_a_clock_no_time_passes(machine: tuple[Machine, Runtime]) -> None:
    libssl = machine[0].one("libssl")
    pair = Pair((libssl, libssl), TLS13, machine[1])
    try:
        with pytest.raises(UsageError, match=r"clock of libssl@.* cannot be moved; set the server's knob clock, 0"):
            pair.age(60)
    finally:
        pair.close()


def test_a_clock_that_runs_from_a_time_is_not_aged(paired: Callable[..., Pair]) -> None:
    pair = paired()
    pair.server.run_clock(NOW)

    with pytest.raises(UsageError, match="runs on from a time; set it with run_clock"):
        pair.age(60)
