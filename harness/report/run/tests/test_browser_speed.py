"""How fast a page of ten thousand cells is, in a real browser on this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from harness.report.run.page.page import page
from harness.tests.wrong_results import multiplied, read

if TYPE_CHECKING:
    from pathlib import Path

    from harness.tests.browser import Browser

pytestmark = pytest.mark.browser


ROWS = "table.cells tbody tr"


def test_ten_thousand_cells_load_and_filter_within_a_second(browser: Browser, wrong: Path, tmp_path: Path) -> None:
    path = tmp_path / "index.html"
    path.write_text(page(multiplied(read(wrong), 10_000), {}, version="1"))

    loads = [measured(browser, path) for _ in range(3)]

    assert min(ready for ready, _ in loads) < 1000, loads
    assert min(filtered for _, filtered in loads) < 1000, loads
    assert browser.texts("#shown")[0].endswith(" cells of 10,000, 1 to 100 are shown")
    browser.go("#/?page=100")
    assert len(browser.texts(ROWS)) == 100


def measured(browser: Browser, path: Path) -> tuple[float, float]:
    """Milliseconds until the page can be used, and until a search has been answered."""
    browser.open(path)
    ready = float(browser.run("return document.documentElement.dataset.ready"))
    filtered: Any = browser.run(
        "const begin = performance.now(); location.hash = '#/?q=restart+tlsv1.3';"
        "return new Promise((done) => addEventListener('hashchange', () => requestAnimationFrame(() =>"
        " setTimeout(() => done(performance.now() - begin))), { once: true }))"
    )
    return ready, filtered
