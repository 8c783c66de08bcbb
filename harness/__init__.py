"""The words that a scenario may use, and nothing else; each is loaded when it is first asked for.

PYTEST_DONT_REWRITE: `resumption run` imports it before pytest, which would warn that it cannot be rewritten any more.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Final

    from harness.explain import reasons, titles
    from harness.explain.rules import breaches
    from harness.matrix.cells import BOTH
    from harness.matrix.expectation import Differs, Expectation, broken_by, without_alert
    from harness.matrix.known_breaches import KNOWN_BREACHES
    from harness.model.capability import Capability
    from harness.model.connection import Connection, Counters
    from harness.model.knobs import UNSET, CacheMode, Cookie, PskMode, Verify
    from harness.model.reason import Reason
    from harness.model.session import Session, Turned
    from harness.model.tls import Alert, Close, Ending, Mechanism, Outcome, Role, TLSVersion
    from harness.pair.offering import reasons_offered
    from harness.pair.pair import Pair
    from harness.plugin.scenario import cases, openssl_chooses, scenario
    from harness.probe.probed import Probed
    from harness.probe.program import Programs
    from harness.serve.serving import Serving
    from harness.wire.gates.middlebox import StrictMiddlebox
    from harness.wire.session.codec import aged, damaged, edited, load, to_pem, with_other_secret

    FULL: Final = Outcome.FULL
    DECLINED: Final = Outcome.DECLINED
    RESUMED: Final = Outcome.RESUMED
    ABORTED: Final = Outcome.ABORTED
    TLSv1: Final = TLSVersion.TLSv1
    TLSv1_1: Final = TLSVersion.TLSv1_1
    TLSv1_2: Final = TLSVersion.TLSv1_2
    TLSv1_3: Final = TLSVersion.TLSv1_3
    DTLSv1: Final = TLSVersion.DTLSv1
    DTLSv1_2: Final = TLSVersion.DTLSv1_2
    QUICv1: Final = TLSVersion.QUICv1

__all__ = [
    "ABORTED",
    "BOTH",
    "DECLINED",
    "FULL",
    "KNOWN_BREACHES",
    "RESUMED",
    "UNSET",
    "Alert",
    "CacheMode",
    "Capability",
    "Close",
    "Connection",
    "Cookie",
    "Counters",
    "DTLSv1",
    "DTLSv1_2",
    "Differs",
    "Ending",
    "Expectation",
    "Mechanism",
    "Outcome",
    "Pair",
    "Probed",
    "Programs",
    "PskMode",
    "QUICv1",
    "Reason",
    "Role",
    "Serving",
    "Session",
    "StrictMiddlebox",
    "TLSVersion",
    "TLSv1",
    "TLSv1_1",
    "TLSv1_2",
    "TLSv1_3",
    "Turned",
    "Verify",
    "aged",
    "breaches",
    "broken_by",
    "cases",
    "damaged",
    "edited",
    "load",
    "openssl_chooses",
    "reasons",
    "reasons_offered",
    "scenario",
    "titles",
    "to_pem",
    "with_other_secret",
    "without_alert",
]

_MODULES = {
    "harness.matrix.expectation": ("Differs", "Expectation", "broken_by", "without_alert"),
    "harness.matrix.known_breaches": ("KNOWN_BREACHES",),
    "harness.explain": ("reasons", "titles"),
    "harness.explain.rules": ("breaches",),
    "harness.matrix.cells": ("BOTH",),
    "harness.model.capability": ("Capability",),
    "harness.model.connection": ("Connection", "Counters"),
    "harness.model.knobs": ("UNSET", "CacheMode", "Cookie", "PskMode", "Verify"),
    "harness.model.reason": ("Reason",),
    "harness.model.session": ("Session", "Turned"),
    "harness.model.tls": ("Alert", "Close", "Ending", "Mechanism", "Outcome", "Role", "TLSVersion"),
    "harness.pair.offering": ("reasons_offered",),
    "harness.pair.pair": ("Pair",),
    "harness.probe.probed": ("Probed",),
    "harness.probe.program": ("Programs",),
    "harness.serve.serving": ("Serving",),
    "harness.plugin.scenario": ("cases", "openssl_chooses", "scenario"),
    "harness.wire.gates.middlebox": ("StrictMiddlebox",),
    "harness.wire.session.codec": ("aged", "damaged", "edited", "load", "to_pem", "with_other_secret"),
}

_MEMBERS = {
    "FULL": "Outcome",
    "DECLINED": "Outcome",
    "RESUMED": "Outcome",
    "ABORTED": "Outcome",
    "TLSv1": "TLSVersion",
    "TLSv1_1": "TLSVersion",
    "TLSv1_2": "TLSVersion",
    "TLSv1_3": "TLSVersion",
    "DTLSv1": "TLSVersion",
    "DTLSv1_2": "TLSVersion",
    "QUICv1": "TLSVersion",
}
"""Members of an enumeration that scenarios use by their own name."""


def __dir__() -> list[str]:
    """List the words, and only them."""
    return sorted(__all__)


def __getattr__(name: str) -> object:
    """Load a word (PEP 562): an agent, which imports `harness` too, must not load pytest and cryptography with it."""
    if name in _MEMBERS:
        return getattr(getattr(import_module(__name__), _MEMBERS[name]), name)
    for module, words in _MODULES.items():
        if name in words:
            loaded = import_module(module)
            globals().update({word: getattr(loaded, word) for word in words})
            return globals()[name]
    raise AttributeError(f"`harness` has no word {name!r}; a scenario may use: {', '.join(__all__)}")
