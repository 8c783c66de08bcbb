"""Looks for the scenario that declares a difference between builds."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields, is_dataclass
from functools import cache
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import CodeType, FunctionType
from typing import TYPE_CHECKING, Any

from harness.builds.versions import build_version
from harness.cli.runs.run import scenarios
from harness.matrix.cells import Situation
from harness.matrix.expectation import Builds, Expectation
from harness.matrix.known_breaches import KNOWN_BREACHES
from harness.model.tls import Alert
from harness.report.diff.causes import LENGTH
from harness.report.diff.difference import NONE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from harness.matrix.expectation import Differs
    from harness.report.diff.causes import Cause
    from harness.report.json.shapes import DeclaredObject

BREACHES, ALERT_SENT = "breaches", "alert"
"""The observables that name the rules which a cell breaks, and the alert of a connection."""
IN_EVERY_SCENARIO = (
    "hellos.",
    "messages.client.ClientHello.",
    "messages.server.ServerHello.",
    "messages.server.EncryptedExtensions",
    "session.kex_group",
    "session.resumable",
    "session.compression",
    "session.master_key_length",
    "session.flags",
    "session.alpn",
    "counters.items",
)
"""What an end offers, keeps and counts by default is the same in every scenario, and one of them declares it."""
DECISIVE = {"outcome", "mechanism", "alert"}
"""What the scenarios look at in each cell; a declaration about two builds says why it is so where they meet."""
GROUP, GROUP_OF_SESSION = re.compile(r"endpoints\.\w+\.(?:group|peer_temp_key)"), "session.kex_group"
"""The group of a connection and its key are declared with the groups that a client names."""
ERRORS = ".errors"
CODE, ALERT_ERROR = re.compile(r"\b\d+:\d+\b"), re.compile(r"\b20:1(\d{3})\b")
"""An error as a difference shows it, library and reason; the reason of a received alert is 1000 and its number."""
ALERT = re.compile(r"(?P<name>\w+) \((?P<number>\d+)\)(?:, level \d+)?(?: by (?P<sender>\w+))?")
"""An alert as a difference shows it; a scenario declares its number, or all of it."""
EDGE = re.compile(r"(?:>=|<)(?!=)\s*([^,\s]+)")
"""The version at which a range begins, or before which it ends, as it is written: ``1.1.1l`` of ``*@<1.1.1l``."""
PARTS = re.compile("_|(?<=[a-z])(?=[A-Z])")
"""Between the words of a name: ``supported_groups``, ``HelloRetryRequest``."""
COMMON = frozenset(
    [
        "certificate",
        "client",
        "clienthello",
        "extended",
        "extension",
        "field",
        "hello",
        "length",
        "message",
        "server",
        "serverhello",
        "session",
        "supported",
        "ticket",
    ]
)
"""Words of many observables."""
LONG = 5
"""Letters of a word that distinguishes one fact from others: `groups`, not `key`."""


@dataclass(frozen=True)
class _Named:
    """An expectation with the name of the constant, or of the test, that holds it."""

    name: str
    expectation: Expectation[Any]


def declared(cause: Cause, before: Sequence[str], after: Sequence[str]) -> str:
    """Return ``declared in scenarios/x.py, since 3.2 (for *@>=3.2, seen …)``; empty if no scenario of its cells does.

    A declaration counts if its range has one of the builds and not the other. Then its expectation has both values of
    the cause, or of what changed beside it; or the constant that holds it has the observable's name, as
    ``GROUPS_IN_TLS13`` and ``supported_groups``, or ``ALPN_IS_KEPT`` and ``session.alpn``. An error is declared with
    the alert that it reports, or where the evidence names its code, as ``20:294``.
    """
    if cause.observable == BREACHES and (found := _breaches_of(cause, before, after)):
        return found
    own = dict.fromkeys(scenario.partition("::")[0] for scenario, _ in cause.cells)
    head = (cause.observable, cause.before, cause.after)
    beside = [change for change in cause.changes if not LENGTH.fullmatch(change[0])]
    changes = [head, *beside, *_received(*head)]
    named = (_by_name(name, own, before, after) for name in cause.names)
    found = _by_values(changes, own, before, after) or next(filter(None, named), "")
    if not found and cause.observable.endswith(ERRORS):
        found = _by_code(cause, before, after)
    if not found and cause.observable == ALERT_SENT:  # an alert means the same wherever it is sent
        found = _by_values([head], _all_files(), before, after, whole=True)
    everywhere = GROUP_OF_SESSION if GROUP.fullmatch(cause.observable) else cause.observable
    if not found and everywhere.startswith(IN_EVERY_SCENARIO):
        found = _by_name(everywhere, _all_files(), before, after)
    return found


def declared_together(cause: Cause, here: Sequence[DeclaredObject], before: Sequence[str], after: Sequence[str]) -> str:
    """Return the same for a cause that stands only where two builds meet.

    ``here`` are the declared differences by which its first cell went, and the cells of each build alone did not; one
    of them is about both builds, or has the value of the cause or of what changed beside it. Else it is declared what
    the builds do alone, from which the cause follows, such as the groups of each of which one is common.
    """
    file = cause.cells[0][0].partition("::")[0]
    values = [(cause.observable, cause.after), *((observable, value) for observable, _before, value in cause.changes)]
    for named in _expectations(file):
        for differs in named.expectation.differs:
            known: DeclaredObject = {
                "role": differs.role.value,
                "builds": differs.builds,
                "seen": differs.seen.isoformat(),
                "evidence": differs.evidence,
            }
            texts = set(_texts(differs.value))
            about_both = bool(differs.left or differs.peer) and cause.strength in DECISIVE
            if known in here and (about_both or any(_said(observable, value) & texts for observable, value in values)):
                return f"declared in {file}, {differs.role} {differs.where}, seen {differs.seen}"
    return declared(cause, before, after)


def _by_values(
    changes: Iterable[tuple[str, str, str]],
    files: Iterable[str],
    before: Sequence[str],
    after: Sequence[str],
    *,
    whole: bool = False,
) -> str:
    """Return the first declaration that has both values of a change; of an alert its number is enough if not whole."""
    parting = list(_parting(files, before, after))
    for observable, *both in changes:
        for file, named, differs in parting:
            values = _values(named.expectation)
            if all(({value} if whole else _said(observable, value)) & values for value in both):
                return _in(file, differs, before, after)
    return ""


def _received(observable: str, before: str, after: str) -> Iterator[tuple[str, str, str]]:
    """The alert that each build received, by the codes of its errors."""
    both = [ALERT_ERROR.findall(text) for text in (before, after)] if observable.endswith(ERRORS) else [[], []]
    yield from (("", str(int(one)), str(int(other))) for one, other in zip(*both, strict=False) if one != other)


def _by_code(cause: Cause, before: Sequence[str], after: Sequence[str]) -> str:
    """Return the first declaration whose evidence names an error's code, ``20:294``, that only one build reports."""
    codes = set(CODE.findall(cause.before)) ^ set(CODE.findall(cause.after))
    for file, _named, differs in _parting(_all_files(), before, after):
        if codes & set(CODE.findall(differs.evidence)):
            return _in(file, differs, before, after)
    return ""


