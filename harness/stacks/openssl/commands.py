"""Refuses the verbs for which s_client and s_server have no command, each with the reason."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.agent.verbs import VERBS
from harness.model.capability import Capability
from harness.model.errors import UnsupportedError
from harness.runtime.loop import Pending
from harness.stacks.openssl.abilities import NO_COMMAND

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.model.capability import Abilities


def lack(name: str, verb: str, fields: Mapping[str, Any], abilities: Abilities) -> UnsupportedError | None:
    """Return the error for a verb, or one of its fields, that these abilities lack; None if they lack nothing."""
    row = VERBS[verb]
    needs = [row.needs, *(capability for field, capability in row.field_needs.items() if fields.get(field))]
    for capability in map(Capability, filter(None, needs)):
        if reason := abilities.lacks(capability):
            return UnsupportedError(name, capability, reason)
    return None


def refused(name: str, verb: str, fields: Mapping[str, Any], abilities: Abilities) -> Pending[Any]:
    """Return a Pending with the error of a verb for which the program has no command."""
    pending = Pending[Any](f"{verb} of {name}")
    pending.reject(lack(name, verb, fields, abilities) or UnsupportedError(name, verb, NO_COMMAND))
    return pending
