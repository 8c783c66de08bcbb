"""The setup of a connection: the knobs and contexts of both endpoints, and the actions before it."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING

from harness.model.build import Library
from harness.model.tls import Role

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.model.knobs import ClientConfig, Config, ServerConfig


ORDER = count()


@dataclass(frozen=True, slots=True)
class Action:
    """Something that a scenario did to an endpoint, or on an open connection: the method's name and its arguments.

    Of an endpoint ``flush``, ``resize_cache``, ``remove``, ``add_session``, ``rotate_keys``, ``choose``,
    ``age_sessions``, ``move_clock``, ``stop_clock`` (see harness.pair.control); of a connection ``exchange``,
    ``renegotiate``, ``authenticate``, ``keep_session``, and ``thread`` for a handshake in one (see
    harness.pair.open_connection).
    """

    name: str
    role: Role | None = None
    """Whose; None for what both ends do."""
    values: Mapping[str, object] = field(default_factory=dict)
    order: int = field(default_factory=ORDER.__next__, compare=False)
    """Its place among all actions, openings and ends of connections, in the order in which they were made."""


@dataclass(frozen=True, slots=True)
class Setup:
    """What the harness knows of a connection and no witness reports."""

    client: ClientConfig
    server: ServerConfig
    client_context: int
    """1 for the first client context (SSL_CTX) of the pair; another number is another context."""
    server_context: int
    """1 for the first server of the pair; another number is another server, as after a restart."""
    before: tuple[Action, ...] = ()
    """What was done to an endpoint since the last connection was begun, in order."""
    during: tuple[Action, ...] = ()
    """What was done on this connection between its handshake and its close, in order."""
    beside: tuple[int, ...] = ()
    """Numbers of the connections that were open when this one was begun."""
    client_library: Library = Library()
    server_library: Library = Library()
    order: int = field(default_factory=ORDER.__next__, compare=False)
    """When the connection was opened; see Action."""
    issued_ids: frozenset[bytes] = frozenset()
    """The TLS 1.2 session ids that servers of the pair had issued in earlier connections."""
    key_log: Mapping[Role, str] = field(default_factory=dict)
    """Why an end has no key log (Capability.KEY_LOG), for each that has none."""
    chosen: ServerConfig | None = None
    """The knobs of the context to which the server goes over in its client-hello callback, by the server name."""
    asked: int = field(default_factory=time.time_ns, compare=False)
    """When the connection was asked for, nanoseconds since 1970: its client makes its hello later."""
    chooses: bool = False
    """Whether the server goes over to another context for some server name."""
    choices: Mapping[int, tuple[str, ServerConfig]] = field(default_factory=dict)
    """The ``stack@build`` and the knobs of each server to whose context one of the pair goes over, by its number."""

    def config(self, role: Role) -> Config:
        """The knobs of an end."""
        return self.client if role is Role.CLIENT else self.server

    def library(self, role: Role) -> Library:
        """The library of an end."""
        return self.client_library if role is Role.CLIENT else self.server_library

    def context(self, role: Role) -> int:
        """The context of an end."""
        return self.client_context if role is Role.CLIENT else self.server_context
