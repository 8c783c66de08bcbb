"""A case without what no comparison looks at, for the cells that nobody reads whole."""

from __future__ import annotations

from functools import cache, partial
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from harness.report.json.comparing import BY_PRESENCE, EXACTLY, NOT_AT_ALL, Connections, Each, Inside, Named
from harness.report.json.shapes import ConnectionObject, fields, held

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Mapping

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


Shorten: TypeAlias = "Callable[[Any, Mapping[str, Any]], Any]"
"""Takes a value that is not null and its object; returns what is kept of it."""


def _brief(kind: Any, value: Mapping[str, Any]) -> dict[str, Any]:
    found = {}
    for key, shorten in _kept(kind):
        if key in value:
            part = value[key]
            found[key] = part if shorten is None or part is None else shorten(part, value)
    return found


@cache
def _kept(kind: Hashable) -> tuple[tuple[str, Shorten | None], ...]:
    """The keys of a brief object, each with what shortens its value; None if it stays as it is."""
    return tuple(
        (key, None if key in ALWAYS else _shortening(field.compare, held(field.kind)))
        for key, field in fields(kind).items()
        if field.compare is not NOT_AT_ALL or field.required or key in ALWAYS
    )


def _shortening(rule: Comparing, inner: Any) -> Shorten | None:
    if isinstance(rule, Connections):
        return None
    if isinstance(rule, Inside) or (rule is BY_PRESENCE and inner):
        return lambda value, _holder: _brief(inner, value)
    if isinstance(rule, Each):
        return lambda value, _holder: [_brief(inner, item) for item in value]
    if isinstance(rule, Named):
        return partial(_named, {name: one.brief for name, one in rule.rules.items()})
    return None if rule is EXACTLY else rule.brief


def _named(rules: Mapping[str, Shorten], value: Mapping[str, Any], _holder: object) -> dict[str, Any]:
    return {name: rules[name](one, value) if name in rules else one for name, one in value.items()}
