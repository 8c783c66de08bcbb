"""The page as a document: it needs nothing else, lets nothing else run, and holds every cell; no browser here."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from importlib.resources import files
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import pytest

from harness.report.run.earlier import compare
from harness.report.run.page.document import SCRIPTS, STYLES, digest, static
from harness.report.run.page.kept import excerpt
from harness.report.run.page.page import page
from harness.report.run.page.rows import in_order
from harness.report.run.run_summary import share_class
from harness.report.run.tests.page_reader import details
from harness.results.folder import kept_of
from harness.results.reader import kept_run
from harness.tests.hostile import HOSTILE, LABEL, poisoned
from harness.tests.wrong_results import multiplied, read, write

if TYPE_CHECKING:
    from pathlib import Path

    from harness.report.run.earlier import Key
    from harness.report.run.page.kept import Kept

PACKAGE = files("harness.report.run.page") / "static"


class Parsed(HTMLParser):
    """Elements with their attributes, and the text of scripts and styles."""

    def __init__(self, document: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = [("", {})]
        self.inside: list[tuple[str, str]] = []
        self.feed(document)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        """Keep it."""
        self.elements.append((tag, dict(attributes)))

    def handle_data(self, data: str) -> None:
        """Keep what is in a script or a style."""
        if self.elements[-1][0] in {"script", "style"} and data.strip():
            self.inside.append((self.elements[-1][0], data))

    def named(self, tag: str) -> list[dict[str, str | None]]:
        """The attributes of each element of that name."""
        return [attributes for name, attributes in self.elements if name == tag]


def made(results: Any, kept: dict[Key, Kept] | None = None, **more: Any) -> str:
    return page(results, kept or {}, version="1", **more)


@pytest.fixture(scope="module")
def document(wrong: Path, earlier: Path) -> str:
    return made(read(wrong), comparison=compare(read(earlier), read(wrong)))


def first(one: Any) -> str:
    """The first line of its reason; pytest cuts what follows."""
    return str(one["reason"].partition("\n")[0])


def test_it_refers_to_nothing_else(document: str) -> None:
    parsed = Parsed(document)
    sources = [attributes.get("src") for _, attributes in parsed.elements if "src" in attributes]

    assert sources == []
    assert [link["href"] for link in parsed.named("link")] == ["data:,"]
    assert "@import" not in document
    assert "url(" not in static(*STYLES)


def test_its_policy_allows_its_own_style_and_script_alone(document: str) -> None:
    parsed = Parsed(document)
    policy = next(one["content"] for one in parsed.named("meta") if one.get("http-equiv") == "Content-Security-Policy")
    style = next(text for tag, text in parsed.inside if tag == "style")
    script = next(text for tag, text in parsed.inside if tag == "script" and text.startswith('"use strict"'))

    assert policy == (
        f"default-src 'none'; style-src {digest(style)}; script-src {digest(script)}; img-src data:; base-uri 'none'; "
        "form-action 'none'; require-trusted-types-for 'script'"
    )


def test_every_cell_has_a_row_and_its_details_in_the_same_order(wrong: Path, document: str) -> None:
    cells = in_order(read(wrong)["cells"])
    rows = json.loads(next(text for tag, text in Parsed(document).inside if text.startswith('{"')))

    names = rows["columns"]["name"]

    assert [names["words"][place] for place in names["cells"]] == [
        cell["cell"].removeprefix(f"{cell['client']}--{cell['server']}-TLSv{cell['tls']}") for cell in cells
    ]
    assert [first(one) for one in details(document)] == [first(cell) for cell in cells]


def test_the_script_makes_elements_and_never_parses_markup() -> None:
    source = "".join((PACKAGE / name).read_text() for name in SCRIPTS)

    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function|srcdoc", source)
    assert "</" not in source
    assert "fetch(" not in source


def test_every_file_of_style_and_script_is_in_the_page() -> None:
    assert {entry.name for entry in PACKAGE.iterdir()} == {*STYLES, *SCRIPTS}


def test_hostile_text_makes_no_element_and_no_attribute(wrong: Path, document: str, earlier: Path) -> None:
    results = poisoned(read(wrong))
    more: dict[str, Any] = {
        "comparison": compare(poisoned(read(earlier)), results),
        "unfinished": HOSTILE,
        "earlier_unfinished": HOSTILE,
    }
    hostile, plain = Parsed(made(results, **more)), Parsed(document)

    assert {tag for tag, _ in hostile.elements} == {tag for tag, _ in plain.elements}
    assert {name for _, found in hostile.elements for name in found} == {
        n for _, found in plain.elements for n in found
    }
    assert LABEL in {found.get("value", "")[-len(LABEL) :] for found in hostile.named("option")}  # type: ignore[index]


def test_ten_thousand_cells_are_a_file_that_can_be_sent(wrong: Path) -> None:
    assert len(made(multiplied(read(wrong), 10_000))) < 5 * 2**20


def test_links_to_evidence_are_relative_and_follow_the_results(wrong: Path, tmp_path: Path) -> None:
    run = kept_run(write(read(wrong), wrong, tmp_path / "moved here"))
    found = kept_of(run, run.folder / "report")
    hrefs = {file.name: file.href for file in next(iter(found.values())).files}

    assert len(found) == 20
    assert (run.folder / "report" / unquote(hrefs["evidence.txt"])).resolve().is_file()
    assert all(href.startswith("../cells/wrong.py_test_") for href in hrefs.values())


def test_a_link_is_percent_encoded_and_leaves_the_folder_of_no_cell(wrong: Path, tmp_path: Path) -> None:
    run = kept_run(write(read(wrong), wrong, tmp_path / "run"))
    folder = next((run.folder / "cells").glob("*/*"))
    (folder / "java script:alert(1)?#%.txt").touch()
    (folder / "passwd").symlink_to("/etc/passwd")
    hrefs = [file.href for one in kept_of(run, run.folder).values() for file in one.files]

    assert next(href for href in hrefs if "java" in href).endswith("/java%20script%3Aalert%281%29%3F%23%25.txt")
    assert not any("passwd" in href for href in hrefs)


def test_output_is_shortened_in_its_middle() -> None:
    lines = [f"line {number}" for number in range(500)]

    shown = excerpt("\n".join([*lines, "x" * 9999])).splitlines()

    assert shown[0] == "line 0"
    assert "… 321 more lines in the folder of this cell …" in shown
    assert len(shown[-1]) == 401


def test_fields_that_are_no_session_are_shown_as_they_are(wrong: Path) -> None:
    results: Any = read(wrong)
    cell = next(cell for cell in results["cells"] if cell["case"])
    cell["case"]["connections"][0]["session"]["ticket"] = "not hex"
    shown = details(made({**results, "cells": [cell]}))[0]["connections"][0]["session"]["rows"]

    assert ["ticket", "not hex"] in shown


def test_a_run_without_cells_is_a_page_too(wrong: Path) -> None:
    document = made({**read(wrong), "cells": []})

    assert '<h1 id="cells-title" tabindex="-1">No cells</h1>' in document


def test_a_cell_that_failed_has_its_assert_with_line_and_values(wrong: Path, document: str) -> None:
    cells = in_order(read(wrong)["cells"])
    asserts = [
        one["assertion"] for cell, one in zip(cells, details(document), strict=True) if cell["verdict"] == "failed"
    ]
    lines = (wrong.parent / "scenarios" / "wrong.py").read_text().splitlines()

    assert len(asserts) == 12
    assert {one["file"] for one in asserts} == {"scenarios/wrong.py"}
    assert [lines[one["line"] - 1].strip() for one in asserts] == [one["source"] for one in asserts]
    assert {(one["source"], one["left"], one["right"]) for one in asserts} == {
        ("assert second.outcome is RESUMED", "declined", "resumed"),
        ("assert second.outcome is RESUMED", "aborted", "resumed"),
    }


def test_a_cell_without_a_failed_assert_has_none(wrong: Path, document: str) -> None:
    cells = in_order(read(wrong)["cells"])
    asserts = [
        one["assertion"] for cell, one in zip(cells, details(document), strict=True) if cell["verdict"] != "failed"
    ]

    assert asserts == [None] * 20


def test_a_resumed_connection_shows_when_its_session_expires(document: str) -> None:
    connections = [connection for one in details(document) for connection in one["connections"]]
    resumed = [connection for connection in connections if connection["outcome"] == "resumed"]

    assert resumed
    for connection in resumed:
        assert [line.partition(":")[0] for line in connection["expiry"]][-1:] == ["server"]
        assert all(" s old" in line for line in connection["expiry"])
    assert all(not connection["expiry"] for connection in connections if connection["outcome"] == "full")


def test_results_without_the_assert_make_a_page_too(wrong: Path) -> None:
    results: Any = read(wrong)
    for cell in results["cells"]:
        del cell["assertion"]

    assert {one["assertion"] for one in details(made(results))} == {None}


def test_a_place_of_the_matrix_has_its_share_of_failing_tests(wrong: Path) -> None:
    results: Any = read(wrong)
    label = results["clients"][0]
    place = [cell for cell in results["cells"] if (cell["client"], cell["server"]) == (label, label)]
    one = {**place[0], "verdict": "failed"}
    passed = [{**place[0], "verdict": "passed", "scenario": f"a.py::test_{number}"} for number in range(19)]
    document = made({**results, "cells": [one, *passed]})

    assert "1 of 20 tests fail" in document
    assert 'class="failed few"' in document


@pytest.mark.parametrize(
    ("bad", "ran", "shade"), [(0, 9, ""), (1, 10, "few"), (1, 9, "some"), (5, 10, "some"), (6, 10, "many")]
)
def test_a_place_is_darker_the_more_tests_fail(bad: int, ran: int, shade: str) -> None:
    assert share_class(bad, ran) == shade


def test_a_phone_hides_no_cell_of_a_table() -> None:
    """Heads alone are hidden, and a message that one of two connections lacks; each cell then names its column."""
    phone = "".join(re.findall(r"@media \(max-width.*?\n}", static(*STYLES), re.DOTALL))
    hiding = re.findall(r"([^{}]+){[^{}]*display: none", phone)

    assert [one.strip() for one in hiding] == [
        ".cards thead",
        ".matrix thead",
        ".cells thead th:not(:has(button))",
        ".timeline:not(.single) thead",
        ".timeline .message.absent",
        "table.fields thead",
    ]
