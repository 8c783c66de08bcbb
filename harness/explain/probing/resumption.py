"""Whether a server resumes by one mechanism, how often, and how many back ends there are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.explain.probing.accepts import accepts, age_limit, groups, rounds
from harness.explain.probing.key_names import key_names
from harness.explain.probing.products import Need, change
from harness.explain.probing.rate import Rate
from harness.model.connection import HANDLE
from harness.model.probe import Answer, Topic
from harness.model.tls import Mechanism

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.explain.probing.key_names import KeyNames
    from harness.model.probe import Study

SHOWN = 4
"""Bytes of a key name that are shown."""
LONGER = (
    "raise the server's session timeout, such as ssl_session_timeout (nginx), tune.ssl.lifetime (haproxy) or "
    "SSLSessionCacheTimeout (Apache httpd)"
)


def means(study: Study) -> str:
    """``by stateless ticket``: where the server keeps what it needs to resume."""
    if study.mechanism is Mechanism.SESSION_ID:
        return "by session id"
    handles = {len(session.identity) <= HANDLE for session in study.sessions}
    kinds = {True: "stateful ticket", False: "stateless ticket"}
    return "by " + " and ".join(kinds[handle] for handle in sorted(handles))


def resumption(study: Study, software: str, *, by_id: bool = False) -> Answer:
    """Answer whether, and how often; ``by_id`` says that TLS 1.2 resumes by session id, so that it needs no tickets."""
    named = "resumes" if study.mechanism is Mechanism.PSK else "resumes-1.2"
    what = "session id" if study.mechanism is Mechanism.SESSION_ID else "ticket"
    if study.refused:
        return _answer(study, f"no full handshake: {study.refused}")
    if not study.sessions:
        enough = study.mechanism is Mechanism.SESSION_ID or (by_id and study.mechanism is Mechanism.SESSION_TICKET)
        changed = "" if enough else change(software, Need.ISSUE)
        return _answer(
            study, f"no: the server issues no {what}", "ISSUES NONE" if changed else "", changed, {named: False}
        )
    if not study.offers:
        text = f"unknown: sessions last {study.sessions[0].lifetime} s, as the server says, and each offer came later"
        return _answer(study, text, holds={named: None})
    return _accepted(study, software, named) if study.accepted else _never(study, what, software, named)


def _accepted(study: Study, software: str, named: str) -> Answer:
    seen = accepts(study)
    rate = Rate(study.accepted, len(study.offers))
    if limit := age_limit(study):
        return _short_lived(study, *limit, named)
    if seen.single_use and seen.unused:
        text = f"resumes {means(study)}, each once: {seen.unused} of sessions that were unused"
        rate = seen.unused
    else:
        text = f"resumes {means(study)} in {rate}"
    shared = rate.accepted == rate.offers
    holds = {named: True, "shared": shared}
    if shared:
        return _answer(study, text, holds=holds)
    return _answer(study, text, *_not_shared(study, rate, software), holds)


def _short_lived(study: Study, accepted: float, declined: float, named: str) -> Answer:
    return _answer(
        study,
        f"resumes {means(study)} while a session is young: up to {accepted:.1f} s, and not from {declined:.1f} s on",
        "SESSIONS LAST SECONDS",
        LONGER,
        {named: True, "shared": None},
        ("the same is seen if the server forgot its sessions meanwhile, as after a restart: probe again",),
    )


def _never(study: Study, what: str, software: str, named: str) -> Answer:
    most = round(100 * Rate(0, len(study.offers)).interval[1])
    ended = f"; {', '.join(study.aborts)}" if study.aborts else ""
    text = f"never: 0 of {len(study.offers)} shuffled offers (at most {most} %){ended}"
    if study.mechanism is Mechanism.SESSION_ID:
        return _answer(study, f"{text}; ids are sent, and no session is cached", holds={named: False})
    flag = "RESUMPTION IS ABORTED" if study.aborts else "ISSUED, NEVER ACCEPTED"
    evidence = f"{len(study.sessions)} sessions with a {what} of {len(study.sessions[0].identity)} bytes were offered"
    return _answer(study, text, flag, change(software, Need.ACCEPT), {named: False}, (evidence,))


def _not_shared(study: Study, rate: Rate, software: str) -> tuple[str, str]:
    """The flag and the change of a server that accepts a part of the offers."""
    names = key_names(study)
    stateful = study.mechanism is Mechanism.SESSION_ID or all(len(s.identity) <= HANDLE for s in study.sessions)
    need = Need.SHARED_CACHE if stateful else Need.SAME_KEYS
    if len(names.sessions) > 1:
        return f"NOT SHARED: {len(names.sessions)} ticket keys behind this address", change(software, need)
    if len(names.sessions) == 1 and not stateful:
        need = Need.SAME_SETUP
    if length := rounds(study):
        return f"NOT SHARED: accepted at each {_ordinal(length)} connection", change(software, need)
    least, most = groups(rate)
    about = f"{least}" if least == most else f"{least} to {most or 'more'}"
    return f"NOT SHARED: about {about} back ends", change(software, need)


def _ordinal(number: int) -> str:
    return f"{number}{ {2: 'nd', 3: 'rd'}.get(number, 'th') }"


def back_ends(study: Study) -> Answer | None:
    """Answer how many groups of back ends there are; None if nothing was resumed or nothing was issued."""
    if not study.offers or not study.accepted or age_limit(study):
        return None
    names, length = key_names(study), rounds(study)
    seen = accepts(study)
    rate = (seen.unused if seen.single_use else None) or Rate(study.accepted, len(study.offers))
    if len(names.sessions) > 1:
        listed = _listed([f"{name[:SHOWN].hex()} ({_count(len(places))})" for name, places in names.sessions.items()])
        shares = " and ".join(f"{_share(study, places)}" for places in names.sessions.values())
        return Answer(
            Topic.BACK_ENDS,
            study.label,
            f"{len(names.sessions)} ticket keys: {listed}, accepted by {shares} of the connections",
            holds={"single-key": False},
            evidence=(
                f"the first {names.length} bytes of the tickets name their key: tickets of several connections agree",
                *_by_issuer(study, names),
                *([f"a session is accepted at exactly each {_ordinal(length)} connection"] if length else []),
            ),
        )
    if rate.accepted < rate.offers:
        return Answer(
            Topic.BACK_ENDS,
            study.label,
            _groups(rate, length, names),
            holds={"single-key": False},
            evidence=(f"{rate}",),
        )
    if names.sessions:
        name = next(iter(names.sessions))
        return Answer(
            Topic.BACK_ENDS,
            study.label,
            f"1 ticket key: {name[:SHOWN].hex()}, accepted by every connection",
            holds={"single-key": True},
            evidence=(f"all {len(study.sessions)} tickets agree in their first {names.length} bytes",),
        )
    return Answer(
        Topic.BACK_ENDS,
        study.label,
        "1 group: every connection accepts every session",
        holds={"single-key": True},
        evidence=("no two tickets agree in their first bytes, so that they name no key",)
        if study.mechanism is not Mechanism.SESSION_ID
        else (),
    )


def _groups(rate: Rate, length: int | None, names: KeyNames) -> str:
    key = " under one key name" if names.sessions else ""
    if length:
        return f"{length} groups{key}: a session is accepted at exactly each {_ordinal(length)} connection"
    least, most = groups(rate)
    return f"{least} to {most or 'more'} groups{key}, by the rate of accepts; no round robin"


def _share(study: Study, places: tuple[int, ...]) -> str:
    offered = [offer for offer in study.offers if offer.session in places]
    return f"{sum(offer.accepted for offer in offered)} of {len(offered)}"


def _by_issuer(study: Study, names: KeyNames) -> tuple[str, ...]:
    """How the back end that issues a key answers sessions of each key, where a connection shows which it is."""
    lines = []
    for issuer in names.sessions:
        counts: Mapping[bytes, list[bool]] = {name: [] for name in names.sessions}
        for offer in study.offers:
            if any(names.of(ticket) == issuer for ticket in offer.tickets):
                key = names.of(study.sessions[offer.session].identity)
                if key is not None:
                    counts[key].append(offer.accepted)
        shown = ", ".join(f"{sum(met)} of {len(met)} of {key[:SHOWN].hex()}" for key, met in counts.items() if met)
        if shown:
            lines.append(f"connections that issue tickets of {issuer[:SHOWN].hex()} accept {shown}")
    return tuple(lines)


def _count(sessions: int) -> str:
    return f"{sessions} session{'s'[: sessions != 1]}"


def _listed(parts: list[str]) -> str:
    return f"{', '.join(parts[:-1])} and {parts[-1]}" if len(parts) > 1 else parts[0]


def _answer(
    study: Study,
    text: str,
    flag: str = "",
    changed: str = "",
    holds: Mapping[str, bool | None] | None = None,
    evidence: tuple[str, ...] = (),
) -> Answer:
    facts = tuple(
        f"connection {offer.number}: {offer.outcome} the session of connection {study.sessions[offer.session].number}"
        for offer in study.offers
    )
    late = (f"{study.late} offers are not counted: their session had reached its lifetime",) if study.late else ()
    return Answer(Topic.RESUMPTION, study.label, text, flag, changed, (*evidence, *late, *facts), holds or {})
