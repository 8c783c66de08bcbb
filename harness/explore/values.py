"""Values to try, made from the tables: each knob's words and edges, and the edges of each field of a step."""

from __future__ import annotations

from itertools import permutations
from typing import TYPE_CHECKING, Any

from harness.agent.kinds import SUITES as SUITE_LIST
from harness.agent.kinds import SWITCH
from harness.model.capability import CLOCK
from harness.model.errors import RefusedError, UnsupportedError, UsageError
from harness.model.knobs import ClientConfig, knobs_of
from harness.model.session import EDITABLE
from harness.model.tls import Role
from harness.story.story import config_of
from harness.wire.suites import SUITES, openssl_names

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from harness.agent.kinds import Kind
    from harness.stacks.base import Stack
    from harness.story.story import Story

WEEK = 604800
"""Seconds that a TLS 1.3 ticket may live at most (RFC 8446, 4.6.1)."""
EDGES = (
    *(0, 1, -1, 2, 3, 60, 300, 7199, 7200, 7201, WEEK - 1, WEEK, WEEK + 1),
    *(2**31 - 1, 2**31, 2**32 - 1, 2**32, 2**63 - 1, -(2**31), -(2**63)),
)
"""Numbers to try, in the order in which a finding is made simpler."""
OF_NUMBERS = ("0", "1", "-1", "2", "7200", str(WEEK), str(WEEK + 1), str(2**31 - 1), str(2**32 - 1))
OF_OCTETS = ("", "00", "61" * 16, "61" * 32, "flip:0", "flip:-1", "invert")
OF_NAMES = {
    "protocol": ("TLSv1.2", "TLSv1.3", "TLSv1", "DTLSv1.2"),
    "cipher": ("0x1301", "0x1302", "0x1303", "0xc02f", "0xc030", "0xffff"),
    "server_name": ("", "a.test"),
}
OF_TIME = (CLOCK, "retransmit_after")
"""Knobs that the steps of clocks take the place of, or that need a clock that runs."""
SHARED = ("ticket_keys", "ticket_ring", "external_cache")
"""Knobs by which a server resumes the sessions of another one that has a name in common with it."""
WITHOUT_ABSENCE = ("time", "timeout")
"""Numbers that a session always has."""
EDITS: Mapping[str, tuple[str, ...]] = {
    name: OF_NAMES.get(name)
    or (("on", "off") if kind is bool else tuple(t for t in OF_NUMBERS if t != "0" or name not in WITHOUT_ABSENCE))
    if kind is not bytes
    else OF_OCTETS
    for name, kind in EDITABLE.items()
}
"""Values to try of each field of an offered session."""
LENGTHS = (1, 0, 16, 31, 32, 33, 255)
"""Bytes of a text or of octets."""
OF_HASHES = {
    suite.hash: suite.name
    for number, suite in sorted(SUITES.items(), reverse=True)
    if openssl_names(number) == (suite.name,)
}
"""The first suite of TLS 1.3 with each hash: a session is resumed with a suite of its hash alone (RFC 8446, 4.2.11)."""
OF_SUITES = (*OF_HASHES.values(), *(":".join(names) for names in permutations(OF_HASHES.values())))
"""Lists of suites: of one hash, and of each hash in each order."""
MOST = 1 << 64
"""No number of a knob is greater."""

Values = "Mapping[Role, Mapping[str, tuple[str, ...]]]"
"""The texts to try of each knob, by role and knob, the simplest first."""


def knob_values(seeds: Iterable[Story], stacks: Sequence[Stack]) -> dict[Role, dict[str, tuple[str, ...]]]:
    """Return the texts to try of each knob that every stack has, in an order that is the same in each run.

    What a table cannot list, such as names of groups, comes from the stories of the scenarios.
    """
    known = _known(seeds)
    return {
        role: {
            name: values
            for name, row in knobs_of(role).items()
            if name not in OF_TIME and (values := tuple(_able(role, name, row.kind, known.get(name, ()), stacks)))
        }
        for role in Role
    }


def accepted(
    values: Mapping[Role, Mapping[str, Sequence[str]]], stacks: Sequence[Stack]
) -> dict[Role, dict[str, tuple[str, ...]]]:
    """Return the values without those that a context shows to be lacking, each tried once with every stack.

    Such as a compression that a build has not, a name that no library knows, or a certificate that is not issued. What
    a library refuses stays: builds can differ in it.
    """
    return {
        role: {
            name: kept
            for name, texts in knobs.items()
            if (kept := tuple(text for text in texts if all(_is_had(role, name, text, stack) for stack in stacks)))
        }
        for role, knobs in values.items()
    }


def _is_had(role: Role, name: str, text: str, stack: Stack) -> bool:
    kind = knobs_of(role)[name].kind
    if kind.carried and not kind.of_library and kind is not SWITCH:
        return True
    config = config_of(role, {name: text})
    try:
        end = stack.client(config) if isinstance(config, ClientConfig) else stack.server(config)
    except (UnsupportedError, UsageError):
        return False
    except RefusedError:
        return True
    end.close()
    return True


def _known(seeds: Iterable[Story]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for story in seeds:
        for knobs in [*(story.end(role).knobs for role in Role), *_of_steps(story)]:
            for name, text in knobs.items():
                found.setdefault(name, []).append(text)
    return {name: sorted({*texts} - {"unset"}) for name, texts in found.items()}


def _of_steps(story: Story) -> Iterator[Mapping[str, str]]:
    for step in story.steps:
        yield getattr(step, "knobs", {})


def role_of(kind: str) -> Role:
    """Return the role that a kind of step is about, by its name."""
    return Role.CLIENT if "client" in kind else Role.SERVER


def _able(role: Role, name: str, kind: Kind, known: Iterable[str], stacks: Sequence[Stack]) -> Iterator[str]:
    for text in dict.fromkeys((*_texts(kind), *known) or ("a",)):
        try:
            value = kind.parse(text)
        except (ValueError, KeyError):
            continue
        if name == "versions" and any(version.datagrams for version in value):
            continue  # the story's own version says what carries it
        if not any(stack.abilities(role).lacks_knob(name, value) for stack in stacks):
            yield text


def _texts(kind: Kind) -> Iterator[str]:
    yield from OF_SUITES if kind is SUITE_LIST else kind.words
    if kind.words:
        return
    number, octets = _parsed(kind, "1"), _parsed(kind, "a")
    if isinstance(number, int):
        yield from map(str, dict.fromkeys([*(edge for edge in EDGES if kind.allows(edge)), limit(kind)]))
    elif isinstance(octets, bytes):
        yield from ("a" * length for length in LENGTHS)


def _parsed(kind: Kind, text: str) -> Any:
    try:
        return kind.parse(text)
    except ValueError:
        return None


def limit(kind: Kind) -> int:
    """Return the greatest number that a kind allows."""
    low, high = 0, MOST
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if kind.allows(middle) else (low, middle - 1)
    return low
