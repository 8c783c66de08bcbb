"""Follows a value through the source of a function: whether an assert uses it, or the function returns it.

It follows names, not objects. A value is in an expression that contains it, in each name that the expression is
assigned to, in a list to which it is appended, and in the parameter of a function of the tests that it is passed to.
An assert uses a name if it runs whenever the test passes, and evaluates the name whenever it runs.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field, replace
from enum import Enum, auto
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    Enters: TypeAlias = Callable[[ast.Call, frozenset[str]], bool]
    """Whether the called function asserts what is passed to it in these parameters, ``0``, ``1``, … by position."""

Block: TypeAlias = "Sequence[ast.stmt]"
At: TypeAlias = tuple[int, int]
"""A line, from 1, and a column in bytes, from 0."""
CATCHES = frozenset({"AssertionError", "Exception", "BaseException"})
GUARDS = frozenset({"raises", "suppress"})
"""Context managers that an AssertionError does not leave."""


class Fate(Enum):
    """What becomes of a value within one function."""

    LOST = auto()
    DECIDES = auto()
    """It decides which branch the function takes, and so perhaps what it returns."""
    RETURNED = auto()
    ASSERTED = auto()


@dataclass(frozen=True)
class Place:
    """A statement in its block, with the compound statement that the block belongs to."""

    block: Block
    index: int
    within: ast.stmt | None = None

    @property
    def statement(self) -> ast.stmt:
        """The statement itself."""
        return self.block[self.index]


def covers(node: ast.AST, at: At) -> bool:
    """Whether a position is in a node's text."""
    place = vars(node)
    return (place["lineno"], place["col_offset"]) <= at < (place["end_lineno"], place["end_col_offset"])


def blocks(statement: ast.stmt) -> Iterator[Block]:
    """The blocks of a compound statement, those of handlers and cases too."""
    for value in vars(statement).values():
        for part in value if isinstance(value, list) else ():
            if isinstance(part, ast.stmt):
                yield value
                break
            if isinstance(part, ast.ExceptHandler | ast.match_case):
                yield part.body


def places(body: Block, at: At, within: ast.stmt | None = None) -> list[Place]:
    """The statements around a position, from the outermost one of its function to the innermost."""
    for index, statement in enumerate(body):
        if covers(statement, at):
            inner = next(filter(None, (places(block, at, statement) for block in blocks(statement))), [])
            own = isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and inner
            return inner if own else [Place(body, index, within), *inner]
    return []


def fate(around: Sequence[Place], at: At, enters: Enters) -> Fate:
    """What becomes of the value that is read at a position, in the function whose statements are around it."""
    if not around:
        return Fate.LOST
    place = around[-1]
    statement, guarded = place.statement, any(guards(one.within, one.block) for one in around)
    if isinstance(statement, ast.Assert):
        return Fate.LOST if guarded or vacuous(statement.test) else Fate.ASSERTED
    header = [*header_of(statement)]
    read = [node for part in header for node in ast.walk(part) if isinstance(node, ast.expr) and covers(node, at)]
    state = State(enters, guarded=guarded).takes(statement, read)
    for one in reversed(around):
        if state.fate is Fate.ASSERTED or state.over:
            break
        state = state.after(one.block[one.index + 1 :])
    if state.fate is Fate.LOST and isinstance(statement, ast.If | ast.While | ast.Match | ast.Raise):
        return Fate.DECIDES
    return state.fate


def guards(statement: ast.stmt | None, block: Block) -> bool:
    """Whether a failed assert in this block of a compound statement can go unnoticed."""
    if isinstance(statement, ast.Try):
        return block is statement.body and any(catches(handler.type) for handler in statement.handlers)
    if isinstance(statement, ast.With):
        names = {
            vars(item.context_expr.func).get("attr") or vars(item.context_expr.func).get("id")
            for item in statement.items
            if isinstance(item.context_expr, ast.Call)
        }
        return bool(names & GUARDS)
    return False


def catches(kinds: ast.expr | None) -> bool:
    """Whether `except` with these classes catches an AssertionError."""
    return kinds is None or any(isinstance(node, ast.Name) and node.id in CATCHES for node in ast.walk(kinds))


