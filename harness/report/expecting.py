"""Expectations of connections, ``connection[2].hits == 1``: parsed by a small grammar, and judged on a case's JSON."""

from __future__ import annotations

import ast
import operator
import re
from dataclasses import dataclass
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Any, Literal, NoReturn, Union, get_args, get_origin, is_typeddict

from harness.model.errors import UsageError, did_you_mean
from harness.model.tls import Outcome
from harness.report.json.shapes import AlertObject, ConnectionObject, CountersObject, EndpointsObject, fields

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Mapping

    from harness.report.json.shapes import CaseObject

LONGEST = 1000
"""Characters of an expectation."""
CONNECTION = "connection"
LAST = -1
CONSTANTS: Mapping[str, object] = {"true": True, "false": False, "none": None}
HELP = "docs/stories.md says what can be expected"

OPERATORS: Mapping[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.In: lambda one, other: one in other,
    ast.NotIn: lambda one, other: one not in other,
}


def _reasons(connection: ConnectionObject) -> list[str]:
    explanation = connection.get("explanation")
    return [finding["reason"] for finding in explanation["findings"]] if explanation else []


def _alerts(connection: ConnectionObject) -> list[str]:
    alerts = [each for each in connection["messages"] if each["type"] == "Alert"]
    return [f"{each['sender']}.{each['fields'].get('alert', '').partition(' ')[0]}" for each in alerts]


def _callbacks(connection: ConnectionObject) -> list[str]:
    return [f"{each['call']} {each['subject']} {each['result']}" for each in connection.get("callback_calls") or []]


LISTS: Mapping[str, Callable[[ConnectionObject], list[str]]] = {
    "reasons": _reasons,
    "broken_rules": lambda connection: [breach["rule"] for breach in connection.get("breaches", [])],
    "alert_names": _alerts,
    "callback_names": _callbacks,
    "message_names": lambda connection: [f"{each['sender']}.{each['type']}" for each in connection["messages"]],
}
"""Lists of words of a connection, beside the keys of its JSON."""


@dataclass(frozen=True, slots=True)
class Observable:
    """A path in the JSON of a case."""

    text: str
    """As the user typed it."""
    connection: int | None
    """Its number; LAST for the last one, None for the whole case."""
    keys: tuple[str, ...]
    kind: Any
    """The type of its value."""

    def value(self, case: CaseObject) -> Any:
        """Return its value in a case; None if it, or what holds it, is null."""
        found: Any = case
        if self.connection is not None:
            made = case["connections"]
            found = made[-1] if self.connection == LAST else made[self.connection - 1]
            if self.keys[0] in LISTS:
                return LISTS[self.keys[0]](found)
        for key in self.keys:
            found = None if found is None else found.get(key)
        return found


def asked(expected: Iterable[str], connections: int) -> list[tuple[int, tuple[str, ...]]]:
    """Return what expectations name of connections: the number of one of so many, and the path in its JSON."""
    named = [each for text in expected for each in Expectation.parse(text).observables.values()]
    return [
        (connections if each.connection == LAST else each.connection, each.keys)
        for each in named
        if each.connection is not None
    ]


@dataclass(frozen=True, slots=True)
class Expectation:
    """One sentence about a case."""

    text: str
    tree: ast.expr
    observables: Mapping[str, Observable]
    """By the text of their part of the sentence."""
    outcome: Outcome | None = None
    """The outcome of the last connection, if that is the whole sentence."""

    @classmethod
    def parse(cls, text: str) -> Expectation:
        """Read what a user typed; UsageError says what is wrong, where, and what is allowed."""
        words = [each.value for each in Outcome]
        whole = f"{CONNECTION}[-1].outcome == {text}" if text in words else text
        if len(whole) > LONGEST:
            raise UsageError(f"--expect has {len(whole)} characters; the longest allowed has {LONGEST}")
        try:
            tree = ast.parse(whole.strip(), mode="eval").body
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            reason = error.msg if isinstance(error, SyntaxError) else error
            raise UsageError(
                f"--expect {text!r} cannot be read: {reason}; it is one of {', '.join(words)}, or a comparison such as "
                f"'{CONNECTION}[2].hits == 1'; {HELP}"
            ) from error
        parser = _Parser(text)
        parser.sentence(tree)
        return cls(whole.strip(), tree, parser.observables, Outcome(text) if text in words else None)

    @property
    def highest(self) -> int:
        """The highest number of a connection in it."""
        return max((each.connection or 0 for each in self.observables.values()), default=0)

    def sentence(self, connections: int) -> str:
        """Return ``connection 2 is resumed``, or the comparison as it was typed."""
        return f"connection {connections} is {self.outcome}" if self.outcome else self.text

    def holds(self, case: CaseObject) -> bool:
        """Return whether it holds; what is null compares with ``none`` alone, and otherwise nothing holds of it."""
        return _holds(self.tree, self.observables, case) is True

    def values(self, case: CaseObject) -> tuple[str, ...]:
        """Return the value of each of its observables."""
        return tuple(shown(each.value(case)) for each in self.observables.values())

    def observed(self, case: CaseObject) -> str:
        """Return ``connection[2].hits is 2`` for each of its observables."""
        return ", ".join(f"{each.text} is {shown(each.value(case))}" for each in self.observables.values())

    def failure(self, case: CaseObject) -> str | None:
        """Return why it does not hold; None if it does."""
        if self.holds(case):
            return None
        if self.outcome:
            last = case["connections"][-1]
            return f"connection {last['number']} was expected to be {self.outcome} and is {last['outcome']}"
        return f"expected {self.text}: {self.observed(case)}"


