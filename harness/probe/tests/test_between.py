"""Sessions of one address resume at another one if both have the same ticket key, and not if each has its own."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from harness.model.probe import Topic
from harness.model.tls import TLSVersion
from harness.probe.between import between
from harness.probe.probing import Wanted
from harness.probe.tests.probers import answer
from harness.runtime.address import target
from harness.tests.real_servers import nginx

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from harness.model.probe import Probe
    from harness.probe.tests.probers import Prober

KEY, OTHER = bytes(range(80)), os.urandom(80)


@pytest.fixture(
    params=[(KEY, KEY, "server"), (KEY, OTHER, "server"), (KEY, KEY, "other-server")], ids=["same", "keys", "cert"]
)
def crossed(request: pytest.FixtureRequest, prober: Prober, tmp_path: Path) -> Iterator[tuple[str, Probe]]:
    """Two nginx: with the same key, with a key each, and with the same key but another certificate."""
    first, second, name = request.param
    files = []
    for place, key in enumerate((first, second)):
        (tmp_path / f"{place}.key").write_bytes(key)
        files.append(f"ssl_session_ticket_key {tmp_path / f'{place}.key'};")
    pki = prober.runtime.pki
    with (
        nginx(tmp_path / "a", pki.issued("server"), files[0]) as a,
        nginx(tmp_path / "b", pki.issued(name), files[1]) as b,
    ):
        ends = [target(a), target(b)]
        done = between(prober.runtime, prober.client, ends, ends, Wanted(versions=(TLSVersion.TLSv1_3,), offers=2))
        kind = "same" if first == second and name == "server" else "certificate" if first == second else "keys"
        yield kind, done


def test_each_way_between_two_addresses_is_judged(crossed: tuple[str, Probe]) -> None:
    kind, done = crossed
    found = answer(done, Topic.BETWEEN)
    accepted = [one.accepted for one in done.crossings]

    assert accepted == {"same": [2, 2, 2, 2], "keys": [2, 0, 0, 2], "certificate": [2, 0, 0, 2]}[kind]
    assert (
        found.flag
        == {
            "same": "",
            "keys": "NOT SHARED: 2 ticket keys among these addresses",
            "certificate": "NOT SHARED ALTHOUGH THE TICKET KEY IS THE SAME",
        }[kind]
    )
    assert found.holds == {"shared": kind == "same"}
    if kind != "same":
        settings = {"keys": "ssl_session_ticket_key", "certificate": "certificates"}
        assert settings[kind] in found.change
