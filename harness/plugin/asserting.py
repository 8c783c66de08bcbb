"""Says whether an assert uses what is being read: in an assert statement, in a helper that one calls, or by a name.

It looks at the frames that are running and at their source, so that nothing is rewritten and no test runs slower.
"""

from __future__ import annotations

import ast
import sys
from functools import cache, lru_cache
from pathlib import Path
from types import FunctionType
from typing import TYPE_CHECKING, NamedTuple

from harness.plugin.flow import Fate, State, fate, places

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from types import CodeType, FrameType

    from harness.plugin.flow import At, Enters

HARNESS = Path(__file__).parents[1]
TRANSPARENT = frozenset({"<lambda>", "<listcomp>", "<setcomp>", "<dictcomp>", "<genexpr>"})
"""Code whose value is that of an expression of the caller."""
RUNNERS = frozenset({"_pytest", "pluggy", "pytest", "xdist"})
"""Packages that call a test: no frame beyond them is a part of it."""
DEEPEST = 8
"""How many functions deep a value is followed that is passed as an argument."""


def read_by_assert() -> bool:
    """Whether an assert uses the value that the caller of the harness's function is reading now."""
    for frame in frames():
        if frame.f_code.co_name in TRANSPARENT:
            continue
        found = followed(frame)
        if found in {Fate.ASSERTED, Fate.LOST}:
            return found is Fate.ASSERTED
    return False


def frames() -> Iterator[FrameType]:
    """The frames of the test that is running, from the innermost that is not the harness's own."""
    frame: FrameType | None = sys._getframe(1)  # noqa: SLF001 - the documented way to the running frames
    while frame is not None:
        name = str(frame.f_globals.get("__name__", ""))
        if name.partition(".")[0] in RUNNERS:
            return
        if not own(source_of(frame.f_code, frame.f_globals)):
            yield frame
        frame = frame.f_back


@cache
def own(source: str) -> bool:
    """Whether a file is the harness's, and neither a scenario nor a test."""
    path = Path(source)
    return path.is_relative_to(HARNESS) and not {"scenarios", "tests"} & {*path.relative_to(HARNESS).parts}


def source_of(code: CodeType, names: dict[str, object]) -> str:
    """The file of a code; a cached one can name the folder in which it was compiled."""
    return str(names.get("__file__") or code.co_filename)


@cache
def parsed(source: str) -> ast.Module | None:
    """The source as a tree, None if it cannot be read."""
    try:
        return ast.parse(Path(source).read_bytes())
    except (OSError, SyntaxError, ValueError):
        return None


@lru_cache(maxsize=1024)
def positions(code: CodeType) -> tuple[tuple[int | None, int | None, int | None, int | None], ...]:
    """Of each instruction: the line, the last line, the column, the last column."""
    return tuple(code.co_positions())


def position(frame: FrameType) -> At:
    """Where a frame is; at column 0 of its line, where the interpreter keeps no columns."""
    line, _, column, _ = positions(frame.f_code)[frame.f_lasti // 2]
    return line or frame.f_lineno, column or 0


class Asked(NamedTuple):
    """A name by which a function was looked for, where, and what it was then."""

    name: str
    scope: Mapping[str, object] | None
    """None: the names of the frame itself."""
    was: object
    """The function, or None."""

    def holds(self, names: Mapping[str, object]) -> bool:
        """Whether it is the same now; ``names`` are those of the frame."""
        return function_of(self.name, names if self.scope is None else self.scope) is self.was


class Followed(NamedTuple):
    """What became of the value that a frame reads at one of its instructions."""

    code: CodeType
    fate: Fate
    asked: tuple[Asked, ...]
    """The functions that it was passed to."""


_FOLLOWED: dict[tuple[int, int], Followed] = {}
"""By the identity of the code, which is kept, and the instruction: a loop reads thousands of values at one place."""
MOST = 4096


def followed(frame: FrameType) -> Fate:
    """What becomes of the value that a frame reads now; found again if a function on its way is another one."""
    code, names = frame.f_code, {**frame.f_globals, **frame.f_locals}
    key = id(code), frame.f_lasti
    known = _FOLLOWED.get(key)
    if known is None or not all(one.holds(names) for one in known.asked):
        tree, at, asked = parsed(source_of(code, frame.f_globals)), position(frame), list[Asked]()
        found = fate(places(tree.body, at), at, calls(names, None, DEEPEST, asked)) if tree else Fate.LOST
        if len(_FOLLOWED) >= MOST:
            _FOLLOWED.clear()
        known = _FOLLOWED[key] = Followed(code, found, tuple(asked))
    return known.fate


def calls(names: Mapping[str, object], scope: Mapping[str, object] | None, deepest: int, asked: list[Asked]) -> Enters:
    """Look into the functions that can be called by these names, and note each in ``asked``."""

    def enters(call: ast.Call, passed: frozenset[str]) -> bool:
        if not isinstance(call.func, ast.Name):
            return False
        function = function_of(call.func.id, names)
        asked.append(Asked(call.func.id, scope, function))
        return asserts(function, passed, deepest, asked)

    return enters


def function_of(name: str, names: Mapping[str, object]) -> FunctionType | None:
    """The Python function of this name; None if it is none."""
    function = names.get(name)
    return function if isinstance(function, FunctionType) else None


def asserts(function: FunctionType | None, passed: frozenset[str], deepest: int, asked: list[Asked]) -> bool:
    """Whether a function asserts what is passed to it; ``passed`` are names of parameters, or places from ``0``."""
    if function is None or not deepest:
        return False
    names = function.__globals__
    tree = parsed(source_of(function.__code__, names))
    for node in ast.walk(tree) if tree else ():
        if isinstance(node, ast.FunctionDef) and node.name == function.__name__ and in_code(node, function.__code__):
            order = [argument.arg for argument in (*node.args.posonlyargs, *node.args.args)]
            held = frozenset(
                order[int(name)] if name.isdecimal() and int(name) < len(order) else name for name in passed
            )
            inner = calls(names, names, deepest - 1, asked)
            return State(inner, held).after(node.body).fate is Fate.ASSERTED
    return False


def in_code(node: ast.FunctionDef, code: CodeType) -> bool:
    """Whether a definition is the one that a code was compiled from; its first line is a decorator's, if it has one."""
    return code.co_firstlineno in {node.lineno, *(decorator.lineno for decorator in node.decorator_list)}
