"""The summary for CI, as a reader of GitHub Flavored Markdown gets it; hostile text in it stays text."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import TYPE_CHECKING

import pytest
from markdown_it import MarkdownIt

from harness.report.run.earlier import compare
from harness.report.run.markdown import markdown
from harness.report.run.markdown_text import block, cell, html, plain
from harness.tests.hostile import HOSTILE, poisoned
from harness.tests.wrong_results import multiplied, read

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

TABLE = {"table", "thead", "tbody", "tr", "th", "td"}
ALLOWED = TABLE | {"h1", "h2", "h3", "p", "ul", "li", "strong", "code", "pre", "details", "summary", "blockquote"}


class Elements(HTMLParser):
    """The elements of a document, with their attributes, and how many cells each row of a table has."""

    def __init__(self, document: str) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.attributes: set[tuple[str, str | None]] = set()
        self.rows: list[int] = []
        self.feed(document)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        """Keep its name and attributes, and count the cells of rows."""
        self.names.add(tag)
        self.attributes.update(attributes)
        if tag == "tr":
            self.rows.append(0)
        if tag in {"td", "th"}:
            self.rows[-1] += 1


def rendered(text: str) -> str:
    """What a reader makes of it: CommonMark with tables and strike-through, HTML as it stands."""
    return str(MarkdownIt("commonmark").enable(["table", "strikethrough"]).render(text))


def test_it_says_what_failed_and_why(wrong: Path) -> None:
    text = markdown(read(wrong))

    assert text.startswith("# TLS session resumption: 12 failed, 8 errors of 32 cells\n")
    assert "| 8 | failed | `scenarios/wrong.py::test_ticket_resumes_after_a_restart` | " in text
    assert "the client offered a ticket that this server has no key for" in text
    assert "What would change it: give servers that share sessions the same ticket keys" in text


def test_it_compares_with_an_earlier_run(wrong: Path, earlier: Path) -> None:
    text = markdown(read(wrong), comparison=compare(read(earlier), read(wrong)))

    assert "- **8** newly failing\n- **12** still failing\n" in text
    assert "### Newly failing" in text


def test_its_matrix_has_a_row_for_each_client(wrong: Path) -> None:
    rows = Elements(rendered(markdown(read(wrong)))).rows

    assert rows.count(3) == 3  # a head and two clients, with two servers


def test_it_is_small_enough_for_the_summary_of_a_job_whatever_failed(wrong: Path) -> None:
    assert len(markdown(multiplied(read(wrong), 10_000)).encode()) < 2**20 / 4


def test_hostile_text_is_text_everywhere(wrong: Path, earlier: Path) -> None:
    results = poisoned(read(wrong))
    document = rendered(markdown(results, unfinished=HOSTILE, comparison=compare(poisoned(read(earlier)), results)))
    found = Elements(document)

    assert found.names <= ALLOWED
    assert {name for name, _ in found.attributes} <= {"class", "style"}
    assert "<script" not in document
    assert "javascript:" in document  # it is there, as text


def test_a_table_keeps_its_columns_whatever_is_in_it(wrong: Path) -> None:
    plain_rows = Elements(rendered(markdown(read(wrong)))).rows
    hostile_rows = Elements(rendered(markdown(poisoned(read(wrong))))).rows

    assert hostile_rows == plain_rows


@pytest.mark.parametrize(
    ("how", "text", "made"),
    [
        (plain, "ssl@3.0.19 lacks it: why", "`ssl@3.0.19` lacks it: why"),
        (plain, "a_b and _c_ *d*", "a_b and &#95;c&#95; &#42;d&#42;"),
        (plain, "see http://x.test/`|", "see http:\u200b/\u200b/\u200bx.test/&#96;&#124;"),
        (plain, "two\nlines\x1b", "two lines&#92;x1b"),
        (plain, 7, "7"),
        (cell, "a--b|c", "<code>a--b&#124;c</code>"),
        (cell, "", "<code></code>"),
        (html, "<b>`", "&lt;b&gt;`"),
        (block, "a\n```\nb", "````text\na\n```\nb\n````"),
    ],
)
def test_each_way_of_writing_text_is_safe_where_it_stands(
    how: Callable[[object], str], text: object, made: str
) -> None:
    assert how(text) == made
