"""What an agent says of itself in its reply to ``hello``: its library, and what it can do in each role."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.agent.verbs import missing_capabilities
from harness.agent.vocabulary import PROTOCOL
from harness.builds.versions import build_version
from harness.model.build import OPENSSL, Library
from harness.model.capability import CLOCK, FULLY, Abilities, Capability, Limit
from harness.model.errors import UsageError
from harness.model.knobs import knobs_of
from harness.model.tls import Role

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.agent.knob import Knob

BESIDE = {"external_cache": "external_get", "expected_rpk": "server_rpk"}
"""A knob whose value is not sent, and so not named in a hello, with one that the same stacks have."""
UNNAMED = "its hello does not name it"
DEFAULTS = ("tickets", "tickets_after_resumption", "lifetime", "timeout", "key_name", "least_hint")


@dataclass(frozen=True)
class Hello:
    """One agent; the members are those of the reply."""

    version: str
    description: str
    family: str
    roles: frozenset[Role]
    knobs: Mapping[str, Mapping[str, Any]]
    capabilities: Mapping[str, Mapping[str, str | None]]
    lacks: Mapping[str, str]
    defaults: Mapping[str, Any]

    @property
    def library(self) -> Library:
        """The library, for the model."""
        return Library(
            self.family,
            self.defaults.get("key_name"),
            self.defaults.get("tickets"),
            self.defaults.get("tickets_after_resumption"),
            (self.defaults.get("lifetime") or {}).get("1.2"),
            (self.defaults.get("lifetime") or {}).get("1.3"),
            self.defaults.get("least_hint") or 0,
        )

    def abilities(self, role: Role, clock_missing: Mapping[str, str]) -> Abilities:
        """What the agent can do in a role; ``clock_missing`` says why this machine cannot move clocks, if it cannot."""
        if role not in self.roles:
            none = f"it does not play the {role}"
            missing = {capability.value: none for capability in Capability}
            return Abilities(role, {}, frozenset(), missing, dict.fromkeys(knobs_of(role), none))
        stated = self.capabilities.get(role.value, {})
        reasons = {capability.value: stated.get(capability.value, UNNAMED) for capability in Capability}
        reasons[Capability.OPENSSL_CHOICES.value] = None if self.family == OPENSSL else f"its family is {self.family}"
        missing = {name: why for name, why in reasons.items() if why is not None}
        missing |= missing_capabilities(self.lacks)
        missing |= clock_missing
        knobs: dict[str, Limit] = {}
        refused: dict[str, str] = {}
        for name, row in knobs_of(role).items():
            limit = self._limit(role, name, row, missing)
            if isinstance(limit, str):
                refused[name] = limit
            else:
                knobs[name] = limit
        able = frozenset(c for c in Capability if c.value not in missing)
        return Abilities(role, knobs, able, missing, refused)

    def _limit(self, role: Role, name: str, row: Knob, missing: Mapping[str, str]) -> Limit | str:
        if name == CLOCK:
            return missing.get(Capability.CLOCK.value) or FULLY
        if not row.kind.carried and name not in BESIDE:
            return FULLY  # a certificate, which every context takes
        stated = self.knobs.get(role.value, {}).get(BESIDE.get(name, name), UNNAMED)
        if stated is None or (name in BESIDE and not isinstance(stated, str)):
            return FULLY
        if isinstance(stated, str):
            return stated
        allowed = list(stated)
        shown = ", ".join(map(str, allowed))
        return Limit(lambda value: row.kind.encode(value) in allowed, shown, "its library has no other")


def check_protocol(reply: Mapping[str, Any]) -> None:
    """ValueError if a reply to ``hello`` names another version of the protocol than the harness speaks."""
    if reply.get("protocol") != PROTOCOL:
        raise ValueError(f"protocol {reply.get('protocol')} is not spoken here, but {PROTOCOL}")


def read_hello(reply: Mapping[str, Any]) -> Hello:
    """Read the reply; ValueError says which member is not as PROTOCOL.md has it."""
    check_protocol(reply)
    for name in ("library", "version", "description", "family"):
        if not isinstance(reply.get(name), str) or not reply[name]:
            raise ValueError(f"{name} of hello is {reply.get(name)!r}; it must be a text")
    try:
        build_version(reply["version"])
    except UsageError as error:
        raise ValueError(f"version of hello is {reply['version']!r}; it must begin with numbers, as 3.7.9") from error
    roles = _of(reply, "roles", list)
    if not roles or not set(roles) <= {role.value for role in Role}:
        raise ValueError(f"roles of hello are {roles!r}; they must be client, server or both")
    knobs, capabilities = (_by_role(reply, name, roles) for name in ("knobs", "capabilities"))
    for role in roles:
        _only(f"knobs of the {role}", knobs[role], knobs_of(Role(role)), str | list)
        _only(f"capabilities of the {role}", capabilities[role], [c.value for c in Capability], str)
    defaults = _of(reply, "defaults", dict)
    _only("defaults", defaults, DEFAULTS, int | dict)
    lacks = reply.get("lacks", {})
    if not isinstance(lacks, dict):
        raise ValueError(f"lacks of hello is {lacks!r}; it must be an object")  # noqa: TRY004 - see `_of`
    return Hello(
        reply["version"],
        reply["description"],
        reply["family"],
        frozenset(map(Role, roles)),
        knobs,
        capabilities,
        lacks,
        defaults,
    )


def _of(reply: Mapping[str, Any], name: str, kind: type) -> Any:
    """The member; ValueError if it is of another type, as for all else that is malformed in a reply."""
    if isinstance(reply.get(name), kind):
        return reply[name]
    raise ValueError(f"{name} of hello is {reply.get(name)!r}; it must be {'a list' if kind is list else 'an object'}")


def _by_role(reply: Mapping[str, Any], name: str, roles: list[str]) -> dict[str, dict[str, Any]]:
    found = _of(reply, name, dict)
    if found.keys() != set(roles) or not all(isinstance(each, dict) for each in found.values()):
        raise ValueError(f"{name} of hello must be an object with an object for each of its roles, {', '.join(roles)}")
    return dict(found)


def _only(what: str, given: Mapping[str, Any], known: Any, kinds: Any) -> None:
    for name, value in given.items():
        if name not in known:
            raise ValueError(f"{what} of hello name {name!r}; there are: {', '.join(known)}")
        if value is not None and (not isinstance(value, kinds) or isinstance(value, bool)):
            raise ValueError(f"{what} of hello say {value!r} of {name}; see the page for what is allowed")
