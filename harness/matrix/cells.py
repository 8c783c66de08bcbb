"""Expands a situation into cells: one for each client, server, TLS version and choice of knobs."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field, replace
from itertools import product
from typing import TYPE_CHECKING, Any, cast

from harness.model.capability import CLOSE_NEEDS, by_id_alone, of_version
from harness.model.errors import UnsupportedError, UsageError
from harness.model.knobs import ClientConfig, ServerConfig, checked, config_type, parse_knob, show_knob
from harness.model.tls import USUAL_VERSIONS, Close, Role, TLSVersion

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from harness.matrix.expectation import Expectation
    from harness.model.capability import Capability
    from harness.model.knobs import Config
    from harness.stacks.base import Stack

BOTH = [True, False]
"""On and off: a list is a knob that varies."""

VERSIONS = {version.label: version for version in TLSVersion}
"""By the name in a cell id."""
LONGEST = 40
"""Characters of a knob's value in a cell id; a longer one is cut and made unique by its hash."""


@dataclass(frozen=True, slots=True)
class Situation:
    """What a scenario declares. The values of each knob are a tuple, with one element where it does not vary."""

    versions: tuple[TLSVersion, ...] = USUAL_VERSIONS
    client: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    server: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    needs: Mapping[Role, tuple[Capability, ...]] = field(default_factory=dict)
    close: tuple[Close, ...] = (Close.BOTH,)
    same_stack: bool = False
    """Only cells in which one stack is both ends."""
    second_client: bool = False
    """With each other client stack as a second client, to which the scenario goes over."""
    second_server: bool = False
    """With each other server stack as a second server, to which the scenario goes over and back."""
    played_by: Mapping[Role, str] = field(default_factory=dict)
    """The name of the one stack that plays a role, whichever stacks the run has."""
    breaks: Mapping[str, Expectation[bool]] = field(default_factory=dict)
    """By the name of a rule of the RFCs, whether a connection of a pair breaks it."""
    programs: Mapping[Role, tuple[str, ...]] = field(default_factory=dict)
    """The programs that are an end, by its role; each meets the reference stack."""
    every_stack: bool = False
    """Each of these programs meets every stack."""

    def needing(self, role: Role, capability: Capability) -> Situation:
        """The situation, with a further Capability that an end needs."""
        return replace(self, needs={**self.needs, role: (*self.needs.get(role, ()), capability)})


@dataclass(frozen=True, slots=True)
class Cell:
    """One client x server x TLS version x knobs."""

    id: str
    """ASCII and stable; names only the knobs that vary."""
    client_stack: Stack
    server_stack: Stack
    tls: TLSVersion
    client: ClientConfig
    server: ServerConfig
    close: Close
    seconds: Mapping[Role, Stack] = field(default_factory=dict)
    """The stacks to which the scenario goes over."""
    breaks: Mapping[str, Expectation[bool]] = field(default_factory=dict)
    """As in its situation."""
    unsupported: str = ""
    """Why it cannot be: which stack lacks what, and why. Empty if it can."""
    program: str = ""
    """The name of the program that is one of its ends; empty if there is none."""


def knob_values(role: Role, knobs: Mapping[str, Any]) -> dict[str, tuple[Any, ...]]:
    """The values of each knob as a tuple, read as a user's text is; UsageError for what is not a knob or not a value.

    A list varies, None in it is the stack's default; a tuple or a set is one value.
    """
    checked(config_type(role), dict(knobs))
    return {name: tuple(_value(role, name, v) for v in _listed(role, name, value)) for name, value in knobs.items()}


def _listed(role: Role, name: str, value: Any) -> list[Any]:
    if value == []:
        raise UsageError(f"{role} knob {name} has no value; an empty list makes no cell")
    return value if isinstance(value, list) else [value]


def _value(role: Role, name: str, value: Any) -> Any:
    return None if value is None else parse_knob(role, name, show_knob(value))


@dataclass(frozen=True, slots=True)
class Choice:
    """What the cells of all pairs have in common: a TLS version, a value of each knob, and a way to close."""

    situation: Situation
    tls: TLSVersion
    configs: Mapping[Role, Config]
    close: Close
    words: tuple[str, ...]
    """Of the cell id, for the knobs that vary."""
    _lacks: dict[tuple[Role, str], str] = field(default_factory=dict, compare=False)

    def lacks(self, role: Role, stack: Stack) -> str:
        """Why a stack cannot be this end, the first reason; empty if it can."""
        key = role, stack.label
        if key not in self._lacks:
            config = self.configs[role]
            needs = (
                *of_version(self.tls),
                *CLOSE_NEEDS.get(self.close, ()),
                *by_id_alone(self.tls, *(each.tickets for each in self.configs.values())),
                *self.situation.needs.get(role, ()),
            )
            self._lacks[key] = next(_lacking(role, stack, config, needs), "")
        return self._lacks[key]

    def cell(self, client: Stack, server: Stack, seconds: Mapping[Role, Stack]) -> Cell:
        """The cell of a pair and of the stacks to which it goes over."""
        stacks = [(Role.CLIENT, client), (Role.SERVER, server), *seconds.items()]
        return Cell(
            id="-".join([f"{client.label}--{server.label}", self.tls.label, *_going_over(seconds), *self.words]),
            client_stack=client,
            server_stack=server,
            tls=self.tls,
            client=cast("ClientConfig", self.configs[Role.CLIENT]),
            server=cast("ServerConfig", self.configs[Role.SERVER]),
            close=self.close,
            seconds=seconds,
            breaks=self.situation.breaks,
            unsupported=next(filter(None, (self.lacks(role, stack) for role, stack in stacks)), "")
            or _strange(server, seconds.get(Role.SERVER)),
        )


