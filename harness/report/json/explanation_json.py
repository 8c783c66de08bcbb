"""An explanation and the circumstances of a connection as JSON objects; it explains nothing itself."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, cast

from harness.model.knobs import show_knob

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.model.reason import Explanation, Finding
    from harness.model.setup import Action, Setup
    from harness.report.json import case_shape as shape


def explanation_json(explanation: Explanation | None) -> shape.ExplanationObject | None:
    """The object of an explanation."""
    if explanation is None:
        return None
    return {
        "question": explanation.question.value,
        "findings": [_finding(finding) for finding in explanation.findings],
    }


def _finding(finding: Finding) -> shape.FindingObject:
    plain = {**asdict(finding), "reason": finding.reason.value, "evidence": list(finding.evidence)}
    return cast("shape.FindingObject", plain)


def circumstances_json(circumstances: Setup | None) -> shape.CircumstancesObject | None:
    """The object of a connection's circumstances."""
    if circumstances is None:
        return None
    return {
        "client": texts(circumstances.client.given()),
        "server": texts(circumstances.server.given()),
        "client_context": circumstances.client_context,
        "server_context": circumstances.server_context,
        "before": [_action(action) for action in circumstances.before],
        "during": [_action(action) for action in circumstances.during],
        "beside": list(circumstances.beside),
    }


def _action(action: Action) -> shape.ActionObject:
    return {"name": action.name, "role": action.role.value if action.role else None, "values": texts(action.values)}


def texts(values: Mapping[str, object]) -> dict[str, str]:
    """Knobs, or the arguments of a action, as a user would type them."""
    return {name: show_knob(value) for name, value in values.items()}
