"""Looks for the scenario that declares a difference between builds."""

from __future__ import annotations

from functools import cache
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.cli.runs.run import scenarios
from harness.matrix.cells import Situation
from harness.matrix.expectation import Builds, Expectation
from harness.report.diff.difference import NONE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.matrix.expectation import Differs
    from harness.report.diff.causes import Cause


def declared(cause: Cause, before: Sequence[str], after: Sequence[str]) -> str:
    """Return ``declared in scenarios/x.py, since *@>=3.2``; empty if no scenario of its cells declares the change.

    A declaration counts if its range has the one build and not the other, and its expectation has both values.
    """
    for file in dict.fromkeys(scenario.partition("::")[0] for scenario, _ in cause.cells):
        for expectation in _expectations(file):
            for differs in expectation.differs:
                if _parts(differs, before, after) and _is_about(cause, expectation):
                    return f"declared in {file}, for {differs.builds} (seen {differs.seen})"
    return ""


def declares(file: str, before: str, after: str, one: str, other: str) -> str:
    """Return the same for a value on ``stack@build`` one and another value on another, by the scenario of one file."""
    for expectation in _expectations(file):
        values = set(_texts([expectation.value, *(differs.value for differs in expectation.differs)]))
        for differs in expectation.differs:
            if {before, after} <= values and _parts(differs, [one], [other]):
                return f"declared in {file}, for {differs.builds} (seen {differs.seen})"
    return ""


def declares_breach(rule: str, builds: Sequence[str]) -> str:
    """Return the scenario that declares of each of these ``stack@build`` that it breaks a rule; empty if none does."""
    for file in sorted(path for place in scenarios(Path.cwd())[-1:] for path in Path(place).glob("*.py")):
        found = list(_breaches(str(file), rule))
        if found and all(any(Builds(differs.builds).has(build) for differs in found) for build in builds):
            ranges = " or ".join(dict.fromkeys(differs.builds for differs in found))
            return f"declared in {file.parent.name}/{file.name}, for {ranges} (seen {found[0].seen})"
    return ""


def _breaches(file: str, rule: str) -> Iterator[Differs[bool]]:
    """The declarations of a file about a rule, from the marks of its tests."""
    for value in _module(file).values():
        marks = getattr(value, "pytestmark", value)
        for mark in marks if isinstance(marks, list) else [marks]:
            for situation in getattr(mark, "args", ()):
                if isinstance(situation, Situation) and rule in situation.breaks:
                    yield from situation.breaks[rule].differs


def _parts(differs: Differs[Any], before: Sequence[str], after: Sequence[str]) -> bool:
    builds = Builds(differs.builds)
    return any(map(builds.has, before)) is not any(map(builds.has, after))


def _is_about(cause: Cause, expectation: Expectation[Any]) -> bool:
    """Whether both values of the cause are among those that the expectation has for some build."""
    values = set(_texts([expectation.value, *(differs.value for differs in expectation.differs)]))
    return {cause.before, cause.after} <= values


def _texts(value: object) -> Iterator[str]:
    """The value, and each one in it, as a difference shows it."""
    if isinstance(value, list | tuple):
        for each in value:
            yield from _texts(each)
    elif value is None:
        yield NONE
    else:
        yield str(value).lower() if isinstance(value, bool) else str(value)


@cache
def _expectations(file: str) -> tuple[Expectation[Any], ...]:
    return tuple(_found(_module(file).values()))


@cache
def _module(file: str) -> dict[str, Any]:
    path = _located(file)
    spec = spec_from_file_location(f"declared_{path.stem}", path) if path else None
    if spec is None or spec.loader is None:
        return {}
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return vars(module)


def _found(values: Any) -> Iterator[Expectation[Any]]:
    for value in values:
        if isinstance(value, Expectation):
            yield value
        elif isinstance(value, list | tuple):
            yield from _found(value)
        elif isinstance(value, dict) and "__builtins__" not in value:
            yield from _found(value.values())


def _located(file: str) -> Path | None:
    if Path(file).is_file():
        return Path(file)
    *_, folder = scenarios(Path.cwd())
    inside = Path(folder).parent / file
    return inside if inside.is_file() else None
