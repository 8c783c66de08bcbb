"""A headless Chromium of this machine, driven by selenium; for tests of the page. It asks for no network."""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from harness.model.errors import stretched

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
REQUIRED = "RESUMPTION_BROWSER"
"""Set to ``required``, a browser that is not there fails tests, in place of skipping them."""
SECONDS = 20
"""How long something may take that the page is waited for."""


def missing() -> str:
    """What is not here of what a test in a browser needs; empty if all is."""
    try:
        import selenium  # noqa: F401, PLC0415 - of a dependency group of its own, so not everywhere
    except ImportError:
        return "no selenium; `pip install --group browser` installs it"
    if not program():
        return f"no browser: none of {', '.join(NAMES)} is on PATH"
    return "" if shutil.which("chromedriver") else "no chromedriver is on PATH (Debian: chromium-driver)"


def program() -> str | None:
    """The browser's path."""
    return next((found for name in NAMES if (found := shutil.which(name))), None)


@contextmanager
def started() -> Iterator[Browser]:
    """A browser of one's own; skips, or fails if REQUIRED says so, with the reason where there is none."""
    if reason := missing():
        if os.environ.get(REQUIRED) == "required":
            pytest.fail(reason)
        pytest.skip(reason)
    from selenium import webdriver  # noqa: PLC0415 - see above

    options = webdriver.ChromeOptions()
    options.binary_location = program() or ""
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
    for argument in ("--headless=new", "--disable-dev-shm-usage", "--hide-scrollbars", *sandbox):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options, webdriver.ChromeService(shutil.which("chromedriver")))
    try:
        yield Browser(driver)
    finally:
        driver.quit()


class Browser:
    """What tests ask of it."""

    def __init__(self, driver: Any) -> None:
        self.driver = driver
        self.show()

    def show(self, width: int = 1280, height: int = 900, scheme: str = "light") -> None:
        """The size of the window in CSS pixels, and whether the user prefers light or dark."""
        self.driver.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500},
        )
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})

    def open(self, page: Path, address: str = "") -> None:
        """Load the file again, with what follows ``#``; returns when its script has run.

        Nothing lies before it in the history: Chromium keeps 50 entries, and drops others than the oldest ones.
        WebDriver's own navigation waits for the load, and fails if the page's script moves within the page meanwhile
        ("aborted by navigation"); what is waited for here is what the page says of itself.
        """
        for url in ("about:blank", page.as_uri() + address):
            self.driver.execute_cdp_cmd("Page.navigate", {"url": url})
            self.wait(f"return location.protocol === '{url.partition(':')[0]}:' && document.readyState === 'complete'")
            self.driver.execute_cdp_cmd("Page.resetNavigationHistory", {})
        self.wait("return document.documentElement.dataset.ready")

    def go(self, address: str) -> None:
        """Follow an address within the page, and wait until it is shown."""
        self.run("location.hash = arguments[0]", address)
        self.wait("return document.documentElement.dataset.shown === location.hash")

    def run(self, script: str, *arguments: object) -> Any:
        """What a script returns."""
        return self.driver.execute_script(script, *arguments)

    def wait(self, script: str) -> Any:
        """Wait until a script returns what is true, and give it."""
        from selenium.webdriver.support.wait import WebDriverWait  # noqa: PLC0415 - see above

        return WebDriverWait(self.driver, stretched(SECONDS), 0.02).until(
            lambda _: self.run(script), f"waited for {script}"
        )

    def until_cell(self) -> None:
        """Wait until the view of a cell is shown, with its details."""
        self.wait("return /^#.cell./.test(location.hash) && document.documentElement.dataset.shown === location.hash")

    def until_rows(self, count: int) -> None:
        """Wait until the list has so many rows."""
        self.wait(f"return document.querySelectorAll('table.cells tbody tr').length === {count}")

    def choose(self, selector: str, choice: int) -> None:
        """Choose an option of a select element by its place, as a user does."""
        script = "const one = document.querySelector(arguments[0]); one.selectedIndex = arguments[1];"
        self.run(script + "one.dispatchEvent(new Event('change', { bubbles: true }))", selector, choice)

    def click(self, selector: str) -> None:
        """Click the first element."""
        self.run("document.querySelector(arguments[0]).click()", selector)

    def texts(self, selector: str) -> list[str]:
        """The text of each element that is shown."""
        return list(
            self.run(
                "return [...document.querySelectorAll(arguments[0])].filter((e) => e.checkVisibility())"
                ".map((e) => e.innerText)",
                selector,
            )
        )

    def press(self, *keys: str) -> None:
        """Press keys, as a user would, wherever the focus is."""
        from selenium.webdriver import ActionChains  # noqa: PLC0415 - see above

        ActionChains(self.driver).send_keys(*keys).perform()

    def complaints(self) -> list[str]:
        """What the browser logged since it was last asked: refused scripts, errors."""
        return [entry["message"] for entry in self.driver.get_log("browser")]
