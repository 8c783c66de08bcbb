"""What a circumstance contradicts is not advised, and what an end's stack cannot do is said."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.explain import explain
from harness.model.knobs import UNSET, CacheMode, ClientConfig, ServerConfig, Verify
from harness.model.reason import Reason
from harness.model.tls import TLSVersion
from harness.pair.pair import Pair
from harness.wire.gates.middlebox import StrictMiddlebox

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.runtime.runtime import Runtime
    from harness.stacks.machine import Machine

V12, V13 = TLSVersion.TLSv1_2, TLSVersion.TLSv1_3
EITHER = (V12, V13)
SAME_KEYS, REPLAY, TICKETS, CACHE = (
    "same ticket keys",
    "SSL_OP_NO_ANTI_REPLAY",
    "clear SSL_OP_NO_TICKET",
    "share a cache",
)


def restarted(pair: Pair, **knobs: object) -> None:
    first = pair.connect()
    pair.new_server(**knobs)
    pair.connect(first.session)


def other_client(pair: Pair, **knobs: object) -> None:
    first = pair.connect()
    pair.new_client(**knobs)
    pair.connect(first.session)


def again(pair: Pair, **_knobs: object) -> None:
    pair.connect(pair.connect().session)


def twice(pair: Pair, **_knobs: object) -> None:
    session = pair.connect().session
    pair.connect(session)
    pair.connect(session)


def without(pair: Pair, **_knobs: object) -> None:
    pair.connect()
    pair.connect()


def flushed(pair: Pair, **_knobs: object) -> None:
    first = pair.connect()
    pair.server.flush(0)
    pair.connect(first.session)


def blocked(pair: Pair, **_knobs: object) -> None:
    first = pair.connect()
    pair.put_middlebox(StrictMiddlebox)
    pair.connect(first.session)


def remedy(
    machine: tuple[Machine, Runtime],
    tls: TLSVersion,
    story: Callable[..., None],
    *,
    client: ClientConfig | None = None,
    server: ServerConfig | None = None,
    stacks: tuple[str, str] = ("libssl", "libssl"),
    **knobs: object,
) -> tuple[Reason, str]:
    """The reason and the remedy of the only finding about the last connection."""
    ends = machine[0].one(stacks[0]), machine[0].one(stacks[1])
    pair = Pair(ends, tls, machine[1], client=client, server=server)
    try:
        story(pair, **knobs)
        explanation = explain(pair.connections, pair.connections[-1])
    finally:
        pair.close()
    assert explanation is not None
    (finding,) = explanation.findings
    return finding.reason, finding.remedy


@pytest.mark.parametrize(
    ("server", "says", "not_said"),
    [
        (ServerConfig(), [SAME_KEYS], [REPLAY, TICKETS, CACHE]),
        (ServerConfig(max_early_data=9), [SAME_KEYS, REPLAY, CACHE], [TICKETS]),
        (ServerConfig(max_early_data=9, ticket_keys="k"), [REPLAY, CACHE], [SAME_KEYS, TICKETS]),
        (ServerConfig(tickets=False), [SAME_KEYS, TICKETS, CACHE], [REPLAY]),
        (ServerConfig(tickets=False, ticket_keys="k"), [TICKETS, CACHE], [SAME_KEYS, REPLAY]),
        (ServerConfig(max_early_data=9, anti_replay=False), [SAME_KEYS], [REPLAY, TICKETS, CACHE]),
    ],
)
def test_tls13_session_of_another_server(
    machine: tuple[Machine, Runtime], server: ServerConfig, says: list[str], not_said: list[str]
) -> None:
    _, text = remedy(machine, V13, restarted, server=server)

    assert [word for word in says if word not in text] == []
    assert [word for word in not_said if word in text] == []


@pytest.mark.parametrize(
    ("server", "says", "not_said"),
    [
        (ServerConfig(), [SAME_KEYS], [REPLAY, TICKETS, CACHE]),
        (ServerConfig(max_early_data=9), [SAME_KEYS], [REPLAY, TICKETS, CACHE]),
        (ServerConfig(tickets=False), [SAME_KEYS, TICKETS, CACHE], [REPLAY]),
        (ServerConfig(tickets=False, ticket_keys="k"), [TICKETS, CACHE], [SAME_KEYS, REPLAY]),
    ],
)
def test_tls12_session_of_another_server(
    machine: tuple[Machine, Runtime], server: ServerConfig, says: list[str], not_said: list[str]
) -> None:
    _, text = remedy(machine, V12, restarted, server=server)

    assert [word for word in says if word not in text] == []
    assert [word for word in not_said if word in text] == []


def test_ticket_at_a_server_that_now_accepts_handles_only(machine: tuple[Machine, Runtime]) -> None:
    shared = ServerConfig(ticket_keys="k")
    off = remedy(machine, V13, restarted, server=shared, tickets=False)
    replayed = remedy(machine, V13, restarted, server=shared, max_early_data=9)

    assert off == (Reason.NOT_IN_CACHE, "clear SSL_OP_NO_TICKET at the server")
    assert REPLAY in replayed[1]
    assert TICKETS not in replayed[1]


@pytest.mark.parametrize(("end", "story"), [("client", other_client), ("server", restarted)])
def test_tls12_ticket_that_one_end_no_longer_uses(
    machine: tuple[Machine, Runtime], end: str, story: Callable[..., None]
) -> None:
    _, text = remedy(machine, V12, story, server=ServerConfig(ticket_keys="k"), tickets=False)

    assert text == f"enable tickets at the {end} (clear SSL_OP_NO_TICKET)"


@pytest.mark.parametrize(("end", "story"), [("client", other_client), ("server", restarted)])
def test_extended_master_secret_is_to_be_enabled_where_it_is_off(
    machine: tuple[Machine, Runtime], end: str, story: Callable[..., None]
) -> None:
    server = ServerConfig(ticket_keys="k")
    _, text = remedy(machine, V12, story, server=server, extended_master_secret=False)

    assert text == f"enable extended master secret at the {end}, or discard the session"


def test_timeout_that_is_negative_is_to_be_positive(machine: tuple[Machine, Runtime]) -> None:
    _, text = remedy(machine, V12, again, server=ServerConfig(timeout=-1))

    assert text == "set a timeout of more than 0 at the server (SSL_CTX_set_timeout)"


def test_session_used_up_by_its_own_retry_was_offered_once(machine: tuple[Machine, Runtime]) -> None:
    client, server = ClientConfig(groups="P-384:X25519"), ServerConfig(groups="X25519", max_early_data=9)
    own = remedy(machine, V13, again, client=client, server=server)
    other = remedy(machine, V13, twice, server=ServerConfig(max_early_data=9))

    assert own[0] is other[0] is Reason.CONSUMED
    assert "offer each session once" in other[1]
    assert "offer each session once" not in own[1]
    assert "first key share" in own[1]


def test_version_that_both_ends_enable_is_not_to_be_enabled(machine: tuple[Machine, Runtime]) -> None:
    client, server = ClientConfig(versions=EITHER), ServerConfig(versions=(V12,), ticket_keys="k")
    both = remedy(machine, V12, restarted, client=client, server=server, versions=EITHER)
    one = remedy(machine, V12, restarted, client=client, server=server, versions=(V13,))

    assert both[1].startswith("offer a session for TLSv1.3: both ends enable it")
    assert one[1] == "enable TLSv1.2 at the server, or offer a session for TLSv1.3"


def test_flush_of_everything_is_no_matter_of_the_timeout(machine: tuple[Machine, Runtime]) -> None:
    _, text = remedy(machine, V12, flushed, server=ServerConfig(tickets=False))

    assert text == "flush only expired sessions: pass the current time, as 0 flushes all"


@pytest.mark.parametrize(("client", "server", "where"), [(False, None, "client"), (None, False, "server")])
def test_session_without_ticket_or_id_names_the_end_without_tickets(
    machine: tuple[Machine, Runtime], where: str, *, client: bool | None, server: bool | None
) -> None:
    off = ServerConfig(tickets=server, cache_mode=frozenset({CacheMode.OFF}))
    reason, text = remedy(machine, V12, without, client=ClientConfig(tickets=client), server=off)

    assert reason is Reason.NO_TICKET_SENT
    assert text.startswith(f"enable tickets at the {where} (clear SSL_OP_NO_TICKET)")


@pytest.mark.parametrize(
    ("server", "story", "says"),
    [
        (ServerConfig(), restarted, "cannot: no flag sets ticket keys"),
    ],
)
def test_remedy_says_that_the_stack_cannot(
    machine: tuple[Machine, Runtime], server: ServerConfig, story: Callable[..., None], says: str
) -> None:
    _, text = remedy(machine, V13, story, server=server, stacks=("libssl", "openssl"))

    assert says in text


def test_stack_that_can_is_not_said_to_lack_anything(machine: tuple[Machine, Runtime]) -> None:
    unset = ServerConfig(session_id_context=UNSET, verify=Verify.OPTIONAL)
    _, text = remedy(machine, V13, again, server=unset)

    assert text == "call SSL_CTX_set_session_id_context at the server"


def test_client_without_compatibility_mode_is_to_enable_it(machine: tuple[Machine, Runtime]) -> None:
    _, text = remedy(machine, V13, blocked, client=ClientConfig(middlebox_compat=False))

    assert text == "enable middlebox compatibility mode (SSL_OP_ENABLE_MIDDLEBOX_COMPAT) at the client"
