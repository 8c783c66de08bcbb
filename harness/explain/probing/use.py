"""How long tickets last, how many there are, and whether they can be used again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.explain.probing.accepts import accepts, age_limit
from harness.model.probe import Answer, Topic
from harness.model.tls import Mechanism

if TYPE_CHECKING:
    from harness.model.probe import Study

HOUR = 3600
DAY = 24 * HOUR


def lifetime(study: Study) -> Answer | None:
    """Answer what the server says; None if it issues no ticket."""
    hints = sorted({session.lifetime for session in study.sessions if session.lifetime is not None})
    if not hints or study.mechanism is Mechanism.SESSION_ID:
        return None
    shown = " and ".join("no hint" if hint == 0 else f"{hint} s{_in_words(hint)}" for hint in hints)
    return Answer(
        Topic.LIFETIME,
        study.label,
        f"the server says {shown}",
        evidence=(f"lifetime of the tickets of {len(study.sessions)} connections (NewSessionTicket)",),
    )


def _in_words(seconds: int) -> str:
    for unit, name in ((DAY, "d"), (HOUR, "h"), (60, "min")):
        if seconds and seconds % unit == 0:
            return f" ({seconds // unit} {name})"
    return ""


def tickets(study: Study) -> Answer | None:
    """Answer how many follow each kind of handshake; None before TLS 1.3 and without a full handshake."""
    if study.mechanism is not Mechanism.PSK or not study.full:
        return None
    resumed = [len(offer.tickets) for offer in study.offers if offer.accepted]
    text = f"{_range(study.full)} after a full handshake"
    text += f", {_range(resumed)} after a resumed one" if resumed else ""
    return Answer(
        Topic.TICKETS,
        study.label,
        text,
        evidence=(f"full handshakes: {', '.join(map(str, study.full))}",),
    )


def _range(counts: list[int] | tuple[int, ...]) -> str:
    low, high = min(counts), max(counts)
    return str(low) if low == high else f"{low} to {high}"


def early_data(study: Study) -> Answer | None:
    """Answer whether the tickets allow it; None if there is none."""
    if study.mechanism is not Mechanism.PSK or not study.sessions:
        return None
    allowed = max(session.early_data for session in study.sessions)
    text = f"allowed: {allowed} bytes with a ticket" if allowed else "not allowed by any ticket"
    evidence = ("max_early_data_size of the tickets (RFC 8446, 4.6.1)",)
    return Answer(Topic.EARLY_DATA, study.label, text, evidence=evidence, holds={"no-early-data": not allowed})


def single_use(study: Study) -> Answer | None:
    """Answer whether a session resumes again; None if none resumed at all."""
    if not study.accepted:
        return None
    seen = accepts(study)
    if seen.used is None or seen.single_use is None or (seen.single_use and age_limit(study)):
        return Answer(
            Topic.SINGLE_USE,
            study.label,
            "unknown: no session was offered again often enough",
            holds={"single-use": None},
        )
    again = f"{seen.used.accepted} of {seen.used.offers} offers of a session that had been resumed before"
    verdict = "yes, each session resumes once" if seen.single_use else "no, a session resumes again"
    return Answer(
        Topic.SINGLE_USE,
        study.label,
        f"{verdict}: {again} were accepted",
        holds={"single-use": seen.single_use},
    )
