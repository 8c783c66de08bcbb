"""Probes as the JSON object that docs/json.md describes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.explain.probing.key_names import key_names
from harness.explain.probing.rate import Rate
from harness.report.json.encode import encode
from harness.report.json.probe_shapes import (
    AnswerObject,
    CrossingObject,
    HeldObject,
    IssuedObject,
    OfferObject,
    ProbeObject,
    RoundObject,
    StudyObject,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from harness.model.probe import Probe, Round, Study
    from harness.report.json.probe_shapes import (
        ProbesObject,
    )

SCHEMA = 1
"""Raised when a key changes its meaning or is removed, not when a key is added."""
DIGITS = 4
"""Of a rate."""


def probes_json(probes: Iterable[tuple[Probe, Sequence[str]]]) -> ProbesObject:
    """The object of probes, each with its unmet expectations."""
    return {"schema": SCHEMA, "probes": [_probe(probe, unmet) for probe, unmet in probes]}


def _probe(probe: Probe, unmet: Sequence[str]) -> ProbeObject:
    return encode(
        ProbeObject,
        probe,
        software=probe.software or None,
        witnesses=["client", "wire"],
        seconds=round(probe.seconds, 3),
        studies=[_study(study) for study in probe.studies],
        answers=[
            encode(AnswerObject, answer, flag=answer.flag or None, change=answer.change or None)
            for answer in probe.answers
        ],
        crossings=[
            encode(CrossingObject, one, refused=one.refused or None, offers=len(one.offers)) for one in probe.crossings
        ],
        rounds=[_round(one) for one in probe.rounds],
        unmet=list(unmet),
    )


def _round(one: Round) -> RoundObject:
    offers = [
        encode(HeldObject, held, mechanism=mechanism, age=round(held.age, 3), key=held.key or None)
        for mechanism, look in one.looks.items()
        for held in look.offers
    ]
    keys = {mechanism.value: list(look.keys) for mechanism, look in one.looks.items()}
    return encode(RoundObject, one, error=one.error or None, keys=keys, offers=offers)


def _study(study: Study) -> StudyObject:
    names = key_names(study)
    rate = Rate(study.accepted, len(study.offers)) if study.offers else None
    sessions = [
        encode(IssuedObject, session, length=len(session.identity), key=name.hex() if name else None)
        for session in study.sessions
        for name in [names.of(session.identity)]
    ]
    offers = [encode(OfferObject, offer, tickets=len(offer.tickets)) for offer in study.offers]
    shown = [round(value, DIGITS) for value in (rate.share, *rate.interval)] if rate else None
    return encode(StudyObject, study, refused=study.refused or None, rate=shown, sessions=sessions, offers=offers)
