"""The verbs of the agent protocol as a section of its page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.agent.verbs import ALWAYS, VERBS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.agent.verbs import Verb

INTRODUCTION = """## Verbs

`python docs/generate.py` writes this section from the table in `harness/agent/verbs.py`. Verbs that are marked
*optional* need not be supported: the agent then replies with an error of kind `lack`, and its `hello` gives the
reason. The capability is the harness's name for what the verb needs.
"""
END = "## Knobs\n"
"""The heading of the next section."""


def verbs_section() -> str:
    """The section in Markdown."""
    return "\n".join([INTRODUCTION, *(f"### `{row.name}`\n\n{_paragraph(row)}\n" for row in VERBS.values())])


def _paragraph(row: Verb) -> str:
    return " ".join(_sentences(row))


def _sentences(row: Verb) -> Iterator[str]:
    fields = ", ".join(f"`{name}` ({field.shown or field.allowed})" for name, field in row.members.items())
    yield row.meaning
    yield f"Fields: {fields}." if fields else "No fields."
    yield f"Reply: {_result(row)}."
    if row.when != ALWAYS:
        yield f"Allowed {row.when}."
    if row.optional:
        yield f"*Optional*{_capability(row)}."


def _result(row: Verb) -> str:
    return ", ".join(f"`{name}` ({what})" for name, what in row.result.items()) or "empty"


def _capability(row: Verb) -> str:
    needs = [f"`{row.needs}`"] if row.needs else []
    needs += [f"for `{name}` `{capability}`" for name, capability in row.field_needs.items()]
    return f", capability {', '.join(needs)}" if needs else ""


def with_verbs(page: str) -> str:
    """The page of the protocol with its section of verbs replaced."""
    start, end = page.index(INTRODUCTION.splitlines()[0] + "\n"), page.index(END)
    return page[:start] + verbs_section() + "\n" + page[end:]