def vacuous(test: ast.expr) -> bool:
    """Whether a test is true whatever its values are."""
    if isinstance(test, ast.BoolOp):
        return (any if isinstance(test.op, ast.Or) else all)(vacuous(value) for value in test.values)
    if isinstance(test, ast.Constant):
        return bool(test.value)
    return isinstance(test, ast.Tuple | ast.List | ast.Set) and bool(test.elts)


def header_of(statement: ast.stmt) -> Iterator[ast.expr]:
    """The expressions of a statement, without those of its blocks."""
    for child in ast.iter_child_nodes(statement):
        if isinstance(child, ast.expr):
            yield child
        elif isinstance(child, ast.withitem):
            yield child.context_expr


def certain(test: ast.expr, *, whole: bool = True) -> Iterator[ast.expr]:
    """The parts of a test that are evaluated whenever it is true; `whole`: it must itself be true."""
    if isinstance(test, ast.BoolOp):
        every = whole and isinstance(test.op, ast.And)
        for value in test.values if every else test.values[:1]:
            yield from certain(value, whole=every)
    elif isinstance(test, ast.IfExp):
        yield from certain(test.test, whole=False)
    elif isinstance(test, ast.Compare):
        for value in [test.left, *(test.comparators if whole else test.comparators[:1])]:
            yield from certain(value, whole=False)
    elif not isinstance(test, ast.Lambda):
        yield test
        for child in ast.iter_child_nodes(test):
            for part in [child] if isinstance(child, ast.expr) else parts(child):
                yield from certain(part, whole=False)


def parts(node: ast.AST) -> list[ast.expr]:
    """The expressions of a keyword argument or of a comprehension's `for`."""
    return [child for child in ast.iter_child_nodes(node) if isinstance(child, ast.expr)]


def names_in(*nodes: ast.AST) -> set[str]:
    """The names in some nodes."""
    return {node.id for root in nodes for node in ast.walk(root) if isinstance(node, ast.Name)}


