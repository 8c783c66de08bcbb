"""The rules of the RFCs about resumption, checked on every connection.

Rules. Each rule is one function in one of the modules of this room, in the table of `harness.explain.rules.table`. It
looks at one handshake and yields what the wire shows of a breach. What the wire does not show, or what needs an earlier
connection that the harness does not have, breaks no rule.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from harness.explain.facts.index import NUMBER, upto
from harness.explain.rules import (
    answer,
    change_cipher_spec,
    early_data,
    hello,
    offer,
    post_handshake,
    quic,
    resumption12,
    retry,
    second_hello,
    terms,
    ticket12,
    tickets,
)
from harness.explain.rules.handshake import handshakes
from harness.explain.rules.table import TABLE, When
from harness.model.errors import UsageError
from harness.model.rule import Breach

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from harness.model.connection import Connection
    from harness.model.rule import Rule

MODULES = (
    hello,
    offer,
    early_data,
    second_hello,
    retry,
    answer,
    tickets,
    post_handshake,
    change_cipher_spec,
    resumption12,
    ticket12,
    terms,
    quic,
)
"""The modules that have rules, in the order in which people read them."""
ROWS = tuple(row for module in MODULES for row in TABLE.values() if row.check.__module__ == module.__name__)
"""The table in the order of MODULES."""
RULES: Mapping[str, Rule] = {row.rule.name: row.rule for row in ROWS}
"""Every rule by its name, in the order of MODULES."""
_BY_VERSION = {
    tls13: tuple(row for row in ROWS if row.when in whens)
    for tls13, whens in (
        (None, {When.ANY}),
        (True, {When.ANY, When.TLS13}),
        (False, {When.ANY, When.TLS12}),
    )
}


_CHECKED: WeakKeyDictionary[Connection, tuple[tuple[Connection, ...], tuple[Breach, ...]]] = WeakKeyDictionary()
"""The breaches of each connection with the earlier ones they were found with: the verdict and every report ask."""


def breaches_of(connections: Sequence[Connection], connection: Connection) -> tuple[Breach, ...]:
    """The rules that a connection breaks, in the order of the table; it marks nothing as asserted.

    ``connections`` are those of its pair, in any order: a session comes from an earlier one.
    """
    earlier = upto(sorted(connections, key=NUMBER), connection.number - 1)
    before, breaches = _CHECKED.get(connection, ((), None))
    if breaches is None or before != earlier:
        breaches = _check(connection, earlier)
        _CHECKED[connection] = earlier, breaches
    return breaches


def _check(connection: Connection, earlier: tuple[Connection, ...]) -> tuple[Breach, ...]:
    found: dict[str, list[str]] = {}
    for handshake in handshakes(connection, earlier):
        for row in _BY_VERSION[handshake.tls13]:
            for line in row.check(handshake):
                found.setdefault(row.rule.name, []).append(line)
    return tuple(Breach(rule, tuple(dict.fromkeys(found[name]))) for name, rule in RULES.items() if name in found)


def breaches(pair: Any, connection: Connection) -> tuple[str, ...]:
    """The names of the rules that a connection of a pair breaks (docs/rules.md); it marks it as asserted."""
    connection.note_read()
    return tuple(breach.rule.name for breach in breaches_of(pair.connections, connection))


def known_rule(name: str) -> Rule:
    """The rule of this name; UsageError lists them if there is none."""
    if name not in RULES:
        raise UsageError(f"there is no rule {name!r}; the rules are: {', '.join(RULES)}")
    return RULES[name]
