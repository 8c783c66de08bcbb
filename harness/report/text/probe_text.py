"""A probe as text: one line for each answer, below it what would change it, and the evidence if it is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from harness.model.probe import LABELS, Topic
from harness.report.text.lines import WIDTH, folded, joined, printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.model.probe import Answer, Crossing, Probe

HEADS = {
    Topic.CONTROL: "handshake",
    Topic.RESUMPTION: "resumption",
    Topic.BACK_ENDS: "back ends",
    Topic.LIFETIME: "lifetime",
    Topic.TICKETS: "tickets",
    Topic.SINGLE_USE: "single use",
    Topic.EARLY_DATA: "early data",
    Topic.EARLY_DATA_SENT: "early GET",
    Topic.REPLAY: "replay",
    Topic.OTHER_NAME: "other name",
    Topic.SESSION_FILE: "from a file",
    Topic.BETWEEN: "between",
    Topic.HOLDS: "holds",
    Topic.ROTATION: "rotation",
    Topic.CLIENT_CERTIFICATE: "client cert",
    Topic.OLDER_SESSION: "old session",
    Topic.TICKET_CONTENTS: "contents",
}
"""The first column."""
WITNESSES = "two witnesses: the client and the wire"
MATRIX = 2
"""Ways from which on they are shown as a table."""
COLUMN = 12
LABEL = 16


def probe_text(probe: Probe, width: int = WIDTH, *, evidence: bool = False) -> Text:
    """The head, then one line for each answer; only a flag and a remedy come on lines of their own."""
    software = f" ({probe.software})" if probe.software else ""
    head = (
        f"{probe.address}{software}: {probe.connections} connections by {probe.client}, seed {probe.seed}; {WITNESSES}"
    )
    lines: list[Text | str] = [Text(line, "bold") for line in folded(head, width, "", "  ")]
    last = None
    for answer in probe.answers:
        lines += _answer(answer, width, first=answer.topic is not last, evidence=evidence)
        if answer.topic is Topic.BETWEEN:
            lines += _matrix([one for one in probe.crossings if LABELS[one.mechanism] == answer.label])
        last = answer.topic
    lines += [line for note in probe.notes for line in folded(f"note: {note}", width, "", "  ")]
    return joined(lines)


def _matrix(crossings: list[Crossing]) -> Iterator[str]:
    """The accepted offers, a row for each source, if there is more than one way."""
    if len(crossings) < MATRIX:
        return
    destinations = list(dict.fromkeys(one.destination for one in crossings))
    rest = " " * COLUMN
    wide = max(len(text) for one in crossings for text in (one.source, one.destination)) + len("from ") + 2
    yield rest + " " * wide + "".join(f"{f'to {name}':<{wide}}" for name in destinations).rstrip()
    for source in dict.fromkeys(one.source for one in crossings):
        cells = [
            _cell(one) for name in destinations for one in crossings if (one.source, one.destination) == (source, name)
        ]
        yield rest + f"{f'from {source}':<{wide}}" + "".join(f"{cell:<{wide}}" for cell in cells).rstrip()


def _cell(crossing: Crossing) -> str:
    if crossing.refused:
        return "refused"
    return f"{crossing.accepted} of {len(crossing.offers)}" if crossing.offers else "none issued"


def _answer(answer: Answer, width: int, *, first: bool, evidence: bool) -> Iterator[Text | str]:
    topic = HEADS[answer.topic] if first else ""
    label = "" if answer.topic is Topic.CONTROL else answer.label
    start, rest = f"{topic:<{COLUMN}}{label:<{LABEL}}", " " * (COLUMN + LABEL)
    one, *more = folded(answer.text, width, start, rest)
    yield Text.assemble((one[:COLUMN], "bold"), one[COLUMN:])
    yield from more
    if answer.flag:
        yield Text(f"{rest}{printable(answer.flag)}", "bold red")
    if answer.change:
        yield from folded(f"change: {answer.change}", width, rest, f"{rest}  ")
    if evidence:
        for fact in answer.evidence:
            yield from folded(fact, width, f"{rest}- ", f"{rest}  ")