def _by_name(observable: str, files: Iterable[str], before: Sequence[str], after: Sequence[str]) -> str:
    """Return the first declaration in a constant that has the observable's name; a short one if it has no long word."""
    parts = observable.split(".")
    long = _words(parts)
    words = long or _words(parts[-1:], 1)
    for file, named, differs in _parting(files, before, after):
        if words & _words([named.name], LONG if long else 1):
            return _in(file, differs, before, after)
    return ""


def _parting(
    files: Iterable[str], before: Sequence[str], after: Sequence[str]
) -> Iterator[tuple[str, _Named, Differs[Any]]]:
    """The declarations of files that are about one of the builds alone."""
    for file in files:
        for named in _expectations(file):
            for differs in named.expectation.differs:
                if _parts(differs, before, after):
                    yield file, named, differs


def declaring() -> list[str]:
    """The tests of the scenarios with an expectation that depends on a build at one end, as `scenarios/x.py::test_y`.

    It is in a constant that the test or a function that it calls uses, in one of its cases, or in a rule that it
    breaks.
    What depends on two builds at one end, as a session that travels does, is not seen where each build meets itself.
    """
    return [
        f"{file}::{name}"
        for file in _all_files()
        for name, test in _module(file).items()
        if name.startswith("test_") and any(not differs.left for one in _used(file, test) for differs in one.differs)
    ]


