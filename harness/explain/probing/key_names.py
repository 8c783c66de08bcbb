"""Groups sessions by the name of the key of their tickets, where the first bytes are proven to be a name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.explain.facts.key_name import proven
from harness.model.tls import Mechanism

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.model.probe import Study


@dataclass(frozen=True, slots=True)
class KeyNames:
    """The names of ticket keys that were seen."""

    length: int
    """Bytes of a name; 0 if none is proven."""
    sessions: Mapping[bytes, tuple[int, ...]]
    """The places of the sessions in `Study.sessions`, by name."""

    def of(self, ticket: bytes) -> bytes | None:
        """The name of the key of a ticket, if it is one that was seen."""
        name = ticket[: self.length]
        return name if self.length and name in self.sessions else None


def key_names(study: Study) -> KeyNames:
    """The names, proven by two tickets of different connections that agree in them; none for session ids."""
    tickets = () if study.mechanism is Mechanism.SESSION_ID else [session.identity for session in study.sessions]
    issued = [ticket for offer in study.offers for ticket in offer.tickets]
    length = proven([*tickets, *issued])
    names: dict[bytes, list[int]] = {}
    if length:
        for place, ticket in enumerate(tickets):
            names.setdefault(ticket[:length], []).append(place)
    return KeyNames(length, {name: tuple(places) for name, places in names.items()})
