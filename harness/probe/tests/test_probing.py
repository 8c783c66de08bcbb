"""Each answer of a probe is right on a server that is set up for it, and on one that is set up against it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from harness.model.probe import Topic
from harness.model.tls import Mechanism, TLSVersion
from harness.probe.studies import SESSIONS
from harness.probe.tests.probers import answer
from harness.tests.real_servers import balanced, nginx, s_server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from harness.model.probe import Probe
    from harness.probe.tests.probers import Prober

NO_CACHE = "ssl_session_tickets off; ssl_session_cache off;"
SHARED_CACHE = "ssl_session_tickets off; ssl_session_cache shared:TLS:1m;"


@pytest.fixture(scope="module")
def plain(prober: Prober) -> Iterator[Probe]:
    """A probe of one s_server that shares its state with itself."""
    with s_server(prober.runtime.pki.issued("server"), "-www") as address:
        yield prober(address)


@pytest.mark.parametrize(
    ("label", "means"),
    [("TLS 1.3", "by stateless ticket"), ("TLS 1.2 ticket", "by stateless ticket"), ("TLS 1.2 id", "by session id")],
)
def test_one_server_resumes_every_offer_by_each_mechanism(plain: Probe, label: str, means: str) -> None:
    found = answer(plain, Topic.RESUMPTION, label)

    assert found.text == f"resumes {means} in 14 of 14 shuffled offers (100 %, 78 to 100 %)"
    assert not found.flag
    assert found.holds["shared"] is True


def test_one_server_has_one_ticket_key(plain: Probe) -> None:
    found = answer(plain, Topic.BACK_ENDS)

    assert found.text.startswith("1 ticket key: ")
    assert found.holds == {"single-key": True}


def test_a_server_that_issues_two_and_one_tickets_is_told_so(plain: Probe) -> None:
    assert answer(plain, Topic.TICKETS).text == "2 after a full handshake, 1 after a resumed one"


def test_the_lifetime_is_what_the_ticket_says(plain: Probe) -> None:
    assert answer(plain, Topic.LIFETIME).text == "the server says 7200 s (2 h)"


def test_a_ticket_that_resumes_again_is_not_for_single_use(plain: Probe) -> None:
    assert answer(plain, Topic.SINGLE_USE).holds == {"single-use": False}


def test_a_server_with_anti_replay_takes_each_ticket_once(prober: Prober) -> None:
    with s_server(prober.runtime.pki.issued("server"), "-early_data") as address:
        done = prober(address, say="none", versions=(TLSVersion.TLSv1_3,))

    assert answer(done, Topic.RESUMPTION).text == (
        "resumes by stateful ticket, each once: 7 of 7 shuffled offers (100 %, 65 to 100 %) "
        "of sessions that were unused"
    )
    assert answer(done, Topic.SINGLE_USE).holds == {"single-use": True}


def test_a_server_without_tickets_or_cache_resumes_nothing(prober: Prober) -> None:
    with s_server(prober.runtime.pki.issued("server"), "-www", "-no_ticket", "-no_cache") as address:
        done = prober(address)

    assert answer(done, Topic.RESUMPTION).flag == "ISSUED, NEVER ACCEPTED"
    assert answer(done, Topic.RESUMPTION, "TLS 1.2 ticket").flag == "ISSUES NONE"
    assert answer(done, Topic.RESUMPTION, "TLS 1.2 id").text == "no: the server issues no session id"


def test_nginx_with_tickets_off_and_no_cache_accepts_none_of_its_own(prober: Prober, tmp_path: Path) -> None:
    with nginx(tmp_path / "nginx", prober.runtime.pki.issued("server"), NO_CACHE) as address:
        done = prober(address)

    found = answer(done, Topic.RESUMPTION)
    assert (found.flag, found.holds) == ("ISSUED, NEVER ACCEPTED", {"resumes": False})
    assert found.change == "ssl_session_tickets on; or ssl_session_cache shared:TLS:10m; (nginx)"


def test_nginx_with_tickets_off_and_a_cache_accepts_all_of_its_own(prober: Prober, tmp_path: Path) -> None:
    with nginx(tmp_path / "nginx", prober.runtime.pki.issued("server"), SHARED_CACHE) as address:
        done = prober(address)

    assert answer(done, Topic.RESUMPTION).text.startswith("resumes by stateful ticket in 14 of 14 ")
    assert answer(done, Topic.RESUMPTION, "TLS 1.2 id").text.startswith("resumes by session id in 14 of 14 ")


def test_sessions_that_expire_meanwhile_are_renewed_and_not_counted(prober: Prober, tmp_path: Path) -> None:
    with nginx(tmp_path / "nginx", prober.runtime.pki.issued("server"), "ssl_session_timeout 2s;") as address:
        done = prober(address, rate=6, versions=(TLSVersion.TLSv1_3,), say="none")

    (studied,) = done.studies
    assert len(studied.sessions) > SESSIONS
    assert studied.accepted == len(studied.offers) == 14 - studied.late
    assert answer(done, Topic.RESUMPTION).holds == {"resumes": True, "shared": True}


def test_sessions_without_a_hint_that_expire_are_no_second_server(prober: Prober, tmp_path: Path) -> None:
    settings = f"{SHARED_CACHE} ssl_session_timeout 2s;"
    with nginx(tmp_path / "nginx", prober.runtime.pki.issued("server"), settings) as address:
        done = prober(address, rate=8, offers=35, versions=(TLSVersion.TLSv1_2,), say="none")

    found = answer(done, Topic.RESUMPTION, "TLS 1.2 id")
    assert found.text.startswith("resumes by session id while a session is young: up to ")
    assert (found.flag, found.holds) == ("SESSIONS LAST SECONDS", {"resumes-1.2": True, "shared": None})


def two(prober: Prober, folder: Path, keys: tuple[bytes, bytes]) -> Probe:
    """Two nginx with these ticket keys behind a round robin."""
    folder.mkdir()
    settings = []
    for place, key in enumerate(keys):
        (folder / f"{place}.key").write_bytes(key)
        settings.append(f"ssl_session_ticket_key {folder / f'{place}.key'};")
    issued = prober.runtime.pki.issued("server")
    with (
        nginx(folder / "a", issued, settings[0]) as a,
        nginx(folder / "b", issued, settings[1]) as b,
        balanced(a, b) as address,
    ):
        return prober(address, offers=42, versions=(TLSVersion.TLSv1_3,))


@pytest.fixture(scope="module")
def apart(prober: Prober, tmp_path_factory: pytest.TempPathFactory) -> Probe:
    """A probe of two nginx with a key each."""
    return two(prober, tmp_path_factory.mktemp("apart") / "x", (os.urandom(80), os.urandom(80)))


def test_two_servers_with_a_key_each_are_not_shared(apart: Probe) -> None:
    found = answer(apart, Topic.RESUMPTION)

    assert found.flag == "NOT SHARED: 2 ticket keys behind this address"
    assert found.holds == {"resumes": True, "shared": False}
    assert "ssl_session_ticket_key" in found.change


def test_two_keys_are_named_with_their_sessions(apart: Probe) -> None:
    found = answer(apart, Topic.BACK_ENDS)

    assert found.text.startswith("2 ticket keys: ")
    assert "(4 sessions)" in found.text
    assert "(3 sessions)" in found.text
    assert "a session is accepted at exactly each 2nd connection" in found.evidence


def test_two_servers_with_the_same_key_are_shared(prober: Prober, tmp_path: Path) -> None:
    done = two(prober, tmp_path / "same", (bytes(range(80)),) * 2)

    assert answer(done, Topic.RESUMPTION).holds == {"resumes": True, "shared": True}
    assert answer(done, Topic.BACK_ENDS).text == "1 ticket key: 00010203, accepted by every connection"


def test_two_caches_behind_one_address_are_found_by_the_round_robin(prober: Prober, tmp_path: Path) -> None:
    issued = prober.runtime.pki.issued("server")
    with (
        nginx(tmp_path / "a", issued, SHARED_CACHE) as a,
        nginx(tmp_path / "b", issued, SHARED_CACHE) as b,
        balanced(a, b) as address,
    ):
        done = prober(address, offers=28, versions=(TLSVersion.TLSv1_2,))

    found = answer(done, Topic.RESUMPTION, "TLS 1.2 id")
    assert found.flag == "NOT SHARED: accepted at each 2nd connection"
    assert found.change.startswith("ssl_session_cache shared:TLS:10m;")


def test_the_same_seed_offers_in_the_same_order(prober: Prober) -> None:
    with s_server(prober.runtime.pki.issued("server"), "-www") as address:
        orders = [
            [offer.session for offer in prober(address, versions=(TLSVersion.TLSv1_3,), seed=seed).studies[0].offers]
            for seed in (5, 5, 6)
        ]

    assert orders[0] == orders[1]
    assert orders[0] != orders[2]


def test_a_version_that_the_server_does_not_speak_is_told(prober: Prober) -> None:
    with s_server(prober.runtime.pki.issued("server"), "-www", "-tls1_3") as address:
        done = prober(address)

    found = answer(done, Topic.RESUMPTION, "TLS 1.2 ticket")
    assert found.text.startswith("no full handshake: alert protocol_version (70)")
    assert [study.mechanism for study in done.studies if not study.refused] == [Mechanism.PSK]


@pytest.mark.parametrize(
    ("key", "flag"), [(bytes(80), "ANYBODY CAN FORGE TICKETS"), (os.urandom(80), "")], ids=["zero", "random"]
)
def test_an_nginx_whose_ticket_key_is_all_zero_is_told(key: bytes, flag: str, prober: Prober, tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(key)
    settings = f"ssl_session_ticket_key {tmp_path / 'key'};"
    with nginx(tmp_path / "nginx", prober.runtime.pki.issued("server"), settings) as address:
        done = prober(address, offers=1, versions=(TLSVersion.TLSv1_3,))

    assert answer(done, Topic.TICKET_CONTENTS).flag == flag
