"""No endpoint can lie about what packets of QUIC show; the packets are those of two real OpenSSLs."""

from __future__ import annotations

from typing import Any

import pytest

from harness.model.errors import DisagreementError
from harness.model.tls import Alert, Ending, Outcome, Role, TLSVersion
from harness.model.view import Saw
from harness.tests.quic_conversations import FULL, RESUMED, connection


@pytest.mark.parametrize(("number", "outcome"), [(FULL, Outcome.FULL), (RESUMED, Outcome.RESUMED)])
def test_ends_that_tell_the_truth_are_believed(number: int, outcome: Outcome) -> None:
    assert connection(number).outcome is outcome


@pytest.mark.parametrize("role", [*Role])
@pytest.mark.parametrize(
    ("number", "lie"),
    [
        (FULL, {"saw": Saw.RESUMED}),
        (RESUMED, {"saw": Saw.FULL}),
        (FULL, {"reused_at_end": True}),
        (FULL, {"tickets": 1}),
        (RESUMED, {"tickets": 2}),
        (RESUMED, {"version": TLSVersion.TLSv1_3}),
        (FULL, {"cipher": "TLS_AES_128_GCM_SHA256"}),
        (FULL, {"alpn": "h3"}),
        (RESUMED, {"group": "x25519"}),
        (FULL, {"ending": Ending.ALERT}),
        (FULL, {"alerts": (Alert(40, Role.CLIENT, 2),)}),
        (FULL, {"alerts": (Alert(40, Role.SERVER, 2),)}),
    ],
)
def test_a_lie_of_either_end_is_a_disagreement(role: Role, number: int, lie: dict[str, Any]) -> None:
    with pytest.raises(DisagreementError):
        _ = connection(number, role, **lie).outcome
