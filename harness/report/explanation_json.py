"""An explanation and the circumstances of a connection as JSON objects; it explains nothing itself."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, cast

from harness.model.knobs import show_knob

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.model.circumstances import Circumstances, Deed
    from harness.model.reason import Explanation, Finding
    from harness.report import case_shape as shape


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


def circumstances_json(circumstances: Circumstances | None) -> shape.CircumstancesObject | None:
    """The object of a connection's circumstances."""
    if circumstances is None:
        return None
    return {
        "client": texts(circumstances.client.given()),
        "server": texts(circumstances.server.given()),
        "client_context": circumstances.client_context,
        "server_context": circumstances.server_context,
        "before": [_deed(deed) for deed in circumstances.before],
        "during": [_deed(deed) for deed in circumstances.during],
        "beside": list(circumstances.beside),
    }


def _deed(deed: Deed) -> shape.DeedObject:
    return {"name": deed.name, "role": deed.role.value if deed.role else None, "values": texts(deed.values)}


def texts(values: Mapping[str, object]) -> dict[str, str]:
    """Knobs, or the arguments of a deed, as a user would type them."""
    return {name: show_knob(value) for name, value in values.items()}
