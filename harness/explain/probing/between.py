"""Whether the sessions of one address resume at another one, and what would let them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.explain.facts.key_name import proven
from harness.explain.probing.products import Need, change
from harness.explain.probing.rate import Rate
from harness.model.connection import HANDLE
from harness.model.probe import LABELS, Answer, Topic
from harness.model.tls import Mechanism

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.model.probe import Crossing

SHOWN = 4
"""Bytes of a key name that are shown."""


def between(crossings: Sequence[Crossing], software: str) -> Iterator[Answer]:
    """One answer for each mechanism."""
    for mechanism in dict.fromkeys(crossing.mechanism for crossing in crossings):
        yield _answer([one for one in crossings if one.mechanism is mechanism], software)


def _answer(crossings: Sequence[Crossing], software: str) -> Answer:
    label = LABELS[crossings[0].mechanism]
    tried = [one for one in crossings if one.offers]
    evidence = tuple(_evidence(one, crossings) for one in crossings)
    if not tried:
        why = next((one.refused for one in crossings if one.refused), "no session is issued")
        return Answer(Topic.BETWEEN, label, f"nothing to offer: {why}", evidence=evidence, holds={"shared": None})
    wrong = [one for one in tried if one.accepted < len(one.offers)]
    text = _text(tried, wrong)
    if not wrong:
        return Answer(Topic.BETWEEN, label, text, evidence=evidence, holds={"shared": True})
    if any(one.source == one.destination and not one.accepted for one in wrong):
        flag = "" if crossings[0].mechanism is Mechanism.SESSION_ID else "ISSUED, NEVER ACCEPTED"
        never = f"{text}; an address does not even accept its own"
        return Answer(Topic.BETWEEN, label, never, flag, change(software, Need.ACCEPT), evidence, {"shared": False})
    flag, need = _cause(wrong, crossings)
    return Answer(Topic.BETWEEN, label, text, flag, change(software, need), evidence, {"shared": False})


def _text(tried: Sequence[Crossing], wrong: Sequence[Crossing]) -> str:
    if len(tried) == 1:
        return f"resumes in {Rate(tried[0].accepted, len(tried[0].offers))}"
    if not wrong:
        return f"every session resumes, from and to every address ({len(tried)} ways)"
    return f"resumes always in {len(tried) - len(wrong)} of {len(tried)} ways from an address to an address"


def _cause(wrong: Sequence[Crossing], crossings: Sequence[Crossing]) -> tuple[str, Need]:
    """The flag and what has to change."""
    one = wrong[0]
    stateful = one.mechanism is Mechanism.SESSION_ID or all(len(s.identity) <= HANDLE for s in one.sessions)
    if stateful:
        return "NOT SHARED: each has a session cache of its own", Need.SHARED_CACHE
    length = _length(crossings)
    if not length:
        return "NOT SHARED", Need.SAME_KEYS
    if any(_names(each, length)[0] & _names(each, length)[1] for each in wrong):
        return "NOT SHARED ALTHOUGH THE TICKET KEY IS THE SAME", Need.SAME_SETUP
    keys = {name for each in crossings for names in _names(each, length) for name in names}
    return f"NOT SHARED: {len(keys)} ticket keys among these addresses", Need.SAME_KEYS


def _length(crossings: Sequence[Crossing]) -> int:
    """Bytes of a key name, as the tickets of all addresses prove it; 0 for session ids and if none is proven."""
    if crossings[0].mechanism is Mechanism.SESSION_ID:
        return 0
    return proven(ticket for one in crossings for ticket in (*(s.identity for s in one.sessions), *one.issued))


def _names(crossing: Crossing, length: int) -> tuple[set[bytes], set[bytes]]:
    """The key names in what the source issued, and in what the destination issues."""
    return {one.identity[:length] for one in crossing.sessions}, {ticket[:length] for ticket in crossing.issued}


def _evidence(crossing: Crossing, crossings: Sequence[Crossing]) -> str:
    way = f"from {crossing.source} to {crossing.destination}"
    if crossing.refused:
        return f"{way}: {crossing.refused}"
    if not crossing.offers:
        return f"{way}: {crossing.source} issues no session for it"
    text = f"{way}: {crossing.accepted} of {len(crossing.offers)} sessions resume"
    length = _length(crossings)
    if not length:
        return text
    source, destination = (_shown(names) for names in _names(crossing, length))
    return (
        f"{text}; ticket keys {source} there, {destination} here" if source != destination else f"{text}; key {source}"
    )


def _shown(names: set[bytes]) -> str:
    return ", ".join(sorted(name[:SHOWN].hex() for name in names)) or "unknown"
