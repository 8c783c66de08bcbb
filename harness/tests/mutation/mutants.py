"""Makes the mutants of a scenario file: each test once without one knob, one step, one edit, or one unclean close."""

from __future__ import annotations

import ast
import copy
import runpy
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from harness import Close

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    Change: TypeAlias = tuple[str, ast.FunctionDef]
    """What is left out, and the function without it."""

EDITS = frozenset({"aged", "damaged", "edited", "with_other_secret"})
"""Words that change a session before it is offered."""
NEW_ENDS = frozenset({"new_client", "new_server"})
DRIVEN = frozenset({"pair", "program", "client_program"})
"""The fixtures through which a test drives its ends."""
CONNECTS = frozenset({"connect", "open", "renegotiate", "run"})
"""Words that make a connection; a client program's makes all of its connections."""
ASKED = frozenset({"remove", "renegotiate"})
"""Verbs whose result says that they did it; it is kept when they are left out."""
MARK = "__mutant_"
TRUE = ast.Constant(True)  # noqa: FBT003 - the constant of a program, not a flag


@dataclass(frozen=True)
class Mutant:
    """One test without one thing."""

    file: str
    test: str
    without: str
    name: str
    """The name of its function."""
    equal: str = ""
    """Why it cannot differ from the test, empty if it can; it is not run."""

    @property
    def id(self) -> str:
        """What a list of survivors calls it."""
        return f"{self.file}::{self.test}: {self.without}"


@dataclass(frozen=True)
class MutatedFile:
    """The source of all mutants of a file, with the tests themselves."""

    mutants: tuple[Mutant, ...]
    tests: tuple[str, ...]
    source: str


def mutated(path: Path) -> MutatedFile:
    """Make the mutants of a scenario file."""
    return Maker(path).made()


def driven(test: ast.FunctionDef) -> bool:
    """Whether a test drives an end: the fixtures that do are known here."""
    return any(argument.arg in DRIVEN for argument in test.args.args)


class Maker:
    """Makes the mutants of one file."""

    def __init__(self, path: Path) -> None:
        self.file = path.name
        self.tree = ast.parse(path.read_text(encoding="utf-8"))
        self.names = runpy.run_path(str(path))
        self.functions = {node.name: node for node in self.tree.body if isinstance(node, ast.FunctionDef)}
        self.mark = next(filter(None, map(mark_of, self.tree.body)), None)

    def made(self) -> MutatedFile:
        """Put every mutant after the tests."""
        mutants: list[Mutant] = []
        body = list(self.tree.body)
        tests = [node for node in self.functions.values() if node.name.startswith("test_") and driven(node)]
        for test in tests:
            seen: Counter[str] = Counter()
            for without, equal, functions in self.changes(test):
                seen[without] += 1
                name = f"{test.name}{MARK}{len(mutants)}"
                again = f" ({seen[without]})" if seen[without] > 1 else ""
                mutants.append(Mutant(self.file, test.name, without + again, name, equal))
                if not equal:
                    body += renamed(functions, test.name, name)
        tree = ast.fix_missing_locations(ast.Module(body, []))
        return MutatedFile(tuple(mutants), tuple(test.name for test in tests), ast.unparse(tree) + "\n")

    def changes(self, test: ast.FunctionDef) -> Iterator[tuple[str, str, list[ast.FunctionDef]]]:
        """What is left out, why that makes no difference if it cannot, and the functions that change; the test last."""
        situation = self.situation(test)
        if isinstance(situation, ast.Call):
            yield from self.of_situation(test, situation)
        ways = self.ways_to_close(situation)
        for without, function in of_story(test, ways):
            yield without, "", [function]
        for helper in self.helpers(test):
            for without, function in of_story(helper, ways):
                yield f"in {helper.name}, {without}", "", [function, copy.deepcopy(test)]

    def situation(self, test: ast.FunctionDef) -> ast.expr | None:
        """The call of `scenario` that is about a test."""
        own = [node for node in test.decorator_list if called(node) == "scenario"]
        return own[0] if own else self.mark

    def helpers(self, test: ast.FunctionDef) -> list[ast.FunctionDef]:
        """The functions of the file that a test calls itself."""
        used = {node.id for node in ast.walk(test) if isinstance(node, ast.Name)}
        return [node for name, node in self.functions.items() if name in used and not name.startswith("test_")]

    def of_situation(
        self, test: ast.FunctionDef, situation: ast.Call
    ) -> Iterator[tuple[str, str, list[ast.FunctionDef]]]:
        """Without each knob, and closed cleanly."""
        for index, keyword in enumerate(situation.keywords):
            if keyword.arg in {"client", "server"}:
                for knob, value in self.value(keyword.value).items():
                    call = copy.deepcopy(situation)
                    call.keywords[index].value = without_knob(keyword.value, knob)
                    equal = "its default is one of the values" if varies_over_default(value) else ""
                    yield f"without {keyword.arg} knob {knob}", equal, [decorated(test, call)]
            if keyword.arg == "close":
                call = copy.deepcopy(situation)
                del call.keywords[index]
                equal = "a clean close is one of its ways" if Close.BOTH in self.ways_to_close(situation) else ""
                yield "closed cleanly", equal, [decorated(test, call)]

    def value(self, expression: ast.expr) -> Any:
        """The value of an expression at the end of the file."""
        return eval(compile(ast.Expression(expression), self.file, "eval"), dict(self.names))  # noqa: S307 - our own file

    def ways_to_close(self, situation: ast.expr | None) -> tuple[Close, ...]:
        """How the cells of a situation close."""
        keywords = situation.keywords if isinstance(situation, ast.Call) else []
        for keyword in keywords:
            if keyword.arg == "close":
                ways = self.value(keyword.value)
                return (ways,) if isinstance(ways, Close) else tuple(ways)
        return (Close.BOTH,)


