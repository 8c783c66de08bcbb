"""Renders the attempts of a story as the statements of a C program's main function."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.agent.vocabulary import ChosenAt
from harness.model.session import Turned
from harness.model.tls import ORDERS, Close, Outcome, Role
from harness.model.view import Saw
from harness.reproduce import quoting
from harness.reproduce.asked import expressions
from harness.reproduce.c.knob_statements import number
from harness.reproduce.clocks import Clocks
from harness.wire.session.codec import element_of, place_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import Any

    from harness.model.session import Value
    from harness.model.setup import Action
    from harness.reproduce.clocks import Stand
    from harness.reproduce.story import Attempt, Context, Offer, Result, Story

CLOSES = {
    Close.BOTH: "close_both",
    Close.CLIENT_ONLY: "close_client_only",
    Close.SERVER_ONLY: "close_server_only",
    Close.EOF: "close_eof",
    Close.RST: "close_rst",
    Close.UNREAD: "close_unread",
    **{close: f"close_{close.value.replace('-', '_')}" for close in ORDERS},
}
ABORTED = ("outcome", "client", "server", "alert")
"""The facts that are compared if the handshake was aborted."""
NANOSECONDS = 10**9
ACROSS = 4
"""The number of fields per line."""
SEEN = ("outcome", "client", "server", "mechanism", "alert", "tickets", "has_ticket", "early_data", "key_exchange")


def _context(action: Action) -> str:
    return f"{action.role}_{action.values['context']}"


def age_of(action: Action) -> str:
    """Return the variable with the age in seconds that a context adds to its tickets."""
    return f"age_of_{_context(action)}"


def _flush(action: Action) -> str:
    if "at" in action.values:
        return f"SSL_CTX_flush_sessions_ex({_context(action)}, {_long(action, 'at')});"
    time = f"SSL_SESSION_get_time_ex(c{action.values['connection']}.session)"
    return f"SSL_CTX_flush_sessions_ex({_context(action)}, {time} + {_long(action, 'seconds')});"


def _long(action: Action, name: str) -> str:
    value = action.values[name]
    return number(value) if isinstance(value, int) else "0"


def _choose(action: Action) -> str:
    name, early = quoting.c(str(action.values["server_name"])), action.values["at"] == ChosenAt.CLIENT_HELLO
    return f"choose({_context(action)}, {name}, server_{action.values['other']}, {int(early)});"


BEFORE: Mapping[str, Callable[[Action], str]] = {
    "flush": _flush,
    "remove": lambda action: f"remove_session({_context(action)}, c{action.values['connection']}.session);",
    "rotate_keys": lambda action: f"SSL_CTX_set_app_data({_context(action)}, {quoting.c(action.values['ring'])});",
    "add_session": lambda action: f"add_session({_context(action)}, c{action.values['connection']}.session);",
    "resize_cache": lambda action: f"SSL_CTX_sess_set_cache_size({_context(action)}, {_long(action, 'entries')});",
    "set_timeouts": lambda action: f"set_timeouts({_context(action)}, {_long(action, 'seconds')});",
    "choose": _choose,
    "age_sessions": lambda action: f"age_sessions({_context(action)}, {_long(action, 'seconds')}, &{age_of(action)});",
}
"""The actions on a context, as statements."""
DURING = ("exchange", "session", "keep_session", "renegotiate", "authenticate", "new_ticket")
"""The actions on an open connection."""


def held(offer: Offer) -> str | None:
    """Return the variable of a session, or an SSL, taken while its connection was open; None for other sessions."""
    what = "ssl" if offer.ssl else "session"
    return None if offer.action is None else f"{what}_{offer.connection}_{offer.action + 1}"


def _during(story: Story, attempt: Attempt, *, apart: bool) -> Iterator[str]:
    offered = {offer.action: held(offer) for offer in story.offers_of(attempt)}
    c = f"c{attempt.number}"
    for index, action in enumerate(attempt.during):
        if action.name == "exchange":
            yield f"exchange(&{c});"
        elif action.name == "renegotiate":
            end = f"{c}.{action.role}"
            here = f"{end} == NULL || " if apart else ""
            if (ciphers := action.values.get("ciphers")) is not None:
                yield f"MUST({here}SSL_set_cipher_list({end}, {quoting.c(ciphers)}));"
            if action.values.get("no_extended_master_secret"):
                yield f"MUST({here}SSL_set_options({end}, SSL_OP_NO_EXTENDED_MASTER_SECRET));"
            yield f"renegotiate(&{c}, {c}.{action.role}, {int(bool(action.values.get('abbreviated')))});"
        elif action.name == "authenticate":
            yield f"authenticate(&{c});"
        elif action.name == "new_ticket":
            yield f"new_ticket(&{c});"
        elif index in offered:
            take = _kept(c, action, apart=apart) if action.name == "keep_session" else f"taken(&{c})"
            yield f"{offered[index]} = {take};"


def _kept(c: str, action: Action, *, apart: bool) -> str:
    values = action.values
    if values.get("ssl"):
        return f"keep_ssl(&{c})"
    if not values:
        return f"{'is_client ? ' * apart}SSL_get1_session({c}.client){' : NULL' * apart}"
    timeout = "NULL" if values.get("timeout") is None else f"&(long){{{_long(action, 'timeout')}}}"
    older = _long(action, "older") if "older" in values else "0"
    return f"keep(&{c}, {int(bool(values.get('duplicate')))}, {older}, {timeout})"


def _set_clock(context: Context, stand: Stand) -> str:
    of_client = int(context.role is Role.CLIENT)
    if stand.runs_from is not None:
        return f"run_clock({of_client}, {round(stand.runs_from * NANOSECONDS)}LL);"
    return f"set_clock({of_client}, {number(stand.moved)}, {number(stand.stopped or 0)});"


def is_edited(offer: Offer) -> bool:
    """Return whether a changed copy of the session is offered."""
    return bool(offer.older or offer.timeout is not None or offer.edits)


def _edit(name: str, value: Value) -> str:
    """Return the four arguments for an edit of the DER: place, element, its size, and the byte of which a bit turns."""
    if isinstance(value, Turned):
        bits = "EVERY_BIT" if value.at is None else "ONE_BIT"
        return f"{place_of(name)}, (const char *)NULL, {bits}, {value.at or 0}"
    place, element = element_of(name, value)
    return f"{place}, {quoting.c(element)}, {len(element)}, 0"


def _offer(attempt: Attempt, offer: Offer) -> str:
    source = held(offer) or f"c{offer.connection}.{'session' if offer.ticket is None else f'given[{offer.ticket}]'}"
    to = f"&c{attempt.number}, {source}"
    if offer.ssl:
        return f"connect_again({to});"
    if offer.kept:
        return f"offer({to});"
    if is_edited(offer):
        timeout = "NULL" if offer.timeout is None else f"&(long){{{number(offer.timeout)}}}"
        edits = "".join(f", {_edit(name, value)}" for name, value in offer.edits)
        many = f", {len(offer.edits)}{edits}" if edits else ", 0"
        return f"offer_edited({to}, {number(offer.older)}, {timeout}{many});"
    return f"offer_copy({to});"


def _comment(attempt: Attempt) -> str:
    offer, outcome = attempt.offer, attempt.result.outcome
    if offer is not None and offer.ssl:
        said = f"uses the SSL of connection {offer.connection} again; it was {outcome or 'disputed by the endpoints'}"
    elif offer is None:
        said = f"offers nothing{'; it was aborted' if outcome is Outcome.ABORTED else ''}"
    elif outcome is Outcome.FULL:
        said = f"was given a session of connection {offer.connection} and did not offer it"
    else:
        said = f"offers a session of connection {offer.connection}; it was {outcome or 'disputed by the endpoints'}"
    return f"/* Connection {attempt.number} {said}. */"


def _there(role: Role | None, *, apart: bool) -> str:
    """Where the ends are two processes, the condition with which a statement is for the one of this role alone."""
    if not apart or role is None:
        return ""
    return "if (is_client) " if role is Role.CLIENT else "if (!is_client) "


def _open(story: Story, attempt: Attempt, *, apart: bool) -> Iterator[str]:
    c = f"c{attempt.number}"
    yield _comment(attempt)
    for action in attempt.before:
        if action.name in BEFORE:
            yield f"{_there(action.role, apart=apart)}{BEFORE[action.name](action)}"
    yield f"begin(&{c}, client_{attempt.client.number}, server_{attempt.server.number});"
    yield from (f"lose(&{c}, {c}.{sender}, {which});" for sender, which in attempt.lost)
    knobs = attempt.client.knobs
    if "server_name" in knobs:
        here = "!is_client || " if apart else ""
        yield f"MUST({here}SSL_set_tlsext_host_name({c}.client, {quoting.c(knobs['server_name'])}));"
    if "expected_name" in knobs:
        yield f"{_there(Role.CLIENT, apart=apart)}expect_name(&{c}, {quoting.c(knobs['expected_name'])});"
    if knobs.get("ocsp"):
        here = "!is_client || " if apart else ""
        yield f"MUST({here}SSL_set_tlsext_status_type({c}.client, TLSEXT_STATUSTYPE_ocsp));"
    for role, context in ((Role.CLIENT, attempt.client), (Role.SERVER, attempt.server)):
        if "expected_rpk" in context.knobs:
            yield f"{_there(role, apart=apart)}expect_key({c}.{role}, {quoting.c(context.knobs['expected_rpk'])});"
    if attempt.offer:
        yield _offer(attempt, attempt.offer)
        if knobs.get("max_early_data"):
            yield f"write_early_data(&{c}, {knobs['max_early_data']}u);"
    yield f"handshake(&{c});"
    yield from _during(story, attempt, apart=apart)
    yield f"take_session(&{c});"


def _alert(result: Result) -> str | None:
    """Return the alert of an aborted handshake; None otherwise, because not every end sees later alerts."""
    alert = result.alert
    if result.outcome not in {Outcome.ABORTED, None}:
        return None
    if alert is None:
        return "none" if result.outcome else None
    return f"{alert.number} sent by the {alert.sender}" if alert.sender else None


def observed(attempt: Attempt, *, early: bool) -> dict[str, str]:
    """Return the facts that the program compares, by field of its ``struct seen``."""
    result = attempt.result
    values: dict[str, Any] = {
        "outcome": result.outcome,
        "client": result.client,
        "server": result.server,
        "mechanism": result.mechanism or ("none" if result.outcome else None),
        "alert": _alert(result),
        "tickets": result.tickets,
        "has_ticket": None if result.has_ticket is None else "yes" if result.has_ticket else "no",
        "early_data": result.early_data if early else None,
        "key_exchange": result.key_exchange,
    }
    fields = ABORTED if Saw.ABORTED in {result.client, result.server} else SEEN
    return {name: str(values[name]) for name in fields if values[name] not in {None, "unknown"}}


def _close(attempt: Attempt, *, early: bool, apart: bool) -> Iterator[str]:
    c = f"c{attempt.number}"
    yield f"{CLOSES[attempt.close]}(&{c});"
    fields = [f".{name} = {quoting.c(value)}" for name, value in observed(attempt, early=early).items()]
    head = f"expect(&{c}, (struct seen){{"
    lines = [", ".join(fields[start : start + ACROSS]) for start in range(0, len(fields), ACROSS)]
    yield head + f",\n{' ' * (len(head) + 4)}".join(lines) + "});"
    server = f"{attempt.server.role}_{attempt.server.number}"
    for call, of_client in expressions(attempt.number, server, attempt.result.asked):
        yield f"{_there(Role.CLIENT if of_client else Role.SERVER, apart=apart)}{call};"


def steps(story: Story, *, early: bool, apart: bool) -> Iterator[str]:
    """Yield statements, with an empty line before each connection; overlapping connections are closed later.

    ``early`` says whether early data is compared, ``apart`` whether the ends are two processes.
    """
    opened: list[Attempt] = []
    clocks = Clocks()
    for attempt in story.attempts:
        for other in [other for other in opened if other.number not in attempt.beside]:
            yield from _close(other, early=early, apart=apart)
            opened.remove(other)
        yield ""
        yield from (_set_clock(context, stand) for context, stand in clocks.at(attempt))
        yield from _open(story, attempt, apart=apart)
        opened.append(attempt)
    for other in opened:
        yield from _close(other, early=early, apart=apart)
