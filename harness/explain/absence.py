"""How it comes that a session never was in a server's cache; not how it was lost from there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.explain.offer import HANDLE
from harness.explain.ticket import circumstances
from harness.model.knobs import UNSET, CacheMode, Verify
from harness.model.tls import Mechanism

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.explain.offer import Offer

NO_STORE = {CacheMode.NO_INTERNAL_STORE, CacheMode.NO_INTERNAL}
STORES = {CacheMode.SERVER, CacheMode.BOTH}


@dataclass(frozen=True, slots=True)
class Absence:
    """One way in which the session came not to be there."""

    title: str
    evidence: tuple[str, ...]
    remedy: str
    source: str


def never_there(offer: Offer) -> Iterator[Absence]:
    """Every way that the circumstances tell of."""
    in_ticket = tuple(_in_a_ticket(offer))
    yield from in_ticket
    for find in (*(() if in_ticket else (_other_server,)), _not_stored, _not_trusted):
        yield from find(offer)


def _other_server(offer: Offer) -> Iterator[Absence]:
    if offer.evidence.same_server is False:
        yield Absence(
            "the session is in the cache of another server",
            circumstances(offer.evidence),
            "let the client come back to the same server, or share sessions by tickets with common keys",
            "each SSL_CTX has a cache of its own; SSL_CTX_set_session_cache_mode(3)",
        )


def _in_a_ticket(offer: Offer) -> Iterator[Absence]:
    issued = offer.issued if offer.issued is not None else b""
    if offer.looked_up is not True:
        return
    if offer.by is Mechanism.PSK:
        if len(offer.identity) != HANDLE:
            yield Absence(
                "the session is in its ticket, and this server reads handles of its cache alone",
                (
                    f"wire: the offered ticket has {len(offer.identity)} bytes, a handle has {HANDLE}",
                    *circumstances(offer.evidence),
                ),
                "let the server read tickets (no SSL_OP_NO_TICKET, no max_early_data with anti-replay), with the same "
                "keys as the one that issued them",
                "tls_get_stateful_ticket",
            )
    elif issued:
        sent = f"{len(issued)} bytes" if offer.by is Mechanism.SESSION_TICKET else "no ticket"
        yield Absence(
            "the session is in its ticket, which was not read, and never was in a cache",
            (
                f"session: it holds a ticket of {len(issued)} bytes",
                f"wire: the ClientHello holds {sent}, the ServerHello does not announce a new one",
                *circumstances(offer.evidence),
            ),
            "let both ends use tickets (no SSL_OP_NO_TICKET); other servers need the same ticket keys",
            "tls_use_ticket, tls_get_ticket_from_client; a server that issues a ticket sends no session id",
        )


def _not_stored(offer: Offer) -> Iterator[Absence]:
    then = offer.evidence.then
    modes = then.server.cache_mode if then else None
    if modes and (modes & NO_STORE or not modes & STORES):
        yield Absence(
            "the server that made the session stores none",
            (f"knob: its cache_mode is {','.join(sorted(modes))}",),
            "let the server store sessions (SSL_SESS_CACHE_SERVER without SSL_SESS_CACHE_NO_INTERNAL_STORE)",
            "ssl_update_cache; SSL_CTX_set_session_cache_mode(3)",
        )


def _not_trusted(offer: Offer) -> Iterator[Absence]:
    then = offer.evidence.then
    if then and then.server.session_id_context is UNSET and then.server.verify not in {None, Verify.NONE}:
        yield Absence(
            "the server that made the session verifies its clients and has no session id context, so it stores none",
            (f"knob: its verify is {then.server.verify}, its session_id_context none",),
            "call SSL_CTX_set_session_id_context at the server",
            "ssl_update_cache",
        )
