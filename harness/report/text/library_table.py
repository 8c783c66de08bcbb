"""The table of which library resumes with which, as Markdown that also reads well in a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

TITLES = {
    "session_id": "TLS 1.2 by session id",
    "session_ticket": "TLS 1.2 by ticket (RFC 5077)",
    "psk": "TLS 1.3 by PSK",
}


def library_table(results: Mapping[tuple[str, str, str], tuple[str, str]]) -> str:
    """The results by mechanism, client and server: what happened in a word, and why a pair cannot, or failed."""
    return "\n".join(_lines(results)) + "\n"


def _lines(results: Mapping[tuple[str, str, str], tuple[str, str]]) -> Iterator[str]:
    for mechanism, title in TITLES.items():
        found = {(client, server): one for (by, client, server), one in results.items() if by == mechanism}
        if not found:
            continue
        servers = list(dict.fromkeys(server for _client, server in found))
        clients = dict.fromkeys(client for client, _server in found)
        rows = [[client, *(found[client, server][0] for server in servers)] for client in clients]
        yield from [f"### {title}", "", *_table([["client \\ server", *servers], *rows]), ""]
        whys = dict.fromkeys(why.splitlines()[0] for _result, why in found.values() if why)
        yield from [*(f"- {why}" for why in whys), *([""] if whys else [])]


def _table(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |" for row in rows
    ]
    yield from [lines[0], "|" + "|".join("-" * (width + 2) for width in widths) + "|", *lines[1:]]