def mark_of(node: ast.stmt) -> ast.expr | None:
    """The value of `pytestmark = ...`, None of another statement."""
    named = isinstance(node, ast.Assign) and [vars(target).get("id") for target in node.targets] == ["pytestmark"]
    return node.value if named and isinstance(node, ast.Assign) else None


def called(node: ast.AST) -> str:
    """The name of the function or method that a node calls, empty if it calls none by name."""
    if not isinstance(node, ast.Call):
        return ""
    return str(vars(node.func).get("id") or vars(node.func).get("attr") or "")


def without_knob(knobs: ast.expr, name: str) -> ast.expr:
    """An expression that gives the knobs but for one."""
    text = f"{{key: value for key, value in ({ast.unparse(knobs)}).items() if key != {name!r}}}"
    return ast.parse(text, mode="eval").body


def varies_over_default(value: Any) -> bool:
    """Whether a knob varies over its default too, so that its cells are among those without the knob."""
    return isinstance(value, list) and (None in value or {True, False} <= {v for v in value if isinstance(v, bool)})


def decorated(test: ast.FunctionDef, situation: ast.Call) -> ast.FunctionDef:
    """The test with another situation."""
    made = copy.deepcopy(test)
    made.decorator_list = [situation, *(node for node in made.decorator_list if called(node) != "scenario")]
    return made


def of_story(function: ast.FunctionDef, ways: tuple[Close, ...]) -> Iterator[Change]:
    """Each change of a function's statements."""
    own = {argument.arg for argument in (*function.args.args, *function.args.kwonlyargs)}
    for number, node in enumerate(ast.walk(function)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            yield f"without {ast.unparse(node)}", replaced(function, number, None)
        if isinstance(node, ast.Assign) and called(node.value) in ASKED:
            yield (
                f"without {ast.unparse(node)}",
                replaced(function, number, ast.Assign(node.targets, TRUE)),
            )
        if isinstance(node, ast.Call) and not inside_decorator(function, node):
            for without, changed in of_call(node, own, ways):
                yield without, replaced(function, number, changed)


def inside_decorator(function: ast.FunctionDef, node: ast.AST) -> bool:
    """Whether a node is a part of a decorator."""
    return any(node is part for decorator in function.decorator_list for part in ast.walk(decorator))


def of_call(call: ast.Call, own: set[str], ways: tuple[Close, ...]) -> Iterator[tuple[str, ast.expr]]:
    """Each change of a call; ``own`` are the parameters of the function around it."""
    name = called(call)
    function = f"{ast.unparse(call.func)}"
    if name in EDITS:
        yield f"without {name}()", call.args[0]
    if name == "close" and call.args and not (Close.BOTH in ways and "close_how" in ast.unparse(call)):
        yield f"{function} cleanly", ast.Call(call.func, [], call.keywords)
    if name in NEW_ENDS or name in CONNECTS or isinstance(call.func, ast.Name):
        for keyword in call.keywords:
            handed_on = isinstance(keyword.value, ast.Name) and keyword.value.id == keyword.arg and keyword.arg in own
            if name not in EDITS and keyword.arg != "presume_full" and not handed_on:
                rest = [one for one in call.keywords if one is not keyword]
                left_out = keyword.arg or f"**{ast.unparse(keyword.value)}"
                yield f"without {left_out} of {function}()", ast.Call(call.func, call.args, rest)


def replaced(function: ast.FunctionDef, number: int, by: ast.AST | None) -> ast.FunctionDef:
    """The function with another node in the place of one, by its number in `ast.walk`; None leaves out a statement."""
    made = copy.deepcopy(function)
    target = list(ast.walk(made))[number]

    class Replacer(ast.NodeTransformer):
        def visit(self, node: ast.AST) -> Any:
            if node is target:
                return by or ast.Pass()
            return self.generic_visit(node)

    changed = Replacer().visit(made)
    assert isinstance(changed, ast.FunctionDef)
    return changed


def renamed(functions: list[ast.FunctionDef], test: str, name: str) -> list[ast.FunctionDef]:
    """The functions under names of their own, and calling each other by them."""
    new: Mapping[str, str] = {function.name: f"{function.name}{name.removeprefix(test)}" for function in functions}
    made = copy.deepcopy(functions)
    for function in made:
        function.name = new[function.name]
        for node in ast.walk(function):
            if isinstance(node, ast.Name) and node.id in new:
                node.id = new[node.id]
    return made
