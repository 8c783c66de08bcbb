"""The page in a real browser: what it shows, how it is used by mouse, keyboard and address, and how fast it is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from urllib.request import url2pathname

import pytest

from harness.tests.wrong_results import cell_address, label

if TYPE_CHECKING:
    from harness.tests.browser import Browser

pytestmark = pytest.mark.browser

ROWS = "table.cells tbody tr"
ENTER, ESCAPE, DOWN, UP = "\ue007", "\ue00c", "\ue015", "\ue013"
"""Keys, as WebDriver names them (17.4.2)."""


def test_it_opens_with_the_counts_the_reasons_and_what_failed_first(opened: Browser) -> None:
    assert opened.texts("h1") == ["12 failed and 8 errors of 32 cells"]
    assert "the client offered a ticket that this server has no key for" in opened.texts(".plain .why strong")
    assert opened.texts("#shown") == ["32 cells"]
    assert opened.texts(f"{ROWS}:first-child .badge") == ["failed"]
    assert opened.complaints() == []


def test_the_matrix_counts_every_cell(opened: Browser) -> None:
    numbers = [int(line.split()[0]) for line in opened.texts("table.matrix button span:not(.share)")]

    assert sum(numbers) == 32
    assert len(opened.texts("table.matrix td[data-client]")) == 4


@pytest.mark.parametrize(
    ("address", "cells"),
    [
        ("#/?verdict=failed", 12),
        ("#/?verdict=failed,error", 20),
        ("#/?verdict=unsupported", 4),
        ("#/?tls=1.3", 16),
        ("#/?outcome=aborted", 4),
        ("#/?outcome=none", 4),
        ("#/?reason=ticket_key_unknown", 8),
        ("#/?stack=openssl", 24),
        ("#/?client={libssl}&server={libssl}", 8),
        ("#/?build={build}", 32),
        ("#/?scenario=scenarios%2Fwrong.py", 32),
        ("#/?scenario=scenarios%2Fwrong.py%3A%3Atest_ticket_resumes", 8),
        ("#/?q=RESTART+libssl--libssl", 0),
        ("#/?q=restart+tlsv1.3", 4),
        ("#/?fate=newly+failing", 8),
        ("#/?headline=assert+aborted+is+resumed", 4),
        ("#/?verdict=nonsense&page=99&sort=nonsense", 32),
    ],
)
def test_an_address_filters(opened: Browser, wrong: Path, address: str, cells: int) -> None:
    libssl = label(wrong, "libssl")
    opened.go(address.format(libssl=libssl, build=libssl.partition("@")[2]))

    assert len(opened.texts(ROWS)) == cells
    assert opened.texts("#shown") == [f"{cells} cells" + ("" if cells == 32 else " of 32")]


def test_the_form_filters_and_the_address_shows_it(opened: Browser) -> None:
    opened.click(".chip.failed input")
    opened.until_rows(12)
    opened.choose("[name=tls]", 1)
    opened.until_rows(6)

    assert opened.run("return location.hash") == "#/?verdict=failed&tls=1.2"
    assert opened.texts("[data-verdict=failed]") == ["6"]
    assert opened.texts("[data-verdict=error]") == ["4"]


def test_typing_searches_and_one_button_clears(opened: Browser) -> None:
    opened.press("/", *"restart")
    opened.until_rows(8)
    opened.click("#clear")
    opened.until_rows(32)

    assert opened.run("return document.querySelector('[name=q]').value") == ""


def test_a_place_of_the_matrix_is_a_filter_that_can_be_taken_away(opened: Browser) -> None:
    opened.click("table.matrix button")
    opened.until_rows(8)
    pressed = opened.run("return document.querySelector('table.matrix button').getAttribute('aria-pressed')")
    opened.click("table.matrix button")
    opened.until_rows(32)

    assert pressed == "true"


def test_a_filter_that_leaves_nothing_says_so(opened: Browser) -> None:
    opened.go("#/?q=nothing+like+this")

    assert opened.texts("#list") == ["No cell matches. Clear all filters"]


def test_a_cell_begins_with_its_reason_and_has_all_that_was_seen(opened: Browser, wrong: Path) -> None:
    opened.go(cell_address(wrong))

    assert ", ".join(opened.texts("#cell h2")) == (
        "Why, Reproducer, Evidence, Connections, Timeline, Session fields, Commands, Knobs that were set, "
        "Counters of the server"
    )
    assert opened.texts(".explanation h3")[-1] == "Connection 2 was declined"
    assert opened.texts(".findings .title")[-1].startswith("the client offered a ticket that this server has no key")
    assert opened.complaints() == []


def test_a_timeline_puts_the_same_messages_side_by_side(opened: Browser, wrong: Path) -> None:
    opened.go(cell_address(wrong))
    rows = opened.run(
        "return [...document.querySelectorAll('.timeline tbody tr')]"
        ".map((r) => [...r.cells].map((c) => (c.querySelector('b') || {}).textContent || null))"
    )

    assert rows[0] == ["ClientHello", "ClientHello"]
    assert ["Certificate", None] in rows  # connection 3 resumed the session of connection 2
    assert "pre_shared_key identity 0" in opened.texts(".timeline .fields dt")


def test_other_connections_can_be_compared(opened: Browser, wrong: Path) -> None:
    opened.go(cell_address(wrong))
    before = opened.texts(".timeline th")
    opened.choose(".choosers select", 0)

    assert before == ["Connection 2: declined", "Connection 3: resumed"]
    assert opened.texts(".timeline th") == ["Connection 1: full", "Connection 3: resumed"]


def test_session_fields_that_differ_are_marked(opened: Browser, wrong: Path) -> None:
    opened.go(cell_address(wrong))

    assert "ticket ≠ differs" in [" ".join(text.split()) for text in opened.texts("table.fields tr.differs th")]
    assert "version" in opened.texts("table.fields tr:not(.differs) th")


def test_links_lead_to_the_evidence(opened: Browser, wrong: Path) -> None:
    opened.go(cell_address(wrong))
    link = "[...document.querySelectorAll('.files a')].find((a) => a.textContent === 'evidence.txt')"
    href = opened.run(f"return {link}.getAttribute('href')")
    target = opened.run(f"return {link}.href")

    assert href.startswith("../")
    assert Path(url2pathname(urlsplit(target).path)).is_file()
    assert opened.run("return document.querySelectorAll('.files a').length") >= 4


def test_what_a_program_printed_is_shown(opened: Browser, wrong: Path) -> None:
    opened.go(cell_address(wrong, "openssl"))

    assert "New, TLSv1.3, Cipher is" in "".join(opened.texts("pre.output"))


def test_the_keyboard_goes_through_the_cells_opens_one_and_comes_back(opened: Browser) -> None:
    opened.run("document.querySelector('table.cells a').focus()")
    opened.press(DOWN, DOWN, UP, ENTER)
    opened.until_cell()
    focused = opened.run("return document.activeElement.id")
    opened.press(ESCAPE)
    opened.wait("return !document.querySelector('[data-view=cells]').hidden")

    assert focused == "cell-title"
    assert opened.run("return [...document.querySelectorAll('table.cells a')].indexOf(document.activeElement)") == 1


def test_a_key_leads_to_the_next_failing_cell_and_back(opened: Browser, wrong: Path) -> None:
    opened.go("#/?sort=scenario")
    opened.go(cell_address(wrong))
    opened.press("n")
    opened.wait(f"return location.hash !== {cell_address(wrong)!r}")
    opened.until_cell()
    verdict = opened.texts("h1 .badge")
    opened.press("p")
    opened.wait(f"return location.hash === {cell_address(wrong)!r}")

    assert verdict in (["failed"], ["error"])


def test_a_failed_cell_shows_the_assert_and_both_values(opened: Browser, wrong: Path) -> None:
    opened.go(cell_address(wrong))

    assert opened.texts(".assertion pre") == ["assert second.outcome is RESUMED"]
    assert opened.texts(".assertion dd") == ["declined", "resumed"]


def test_back_and_forward_go_where_one_was(opened: Browser, wrong: Path) -> None:
    opened.go("#/?verdict=error")
    opened.go(cell_address(wrong))
    opened.go("#/comparison")
    opened.run("history.back()")
    opened.until_cell()
    opened.run("history.back()")
    opened.wait("return !document.querySelector('[data-view=cells]').hidden")

    assert (opened.run("return location.hash"), len(opened.texts(ROWS))) == ("#/?verdict=error", 8)


def test_a_link_to_a_cell_opens_it_in_a_new_window(browser: Browser, wrong_page: Path, wrong: Path) -> None:
    browser.open(wrong_page, cell_address(wrong))
    browser.wait("return document.documentElement.dataset.shown === location.hash")

    assert browser.texts("h1") == ["failed test_ticket_resumes_after_a_restart"]
    assert browser.texts(".timeline th")


@pytest.mark.parametrize("address", ["#/cell/none/none", "#/cell/%zz", "#/cell/", "#/cell/a/b/c"])
def test_a_link_to_a_cell_that_is_not_there_says_so(opened: Browser, address: str) -> None:
    opened.go(address)

    assert opened.texts("h1") == ["No such cell"]
    assert opened.complaints() == []


def test_the_comparison_shows_what_fails_now_and_leads_to_it(opened: Browser) -> None:
    opened.go("#/comparison")
    opened.click("[data-view=comparison] table a")
    opened.until_cell()

    assert "newly failing" in opened.texts(".change")[0]
    assert "In the earlier run: passed" in opened.texts(".change")[0]