def _used(file: str, test: FunctionType) -> Iterator[Expectation[Any]]:
    """The expectations of a test."""
    for mark in getattr(test, "pytestmark", ()):
        for value in mark.args:
            yield from value.breaks.values() if isinstance(value, Situation) else _found(value)
    module, functions = _module(file), [test]
    seen: set[str] = set()
    while functions:
        for name in _names(functions.pop().__code__) - seen:
            seen.add(name)
            value = module.get(name)
            if isinstance(value, FunctionType) and value.__module__ == test.__module__:
                functions.append(value)
            yield from _found(value)


def _names(code: CodeType) -> set[str]:
    """The globals and attributes that a function names, with those of the functions in it."""
    inside = [_names(value) for value in code.co_consts if isinstance(value, CodeType)]
    return {*code.co_names}.union(*inside)


def declares(file: str, before: str, after: str, one: str, other: str) -> str:
    """Return the same for a value on ``stack@build`` one and another value on another, by the scenario of one file."""
    for named in _expectations(file):
        for differs in named.expectation.differs:
            if {before, after} <= _values(named.expectation) and _parts(differs, [one], [other]):
                return _in(file, differs, [one], [other])
    return ""


def declares_breach(
    rule: str, builds: Sequence[str], is_like: Callable[[str, Differs[bool]], bool] = lambda _test, _differs: True
) -> str:
    """Return the scenario that declares of each of these ``stack@build`` that it breaks a rule; empty if none does.

    A declaration counts if what was done ``is_like`` its test, ``scenarios/x.py::test_y``.
    """
    for file in _all_files():
        found = [
            differs
            for test, named, each in _breaches(file)
            if named == rule
            for differs in each.differs
            if is_like(f"{file}::{test}", differs)
        ]
        if found and all(any(Builds(differs.builds).has(build) for differs in found) for build in builds):
            ranges = " or ".join(dict.fromkeys(differs.builds for differs in found))
            return f"declared in {file}, for {ranges} (seen {found[0].seen})"
    return ""


def _all_files() -> list[str]:
    """Every scenario file, as the results of a run name it."""
    folder = Path(scenarios(Path.cwd())[-1])
    return [f"{folder.name}/{path.name}" for path in sorted(folder.glob("*.py"))]


def _breaches_of(cause: Cause, before: Sequence[str], after: Sequence[str]) -> str:
    """Return where every rule that only one of the builds breaks is declared; empty if one is not."""
    sides = [set(text.split(", ")) - {NONE} for text in (cause.before, cause.after)]
    found = []
    for rule in sorted(sides[0] ^ sides[1]):
        breaking = before if rule in sides[0] else after
        known = KNOWN_BREACHES.get(rule)
        if known and any(map(Builds(known.builds).has, breaking)):
            found.append(f"declared in harness/matrix/known_breaches.py, for {known.builds} (seen {known.seen})")
        else:
            found.append(declares_breach(rule, breaking))
    return found[0] if found and all(found) else ""


def _breaches(file: str) -> Iterator[tuple[str, str, Expectation[bool]]]:
    """The test, the rule and the declaration of each breach of a file."""
    for name, value in _module(file).items():
        for mark in _marks_of(value):
            for situation in getattr(mark, "args", ()):
                if isinstance(situation, Situation):
                    yield from ((name, rule, each) for rule, each in situation.breaks.items())


