"""What every man in the middle of datagrams keeps: the changes that are left, and the datagrams that wait."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.model.tampering import Tampering
    from harness.model.tls import Role


class HeldDatagrams:
    """The changes that are still to be made, what was done so far, and what waits until it is released."""

    def __init__(self, tamperings: Sequence[Tampering]) -> None:
        self._left = list(tamperings)
        self._held: dict[Role, list[bytes]] = {}
        self.done: list[str] = []
        """What was done so far, for people."""

    @property
    def holding(self) -> bool:
        """Whether something of an end waits."""
        return bool(self._held)

    def release(self) -> dict[Role, list[bytes]]:
        """Return what waited, by its sender."""
        held, self._held = self._held, {}
        return held
