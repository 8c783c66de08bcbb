"""What a probe concludes from made studies, each both ways."""

from __future__ import annotations

import pytest

from harness.explain.probing.accepts import accepts, age_limit, groups, rounds
from harness.explain.probing.key_names import key_names
from harness.explain.probing.products import GENERIC, SETTINGS, Need, change, software_of
from harness.explain.probing.rate import Rate
from harness.explain.probing.resumption import back_ends, resumption
from harness.explain.probing.use import lifetime, single_use, tickets
from harness.model.probe import Issued, Offer, Study
from harness.model.tls import Mechanism, Outcome

A, B = b"a" * 16, b"b" * 16


def made(pattern: str, sessions: str = "abab", mechanism: Mechanism = Mechanism.PSK, *, again: bool = True) -> Study:
    """A study whose sessions have keys by their letters; ``+`` accepts and ``-`` declines the next offer in turn."""
    issued = tuple(
        Issued(place + 1, bytes(letter, "ascii") * 16 + bytes([place]) * 160, 300)
        for place, letter in enumerate(sessions)
    )
    first = len(sessions) + 1
    offers = tuple(
        Offer(
            first + place,
            place % len(sessions) if again else place,
            Outcome.RESUMED if sign == "+" else Outcome.DECLINED,
        )
        for place, sign in enumerate(pattern)
    )
    return Study(mechanism, issued, offers, (2,) * len(sessions))


@pytest.mark.parametrize(
    ("accepted", "offers", "low", "high"),
    [(19, 42, 0.312, 0.600), (0, 42, 0.0, 0.084), (42, 42, 0.916, 1.0), (1, 1, 0.207, 1.0)],
)
def test_the_interval_is_wilsons(accepted: int, offers: int, low: float, high: float) -> None:
    assert Rate(accepted, offers).interval == pytest.approx((low, high), abs=0.001)


def test_a_rate_is_shown_in_per_cent_with_its_interval() -> None:
    assert str(Rate(19, 42)) == "19 of 42 shuffled offers (45 %, 31 to 60 %)"


def test_tickets_that_agree_name_their_keys() -> None:
    names = key_names(made("++++"))

    assert names.length == 16
    assert dict(names.sessions) == {A: (0, 2), B: (1, 3)}


def test_tickets_that_begin_at_random_name_no_key() -> None:
    assert key_names(made("++++", "abcd")).length == 0


def test_session_ids_name_no_key() -> None:
    assert key_names(made("++++", "aaaa", Mechanism.SESSION_ID)).length == 0


def test_a_name_of_four_bytes_is_found() -> None:
    sessions = tuple(Issued(n, b"mbed" + bytes([n]) * 80) for n in range(4))

    assert key_names(Study(Mechanism.SESSION_TICKET, sessions)).length == 4


def test_sessions_that_resume_once_are_for_single_use() -> None:
    assert accepts(made("++++--------")).single_use is True


def test_a_session_that_resumes_again_is_not_for_single_use() -> None:
    assert accepts(made("++++-------+")).single_use is False


def test_too_few_offers_say_nothing_of_single_use() -> None:
    assert accepts(made("++++----")).single_use is None


@pytest.mark.parametrize("pattern", ["++++++++", "--------", "+--+-++-"])
def test_what_is_no_strict_round_is_not_taken_for_one(pattern: str) -> None:
    assert rounds(made(pattern, "ab" * 3)) is None


def test_accepts_at_each_second_connection_are_a_round_of_two() -> None:
    sessions = (Issued(1, A), Issued(2, B))
    offers = tuple(
        Offer(number, 0, Outcome.RESUMED if number % 2 else Outcome.DECLINED) for number in (3, 4, 6, 7, 9, 10)
    )

    assert rounds(Study(Mechanism.PSK, sessions, offers)) == 2


def aged(signs: str, mechanism: Mechanism = Mechanism.SESSION_ID) -> Study:
    """Offers of two sessions, each 0.6 seconds older than the last one."""
    return Study(
        mechanism,
        (Issued(1, A * 2), Issued(2, B * 2)),
        tuple(
            Offer(place + 3, place % 2, Outcome.RESUMED if sign == "+" else Outcome.DECLINED, age=place * 0.6)
            for place, sign in enumerate(signs)
        ),
    )