def shown(value: object) -> str:
    """Return a value as a user types it."""
    if isinstance(value, list):
        return f"[{', '.join(map(shown, value))}]"
    if value is None or isinstance(value, bool):
        return {True: "true", False: "false", None: "none"}[value]
    return str(value)


def renumbered(text: str, removed: int) -> str | None:
    """Return an expectation of a case without a connection; None if it is about that one."""
    numbers = [int(number) for number in re.findall(rf"{CONNECTION}\[(\d+)\]", text)]
    if removed in numbers:
        return None
    return re.sub(
        rf"{CONNECTION}\[(\d+)\]", lambda found: f"{CONNECTION}[{int(found[1]) - (int(found[1]) > removed)}]", text
    )


class _Parser:
    """Checks each node of the tree; the whitelist is what has a method here."""

    def __init__(self, text: str) -> None:
        self._text = text
        self.observables: dict[str, Observable] = {}

    def _refuse(self, why: str) -> NoReturn:
        raise UsageError(f"--expect {self._text!r}: {why}; {HELP}")

    def sentence(self, node: ast.expr) -> None:
        """A comparison, or several with and, or, not."""
        if isinstance(node, ast.BoolOp):
            for part in node.values:
                self.sentence(part)
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            self.sentence(node.operand)
        elif isinstance(node, ast.Compare) and all(type(op) in OPERATORS for op in node.ops):
            self._comparison(node)
        else:
            word = ast.unparse(node)
            self._refuse(
                f"{word!r} is not an outcome{did_you_mean(word, Outcome)} and is not a comparison; give one of "
                f"{', '.join(Outcome)}, or a comparison such as '{CONNECTION}[2].hits == 1'"
            )

    def _comparison(self, node: ast.Compare) -> None:
        sides = [node.left, *node.comparators]
        found = [side for side in sides if self._is_observable(side)]
        if len(sides) != 2 or not found:  # noqa: PLR2004 - two sides
            self._refuse("a comparison has two sides, and one of them is of a connection or of the counters")
        observables = [self._observable(side) for side in found]
        for side in sides:
            if side not in found:
                self._constant(side, observables[0], node.ops[0])
        if isinstance(node.ops[0], ast.Lt | ast.LtE | ast.Gt | ast.GtE):
            for each in observables:
                if not {int, float} & set(_kinds(each.kind)):
                    self._refuse(f"{each.text} is not a number, so it is not less or more than another value")

    @staticmethod
    def _is_observable(node: ast.expr) -> bool:
        while isinstance(node, ast.Attribute):
            node = node.value
        return isinstance(node, ast.Subscript) or (isinstance(node, ast.Name) and node.id in {"counters", CONNECTION})

    def _observable(self, node: ast.expr) -> Observable:
        text = ast.unparse(node)
        keys: list[str] = []
        while isinstance(node, ast.Attribute):
            keys.insert(0, node.attr)
            node = node.value
        number, kind, head = self._root(node)
        if not keys:
            self._refuse(f"{text} is a whole object; name one of its keys: {', '.join(fields(kind))}")
        path = [*head, *keys] if number is None else self._spelled(keys)
        found = Observable(text, number, *self._resolved(kind, path, head, text))
        self.observables[text] = found
        return found

    def _root(self, node: ast.expr) -> tuple[int | None, Any, tuple[str, ...]]:
        if isinstance(node, ast.Name) and node.id == "counters":
            return None, CountersObject, ("counters",)
        if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name) and node.value.id == CONNECTION:
            try:
                number = ast.literal_eval(node.slice)
            except (ValueError, SyntaxError):
                number = None
            if type(number) is int and (number == LAST or number >= 1):
                return number, ConnectionObject, ()
        return self._refuse(f"a connection is {CONNECTION}[1], {CONNECTION}[2] …, or {CONNECTION}[-1] for the last")

    @staticmethod
    def _spelled(keys: list[str]) -> list[str]:
        """The path of keys for what has a short name: a counter, an end's report, the wire's view."""
        if keys[0] in fields(CountersObject):
            return ["counters", *keys]
        if keys[0] in fields(EndpointsObject):
            return ["endpoints", *keys]
        return ["views", *keys] if keys[0] == "wire" else keys

    def _resolved(self, kind: Any, path: list[str], head: tuple[str, ...], text: str) -> tuple[tuple[str, ...], Any]:
        if path[0] in LISTS and len(path) == 1 and not head:
            return tuple(path), list[str]
        for key in path[len(head) :]:
            inner = _object(kind)
            if inner is None or key not in fields(inner):
                names = [*fields(inner), *(LISTS if inner is ConnectionObject else ())] if inner else []
                names += list(fields(CountersObject)) if inner is ConnectionObject else []
                hint = did_you_mean(key, names)
                self._refuse(f"{text}: there is no {key!r}{hint}; there is {', '.join(names) or 'nothing in it'}")
            kind = fields(inner)[key].kind
        if _object(kind) is AlertObject:
            return (*path, "number"), int | None
        return tuple(path), kind

    def _constant(self, node: ast.expr, observable: Observable, op: ast.cmpop) -> None:
        allowed = _kinds(observable.kind)
        within = isinstance(op, ast.In | ast.NotIn)
        listed = isinstance(node, ast.List | ast.Tuple | ast.Set)
        if within and not listed and list not in allowed:
            self._refuse("`in` needs a list in brackets, or a list of the connection such as reasons")
        if listed and not within:
            self._refuse("a list is compared with `in`")
        for each in node.elts if isinstance(node, ast.List | ast.Tuple | ast.Set) else [node]:
            value = self._value(each)
            if value is None or list in allowed:
                continue
            words = [word for kind in allowed if get_origin(kind) is Literal for word in get_args(kind)]
            kinds = tuple(kind for kind in allowed if isinstance(kind, type) and kind is not NoneType)
            if value not in words and not (kinds and isinstance(value, kinds)):
                can = ", ".join(words) if words else " or ".join(_NAMES.get(kind, kind.__name__) for kind in kinds)
                self._refuse(f"{observable.text} cannot be {shown(value)}; it is {can}, or none")

    def _value(self, node: ast.expr) -> object:
        try:
            return _constant_value(node)
        except ValueError:
            return self._refuse(f"{ast.unparse(node)!r} is not a number, a word, true, false or none")


