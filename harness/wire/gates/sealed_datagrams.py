"""Drops, holds, repeats or damages whole datagrams of QUIC on their way; what is in them is sealed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.model.tampering import Tamper
from harness.wire.gates.held_datagrams import HeldDatagrams

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.model.tampering import Tampering
    from harness.model.tls import Role


class SealedDatagrams(HeldDatagrams):
    """Feed it what each end sends; it returns what the other end is to get."""

    def __init__(self, tamperings: Sequence[Tampering]) -> None:
        super().__init__(tamperings)
        self._seen: dict[Role, int] = {}

    def feed(self, sender: Role, datagram: bytes) -> list[bytes]:
        """Return the datagrams that are relayed now; what comes after a held one does not wait for it."""
        count = self._seen[sender] = self._seen.get(sender, 0) + 1
        relayed = [datagram]
        for tampering in [t for t in self._left if (t.sender, t.which) == (sender, count)]:
            self._left.remove(tampering)
            self.done.append(str(tampering))
            match tampering.what:
                case Tamper.DROP:
                    relayed = []
                case Tamper.HOLD:
                    self._held.setdefault(sender, []).extend(relayed)
                    relayed = []
                case Tamper.REPEAT:
                    relayed *= 2
                case _:
                    relayed = [each[:-1] + bytes((each[-1] ^ 1,)) for each in relayed]
        return relayed
