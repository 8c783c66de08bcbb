"""Whether a server accepts early data, what it answers, and whether it accepts the same early data twice."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.explain.probing.products import Need, change
from harness.model.probe import LABELS, Answer, Topic
from harness.model.tls import Mechanism, Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.model.probe import EarlyData

TOO_EARLY = 425
"""The status of a server that does not want the request as early data (RFC 8470, 5.2)."""
HELD = {
    True: "the answer began while the client's Finished was held back: to the server, the GET was early",
    False: "no answer began while the client's Finished was held back: the server waits for the end of its handshake",
}
"""By whether the answer began before the client's Finished."""
LABEL = LABELS[Mechanism.PSK]


def not_sent(why: str) -> Answer:
    """The answer if a ticket allows early data and the probe sends none."""
    return Answer(Topic.EARLY_DATA_SENT, LABEL, f"not sent: {why}", holds={"no-replay": None})


def early_data(seen: EarlyData | None, software: str) -> Iterator[Answer]:
    """Answer what became of it; ``seen`` is None if no fresh ticket allowed it."""
    if seen is None:
        yield not_sent("no fresh ticket allows as many bytes as a GET has")
        return
    evidence = (f"connection {seen.number}: a GET of {seen.request} bytes, which changes nothing (RFC 8470, 4)",)
    if not seen.accepted:
        declined = seen.outcome is not Outcome.RESUMED
        what = f"the session is {seen.outcome}" if declined else "the session resumed without it"
        yield Answer(
            Topic.EARLY_DATA_SENT,
            LABEL,
            f"not accepted: {what}; the GET was sent again and gets {_got(seen.status)}",
            evidence=evidence,
            holds={"no-replay": True},
        )
        return
    refused = "; the server wants it again later (RFC 8470)" if seen.status == TOO_EARLY else ""
    text = f"accepted: the GET gets {_got(seen.status)}{refused}"
    yield Answer(Topic.EARLY_DATA_SENT, LABEL, text, evidence=(*evidence, HELD[seen.before_finished]))
    yield _replay(seen, software)


def _replay(seen: EarlyData, software: str) -> Answer:
    times = len(seen.again)
    sent = f"the same flight was sent {'once more' if times == 1 else f'{times} times more'}, byte for byte"
    evidence = (sent, *seen.details)
    if True in seen.again:
        return Answer(
            Topic.REPLAY,
            LABEL,
            "yes: the same flight, sent again, is accepted again",
            "EARLY DATA CAN BE REPLAYED",
            change(software, Need.NO_REPLAY),
            evidence,
            {"no-replay": False},
        )
    if None in seen.again:
        return Answer(
            Topic.REPLAY, LABEL, "unknown: the answer fits neither", evidence=evidence, holds={"no-replay": None}
        )
    text = f"no: the same flight, sent again, is not accepted: {seen.details[-1]}"
    return Answer(Topic.REPLAY, LABEL, text, evidence=evidence, holds={"no-replay": True})


def _got(status: int | None) -> str:
    return f"HTTP {status}" if status else "no answer"
