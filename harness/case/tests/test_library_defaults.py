"""What each agent that comes with the harness says that its library does by default is what the library does."""

from __future__ import annotations

from contextlib import ExitStack, closing
from typing import TYPE_CHECKING, Any

import pytest

from harness.builds.libraries import foreign_libraries
from harness.model.capability import Capability
from harness.model.knobs import ClientConfig, ServerConfig
from harness.model.tls import USUAL_VERSIONS, Outcome, Role, TLSVersion
from harness.pair.pair import Pair
from harness.runtime.runtime import Runtime
from harness.stacks.foreign import Registration, ask_hello
from harness.stacks.machine import Machine

if TYPE_CHECKING:
    from collections.abc import Iterator

NOW = 1_600_000_000
"""Where a stopped clock begins."""
WEEK = 604800
SLACK = 2
"""Seconds: a library may count the second in which it made a session."""


class Library:
    """A library with what its hello says, and pairs of it with libssl."""

    def __init__(self, name: str, opened: ExitStack) -> None:
        self._opened = opened
        self._runtime = opened.enter_context(Runtime())
        machine = opened.enter_context(closing(Machine(self._runtime)))
        self._own, self._libssl = machine.one(name), machine.one("libssl")
        one = Registration(name, foreign_libraries()[name].argv())
        self.defaults: dict[str, Any] = dict(ask_hello(one, self._runtime).defaults)

    def pair(self, role: Role, tls: TLSVersion, **configs: Any) -> Pair:
        """The library in a role, with libssl as its peer."""
        ends = (self._own, self._libssl) if role is Role.CLIENT else (self._libssl, self._own)
        return self._opened.enter_context(closing(Pair(ends, tls, self._runtime, **configs)))

    def timeout(self, role: Role) -> int:
        """The default timeout in a role; the test is skipped if the agent does not say it, or has no clock to move."""
        seconds = self.defaults.get("timeout", {}).get(str(role))
        lacks = self._own.abilities(role).lacks(Capability.CLOCK)
        if seconds is None or lacks is not None:
            pytest.skip(lacks or f"its hello does not say the timeout of a {role}")
        return int(seconds)


@pytest.fixture(params=foreign_libraries())
def library(request: pytest.FixtureRequest) -> Iterator[Library]:
    """Each library, where it is ready."""
    if (why := foreign_libraries()[request.param].why_not()) is not None:
        pytest.skip(f"{request.param}: {why}")
    with ExitStack() as opened:
        yield Library(request.param, opened)


def test_a_server_issues_as_many_tickets_as_its_hello_says(library: Library) -> None:
    pair = library.pair(Role.SERVER, TLSVersion.TLSv1_3)
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert second.observed_outcome() is Outcome.RESUMED
    assert first.tickets == library.defaults["tickets"]
    assert second.tickets == library.defaults["tickets_after_resumption"]


@pytest.mark.parametrize("tls", USUAL_VERSIONS)
def test_a_ticket_has_the_lifetime_that_hello_says(library: Library, tls: TLSVersion) -> None:
    tickets = library.pair(Role.SERVER, tls).connect().messages.tickets

    assert {one.lifetime for one in tickets or ()} == {library.defaults["lifetime"][tls.value]}


@pytest.mark.parametrize("tls", USUAL_VERSIONS)
def test_a_ticket_begins_with_as_long_a_key_name_as_hello_says(library: Library, tls: TLSVersion) -> None:
    pair = library.pair(Role.SERVER, tls)
    tickets = [one.ticket for _number in range(3) for one in pair.connect().messages.tickets or ()]

    agree = [len(set(bytes_at)) == 1 for bytes_at in zip(*tickets, strict=False)]
    assert agree.index(False) == library.defaults["key_name"]


def around(pair: Pair, role: Role, seconds: int) -> list[Outcome]:
    """What becomes of a session a little before and a little after so many seconds by the clock of one end."""
    end = pair.client if role is Role.CLIENT else pair.server
    end.stop_clock(NOW)
    first = pair.connect()
    outcomes = []
    for age in (seconds - SLACK, seconds + SLACK):
        end.stop_clock(NOW + age)
        outcomes.append(pair.connect(offer=first.session, presume_full=False).observed_outcome())
    return outcomes


def test_a_server_accepts_a_session_as_long_as_its_hello_says(library: Library) -> None:
    seconds = library.timeout(Role.SERVER)
    pair = library.pair(Role.SERVER, TLSVersion.TLSv1_2, server=ServerConfig(clock=0))

    assert around(pair, Role.SERVER, seconds) == [Outcome.RESUMED, Outcome.DECLINED]


def test_a_client_offers_a_session_as_long_as_its_hello_says(library: Library) -> None:
    seconds = library.timeout(Role.CLIENT)
    configs = {"client": ClientConfig(clock=0), "server": ServerConfig(timeout=WEEK)}
    pair = library.pair(Role.CLIENT, TLSVersion.TLSv1_3, **configs)

    assert around(pair, Role.CLIENT, seconds) == [Outcome.RESUMED, Outcome.FULL]
