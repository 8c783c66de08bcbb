"""A case without what no comparison looks at, for the cells that nobody reads whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from harness.report.json.comparing import BY_PRESENCE, EXACTLY, NOT_AT_ALL, Connections, Each, Inside, Named
from harness.report.json.shapes import ConnectionObject, fields, held

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.report.json.comparing import Comparing
    from harness.report.json.shapes import CaseObject

ALWAYS = {"number", "expiry"}
"""Keys that are not compared and are kept."""
ROLES = ("client", "server")


def brief_case(case: CaseObject) -> CaseObject:
    """Return the case with brief connections; one that could not be read, or that strangers met, stays whole.

    The story loses the names of its ends where they are the case's; `named_story` restores them.
    """
    connections = [one if _needs_a_reader(one) else brief_connection(one) for one in case["connections"]]
    found = {**case, "connections": connections}
    if story := case.get("story"):
        ends = {
            role: {name: part for name, part in story.get(role, {}).items() if (name, part) != ("stack", label)}
            for role, label in zip(ROLES, _labels(case), strict=True)
        }
        found["story"] = {key: value for key, value in (story | ends).items() if key != "about"}
    return cast("CaseObject", found)


def named_story(case: CaseObject, about: str) -> dict[str, Any] | None:
    """Return the story of a case with the names of its ends, and where it comes from; None if it has none."""
    story = case.get("story")
    if not story:
        return None
    ends = {role: {"stack": stack, **story.get(role, {})} for role, stack in zip(ROLES, _labels(case), strict=True)}
    return {"story": story.get("story"), "about": about, **story, **ends}


def brief_connection(connection: ConnectionObject) -> ConnectionObject:
    """Return what `diff` compares of a connection, without random values; comparing gives the same as before."""
    return cast("ConnectionObject", {**_brief(ConnectionObject, connection), "brief": True})


def _labels(case: CaseObject) -> tuple[str, str]:
    return case["client"], case["server"]


def _needs_a_reader(connection: Mapping[str, Any]) -> bool:
    return any(connection[key] for key in ("disagreement", "problem", "strays", "blocked"))


def _brief(kind: Any, value: Mapping[str, Any]) -> dict[str, Any]:
    return {
        key: value[key] if key in ALWAYS else _part(field.compare, held(field.kind), value[key], value)
        for key, field in fields(kind).items()
        if key in value and (field.compare is not NOT_AT_ALL or field.required or key in ALWAYS)
    }


def _part(rule: Comparing, inner: Any, value: Any, holder: Mapping[str, Any]) -> Any:
    if value is None or isinstance(rule, Connections):
        return value
    if isinstance(rule, Inside) or (rule is BY_PRESENCE and inner):
        return _brief(inner, value)
    if isinstance(rule, Each):
        return [_brief(inner, item) for item in value]
    if isinstance(rule, Named):
        return {name: rule.rules.get(name, EXACTLY).brief(one, value) for name, one in value.items()}
    return rule.brief(value, holder)
