"""The fixture `probe` reaches a server of a test, with the client's connections and the answers of a probe."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from harness.explain import reasons
from harness.model.errors import UnreachableError, UsageError
from harness.model.reason import Reason
from harness.model.tls import USUAL_VERSIONS, Outcome, TLSVersion
from harness.runtime.runtime import Runtime
from harness.tests.real_servers import s_server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from harness.probe.probed import Probed


@pytest.fixture(scope="module")
def place() -> Iterator[tuple[str, int, Path]]:
    """The host, the port and the authority of a server that resumes."""
    with Runtime() as runtime, s_server(runtime.pki.issued("server"), "-www") as address:
        host, _, port = address.rpartition(":")
        yield host, int(port), runtime.pki.authority()


@pytest.mark.parametrize("tls", USUAL_VERSIONS)
def test_a_session_resumes_and_none_does_not(
    probe: Callable[..., Probed], place: tuple[str, int, Path], tls: TLSVersion
) -> None:
    server = probe(*place[:2], versions=(tls,))
    first = server.connect()
    second, third = server.connect(offer=first.session), server.connect()

    assert [one.outcome for one in (first, second, third)] == [Outcome.FULL, Outcome.RESUMED, Outcome.FULL]
    assert reasons(server, third) == (Reason.NO_SESSION,)
    assert [view.witness.value for view in second.views] == ["client", "wire"]


def test_a_knob_is_changed_for_one_connection(probe: Callable[..., Probed], place: tuple[str, int, Path]) -> None:
    server = probe(*place[:2])
    first = server.connect(versions=(TLSVersion.TLSv1_3,))
    second = server.connect(offer=first.session, versions=(TLSVersion.TLSv1_2,))

    assert second.outcome is Outcome.FULL
    assert reasons(server, second) == (Reason.VERSION_NOT_ENABLED,)


def test_the_certificate_is_checked_with_an_authority(
    probe: Callable[..., Probed], place: tuple[str, int, Path]
) -> None:
    with Runtime() as other:
        assert probe(*place[:2], ca=other.pki.authority()).connect().outcome is Outcome.ABORTED
    assert probe(*place[:2], ca=place[2]).connect().outcome is Outcome.FULL


def test_expectations_are_met_or_named(probe: Callable[..., Probed], place: tuple[str, int, Path]) -> None:
    server = probe(*place[:2], versions=(TLSVersion.TLSv1_3,))
    (sentence,) = server.unmet("resumes", "shared", "single-use")

    assert "expected single-use: " in sentence
    assert server.connections == []


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ({"host": "192.0.3.1"}, UsageError, "which is neither a loopback nor a private address"),
        ({"client": "libtls"}, UsageError, "no stack matches 'libtls'"),
        ({"speed": 1}, UsageError, "no client knob 'speed'"),
        ({"say": "hello"}, UsageError, "say cannot be 'hello'; give 'http', or bytes"),
    ],
)
def test_what_does_not_exist_is_a_usage_error(
    probe: Callable[..., Probed], given: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        probe(**{"host": "127.0.0.1", "port": 1, **given})


def test_a_server_that_is_not_there_is_named(probe: Callable[..., Probed]) -> None:
    with pytest.raises(UnreachableError, match=r"127\.0\.0\.1:1 cannot be reached: Connection refused"):
        probe("127.0.0.1", 1).connect()


def test_another_expectation_is_a_usage_error(probe: Callable[..., Probed]) -> None:
    with pytest.raises(UsageError, match="nothing is known of 'fast'; the expectations are: "):
        probe("127.0.0.1", 1).unmet("fast")
