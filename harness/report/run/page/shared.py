"""What cells of the page share: equal connections, messages and sessions stand once, and cells name their places."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.report.run.page.blocks import encoded

if TYPE_CHECKING:
    from collections.abc import Callable


class Shared:
    """The values by their places, from 0."""

    def __init__(self) -> None:
        self.texts: list[bytes] = []
        self._places: dict[bytes, int] = {}
        self._known: dict[tuple[int, object], tuple[object, int]] = {}

    def of(self, source: Any, make: Callable[[Any], Any], how: object = None) -> int:
        """Return the place of what ``make`` makes of an object; it makes each object once, for each ``how``."""
        known = self._known.get((id(source), how))
        if known is None:
            known = source, self.place(make(source))  # the object is kept, so that its id stays its own
            self._known[id(source), how] = known
        return known[1]

    def place(self, value: Any) -> int:
        """Return the place of a value; equal ones have the same."""
        text = encoded(value)
        place = self._places.setdefault(text, len(self.texts))
        if place == len(self.texts):
            self.texts.append(text)
        return place
