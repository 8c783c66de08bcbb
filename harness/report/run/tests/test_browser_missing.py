"""Without a browser a test in one is skipped with the reason, or fails where one is required; it never passes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.tests.browser import REQUIRED, started

if TYPE_CHECKING:
    from pathlib import Path

REASON = "no selenium|no browser: none of chromium, .* is on PATH"


@pytest.fixture(autouse=True)
def nothing_on_path(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No program is found."""
    monkeypatch.setenv("PATH", str(tmp_path))


def test_it_is_skipped_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(REQUIRED, raising=False)

    with pytest.raises(pytest.skip.Exception, match=REASON), started():
        pytest.fail("a browser was started")


def test_it_fails_where_one_is_required(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(REQUIRED, "required")

    with pytest.raises(pytest.fail.Exception, match=REASON), started():
        pytest.skip("a browser was started")
