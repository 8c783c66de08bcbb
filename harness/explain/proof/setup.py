"""What a line of evidence may say of knobs, of actions and of which endpoints met, read again from the setup."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.explain.expiry import timeout_of
from harness.explain.facts import history
from harness.explain.facts.history import CLOCK_ACTIONS
from harness.explain.facts.index import yielded
from harness.explain.facts.negotiated import completed
from harness.explain.facts.origin import same
from harness.explain.in_memory import cache_mode, words
from harness.explain.no_session import saved_before_any_read
from harness.explain.proof.statement import Statement
from harness.model.knobs import show_knob
from harness.model.tls import Role

if TYPE_CHECKING:
    import re

    from harness.explain.proof.statement import Scope
    from harness.model.connection import Connection
    from harness.model.setup import Action, Setup


CLOCK_WORDS = {"was stopped at": "stop_clock", "ran on from": "run_clock", "was moved by": "move_clock"}
"""The action behind each word about a clock."""


def _setup(connection: Connection) -> Setup:
    if connection.setup is None:
        raise LookupError(connection)
    return connection.setup


def _knob(scope: Scope, found: re.Match[str]) -> bool:
    role, name = Role(found[1]), found[2]
    setup = _setup(scope.number(found[3]))
    value = getattr(setup.config(role), name)
    if value is None:
        return found[4] == "the default"
    return found[4] == (show_knob(value) or "empty")


def _timeout(scope: Scope, found: re.Match[str]) -> bool:
    return str(timeout_of(scope.evidence)) == found[1]


def _actions(scope: Scope, role: Role, *names: str) -> tuple[Action, ...]:
    """What was done to this end's context before the connection."""
    context = history.context_of(_setup(scope.connection), role)
    return history.actions((*scope.evidence.earlier, scope.connection), role, context, *names)


def _done(scope: Scope, role: str, name: str, value: str) -> bool:
    taken = _actions(scope, Role(role), name)
    return any(value in {str(given) for key, given in action.values.items() if key != "context"} for action in taken)


def _clock(scope: Scope, found: re.Match[str]) -> bool:
    return _done(scope, found[1], CLOCK_WORDS[found[2]], found[3])


def _aged_copy(scope: Scope, found: re.Match[str]) -> bool:
    offered, origin = scope.connection.offered, scope.evidence.origin
    now, was = (offered.get("time") if offered else None), (origin.session.get("time") if origin else None)
    return isinstance(now, int) and isinstance(was, int) and str(was - now) == found[1]


def _removed(scope: Scope, _found: re.Match[str]) -> bool:
    return any(action.values.get("found") for action in _actions(scope, Role.SERVER, "remove"))


def _same_object(scope: Scope, found: re.Match[str]) -> bool:
    offered = scope.number(found[1]).offered
    return offered is not None and any(offered.handle == one.handle for one in yielded(scope.number(found[2])))


def _given_too(scope: Scope, found: re.Match[str]) -> bool:
    one, other = scope.number(found[1]).offered, scope.connection.offered
    return one is not None and other is not None and same(one, other)


def _stored_since(scope: Scope, found: re.Match[str]) -> bool:
    context = _setup(scope.connection).client_context
    others = [scope.number(number) for number in found[1].split(", ")]
    return all(completed(one) and _setup(one).client_context == context for one in others)


def _servers(scope: Scope, found: re.Match[str]) -> bool:
    now, then = scope.evidence.now, scope.evidence.then
    if now is None or then is None:
        return False
    shared = bool(now.server.ticket_keys) and now.server.ticket_keys == then.server.ticket_keys
    numbers = str(then.server_context), str(now.server_context)
    return (found[1], found[2]) == numbers and shared is (found[3] == "shares its")


def _offered_here(scope: Scope, found: re.Match[str]) -> bool:
    if found[1] is None:
        return scope.evidence.retry is not None
    other = scope.number(found[1])
    return other in (*scope.evidence.offers_before, *scope.evidence.offers_beside)


def _issuer(scope: Scope, found: re.Match[str]) -> bool:
    origin = scope.evidence.origin
    return origin is not None and origin.connection.server.view.name == found[1]


def _early(scope: Scope, _found: re.Match[str]) -> bool:
    return any(saved_before_any_read(one) for one in scope.evidence.earlier)


def _context_here(scope: Scope, found: re.Match[str]) -> bool:
    setup = scope.evidence.now if found[2] == "here" else scope.evidence.then
    return setup is not None and show_knob((setup.chosen or setup.server).session_id_context) == found[1]


STATEMENTS = (
    Statement("setup", r"the session id context is (.+) (here|where the session was issued)", _context_here),
    Statement("knob", r"the session's timeout at the server is (-?\d+) s", _timeout),
    Statement("knob", r"the (client|server)'s (\w+) (?:in connection (\d+) )?is (.+)", _knob),
    *(
        Statement("action", pattern, true)
        for pattern, true in (
            (
                r"no session was set for connection (\d+) \(SSL_set_session\)",
                lambda scope, found: scope.number(found[1]).offered is None,
            ),
            (
                r"connection (\d+) was given the same SSL_SESSION object that connection (\d+) had \(.*\)",
                _same_object,
            ),
            (r"connection (\d+) was given the same object", _given_too),
            (
                r"connection (\d+) duplicated its object \(SSL_SESSION_dup\)",
                lambda scope, found: any(
                    action.values.get("duplicate")
                    for action in getattr(scope.number(found[1]).setup, "during", ())
                    if action.name == "keep_session"
                ),
            ),
            (
                r"age_sessions at the server, (-?\d+)",
                lambda scope, found: _done(scope, "server", "age_sessions", found[1]),
            ),
            (r"the (client|server)'s clock (was stopped at|ran on from|was moved by) (-?[\d.]+)", _clock),
            (
                r"(-?[\d.]+) s passed by the (client|server)'s clock",
                lambda scope, found: any(_done(scope, found[2], name, found[1]) for name in CLOCK_ACTIONS),
            ),
            (r"the client's copy alone was made (-?\d+) s older", _aged_copy),
            (r"SSL_CTX_flush_sessions\((-?\d+)\)", lambda scope, found: _done(scope, "server", "flush", found[1])),
            (
                r"sessions expired at (-?\d+) were flushed from the client's cache",
                lambda scope, found: _done(scope, "client", "flush", found[1]),
            ),
            (r"SSL_CTX_remove_session found and removed it", _removed),
            (r"it was saved before the client read application data", _early),
            (r"the session's time was edited", lambda scope, _found: "time" in scope.evidence.edits),
            (r"it has since stored the sessions of connection ([\d, ]+)", _stored_since),
        )
    ),
    *(
        Statement("setup", pattern, true)
        for pattern, true in (
            (
                r"the session comes from server (\d+); this is server (\d+), which (shares its|has its own) .+ keys",
                _servers,
            ),
            (r"(?:connection (\d+)|this connection's first ClientHello) offered it to this server", _offered_here),
            (
                r"the close mode (?:of connection (\d+) )?was (\S+)",
                lambda scope, found: scope.number(found[1]).close == found[2],
            ),
            (r"(\S+@\S+) issued it", _issuer),
            (
                r"connection (\d+) ended with (.+)",
                lambda scope, found: str(scope.number(found[1]).observed_alert() or "no alert") == found[2],
            ),
            (
                r"the client of connection (\d+) caches by the mode (\S+)",
                lambda scope, found: words(cache_mode(scope.number(found[1]))) == found[2],
            ),
        )
    ),
)
