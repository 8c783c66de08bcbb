"""The table of which library resumes with which: Markdown that also reads well in a terminal, and a page of HTML."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from harness.report.library_fares import Fare

    Part = tuple[str, Sequence[Sequence[str]], Sequence[str]]
    """A title, the rows of a table, and lines below it."""

TITLES = {
    "session_id": "TLS 1.2 by session id",
    "session_ticket": "TLS 1.2 by ticket (RFC 5077)",
    "psk": "TLS 1.3 by PSK",
}


FARES = "How they fare in the scenarios"
COUNTS = ("cells", "passed", "classified", "unsupported", "failed")
"""The columns of a role; ``classified`` are the cells that passed by a declared difference of the library."""
MOST_FAILED = 20
"""Failed cells that are named."""


PAGE = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Which library resumes with which</title>
<style>
body {{ font-family: sans-serif; }}
table {{ border-collapse: collapse; }}
th, td {{ border: 1px solid; padding: 0.3em; }}
</style>
</head>
<body>
<h1>Which library resumes with which</h1>
{body}</body>
</html>
"""


def library_table(results: Mapping[tuple[str, str, str], tuple[str, str]]) -> str:
    """The results by mechanism, client and server: what happened in a word, and why a pair cannot, or failed."""
    return "\n".join(_lines(results)) + "\n"


def fares_table(fares: Sequence[Fare]) -> str:
    """How the cells of each library ended, as client and as server; empty without one."""
    return "\n".join(_lines_of([_fares(fares)])) + "\n" if fares else ""


def library_page(results: Mapping[tuple[str, str, str], tuple[str, str]], fares: Sequence[Fare] = ()) -> str:
    """The same as an HTML page that needs no other file."""
    body = []
    for title, rows, whys in (*_parts(results), *([_fares(fares)] if fares else [])):
        head, *others = ([html.escape(cell) for cell in row] for row in rows)
        lines = ["<tr>" + "".join(f"<th>{cell}</th>" for cell in head) + "</tr>"]
        for client, *cells in others:
            lines.append(f"<tr><th>{client}</th>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>")
        reasons = "".join(f"<li>{html.escape(why)}</li>\n" for why in whys)
        body.append(f"<h2>{html.escape(title)}</h2>\n<table>\n{chr(10).join(lines)}\n</table>\n<ul>\n{reasons}</ul>\n")
    return PAGE.format(body="".join(body))


def _lines(results: Mapping[tuple[str, str, str], tuple[str, str]]) -> Iterator[str]:
    return _lines_of(_parts(results))


def _lines_of(parts: Iterable[Part]) -> Iterator[str]:
    for title, rows, whys in parts:
        yield from [f"### {title}", "", *_table(rows), ""]
        yield from [*(f"- {why}" for why in whys), *([""] if whys else [])]


def _parts(results: Mapping[tuple[str, str, str], tuple[str, str]]) -> Iterator[Part]:
    """For each mechanism its title, the rows of its table, and why pairs cannot, or failed."""
    for mechanism, title in TITLES.items():
        found = {(client, server): one for (by, client, server), one in results.items() if by == mechanism}
        if not found:
            continue
        servers = list(dict.fromkeys(server for _client, server in found))
        clients = dict.fromkeys(client for client, _server in found)
        rows = [[client, *(found[client, server][0] for server in servers)] for client in clients]
        whys = list(dict.fromkeys(why.splitlines()[0] for _result, why in found.values() if why))
        yield title, [["client \\ server", *servers], *rows], whys


def _fares(fares: Sequence[Fare]) -> Part:
    heads = [f"as {role}: {count}" for role in ("client", "server") for count in COUNTS]
    rows = [["library", *heads]]
    for stack in dict.fromkeys(one.stack for one in fares):
        roles = {one.role: one for one in fares if one.stack == stack}
        rows.append([stack, *(cell for role in ("client", "server") for cell in _counts(roles.get(role)))])
    against = dict.fromkeys(label for one in fares for label in one.against)
    failed = [name for one in fares for name in one.failed]
    more = [f"and {len(failed) - MOST_FAILED} more"] if len(failed) > MOST_FAILED else []
    return FARES, rows, [f"against {', '.join(against)}", *(f"failed: {name}" for name in failed[:MOST_FAILED]), *more]


def _counts(one: Fare | None) -> Sequence[str]:
    if one is None:
        return [""] * len(COUNTS)
    return [str(number) for number in (one.cells, one.passed, one.classified, one.unsupported, len(one.failed))]


def _table(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |" for row in rows
    ]
    yield from [lines[0], "|" + "|".join("-" * (width + 2) for width in widths) + "|", *lines[1:]]