_NAMES: Mapping[Any, str] = {int: "an integer", str: "a text", bool: "true or false", float: "a number"}


def _constant_value(node: ast.expr) -> object:
    if isinstance(node, ast.Name):
        return CONSTANTS.get(node.id, node.id)
    try:
        value = ast.literal_eval(node)
    except (ValueError, SyntaxError) as error:
        raise ValueError from error
    if not isinstance(value, int | float | str | bool | None):
        raise ValueError(value)  # noqa: TRY004 - the callers' word for what is not a constant
    return value


def _kinds(kind: Any) -> list[Any]:
    """The types of a value, each once; a list is `list`."""
    if get_origin(kind) in {UnionType, Union}:
        return [inner for part in get_args(kind) for inner in _kinds(part)]
    return [list] if get_origin(kind) is list else [kind]


def _object(kind: Any) -> Hashable | None:
    return next((part for part in _kinds(kind) if is_typeddict(part)), None)


def _holds(node: ast.expr, observables: Mapping[str, Observable], case: CaseObject) -> bool | None:
    """Whether it holds; None if that is unknown."""
    if isinstance(node, ast.BoolOp):
        decisive = isinstance(node.op, ast.Or)
        parts = [_holds(part, observables, case) for part in node.values]
        return decisive if decisive in parts else None if None in parts else not decisive
    if isinstance(node, ast.UnaryOp):
        held = _holds(node.operand, observables, case)
        return None if held is None else not held
    if not isinstance(node, ast.Compare):
        return None
    sides, op = (node.left, node.comparators[0]), node.ops[0]
    one, other = (_side(side, observables, case) for side in sides)
    asks = any(isinstance(side, ast.Name) and side.id == "none" for side in sides)
    if other is None and isinstance(op, ast.In | ast.NotIn):
        return None
    if (one is None or other is None) and not asks and not (isinstance(other, list) and None in other):
        return None  # what is null is unknown, or not there: only `none` asks for it
    return OPERATORS[type(op)](one, other)


def _side(node: ast.expr, observables: Mapping[str, Observable], case: CaseObject) -> Any:
    found = observables.get(ast.unparse(node))
    if found is not None:
        return found.value(case)
    if isinstance(node, ast.List | ast.Tuple | ast.Set):
        return [_constant_value(each) for each in node.elts]
    return _constant_value(node)
