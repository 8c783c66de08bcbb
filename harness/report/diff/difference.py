"""What differs between two objects of the same shape, key by key as the shapes declare it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

from harness.report.json.comparing import EXACTLY, NOT_AT_ALL, Connections, Each, Inside, Named
from harness.report.json.shapes import fields, held

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from harness.report.json.comparing import Comparing, Rule

ABSENT = "absent"
PRESENT = "present"
NONE = "none"


@dataclass(frozen=True, slots=True)
class Difference:
    """One observable that differs. Its values are masked and shown as text."""

    observable: str
    """Its path of keys, ``session.lifetime_hint`` of a connection or ``counters.hits`` of the whole cell."""
    before: str
    after: str
    connection: int | None = field(default=None, compare=False)
    """The number of the connection, None for the whole cell."""


def differences(kind: Any, before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Difference]:
    """All differences of two objects of a TypedDict of the shape, in the order of its keys."""
    cases = (before.get("case") or before, after.get("case") or after)
    alike = cases[0].get("knobs") == cases[1].get("knobs")
    return list(_Walk(cases, alike).object(kind, "", (before, after)))


def observables(kind: Any, one: Mapping[str, Any]) -> set[str]:
    """Return the observables of an object of a TypedDict of the shape, of all its connections; none of an order."""
    return set(_names(kind, "", one))


def _names(kind: Any, path: str, one: Mapping[str, Any]) -> Iterator[str]:
    for key, comparing, inner in _plan(kind):
        name, value = f"{path}.{key}" if path else key, one.get(key)
        if isinstance(comparing, Connections):
            for connection in value or ():
                yield from _names(inner, "", connection)
        elif isinstance(comparing, Each):
            for (item, _place), found in _by_name(comparing, value or ()).items():
                yield f"{name}.{item}"
                yield from _names(inner, f"{name}.{item}", found)
        elif isinstance(comparing, Named):
            yield from (f"{name}.{text}" for text in value or ())
        elif isinstance(comparing, Inside) and value is not None:
            yield from _names(inner, name if comparing.named else path, value)
        else:
            yield name


@cache
def _plan(kind: Any) -> tuple[tuple[str, Comparing, Any], ...]:
    """Each key of an object type that is compared, with its rule, and with the type of the object that it holds."""
    found = fields(kind).items()
    return tuple((key, field.compare, held(field.kind)) for key, field in found if field.compare is not NOT_AT_ALL)


def shown(value: Any) -> str:
    """A value as text."""
    if value is None:
        return NONE
    return str(value).lower() if isinstance(value, bool) else str(value)


@dataclass
class _Walk:
    cases: tuple[Mapping[str, Any], Mapping[str, Any]]
    alike: bool
    """Whether both have the same knobs, so that what is equal within an object or a list is also equal when masked."""
    connection: int | None = None

    def object(self, kind: Any, path: str, both: tuple[Any, Any]) -> Iterator[Difference]:
        if None in both:
            if both != (None, None):
                yield self._found(path, *(NONE if side is None else PRESENT for side in both))
            return
        for key, comparing, inner in _plan(kind):
            values = (both[0].get(key), both[1].get(key))
            if (comparing is EXACTLY or (inner and self.alike)) and values[0] == values[1]:
                continue
            name = f"{path}.{key}" if path else key
            if isinstance(comparing, Inside):
                yield from self.object(inner, name if comparing.named or None in values else path, values)
            elif isinstance(comparing, Connections):
                yield from self._connections(inner, values)
            elif isinstance(comparing, Each):
                yield from self._list(inner, name, comparing, values)
            elif isinstance(comparing, Named):
                yield from self._texts(name, comparing, values, both)
            else:
                yield from self._value(name, comparing, values, both)

    def _value(self, path: str, rule: Rule, values: tuple[Any, Any], holders: tuple[Any, Any]) -> Iterator[Difference]:
        one, other = (
            rule.mask(value, holder, case) for value, holder, case in zip(values, holders, self.cases, strict=True)
        )
        if not rule.alike(one, other):
            yield self._found(path, shown(one), shown(other))

    def _texts(self, path: str, named: Named, both: tuple[Any, Any], holders: tuple[Any, Any]) -> Iterator[Difference]:
        before, after = both[0] or {}, both[1] or {}
        for name in dict.fromkeys([*before, *after]):
            if name in before and name in after:
                rule = named.rules.get(name, EXACTLY)
                if rule is EXACTLY and before[name] == after[name]:
                    continue
                yield from self._value(f"{path}.{name}", rule, (before[name], after[name]), holders)
            else:
                yield self._found(f"{path}.{name}", *(PRESENT if name in side else ABSENT for side in (before, after)))

    def _connections(self, inner: Any, both: tuple[Any, Any]) -> Iterator[Difference]:
        before, after = ({one["number"]: one for one in side or ()} for side in both)
        for number in dict.fromkeys([*before, *after]):
            self.connection = number
            yield from self._member(inner, "", (before.get(number), after.get(number)))
        self.connection = None

    def _list(self, inner: Any, path: str, each: Each, both: tuple[Any, Any]) -> Iterator[Difference]:
        before, after = (_by_name(each, side or ()) for side in both)
        for name, place in dict.fromkeys([*before, *after]):
            yield from self._member(inner, f"{path}.{name}", (before.get((name, place)), after.get((name, place))))
        orders = [_order(each, (key for key in side if key in before and key in after)) for side in (before, after)]
        for sender, names in orders[0].items():
            if names != orders[1][sender]:
                where = f"{path}.{sender}" if sender else path
                yield self._found(f"{where} order", " ".join(names), " ".join(orders[1][sender]))

    def _member(self, inner: Any, path: str, both: tuple[Any, Any]) -> Iterator[Difference]:
        if None in both:
            yield self._found(path or "connection", *(ABSENT if side is None else PRESENT for side in both))
        else:
            yield from self.object(inner, path, both)

    def _found(self, path: str, before: str, after: str) -> Difference:
        return Difference(path, before, after, self.connection)


def _by_name(each: Each, side: Iterable[Any]) -> dict[tuple[str, int], Any]:
    """The items that have a name, by it and by their number among those of the same name, from 1."""
    seen: Counter[str] = Counter()
    found = {}
    for item in each.certain(list(side)):
        if not (name := each.name(item)):
            continue
        seen[name] += 1
        found[name, seen[name]] = item
    return found


def _order(each: Each, keys: Iterable[tuple[str, int]]) -> dict[str, list[str]]:
    """The names by sender, in order."""
    found: dict[str, list[str]] = {}
    for name, _place in keys:
        sender, _dot, kind = name.rpartition(".")
        found.setdefault(sender, []).extend([kind] if kind not in each.anywhere else [])
    return found
