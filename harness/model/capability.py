"""What a cell needs of a stack beyond its knobs, and which stack can do it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from harness.model.knobs import knobs_of
from harness.model.tls import Close

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from harness.model.tls import Role


class Capability(StrEnum):
    """Each value is what the tables print; the docstring says what a stack that has it can do."""

    SESSION_DATA = "session data"
    """Export a session as DER (i2d_SSL_SESSION), so that every field is known."""
    SESSION_FIELDS = "session fields"
    """Report a session's id, time, timeout, lifetime hint, and whether it has a ticket."""
    SESSION_COPY = "session copy"
    """Keep a session as a copy, which a connection that is not closed properly cannot make non-resumable."""
    SESSION_IMPORT = "session import"
    """Offer a session from its DER (d2i_SSL_SESSION), also one that another stack took."""
    SESSION_BEFORE_TICKET = "session before ticket"
    """Take the session between the end of the handshake and the first read."""
    SESSION_IN_MEMORY = "session in memory"
    """Offer the very object that an earlier connection of the same context held, whatever has become of it."""
    EVERY_TICKET = "every ticket"
    """Yield each TLS 1.3 ticket's session, not only the last (new-session callback)."""
    NEW_SESSION_CALLBACK = "new-session callback"
    """Report how often a client's new-session callback was called (SSL_CTX_sess_set_new_cb)."""
    SERVER_NAME = "server name"
    """Report the host name of a connection (SSL_get_servername)."""
    NEGOTIATED_GROUP = "negotiated group"
    """Report the group of a connection's key exchange (SSL_get_negotiated_group)."""
    PEER_CHAIN = "peer chain"
    """Report the certificates of the peer's chain (SSL_get_peer_cert_chain)."""
    EXPORTER = "exporter"
    """Export keying material (SSL_export_keying_material)."""
    RESUMABLE = "is_resumable"
    """Ask SSL_SESSION_is_resumable."""
    COUNTERS = "counters"
    """SSL_CTX_sess_* of a context at any time."""
    RUNNING_COUNTERS = "running counters"
    """The server's items, hits, misses, time-outs and overflows while a connection is open."""
    FLUSH = "flush"
    """SSL_CTX_flush_sessions by hand."""
    RESIZE_CACHE = "resize cache"
    """SSL_CTX_sess_set_cache_size on a running server."""
    REMOVE_SESSION = "remove session"
    """SSL_CTX_remove_session."""
    AGE_SERVER_SESSION = "age server session"
    """Make the server's own copy older (SSL_SESSION_set_time, in its cache and in the tickets that it issues)."""
    RENEGOTIATION = "renegotiation"
    """A further TLS 1.2 handshake on the same connection (SSL_renegotiate)."""
    ABBREVIATED_RENEGOTIATION = "abbreviated renegotiation"
    """A renegotiation that resumes the session of the connection (SSL_renegotiate_abbreviated)."""
    CONCURRENT = "concurrent"
    """Several connections open at the same time at one endpoint."""
    MATCHING_SESSION_ID = "matching session id"
    """SSL_has_matching_session_id."""
    CLOSE_CLIENT_ONLY = "close client-only"
    """Take its part in Close.CLIENT_ONLY."""
    CLOSE_SERVER_ONLY = "close server-only"
    """Take its part in Close.SERVER_ONLY."""
    EARLY_DATA = "early data"
    """Write or read early data (SSL_write_early_data, SSL_read_early_data)."""
    CLOCK = "clock"
    """Run with a moved clock."""


CLOCK = "clock"
"""The knob that needs a clock which can be moved."""

CLOSE_NEEDS: Mapping[Close, tuple[Capability, ...]] = {
    Close.CLIENT_ONLY: (Capability.CLOSE_CLIENT_ONLY,),
    Close.SERVER_ONLY: (Capability.CLOSE_SERVER_ONLY,),
}
"""What both ends must be able to do for a connection to be closed in this way; the other ways need nothing."""


@dataclass(frozen=True, slots=True)
class Limit:
    """How far a stack has a knob: ``allows`` says whether a value is possible, ``reason`` why another is not."""

    allows: Callable[[object], bool]
    values: str
    reason: str


FULLY = Limit(lambda _value: True, "all", "")
"""The whole range of the knob."""


@dataclass(frozen=True, slots=True)
class Abilities:
    """What one stack can do in one role."""

    role: Role
    knobs: Mapping[str, Limit]
    """The knobs that can be set, with their limits; ``refused`` has the others."""
    capabilities: frozenset[Capability] = frozenset()
    missing: Mapping[str, str] = field(default_factory=dict)
    """Why Capabilities are missing, by their value."""
    refused: Mapping[str, str] = field(default_factory=dict)
    """Why knobs cannot be set at all, by their name."""

    def lacks_knob(self, name: str, value: object) -> str | None:
        """The reason why the knob cannot have the value, None if it can."""
        limit = self.knobs.get(name)
        if limit is None:
            return self.refused.get(name, "the stack has no way to set it")
        return None if limit.allows(value) else f"{limit.reason} (possible: {limit.values})"

    def lacks(self, capability: Capability) -> str | None:
        """The reason why the stack lacks a Capability, None if it has it."""
        if capability in self.capabilities:
            return None
        return self.missing.get(capability.value, "the stack has no way to do it")


def abilities_of(
    stack: str, role: Role, version: str, missing: Mapping[str, str], able: Iterable[Capability] | None = None
) -> Abilities:
    """What a stack can do on that OpenSSL: the knobs of the table, and ``able``, by default every Capability.

    ``missing`` are the reasons why it lacks Capabilities, by their values. Without Capability.CLOCK no knob sets one.
    """
    knobs: dict[str, Limit] = {}
    refused: dict[str, str] = {}
    for name, row in knobs_of(role).items():
        lack = row.lack(stack, role, version)
        if name == CLOCK and Capability.CLOCK.value in missing:
            refused[name] = missing[Capability.CLOCK.value]
        elif lack is None:
            knobs[name] = FULLY
        elif lack.allows is None:
            refused[name] = lack.why
        else:
            knobs[name] = Limit(lack.allows, lack.values, lack.why)
    able = frozenset(capability for capability in able or Capability if capability.value not in missing)
    return Abilities(role, knobs, able, missing, refused)
