"""The counters of a context against the handshakes that the wire shows of its connections."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.model.tls import Role
from harness.model.transcript import PRE_SHARED_KEY
from harness.model.view import Contradiction, Saw, Witness

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from harness.model.connection import Connection, Counters


@dataclass(frozen=True, slots=True)
class Most:
    """How often one connection can have raised a counter, at least and at most."""

    least: int
    most: int


@dataclass(frozen=True, slots=True)
class Handshakes:
    """What the counters of a connection follow from, counted once for all of them."""

    saw: Saw
    least: int
    """How many of its handshakes its context has counted at least."""
    renegotiations: int
    """How many handshakes may have followed the first, as far as is known: those that were asked for."""
    offers: int
    """ClientHellos with which a server looks up a session; there are two where it asked for another key share."""
    was_offered: bool
    external_psk: bool

    @classmethod
    def of(cls, connection: Connection) -> Handshakes:
        """Count those of a closed connection.

        A connection that goes over to another context (SSL_set_SSL_CTX) is counted there.
        """
        asked = sum(action.name == "renegotiate" for action in connection.setup.during) if connection.setup else 0
        again = max(asked, connection.transcript.handshakes - 1)
        calls, setup = connection.server.callback_calls, connection.setup
        gone = setup is not None and setup.chooses
        if calls is not None:
            gone = any(call.call == "choose" and call.result == "chosen" for call in calls)
        hellos = connection.transcript.client_hellos
        offering = sum(PRE_SHARED_KEY in h.extensions or bool(h.session_ticket) or bool(h.session_id) for h in hellos)
        saw = connection.wire.saw
        chosen = connection.observed_external_psk is not None  # or a handshake that ends early may have chosen it
        return cls(
            saw=saw,
            least=int(saw in {Saw.FULL, Saw.RESUMED} and not gone),
            renegotiations=again,
            offers=offering + again,
            was_offered=bool(connection.was_offered),
            external_psk=chosen or (saw is Saw.ABORTED and any(hello.external_psks for hello in hellos)),
        )


def _began(of: Handshakes) -> Most:
    return Most(of.least, 1 + 3 * of.renegotiations)


def _finished(of: Handshakes) -> Most:
    return Most(of.least, 1 + of.renegotiations)


def _renegotiated(of: Handshakes) -> Most:
    """A HelloRequest and the ClientHello that follows it are counted one by one."""
    return Most(0, 3 * of.renegotiations)


def _hits(of: Handshakes) -> Most:
    """OpenSSL counts a TLS 1.3 handshake with an external PSK too (tls_finish_handshake), also if no ticket follows."""
    if of.external_psk and of.saw is not Saw.RESUMED:
        return Most(0, of.offers)
    resumed = int(of.saw is Saw.RESUMED)
    return Most(resumed, max(resumed, of.offers) if of.was_offered else of.renegotiations)


def _lookups(of: Handshakes) -> Most:
    return Most(0, of.offers)


def _never(_of: Handshakes) -> Most:
    return Most(0, 0)


COUNTERS: Mapping[Role, Mapping[str, Callable[[Handshakes], Most]]] = {
    Role.SERVER: {
        "accept": _began,
        "accept_good": _finished,
        "accept_renegotiate": _renegotiated,
        "hits": _hits,
        "callback_hits": _lookups,
        "misses": _lookups,
        "timeouts": _lookups,
        "connect": _never,
        "connect_good": _never,
        "connect_renegotiate": _never,
    },
    Role.CLIENT: {
        "connect": _began,
        "connect_good": _finished,
        "connect_renegotiate": _renegotiated,
        "hits": _hits,
        "accept": _never,
        "accept_good": _never,
        "accept_renegotiate": _never,
        "callback_hits": _never,
    },
}
"""How often one connection raises each counter (SSL_CTX_sess_number(3))."""


class Tally:
    """How far the counters of one context can be, by the connections that are over: each of them counts once."""

    def __init__(self, role: Role) -> None:
        self._role = role
        self._connections = 0
        self._least, self._most = dict.fromkeys(COUNTERS[role], 0), dict.fromkeys(COUNTERS[role], 0)

    def add(self, connection: Connection) -> None:
        """Count one more connection."""
        once = Handshakes.of(connection)
        self._connections += 1
        for name, bounds in COUNTERS[self._role].items():
            bound = bounds(once)
            self._least[name] += bound.least
            self._most[name] += bound.most

    def contradictions(self, counters: Counters) -> Iterator[Contradiction]:
        """Each counter that cannot come from the connections."""
        for name, least in self._least.items():
            reported, most = getattr(counters, name), self._most[name]
            if reported is not None and not least <= reported <= most:
                allowed = str(least) if least == most else f"{least} to {most}"
                shown = f"the wire of the {self._connections} connections of its context shows {allowed}"
                yield Contradiction(Witness(self._role.value), f"counter {name}", str(reported), shown)
