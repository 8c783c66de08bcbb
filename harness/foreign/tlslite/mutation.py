"""The table of mutations: each is one function, which changes a message before it is sent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from harness.foreign.tlslite.liar import Liar

    Act = Callable[[Liar, Any], Iterable[Any] | None]
    """Changes a message in place; or returns what is sent in its place."""

CLIENT, SERVER = "client", "server"
ACRONYMS = {"psk": "PSK", "id": "ID", "tls13": "TLS13"}
"""The words of a name that are not in CamelCase."""


@dataclass(frozen=True)
class Mutation:
    """One rule that an end breaks, and how."""

    name: str
    """As users type it, in the manner of BoringSSL's test runner and of tlsfuzzer."""
    role: str
    version: str
    """``1.2`` or ``1.3``: the version whose handshakes it changes."""
    breaks: str
    """The section of the RFC that says otherwise, or that says how the peer takes it."""
    meaning: str
    on: type
    """The class of the messages that it changes."""
    resuming: bool
    """Only where a session is offered (client) or accepted (server)."""
    declines: bool
    """Whether the server accepts no session."""
    act: Act

    def applies(self, message: object, *, resuming: bool) -> bool:
        """Whether it changes this message."""
        return isinstance(message, self.on) and (resuming or not self.resuming)


TABLE: dict[str, Mutation] = {}
"""Every mutation by its name, in the order of the modules."""


def mutation(
    role: str, version: str, breaks: str, on: type, *, resuming: bool = True, declines: bool = False
) -> Callable[[Act], Act]:
    """Make a row of the function: its name in CamelCase is the mutation's, its docstring the meaning."""

    def add(act: Act) -> Act:
        name = "".join(ACRONYMS.get(word, word.title()) for word in act.__name__.split("_"))
        meaning = (act.__doc__ or "").partition("\n")[0]
        TABLE[name] = Mutation(name, role, version, breaks, meaning, on, resuming, declines, act)
        return act

    return add


def named(role: str) -> list[str]:
    """The names of a role's mutations."""
    return [name for name, row in TABLE.items() if row.role == role]
