"""Addresses within the page: of a cell, and of a list with filters."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

from harness.report.run.plain_text import well_formed

if TYPE_CHECKING:
    from harness.report.run.earlier import Key


def cell_link(key: Key) -> str:
    """The address of a cell's view."""
    return "#/cell/" + "/".join(quote(well_formed(part), safe="") for part in key)


def list_link(**filters: str) -> str:
    """The address of the list with these filters, without empty ones."""
    return "#/?" + urlencode({name: well_formed(value) for name, value in filters.items() if value})