def choices(situation: Situation) -> list[Choice]:
    """Every choice of TLS version, knobs and way to close, in an order that never changes."""
    return [
        Choice(
            situation,
            tls,
            {role: config_type(role)(**{"versions": (tls,), **chosen[role]}) for role in Role},
            close,
            tuple(words),
        )
        for tls, (chosen, close, words) in product(situation.versions, list(_variants(situation)))
    ]


def cells(
    situation: Situation,
    clients: Sequence[Stack],
    servers: Sequence[Stack],
    meets: Callable[[Stack, Stack], bool] = lambda _client, _server: True,
    *,
    alike: bool = False,
) -> Iterator[Cell]:
    """Every cell of a situation, those that a stack cannot do included, in an order that never changes.

    ``meets`` returns whether a client and a server make a pair; by default every one with every other. If ``alike``,
    the stack that a session goes over to may be the one that it leaves.
    """
    pairs = [(c, s) for c, s in product(clients, servers) if (not situation.same_stack or c is s) and meets(c, s)]
    further = product(
        list(clients) if situation.second_client else [None], list(servers) if situation.second_server else [None]
    )
    every = choices(situation)
    for (client, server), (second_client, second_server), choice in product(pairs, further, every):
        if not alike and (second_client is client or second_server is server):
            continue
        both = {Role.CLIENT: second_client, Role.SERVER: second_server}
        yield choice.cell(client, server, {role: stack for role, stack in both.items() if stack})


def program_cells(
    situation: Situation, role: Role, stacks: Sequence[Stack], programs: Mapping[str, tuple[Stack, str]]
) -> Iterator[Cell]:
    """Every cell in which a program plays this role; each is a stack to look at, and why it cannot be an end."""
    for stack, (name, (program, lacks)), tls in product(stacks, programs.items(), situation.versions):
        client, server = (program, stack) if role is Role.CLIENT else (stack, program)
        yield Cell(
            id=f"{client.label}--{server.label}-{tls.label}",
            client_stack=client,
            server_stack=server,
            tls=tls,
            client=ClientConfig(versions=(tls,)),
            server=ServerConfig(versions=(tls,)),
            close=Close.BOTH,
            breaks=situation.breaks,
            unsupported=lacks,
            program=name,
        )


def _strange(first: Stack, second: Stack | None) -> str:
    """Why a second server can know no session of the first; empty if it may."""
    if second is None or second.build.library.family == first.build.library.family:
        return ""
    why = "what a ticket holds is each library's own choice (RFC 5077, 4)"
    return str(UnsupportedError(second.label, f"the sessions of {first.label}", why))


def _going_over(seconds: Mapping[Role, Stack]) -> list[str]:
    """The words of a cell id that name the second ends."""
    words = {Role.CLIENT: "then", Role.SERVER: "then.server"}
    return [f"{words[role]}={stack.label}" for role, stack in seconds.items()]


def _variants(situation: Situation) -> Iterator[tuple[dict[Role, dict[str, Any]], Close, list[str]]]:
    """Each choice of knobs by role, with how it closes, and with the words that distinguish it in the cell id."""
    axes = [(Role.CLIENT, *axis) for axis in situation.client.items()]
    axes += [(Role.SERVER, *axis) for axis in situation.server.items()]
    for *values, close in product(*(axis[2] for axis in axes), situation.close):
        chosen: dict[Role, dict[str, Any]] = {role: {} for role in Role}
        words = []
        for (role, name, all_values), value in zip(axes, values, strict=True):
            chosen[role][name] = value
            if len(all_values) > 1:
                words.append(f"{role}.{name}={shown(value)}")
        yield chosen, close, words + ([f"close={close}"] if len(situation.close) > 1 else [])


def _lacking(role: Role, stack: Stack, config: Config, needs: Sequence[Capability]) -> Iterator[str]:
    """Why a stack cannot be an end, one text a knob or Capability that it lacks."""
    abilities = stack.abilities(role)
    for name, value in config.given().items():
        if reason := abilities.lacks_knob(name, value):
            yield str(UnsupportedError(stack.label, f"{role} knob {name}={shown(value)}", reason))
    for capability in needs:
        if reason := abilities.lacks(capability):
            yield str(UnsupportedError(stack.label, f"{capability} as {role}", reason))


def shown(value: Any) -> str:
    """A knob's value in a cell id: printable ASCII with no blanks or brackets, and not too long."""
    text = "default" if value is None else show_knob(value)
    plain = re.sub(r"[^!-Z^-~]", "_", text.encode("ascii", "backslashreplace").decode())
    if len(plain) <= LONGEST and plain == text:
        return plain
    return f"{plain[: LONGEST - 9]}~{hashlib.sha256(text.encode()).hexdigest()[:8]}"


def parse_id(cell: str) -> tuple[str, str, TLSVersion]:
    """Client, server and TLS version of a cell id; ValueError if it is none."""
    found = re.match(rf"(?P<client>\S+?)--(?P<server>\S+?)-(?P<tls>{'|'.join(VERSIONS)})(-|$)", cell)
    if not found:
        raise ValueError(f"{cell!r} is not a cell id")
    return found["client"], found["server"], VERSIONS[found["tls"]]