@dataclass(frozen=True)
class State:
    """What is known of a value when a function has come to a statement."""

    enters: Enters = field(repr=False)
    names: frozenset[str] = frozenset()
    """Those that hold the value."""
    fate: Fate = Fate.LOST
    guarded: bool = False
    """An assert that fails here can go unnoticed."""
    certain: bool = True
    """What follows runs whenever the test passes."""
    over: bool = False
    """The block ends here."""

    def finds(self, found: Fate) -> State:
        """Keep the better fate."""
        return replace(self, fate=max(self.fate, found, key=lambda one: one.value))

    def holds(self, expression: ast.expr | None) -> bool:
        """Whether an expression uses the value."""
        return expression is not None and bool(names_in(expression) & self.names)

    def after(self, block: Block) -> State:
        """Go through a block."""
        state = replace(self, over=False)
        for statement in block:
            if state.over or state.fate is Fate.ASSERTED:
                break
            state = state.through(statement)
        return state

    def through(self, statement: ast.stmt) -> State:
        """Go through a statement."""
        if isinstance(statement, ast.Assert):
            used = self.certain and not self.guarded and not vacuous(statement.test)
            seen = any(isinstance(part, ast.Name) and part.id in self.names for part in certain(statement.test))
            return self.finds(Fate.ASSERTED) if used and seen else self
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            return self
        reading = [part for part in header_of(statement) if self.holds(part)]
        within = [
            node for part in reading for node in ast.walk(part) if isinstance(node, ast.expr) and self.holds(node)
        ]
        return self.takes(statement, within)

    def takes(self, statement: ast.stmt, reading: Sequence[ast.expr]) -> State:
        """Go through a statement some of whose expressions, ``reading``, are or contain the value."""
        state = self.into_calls(reading)
        walrus = {node.target.id for node in reading if isinstance(node, ast.NamedExpr)}
        state = replace(state, names=state.names | walrus)
        if isinstance(statement, ast.Return):
            return replace(state.finds(Fate.RETURNED) if reading else state, over=True)
        if isinstance(statement, ast.Raise | ast.Break | ast.Continue):
            return replace(state, over=True)
        if isinstance(statement, ast.Expr):
            return state.from_expression(statement, reading)
        if isinstance(statement, ast.Assign | ast.AnnAssign | ast.AugAssign):
            targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
            if any(not covers_any(targets, node) for node in reading):
                return replace(state, names=state.names | names_in(*targets))
            rebound = (
                set() if isinstance(statement, ast.AugAssign) else {t.id for t in targets if isinstance(t, ast.Name)}
            )
            return replace(state, names=state.names - rebound)
        return state.compound(statement, reading)

    def into_calls(self, reading: Sequence[ast.expr]) -> State:
        """Look into each function that the value is passed to."""
        for call in reading:
            if isinstance(call, ast.Call):
                given: dict[str, ast.expr] = {str(index): value for index, value in enumerate(call.args)}
                given |= {keyword.arg: keyword.value for keyword in call.keywords if keyword.arg}
                passed = frozenset(name for name, value in given.items() if value in reading)
                if passed and self.certain and not self.guarded and self.enters(call, passed):
                    return self.finds(Fate.ASSERTED)
        return self

    def from_expression(self, statement: ast.Expr, reading: Sequence[ast.expr]) -> State:
        """``names.append(value)`` puts it into ``names``; ``yield value`` hands it to the caller."""
        value = statement.value
        if isinstance(value, ast.Yield | ast.YieldFrom):
            return self.finds(Fate.RETURNED) if reading else self
        if isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute) and reading:
            held = value.func.value
            changed = names_in(held) if not any(node is held for node in reading) else set()
            return replace(self, names=self.names | changed)
        return self

    def compound(self, statement: ast.stmt, reading: Sequence[ast.expr]) -> State:
        """Go through the blocks of a compound statement."""
        state = self
        if isinstance(statement, ast.For | ast.AsyncFor):
            bound = names_in(statement.target) if reading else set()
            inner = replace(state, names=state.names | bound, certain=state.certain and bool(reading))
            state = state.joined([inner.after(statement.body)], every=bool(reading))
        elif isinstance(statement, ast.With | ast.AsyncWith):
            bound = (
                names_in(*(item.optional_vars for item in statement.items if item.optional_vars)) if reading else set()
            )
            inside = replace(
                state, names=state.names | bound, guarded=state.guarded or guards(statement, statement.body)
            )
            state = state.joined([inside.after(statement.body)], every=True)
        elif isinstance(statement, ast.Try):
            guarded = state.guarded or guards(statement, statement.body)
            state = state.joined([replace(state, guarded=guarded).after(statement.body)], every=True)
            state = state.joined([replace(state, certain=False).after(h.body) for h in statement.handlers], every=False)
            state = state.joined([state.after([*statement.orelse, *statement.finalbody])], every=True)
        elif isinstance(statement, ast.If):
            branches = [state.after(statement.body), state.after(statement.orelse)]
            state = state.joined(branches, every=True)
            state = state.finds(Fate.DECIDES) if reading and state.fate is Fate.LOST else state
        else:
            uncertain = replace(state, certain=False)
            state = state.joined([uncertain.after(block) for block in blocks(statement)], every=False)
        leaves = any(isinstance(node, ast.Return) for node in ast.walk(statement))
        return replace(state, certain=self.certain and not leaves, guarded=self.guarded, over=False)

    def joined(self, ends: Sequence[State], *, every: bool) -> State:
        """Go on after some blocks; what all of them assert is asserted if ``every``: one of them runs for certain."""
        names = self.names.union(*(end.names for end in ends))
        fates = [end.fate for end in ends]
        asserted = every and bool(fates) and all(one is Fate.ASSERTED for one in fates)
        best = max((one for one in fates if one is not Fate.ASSERTED), key=lambda one: one.value, default=Fate.LOST)
        return replace(self, names=names).finds(Fate.ASSERTED if asserted else best)


def covers_any(targets: Sequence[ast.expr], node: ast.expr) -> bool:
    """Whether a node is a part of one of the targets of an assignment."""
    return any(node is part for target in targets for part in ast.walk(target))
