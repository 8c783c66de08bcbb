"""How long sessions really hold, when ticket keys change, and whether the old key is still accepted afterwards."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise
from typing import TYPE_CHECKING

from harness.explain.probing.products import Need, change
from harness.model.probe import LABELS, Answer, Topic
from harness.model.tls import Mechanism, Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from harness.model.probe import Held, Look, Round

DAY = 86400
SHOWN = 8
"""Digits of a key name that are shown."""
NAMELESS = "unknown: no two tickets agree in their first bytes, so that they name no key"
UNITS = ((DAY, "d"), (3600, "h"), (60, "min"), (1, "s"))


def in_words(seconds: float) -> str:
    """``2 d``, ``90 min``: in the largest unit of which there are at least two, else in seconds."""
    for size, name in UNITS:
        if seconds >= 2 * size or size == 1:
            return f"{seconds / size:.1f}".removesuffix(".0") + f" {name}"
    raise AssertionError(seconds)


def when(at: float) -> str:
    """The time in UTC, to the second."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%SZ")


def held_answers(rounds: Sequence[Round], hints: Mapping[Mechanism, int], software: str) -> Iterator[Answer]:
    """The answers about each mechanism that issued sessions."""
    for mechanism in (Mechanism.PSK, Mechanism.SESSION_TICKET, Mechanism.SESSION_ID):
        looks = [one.looks[mechanism] for one in rounds if mechanism in one.looks]
        if looks:
            yield _holds(mechanism, looks, hints.get(mechanism))
            if mechanism is not Mechanism.SESSION_ID:
                yield _rotation(mechanism, looks, software)


def round_text(one: Round, of: int, before: Sequence[Round]) -> str:
    """One line about a round; ``before`` are the earlier ones."""
    head = f"{when(one.at)}  {one.number} of {of}"
    if one.error:
        return f"{head}  {one.error}"
    if not one.looks:
        return f"{head}  no session is issued"
    seen = {
        mechanism: {key for each in before if mechanism in each.looks for key in each.looks[mechanism].keys}
        for mechanism in one.looks
    }
    return f"{head}  " + "; ".join(
        f"{LABELS[mechanism]}: {_look_text(look, seen[mechanism])}" for mechanism, look in one.looks.items()
    )


def _look_text(look: Look, before: set[str]) -> str:
    keys = [f"{'NEW KEY' if before and key not in before else 'key'} {key[:SHOWN]}" for key in look.keys if key]
    return ", ".join([*keys, *(_held_text(held, look) for held in look.offers)]) or "a session is issued"


def _held_text(held: Held, look: Look) -> str:
    old = f" (old key {held.key[:SHOWN]})" if held.key and held.key not in look.keys else ""
    said = {
        Outcome.RESUMED: "resumes after",
        Outcome.DECLINED: "declined after",
        Outcome.FULL: "no longer offered by the client after",
        Outcome.ABORTED: "aborted after",
    }[held.outcome]
    return f"{said} {in_words(held.age)}{old}"


def _holds(mechanism: Mechanism, looks: Sequence[Look], hint: int | None) -> Answer:
    label = LABELS[mechanism]
    offers = [(held, look) for look in looks for held in look.offers]
    if not offers:
        return Answer(Topic.HOLDS, label, "unknown: there was one round only")
    resumed = max((held.age for held, _ in offers if held.outcome is Outcome.RESUMED), default=None)
    ended = [held.age for held, look in offers if held.outcome is Outcome.DECLINED and _in_use(held, look)]
    expired = [held.age for held, _ in offers if held.outcome is Outcome.FULL]
    evidence = tuple(f"{when(look.at)}: {_held_text(held, look)}" for held, look in offers)
    least = f"resumes after {in_words(resumed)}" if resumed is not None else "never resumed"
    if ended:
        early = hint is not None and min(ended) < hint
        flag = f"DECLINED BEFORE THE {in_words(hint)} THAT THE SERVER SAYS" if early and hint else ""
        changed = "let the server keep its sessions and keys as long as it says, or say less" if early else ""
        return Answer(Topic.HOLDS, label, f"{least}, declined after {in_words(min(ended))}", flag, changed, evidence)
    if expired:
        text = f"{least}; the client offers none after {in_words(min(expired))}: its lifetime is over"
        return Answer(Topic.HOLDS, label, text, evidence=evidence)
    return Answer(Topic.HOLDS, label, f"{least}, the longest that was tried", evidence=evidence)


def _in_use(held: Held, look: Look) -> bool:
    """Whether the key of an offered session is one that the server still used; so if it is unknown."""
    return not held.key or held.key in look.keys


def _rotation(mechanism: Mechanism, looks: Sequence[Look], software: str) -> Answer:
    label = LABELS[mechanism]
    named = [look for look in looks if any(look.keys)]
    if not named:
        return Answer(Topic.ROTATION, label, NAMELESS, holds={"rotates-daily": None, "keeps-old-key": None})
    changes = _changes(named)
    after = [held for look in looks for held in look.offers if held.key and held.key not in look.keys]
    kept = None if not changes or not after else any(held.outcome is Outcome.RESUMED for held in after)
    longest, key = _longest(named)
    span = named[-1].at - named[0].at
    daily = False if longest >= DAY else True if span >= DAY else None
    text = _rotation_text(changes, after, in_words(span), key)
    flag, changed = "", ""
    if kept is False:
        flag, changed = "THE OLD KEY IS NOT ACCEPTED AFTER A CHANGE", change(software, Need.KEEP_KEY)
    elif daily is False:
        flag, changed = f"A KEY IS {in_words(longest)} OLD", "change the ticket keys at least once a day"
    evidence = tuple(f"{when(look.at)}: {', '.join(key[:SHOWN] for key in look.keys)}" for look in named)
    return Answer(Topic.ROTATION, label, text, flag, changed, evidence, {"rotates-daily": daily, "keeps-old-key": kept})


def _changes(looks: Sequence[Look]) -> list[tuple[Look, Look]]:
    """The rounds between which the key changed: a new one is seen, and those before it are gone in the end.

    A round in the middle of a reload sees both; back ends with keys of their own go on to show all of them.
    """
    last, seen, found = set(looks[-1].keys), set(looks[0].keys), []
    for one, following in pairwise(looks):
        if set(following.keys) - seen and not last & set(one.keys):
            found.append((one, following))
        seen |= set(following.keys)
    return found


def _longest(looks: Sequence[Look]) -> tuple[float, str]:
    """How long the key was in use that was longest in use."""
    keys = dict.fromkeys(key for look in looks for key in look.keys if key)
    times = {key: [look.at for look in looks if key in look.keys] for key in keys}
    return max(((at[-1] - at[0], key) for key, at in times.items()), default=(0.0, ""))


def _rotation_text(changes: Sequence[tuple[Look, Look]], after: Sequence[Held], span: str, key: str) -> str:
    if not changes:
        return f"the key did not change within {span}: {key[:SHOWN]}"
    last, new = changes[-1]
    text = f"the key changed between {when(last.at)} and {when(new.at)}"
    if len(changes) > 1:
        text = f"the key changed {len(changes)} times, last between {when(last.at)} and {when(new.at)}"
    resumed = [held.age for held in after if held.outcome is Outcome.RESUMED]
    declined = [held for held in after if held.outcome is Outcome.DECLINED]
    if resumed:
        return f"{text}; sessions of the old one resumed afterwards, after {in_words(max(resumed))} at most"
    return f"{text}; sessions of the old one are declined" if declined else text
