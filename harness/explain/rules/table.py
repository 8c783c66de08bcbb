"""The table of rules: each is one function, whose name and docstring are the rule's name and sentence."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from harness.model.rule import Level, Rule

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from harness.explain.rules.handshake import Handshake
    from harness.model.tls import Role

    Check = Callable[[Handshake], Iterator[str]]
    """Yields what the wire shows of a breach, a line a fact; nothing if the handshake keeps the rule."""


class When(Enum):
    """The handshakes that a rule is about."""

    ANY = "any"
    TLS13 = "TLS 1.3"
    """The server chose TLS 1.3."""
    TLS12 = "TLS 1.2"
    """The server chose TLS 1.2 or an earlier version."""


class Row(NamedTuple):
    """A rule, the handshakes that it is about, and the function that checks one of them."""

    rule: Rule
    when: When
    check: Check


TABLE: dict[str, Row] = {}
"""Every rule by its name, in the order in which the modules are imported."""


def rule(who: Role | None, source: str, when: When, level: Level = Level.MUST) -> Callable[[Check], Check]:
    """Make a row of the function: its name is the rule's, the first line of its docstring the sentence."""

    def add(check: Check) -> Check:
        name = check.__name__
        sentence = (check.__doc__ or "").partition("\n")[0]
        TABLE[name] = Row(Rule(name, who, level, source, sentence), when, check)
        return check

    return add
