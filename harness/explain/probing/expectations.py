"""What a user can expect of a server, judged from the answers of a probe."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from harness.model.probe import Probe

EXPECTATIONS = {
    "resumes": "TLS 1.3 resumes, if it was asked for",
    "resumes-1.2": "TLS 1.2 resumes, by ticket or by session id",
    "shared": "each offer is accepted by each mechanism that resumes at all, whatever back end it meets",
    "single-key": "all back ends have the same ticket key, or accept as if they had",
    "single-use": "no session resumes twice",
    "no-early-data": "no ticket allows early data",
    "no-replay": "the server does not accept the same early data twice",
    "sound-tickets": "no ticket shows its secret or opens with a guessable key, and no IV or keystream repeats",
    "rotates-daily": "no ticket key is in use for a day; needs --every and a --for of a day",
    "keeps-old-key": "sessions resume after the ticket key has changed; needs --every",
    "bound-name": "no session resumes under another server name that has another certificate",
    "bound-certificate": "no session of a client with a certificate resumes without it; needs --cert",
}
"""What `--expect` takes, with its meaning."""
ANY = {"resumes-1.2"}
"""What holds if it holds for one mechanism; anything else has to hold for each."""


def unmet(probe: Probe, expected: Iterable[str]) -> list[str]:
    """One sentence for each expectation that does not hold, or that no answer says anything about."""
    return [why for name in expected if (why := _unmet(probe, name))]


def _unmet(probe: Probe, name: str) -> str:
    reported = [(answer, answer.holds[name]) for answer in probe.answers if name in answer.holds]
    if not reported or any(holds is None for _answer, holds in reported):
        return f"{probe.address}: expected {name}, and it could not be judged"
    wrong = [answer for answer, holds in reported if not holds]
    if not wrong or (name in ANY and len(wrong) < len(reported)):
        return ""
    return f"{probe.address}: expected {name}: {_texts([f'{answer.label}: {answer.text}' for answer in wrong])}"


def _texts(texts: Sequence[str]) -> str:
    return "; ".join(texts)
