"""Text that tries to be markup, in a real browser: no dialog, no element, no script of its own, in any view."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from harness.report.run.earlier import compare
from harness.report.run.page.page import page
from harness.tests.hostile import HOSTILE, poisoned
from harness.tests.wrong_results import read

if TYPE_CHECKING:
    from pathlib import Path

    from harness.tests.browser import Browser

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def path(wrong: Path, earlier: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page in which every text of a peer is hostile."""
    results = poisoned(read(wrong))
    comparison = compare(poisoned(read(earlier)), results)
    made = page(results, {}, version="1", unfinished=HOSTILE, comparison=comparison, earlier_unfinished=HOSTILE)
    path = tmp_path_factory.mktemp("hostile") / "index.html"
    path.write_text(made, encoding="utf-8", errors="backslashreplace")
    return path


def harm(browser: Browser) -> list[object]:
    """What a text that became markup would have left."""
    return list(
        browser.run(
            "const all = [...document.querySelectorAll('*')];"
            "const count = (test) => all.filter(test).length;"
            "return [window.hit ?? null, count((e) => ['IMG', 'IFRAME', 'OBJECT', 'TEXTAREA'].includes(e.tagName)),"
            " count((e) => e.matches('script:not([type])')), count((e) => e.matches('style')),"
            " count((e) => [...e.attributes].some((a) => a.name.startsWith('on'))),"
            " count((e) => e.matches('a') && e.protocol === 'javascript:')]"
        )
    )


NO_HARM = [None, 0, 1, 1, 0, 0]


@pytest.mark.parametrize("view", ["#/", "#/unsupported", "#/comparison", "#/?verdict=passed"])
def test_no_view_lets_text_be_anything_else(browser: Browser, path: Path, view: str) -> None:
    browser.open(path, view)
    browser.wait("return document.documentElement.dataset.shown")

    assert harm(browser) == NO_HARM
    assert browser.complaints() == []


@pytest.mark.parametrize("verdict", ["failed", "error", "passed", "unsupported"])
def test_no_cell_lets_text_be_anything_else(browser: Browser, path: Path, verdict: str) -> None:
    browser.open(path, f"#/?verdict={verdict}")
    browser.click("table.cells a")
    browser.until_cell()

    assert harm(browser) == NO_HARM
    assert browser.run("return document.querySelector('#cell').innerText.includes('<script>window.hit=1')")
    assert browser.complaints() == []


def test_no_address_is_anything_but_text(browser: Browser, path: Path) -> None:
    browser.open(
        path, f"#/?q={quote('<img src=x onerror=window.hit=5>')}&headline={quote('<img src=x onerror=window.hit=6>')}"
    )
    browser.go(f"#/cell/{quote('<img src=x onerror=window.hit=7>', safe='')}/x")

    assert harm(browser) == NO_HARM


def test_harm_would_be_seen(browser: Browser, path: Path, tmp_path: Path) -> None:
    broken = path.read_text(encoding="utf-8").replace("<main ", "<img src=x onerror=window.hit=8><main ")
    policy = broken.replace("script-src ", "script-src 'unsafe-inline'; was-src ")
    (tmp_path / "index.html").write_text(policy)
    browser.open(tmp_path / "index.html")
    browser.wait("return window.hit")

    assert harm(browser)[:2] == [8, 1]


def test_the_policy_alone_stops_a_script_that_got_in(browser: Browser, path: Path, tmp_path: Path) -> None:
    broken = path.read_text(encoding="utf-8").replace("<main ", "<script>window.hit=9</script><main ")
    (tmp_path / "index.html").write_text(broken)
    browser.open(tmp_path / "index.html")

    assert harm(browser)[0] is None
    assert any("Content Security Policy" in line for line in browser.complaints())