def _in(file: str, differs: Differs[Any], before: Sequence[str], after: Sequence[str]) -> str:
    since = _since(differs.builds, before, after)
    return f"declared in {file}, {f'since {since} (' if since else '('}for {differs.builds}, seen {differs.seen})"


def _since(builds: str, before: Sequence[str], after: Sequence[str]) -> str:
    """The version that a range of builds names between two builds: ``3.2`` of ``*@>=3.0,<3.2`` for 3.1 and 3.5."""
    low, high = sorted(build_version(labels[0].partition("@")[2]) for labels in (before, after))
    ends = EDGE.findall(builds.partition("@")[2])
    return next((text for text in ends if low < build_version(text) <= high), "")


def _parts(differs: Differs[Any], before: Sequence[str], after: Sequence[str]) -> bool:
    """Whether it is about one of two builds, each of which meets itself."""
    builds, peers = Builds(differs.builds), Builds(differs.peer or "*")
    one, other = (any(builds.has(label) and peers.has(label) for label in labels) for labels in (before, after))
    return one is not other


def _said(observable: str, text: str) -> set[str]:
    """The texts that a declared value may have for a value of a difference."""
    found = ALERT.fullmatch(text) if observable == ALERT_SENT else None
    return {text, found["number"], found["name"]} if found else {text, *text.split(", ")}


def _words(names: Iterable[str], least: int = LONG) -> set[str]:
    """The words of at least so many letters that distinguish one fact from others, without a plural's s."""
    words = {word for name in names for word in PARTS.sub(" ", name).lower().split()}
    return {word.removesuffix("s") for word in words if len(word) >= least} - COMMON


def _values(expectation: Expectation[Any]) -> set[str]:
    """Every value that it has for some build, as a difference shows it."""
    return set(_texts([expectation.value, *(differs.value for differs in expectation.differs)]))


def _texts(value: object) -> Iterator[str]:
    """The value, and each one in it, as a difference shows it."""
    if isinstance(value, list | tuple) and not value:
        yield NONE
    elif isinstance(value, list | tuple | set | frozenset):
        for each in value:
            yield from _texts(each)
    elif isinstance(value, Alert):
        yield from (f"{value.name} ({value.number}) by {value.sender}", str(value.number))
    elif is_dataclass(value):
        for each in fields(value):
            yield from _texts(getattr(value, each.name))
    elif value is None:
        yield NONE
    else:
        yield str(value).lower() if isinstance(value, bool) else str(value)


@cache
def _expectations(file: str) -> tuple[_Named, ...]:
    """The expectations of a file: in its constants, in the cases of its tests, and of the rules that it breaks."""
    held = [(name, value) for name, value in _module(file).items() if not name.startswith("__")]
    cases = [("", getattr(mark, "args", ())) for mark in _marks(file)]
    return tuple(_Named(name, found) for name, value in [*held, *cases] for found in _found(value))


def _marks(file: str) -> Iterator[Any]:
    for value in _module(file).values():
        yield from _marks_of(value)


def _marks_of(value: Any) -> list[Any]:
    marks = getattr(value, "pytestmark", value)
    return marks if isinstance(marks, list) else [marks]


@cache
def _module(file: str) -> dict[str, Any]:
    path = _located(file)
    spec = spec_from_file_location(f"declared_{path.stem}", path) if path else None
    if spec is None or spec.loader is None:
        return {}
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return vars(module)


def _found(value: Any) -> Iterator[Expectation[Any]]:
    if isinstance(value, Expectation):
        yield value
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _found(each)
    elif isinstance(value, dict):
        yield from _found(list(value.values()))


def _located(file: str) -> Path | None:
    if Path(file).is_file():
        return Path(file)
    *_, folder = scenarios(Path.cwd())
    inside = Path(folder).parent / file
    return inside if inside.is_file() else None
