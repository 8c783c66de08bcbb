"""Makes docs/reference.md: every word of `harness` with its members, signatures and docstrings, read from the code."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from dataclasses import is_dataclass
from enum import Enum
from importlib import import_module
from itertools import pairwise
from typing import TYPE_CHECKING, cast

import harness
from harness.model.reason import Question, Reason
from harness.model.transcript import ClientHello, Message, NewSessionTicket, ServerHello, Transcript
from harness.model.view import EndpointReport, View
from harness.pair.control import Client, Server
from harness.pair.open_connection import OpenConnection

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

HEAD = """# Reference

All that a scenario can say. `from harness import …` gives each word of the first table; the objects that these words
return follow below. This page is made by `python docs/generate.py` from the docstrings.

A scenario begins with [`scenario`](#scenario). Its test gets a [`pair`](#pair) and asks it for
[connections](#connection). Settings are [knobs](knobs.md); what a story needs beyond them is a
[Capability](#capability).
"""

CHAPTERS: dict[str, tuple[str, ...]] = {
    "The situation": ("scenario", "cases", "openssl_chooses", "BOTH", "UNSET"),
    "The story": ("Pair", "OpenConnection", "Client", "Server", "Serving", "Probed", "Programs"),
    "The connection": ("Connection", "EndpointReport", "View", "Counters", "Alert"),
    "The messages": ("Transcript", "Message", "ClientHello", "ServerHello", "NewSessionTicket"),
    "The session": ("Session", "Turned", "aged", "edited", "damaged", "with_other_secret", "load", "to_pem"),
    "The reasons": ("reasons", "titles", "reasons_offered", "Reason"),
    "The rules of the RFCs": ("breaches", "broken_by", "KNOWN_BREACHES"),
    "The expectation": ("Expectation", "Differs", "without_alert"),
    "Values": (
        "Outcome",
        "Mechanism",
        "TLSVersion",
        "Role",
        "Close",
        "Ending",
        "CacheMode",
        "Cookie",
        "PskMode",
        "Verify",
        "Capability",
        "StrictMiddlebox",
    ),
}
"""Every word stands in one chapter; so do the types that words return."""

RETURNED = {
    each.__name__: each
    for each in (
        Client,
        ClientHello,
        EndpointReport,
        Message,
        NewSessionTicket,
        OpenConnection,
        Server,
        ServerHello,
        Transcript,
        View,
    )
}
"""What words return and no scenario has to import."""

SHORT = {"FULL": "Outcome", "DECLINED": "Outcome", "RESUMED": "Outcome", "ABORTED": "Outcome"} | {
    "TLSv1": "TLSVersion",
    "TLSv1_1": "TLSVersion",
    "TLSv1_2": "TLSVersion",
    "TLSv1_3": "TLSVersion",
    "DTLSv1": "TLSVersion",
    "DTLSv1_2": "TLSVersion",
    "QUICv1": "TLSVersion",
}
"""Members of an enumeration that are words themselves."""


CALLED = {"Alert", "Differs", "Expectation", "StrictMiddlebox"}
"""Classes that a scenario calls; it is given the objects of the others."""

WIDTH = 100
"""Characters of a signature; a longer one has a line for each parameter."""


def api_page() -> str:
    """The page; ValueError if a word stands in no chapter."""
    shown = {name for names in CHAPTERS.values() for name in names}
    if forgotten := set(harness.__all__) - shown - set(SHORT):
        raise ValueError(f"words in no chapter of docs/api_page.py: {', '.join(sorted(forgotten))}")
    return "\n".join([HEAD, *_table(), *(line for name, names in CHAPTERS.items() for line in _chapter(name, names))])


def _table() -> Iterator[str]:
    yield "| word | what it is |"
    yield "|---|---|"
    for word in sorted(harness.__all__, key=str.lower):
        if word in SHORT:
            yield f"| [`{word}`](#{SHORT[word].lower()}) | `{SHORT[word]}.{word}` |"
        else:
            yield f"| [`{word}`](#{word.lower()}) | {_summary(word)} |"
    yield ""


def _chapter(name: str, words: Iterable[str]) -> Iterator[str]:
    yield f"## {name}"
    yield ""
    for word in words:
        yield f"### {word}"
        yield ""
        yield from _word(word)


def _value(word: str) -> object:
    return RETURNED.get(word) or getattr(harness, word)


def _summary(word: str) -> str:
    value = _value(word)
    if isinstance(value, type) or inspect.isfunction(value):
        return _prose(inspect.getdoc(value) or "").partition("\n\n")[0].replace("\n", " ").replace("|", "\\|")
    return _prose(_constant(word)).replace("\n", " ")


def _constant(word: str) -> str:
    """The docstring below the assignment of the word in its module, or that of the value's type."""
    home = next(m for m, words in harness._MODULES.items() if word in words)  # noqa: SLF001 - the page is about them
    body = ast.parse(inspect.getsource(import_module(home))).body
    return dict(_documented(body)).get(word) or inspect.getdoc(type(_value(word))) or ""


def _word(word: str) -> Iterator[str]:
    value = _value(word)
    if inspect.isfunction(value):
        yield from _function(word, value)
    elif isinstance(value, type) and issubclass(value, Enum):
        yield from _enumeration(value)
    elif isinstance(value, type):
        yield from _class(value)
    else:
        yield _prose(_constant(word))
        yield ""


def _function(name: str, function: object) -> Iterator[str]:
    yield f"```text\n{_signature(name, function)}\n```"
    yield ""
    yield _prose(inspect.getdoc(function) or "")
    yield ""


class _Code(str):
    """An annotation that a signature shows without quotes."""

    __slots__ = ()
    __repr__ = str.__str__


def _signature(name: str, function: object) -> str:
    signature = inspect.signature(cast("Callable[..., object]", function))
    parameters = [p for p in signature.parameters.values() if p.name not in {"self", "cls"}]
    parameters = [p.replace(annotation=_Code(p.annotation)) for p in parameters]
    text = str(signature.replace(parameters=parameters, return_annotation=_Code(signature.return_annotation)))
    text = re.sub(r"<(\w+)\.(\w+): \S+>", r"\1.\2", text)
    flat = f"{name}{text}"
    if len(flat) <= WIDTH:
        return flat
    inner = re.sub(r", (?=\w+: |\*)", ",\n    ", text.partition("(")[2].rpartition(") ->")[0])
    return f"{name}(\n    {inner}\n) ->{text.rpartition(') ->')[2]}"


def _enumeration(enumeration: type[Enum]) -> Iterator[str]:
    yield _prose(inspect.getdoc(enumeration) or "")
    yield ""
    notes = members(enumeration)
    if enumeration is Reason:
        for question in Question:
            yield f"**{question.replace('_', ' ')}**: {members(Question)[question.name]}"
            yield ""
            yield from _rows((m for m in Reason if m.question is question), {m.name: m.meaning for m in Reason})
        return
    yield from _rows(enumeration, notes)


def _rows(members: Iterable[Enum], notes: dict[str, str]) -> Iterator[str]:
    yield "| member | value | meaning |"
    yield "|---|---|---|"
    for member in members:
        note = _prose(notes.get(member.name, "")).replace("\n", " ")
        yield f"| `{member.name}` | `{member.value}` | {note} |"
    yield ""


def _class(shown: type) -> Iterator[str]:
    if shown.__name__ in CALLED:
        yield f"```text\n{_signature(shown.__name__, vars(shown)['__init__']).removesuffix(' -> None')}\n```"
        yield ""
    yield _prose(inspect.getdoc(shown) or "")
    yield ""
    notes = members(shown)
    fields = {name: kind for name, kind in _annotations(shown) if name in notes or is_dataclass(shown)}
    if not is_dataclass(shown):
        fields = {name: "" for name in notes if not name.startswith("_")} | fields
    if fields:
        yield "| attribute | type | meaning |"
        yield "|---|---|---|"
        for name, kind in fields.items():
            note = _prose(notes.get(name, "")).replace("\n", " ")
            yield f"| `{name}` | {f'`{kind}`' if kind else ''} | {note} |"
        yield ""
    for name, member in _methods(shown):
        if isinstance(member, property):
            kind = inspect.signature(member.fget).return_annotation if member.fget else ""
            yield f"- **`{name}`** (`{kind}`): {_item(member)}"
        else:
            yield f"- **`{_one_line(_signature(name, member))}`**: {_item(member)}"
    yield ""


def _one_line(text: str) -> str:
    return " ".join(text.split()).replace("( ", "(").replace(" )", ")")


def _item(member: object) -> str:
    return textwrap.indent(_prose(inspect.getdoc(member) or ""), "  ").strip()


def _mro(shown: type) -> list[type]:
    return [c for c in reversed(shown.__mro__) if c.__module__.startswith("harness.")]


def members(shown: type) -> dict[str, str]:
    """The docstrings below the attributes of a class and of those it extends."""
    found: dict[str, str] = {}
    for each in _mro(shown):
        for node in ast.walk(ast.parse(textwrap.dedent(inspect.getsource(each)))):
            if isinstance(node, ast.ClassDef) or (isinstance(node, ast.FunctionDef) and node.name == "__init__"):
                found |= dict(_documented(node.body))
    return found


def _documented(body: list[ast.stmt]) -> Iterator[tuple[str, str]]:
    for statement, after in pairwise(body):
        names = statement.targets if isinstance(statement, ast.Assign) else [getattr(statement, "target", None)]
        text = after.value.value if isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant) else None
        for name in names:
            if isinstance(name, ast.Name | ast.Attribute) and isinstance(text, str):
                yield name.id if isinstance(name, ast.Name) else name.attr, inspect.cleandoc(text)


def _annotations(shown: type) -> list[tuple[str, str]]:
    return [
        (name, str(kind).replace("|", "or"))
        for each in _mro(shown)
        for name, kind in vars(each).get("__annotations__", {}).items()
        if not name.startswith("_")
    ]


def _methods(shown: type) -> Iterator[tuple[str, object]]:
    named: dict[str, object] = {}
    for each in _mro(shown):
        named |= {n: m for n, m in vars(each).items() if not n.startswith("_") and inspect.getdoc(m)}
    for name, member in named.items():
        if isinstance(member, property) or inspect.isfunction(member):
            yield name, member


def _prose(text: str) -> str:
    """A docstring as Markdown: its double backquotes become single ones."""
    return text.replace("``", "`")
