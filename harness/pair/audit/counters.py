"""The counters of a context against the handshakes that the wire shows of its connections."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from harness.model.tls import Role
from harness.model.transcript import PRE_SHARED_KEY
from harness.model.view import Contradiction, Saw, Witness

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from harness.model.connection import Connection, Counters


@dataclass(frozen=True, slots=True)
class Most:
    """How often one connection can have raised a counter, at least and at most."""

    least: int
    most: int


def _completed(connection: Connection) -> bool:
    return connection.wire.saw in {Saw.FULL, Saw.RESUMED}


def _renegotiations(connection: Connection) -> int:
    """How many handshakes may have followed the first, as far as is known: those that were asked for."""
    asked = sum(action.name == "renegotiate" for action in connection.setup.during) if connection.setup else 0
    return max(asked, connection.transcript.handshakes - 1)


def _least(connection: Connection) -> int:
    """A connection that goes over to another context (SSL_set_SSL_CTX) is counted there."""
    gone = any(call.call == "choose" and call.result == "chosen" for call in connection.server.callback_calls or ())
    return int(_completed(connection) and not gone)


def _began(connection: Connection) -> Most:
    return Most(_least(connection), 1 + 3 * _renegotiations(connection))


def _finished(connection: Connection) -> Most:
    return Most(_least(connection), 1 + _renegotiations(connection))


def _renegotiated(connection: Connection) -> Most:
    """A HelloRequest and the ClientHello that follows it are counted one by one."""
    return Most(0, 3 * _renegotiations(connection))


def _offers(connection: Connection) -> int:
    """ClientHellos with which a server looks up a session; there are two where it asked for another key share."""
    hellos = connection.transcript.client_hellos
    offering = sum(PRE_SHARED_KEY in h.extensions or bool(h.session_ticket) or bool(h.session_id) for h in hellos)
    return offering + _renegotiations(connection)


def _hits(connection: Connection) -> Most:
    """OpenSSL counts a TLS 1.3 handshake with an external PSK too (tls_finish_handshake)."""
    if connection.observed_external_psk is not None and connection.wire.saw is Saw.FULL:
        return Most(0, _offers(connection))
    resumed = int(connection.wire.saw is Saw.RESUMED)
    return Most(resumed, max(resumed, _offers(connection)) if connection.was_offered else _renegotiations(connection))


def _lookups(connection: Connection) -> Most:
    return Most(0, _offers(connection))


def _never(_connection: Connection) -> Most:
    return Most(0, 0)


COUNTERS: Mapping[Role, Mapping[str, Callable[[Connection], Most]]] = {
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


_BOUNDS: WeakKeyDictionary[Connection, Mapping[Role, Mapping[str, Most]]] = WeakKeyDictionary()
"""Of each closed connection; it does not change, and each later connection of its context asks for it again."""


def _bounds(connection: Connection) -> Mapping[Role, Mapping[str, Most]]:
    if connection not in _BOUNDS:
        _BOUNDS[connection] = {
            role: {name: of(connection) for name, of in counters.items()} for role, counters in COUNTERS.items()
        }
    return _BOUNDS[connection]


def counted(role: Role, counters: Counters, connections: Sequence[Connection]) -> Iterator[Contradiction]:
    """Each counter that cannot come from these connections, which are all of its context and closed."""
    of_each = [_bounds(connection)[role] for connection in connections]
    for name in COUNTERS[role]:
        reported = getattr(counters, name)
        bounds = [of[name] for of in of_each]
        least, most = sum(bound.least for bound in bounds), sum(bound.most for bound in bounds)
        if reported is not None and not least <= reported <= most:
            allowed = str(least) if least == most else f"{least} to {most}"
            shown = f"the wire of the {len(bounds)} connections of its context shows {allowed}"
            yield Contradiction(Witness(role.value), f"counter {name}", str(reported), shown)
