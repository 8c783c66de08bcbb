"""The page for everyone: by keyboard, on a phone, in light and dark, for who hears it; in a real browser."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.tests.wrong_results import cell_address

if TYPE_CHECKING:
    from pathlib import Path

    from harness.tests.browser import Browser

pytestmark = pytest.mark.browser

ENTER, TAB = "\ue007", "\ue004"


def test_the_skip_link_comes_first_and_leads_to_the_content(opened: Browser) -> None:
    opened.press(TAB)
    first = opened.run("return document.activeElement.className")
    opened.press(ENTER)

    assert first == "skip"
    assert opened.run("return document.activeElement.id") == "main"


def test_the_focus_can_be_seen(opened: Browser) -> None:
    opened.press(TAB, TAB)

    assert opened.run("return getComputedStyle(document.activeElement).outlineStyle") == "solid"
    assert float(opened.run("return parseFloat(getComputedStyle(document.activeElement).outlineWidth)")) >= 2


def test_landmarks_headers_and_live_counts_are_there(opened: Browser) -> None:
    missing = opened.run(
        "return [...document.querySelectorAll('th')].filter((th) => !th.scope && !th.closest('noscript')).length"
    )
    unnamed = opened.run(
        "return [...document.querySelectorAll('button, select, input, a')]"
        ".filter((e) => !(e.textContent.trim() || e.getAttribute('aria-label') || (e.labels || []).length)).length"
    )

    assert (missing, unnamed) == (0, 0)
    assert (
        opened.run("return ['header', 'nav', 'main', 'footer'].map((n) => document.querySelectorAll(n).length > 0)")
        == [True] * 4
    )
    assert opened.run("return document.querySelector('#shown').getAttribute('aria-live')") == "polite"
    assert opened.run("return document.documentElement.lang") == "en"


VIEWS = ["#/", "#/unsupported", "#/comparison", "cell"]


@pytest.mark.parametrize("view", VIEWS)
def test_a_phone_shows_it_without_scrolling_sideways(
    browser: Browser, wrong_page: Path, wrong: Path, view: str
) -> None:
    browser.show(360, 740)
    browser.open(wrong_page, cell_address(wrong) if view == "cell" else view)
    browser.wait("return document.documentElement.dataset.shown")
    width, window = browser.run("return [document.documentElement.scrollWidth, innerWidth]")
    browser.show()

    assert (width, window) == (360, 360)


def test_a_phone_shows_every_place_of_the_matrix(browser: Browser, wrong_page: Path) -> None:
    browser.show(360, 740)
    browser.open(wrong_page, "#/")
    browser.wait("return document.documentElement.dataset.shown")
    found = "[...document.querySelectorAll('table.matrix td[data-client]')]"
    places = browser.run(f"return {found}.map((one) => one.getBoundingClientRect().right)")
    browser.show()

    assert len(places) == 4
    assert max(places) <= 360


CONTRAST = """
const linear = (v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
const luminance = ([r, g, b]) => 0.2126 * linear(r / 255) + 0.7152 * linear(g / 255) + 0.0722 * linear(b / 255);
const parsed = (colour) => colour.match(/[\\d.]+/g).map(Number);
const ground = (element) => {
  for (let one = element; one; one = one.parentElement) {
    const colour = parsed(getComputedStyle(one).backgroundColor);
    if (colour.length === 3 || colour[3] === 1) return colour;
  }
  return null;
};
const bad = new Map();
for (const element of document.querySelectorAll("body *")) {
  if (!element.checkVisibility() || ![...element.childNodes].some((n) => n.nodeType === 3 && n.data.trim())) continue;
  if (element.disabled) continue;
  const [one, other] = [luminance(parsed(getComputedStyle(element).color)), luminance(ground(element))];
  const contrast = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
  if (contrast < 4.5) bad.set(`${element.tagName}.${element.className}`, contrast);
}
return [...bad];
"""
"""WCAG 2.2, 1.4.3: each element with a text of its own whose contrast with its ground is below 4.5."""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("view", VIEWS)
def test_every_text_has_contrast_enough(
    browser: Browser, wrong_page: Path, wrong: Path, view: str, scheme: str
) -> None:
    browser.show(scheme=scheme)
    browser.open(wrong_page, cell_address(wrong) if view == "cell" else view)
    browser.wait("return document.documentElement.dataset.shown")
    low = browser.run(CONTRAST)
    browser.show()

    assert low == []


def test_dark_is_dark(browser: Browser, wrong_page: Path) -> None:
    browser.show(scheme="dark")
    browser.open(wrong_page)
    ground = browser.run("return getComputedStyle(document.documentElement).backgroundColor")
    browser.show()

    assert ground == "rgb(15, 19, 24)"


def test_the_contrast_of_a_text_that_is_too_pale_is_found(opened: Browser) -> None:
    opened.run("document.querySelector('h1').style.color = '#999'")

    assert [name for name, _ in opened.run(CONTRAST)] == ["H1."]