@pytest.mark.parametrize(
    ("signs", "limit"),
    [
        ("+++++++----", (3.6, 4.2)),
        ("++++++-+----", (4.2, 4.8)),
        ("+++++-++----", None),
        ("++++++++++-", None),
        ("-----++++++", None),
        ("+++++++++++", None),
        ("-----------", None),
    ],
)
def test_age_decides_if_accepted_sessions_were_younger_but_for_a_second(
    signs: str, limit: tuple[float, float] | None
) -> None:
    assert age_limit(aged(signs)) == (limit and pytest.approx(limit))


def test_sessions_that_expire_are_no_second_back_end() -> None:
    study = aged("+++++++----")
    found = resumption(study, "nginx")

    assert found.text == "resumes by session id while a session is young: up to 3.6 s, and not from 4.2 s on"
    assert (found.flag, found.holds) == ("SESSIONS LAST SECONDS", {"resumes-1.2": True, "shared": None})
    assert back_ends(study) is None


def test_offers_that_all_came_too_late_say_nothing() -> None:
    study = Study(Mechanism.PSK, (Issued(1, A * 3, 1),), late=42)
    found = resumption(study, "nginx")

    assert found.text == "unknown: sessions last 1 s, as the server says, and each offer came later"
    assert (found.flag, found.holds) == ("", {"resumes": None})
    assert back_ends(study) is None


@pytest.mark.parametrize(("by_id", "flag"), [(False, "ISSUES NONE"), (True, "")])
def test_a_server_that_resumes_by_id_need_not_issue_tickets(*, by_id: bool, flag: str) -> None:
    assert resumption(Study(Mechanism.SESSION_TICKET, full=(0,)), "nginx", by_id=by_id).flag == flag
    assert resumption(Study(Mechanism.PSK, full=(0,)), "nginx", by_id=by_id).flag == "ISSUES NONE"


def test_the_number_of_groups_comes_from_the_interval() -> None:
    assert groups(Rate(19, 42)) == (2, 3)
    assert groups(Rate(42, 42)) == (1, 1)


def test_one_key_that_accepts_all_is_shared() -> None:
    study = made("+" * 12, "aaaa")
    found = back_ends(study)

    assert resumption(study, "").holds == {"resumes": True, "shared": True}
    assert found
    assert found.text == "1 ticket key: 61616161, accepted by every connection"


def test_two_keys_of_which_each_takes_its_own_are_not_shared() -> None:
    study = made("+--++--++--+")

    assert resumption(study, "nginx").flag == "NOT SHARED: 2 ticket keys behind this address"
    found = back_ends(study)
    assert found
    assert found.text == (
        "2 ticket keys: 61616161 (2 sessions) and 62626262 (2 sessions), "
        "accepted by 3 of 6 and 3 of 6 of the connections"
    )


def test_one_key_name_that_only_a_part_accepts_is_not_shared() -> None:
    study = made("++-+--+-++-+", "aaaa")
    found = back_ends(study)

    assert resumption(study, "").flag.startswith("NOT SHARED: about ")
    assert found
    assert "under one key name" in found.text


def test_a_session_that_no_offer_resumes_was_issued_in_vain() -> None:
    found = resumption(made("-" * 12), "")

    assert (found.flag, found.holds) == ("ISSUED, NEVER ACCEPTED", {"resumes": False})


def test_the_lifetime_is_shown_in_words() -> None:
    found = lifetime(made("+"))

    assert found
    assert found.text == "the server says 300 s (5 min)"


def test_ticket_counts_are_of_tls_1_3_alone() -> None:
    assert tickets(made("+", mechanism=Mechanism.SESSION_TICKET)) is None
    found = tickets(made("+"))
    assert found
    assert found.text == "2 after a full handshake, 0 after a resumed one"


def test_nothing_is_said_of_single_use_where_nothing_resumed() -> None:
    assert single_use(made("----")) is None


@pytest.mark.parametrize("software", sorted(SETTINGS))
def test_each_product_has_a_setting_for_each_need(software: str) -> None:
    assert set(SETTINGS[software]) == set(Need)
    assert all(change(software, need).endswith(f"({software})") for need in Need)


@pytest.mark.parametrize("need", Need)
def test_an_unknown_product_gets_the_general_remedy(need: Need) -> None:
    assert change("", need) == GENERIC[need]


@pytest.mark.parametrize(
    ("header", "software"),
    [
        ("nginx/1.22.1", "nginx"),
        ("openresty", "nginx"),
        ("Apache/2.4.62 (Debian)", "apache"),
        ("envoy", "envoy"),
        ("Caddy", "go"),
        ("", ""),
        ("Microsoft-IIS/10.0", ""),
    ],
)
def test_the_server_header_names_the_software(header: str, software: str) -> None:
    assert software_of(header) == software
