"""The map of behaviours by version, as Markdown and as a page of HTML that needs no other file."""

from __future__ import annotations

from html import escape
from itertools import groupby
from typing import TYPE_CHECKING

from harness.report.diff.causes_text import apart
from harness.report.run.markdown_text import cell as code
from harness.report.run.markdown_text import plain

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.report.diff.behaviours import Behaviour

TITLE = "Behaviours by version"
ABOUT = (
    "What OpenSSL's resumption does differently from version to version, with each build at both ends. A row is one "
    "observable of one cell, or of several that change alike; what follows from a stronger one has no row of its own. "
    "A row whose cells failed names the builds on which they did."
)
HEADS = ("what", "on which builds", "known")
WORDS = {
    "outcome": "Whether a connection resumes",
    "mechanism": "How it resumes",
    "alert": "Alerts",
    "tickets": "Tickets",
    "counters": "The server's counters",
    "session": "What a session holds",
    "wire": "The hellos",
}
"""The headings, by strength."""
PAGE = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>{title}</title>
<style>
body {{ font-family: sans-serif; margin: 2em; }}
table {{ border-collapse: collapse; }}
th, td {{ border: 1px solid #999; padding: 0.3em; text-align: left; vertical-align: top; }}
</style>
</head>
<body>
<h1>{title}</h1>
{body}
</body>
</html>
"""


def behaviours_markdown(found: Sequence[Behaviour], builds: Sequence[str], made_by: str = "") -> str:
    """The map as Markdown; ``builds`` are lines about the builds, ``made_by`` says how to make it again."""
    lines = [f"# {TITLE}", "", ABOUT, *([made_by] if made_by else []), ""]
    for title, rows in _sections(found):
        lines += [f"## {title}", "", _row(HEADS), _row(["---"] * len(HEADS))]
        for what, where, spans, known in rows:
            values = "<br>".join(f"{builds}: {code(value)}" for builds, value in spans)
            lines.append(_row([f"{plain(what)}<br>{code(where)}", values, "<br>".join(map(code, known))]))
        lines.append("")
    lines += ["## Builds", "", *(f"- {code(line)}" for line in builds)]
    return "\n".join(lines) + "\n"


def behaviours_html(found: Sequence[Behaviour], builds: Sequence[str]) -> str:
    """The same as a page of HTML."""
    body = [f"<p>{escape(ABOUT)}</p>"]
    for title, rows in _sections(found):
        body += [f"<h2>{escape(title)}</h2>", "<table>", _cells("th", HEADS)]
        for what, where, spans, known in rows:
            values = "<br>".join(f"{escape(builds)}: <b>{escape(value)}</b>" for builds, value in spans)
            shown = [f"{escape(what)}<br><code>{escape(where)}</code>", values, "<br>".join(map(escape, known))]
            body.append("<tr>" + "".join(f"<td>{text}</td>" for text in shown) + "</tr>")
        body.append("</table>")
    body += ["<h2>Builds</h2>", "<ul>", *(f"<li>{escape(line)}</li>" for line in builds), "</ul>"]
    return PAGE.format(title=TITLE, body="\n".join(body))


def _sections(
    found: Sequence[Behaviour],
) -> Iterator[tuple[str, list[tuple[str, str, list[tuple[str, str]], list[str]]]]]:
    """Each heading with its rows: what it is about, where to see it, the values of the builds, and what is known."""
    for strength, group in groupby(found, key=lambda one: one.strength):
        yield WORDS[strength], [_about(one) for one in group]


def _about(one: Behaviour) -> tuple[str, str, list[tuple[str, str]], list[str]]:
    scenario, cell = one.cells[0]
    values = [value for _, value in one.table]
    short = [apart(values[0], value)[1] for value in values[1:]]
    spans = [(builds, value) for (builds, _), value in zip(one.table, [apart(*values[:2])[0], *short], strict=True)]
    since = [newer for _, newer, _ in one.changes()]
    known = [text or f"undeclared, since {version}" for version, text in zip(since, one.known, strict=True)]
    return _title(one), f"{scenario}[{cell}]", spans, list(dict.fromkeys(known))


def _title(one: Behaviour) -> str:
    """The words of the test if all cells are of one, the observable, and the builds on which a cell failed."""
    tests = {scenario for scenario, _ in one.cells}
    what = one.observable + (f" of connection {one.connection}" if one.connection else "")
    failed = f" — FAILED on {', '.join(one.failed)}" if one.failed else ""
    if len(tests) > 1:
        return f"{what}, in {len(one.cells)} cells of {len(tests)} tests{failed}"
    words = tests.pop().partition("::")[2].removeprefix("test_").replace("_", " ")
    return f"{words}: {what}" + (f", in {len(one.cells)} cells" if len(one.cells) > 1 else "") + failed


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cells(kind: str, texts: Sequence[str]) -> str:
    return "<tr>" + "".join(f"<{kind}>{escape(text)}</{kind}>" for text in texts) + "</tr>"
