"""Takes a step out of a story, and renumbers the later connections and contexts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec.structs import fields, replace

from harness.model.tls import Role

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.story.step import Offer, Step
    from harness.story.story import Story

MAKES: Mapping[str, str | Role] = {
    "connect": "connection",
    "open": "connection",
    "new_client": Role.CLIENT,
    "new_server": Role.SERVER,
}
"""What a step makes that others count."""


def without_step(story: Story, index: int) -> Story | None:
    """Return the story without a step, and without those about what it made; None if a session of it is offered."""
    removed = story.steps[index]
    rest = story.steps[index + 1 :]
    made = MAKES.get(removed.kind)
    if made is None:
        return replace(story, steps=(*story.steps[:index], *rest))
    number = _number(story, index, made)
    kept: list[Step] = list(story.steps[:index])
    for step in rest:
        changed = _without(step, made, number)
        if changed is None:
            return None
        kept += changed
    return replace(story, steps=tuple(kept))


def connection_of(story: Story, index: int) -> int | None:
    """Return the number of the connection that a step makes; None if it makes none."""
    return _number(story, index, "connection") if MAKES.get(story.steps[index].kind) == "connection" else None


def _number(story: Story, index: int, made: str | Role) -> int:
    return sum(MAKES.get(step.kind) == made for step in story.steps[: index + 1]) + (made != "connection")


def _without(step: Step, made: str | Role, number: int) -> list[Step] | None:
    """A step without what was made as that number: as it is, renumbered, or gone; None if it needs it."""
    changes: dict[str, Any] = {}
    for each in fields(step):
        value = getattr(step, each.name)
        if each.name == "offer" and value is not None and made == "connection":
            offer = _offer(value, number)
            if offer is None:
                return None
            changes["offer"] = offer
        elif isinstance(value, int) and _counts(step, each.name) == made:
            if value == number:
                return []
            changes[each.name] = value - (value > number)
    return [replace(step, **changes)]


def _offer(offer: Offer, number: int) -> Offer | None:
    if not isinstance(offer.connection, int):
        return offer
    if offer.connection == number:
        return None
    return replace(offer, connection=offer.connection - (offer.connection > number))


def _counts(step: Step, name: str) -> str | Role | None:
    """What a field of a step counts: connections, clients or servers."""
    if name == "connection":
        return name
    if name in {"client", "server"}:
        return Role(name)
    return getattr(step, "of", None) if name == "number" else None
