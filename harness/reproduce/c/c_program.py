"""Renders a story as one C program against libssl, and lists what the program cannot express.

Both ends are in one process and talk through memory, unless they have different OpenSSLs or clocks of their own: then
the same source is compiled for each of them, and the client starts the server.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from harness.agent.vocabulary import ChosenAt, PskCallback
from harness.model.tls import ORDERS, Close, Outcome, Role, TLSVersion
from harness.reproduce.asked import ALERT, CIPHERS, of_session
from harness.reproduce.c.attempts import BEFORE, DURING, age_of, held, is_edited, steps
from harness.reproduce.c.contexts import identities, makers, server_end
from harness.reproduce.c.knob_statements import COOKIES, cookie_of, knob_lacks
from harness.reproduce.clocks import ACTIONS as CLOCK_ACTIONS
from harness.reproduce.clocks import has_clocks
from harness.reproduce.rendering import rendered
from harness.reproduce.story import gaps_of, name_refused
from harness.reproduce.words import summary, title

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from harness.reproduce.story import Attempt, Context, Story

OLDEST = (1, 1, 1)
"""The first release with every function that the program uses."""
TEMPLATE = "program.c.j2"
STREAM = "pyopenssl"
"""The stack whose SSL_set_fd makes a BIO_s_socket of a socket of datagrams: an empty one is the end for it."""
NOTIFYING = (Close.BOTH, Close.CLIENT_ONLY, Close.SERVER_ONLY)
LISTED = 10
"""The maximum number of connections that the comment lists."""


SAYS = "At both ends: {}SSL_free."
CALLS = {
    "eof": "the end of TCP",
    "rst": "a reset",
    "read": "SSL_read to the end",
    "shutdown": "SSL_shutdown",
}
"""What each word of a way to close means."""


def _calls(order: Iterable[str]) -> str:
    return "".join(f"{CALLS[call]}, " for call in order)


def lacks(story: Story) -> list[str]:
    """Return what a C program cannot express, each with the reason; empty if it can express the whole story."""
    return gaps_of(story, (*_reasons(story), *(_quic_reasons(story) if is_quic(story) else ())))


def _reasons(story: Story) -> Iterator[str]:
    for role in Role:
        versions = dict.fromkeys(context.version for context in story.of(role))
        if len(versions) > 1:
            yield f"the {role} switched from one OpenSSL to another ({', '.join(versions)}): a program has one"
    if has_clocks(story) and any(attempt.beside for attempt in story.attempts):
        yield "clocks of connections that are open side by side: each end goes by one clock"
    if is_apart(story) and any(attempt.close in ORDERS or attempt.close is Close.UNREAD for attempt in story.attempts):
        yield "an order of closing between two processes, which close when they like"
    if any(context.knobs.get("quiet_shutdown") for context in story.contexts) and any(
        attempt.close in NOTIFYING for attempt in story.attempts
    ):
        yield "a quiet SSL_shutdown where the other end waits for a close_notify; close shutdown-free can be said"
    before = {action.name for attempt in story.attempts for action in attempt.before}
    if {"set_timeouts", "age_sessions"} <= before:
        yield "set_timeouts beside age_sessions: one callback changes the tickets"
    for context in story.contexts:
        if _release(context) < OLDEST:
            yield f"OpenSSL {context.version}: the program uses functions that exist since 1.1.1"
        yield from knob_lacks(context)
    for attempt in story.attempts:
        yield from _reasons_of(attempt, apart=is_apart(story))
        yield from _too_long(story, attempt)


def _reasons_of(attempt: Attempt, *, apart: bool) -> Iterator[str]:
    for action in attempt.before:
        if action.name not in {*BEFORE, *CLOCK_ACTIONS}:
            yield f"{action.name} before connection {attempt.number}"
    for action in attempt.during:
        if action.name not in DURING:
            yield f"{action.name} on connection {attempt.number}"
    if attempt.tls.datagrams and _meets_eof(attempt):
        yield from _at_an_empty_datagram(attempt)
    if attempt.result.outcome is Outcome.ABORTED and _renegotiates_at_once(attempt):
        yield f"a renegotiation of connection {attempt.number} that fails before any data"
    if attempt.lost and apart:
        yield f"a lost flight of connection {attempt.number} between two processes, whose sockets lose nothing"
    if attempt.offer and attempt.offer.ssl and apart:
        yield f"the SSL of connection {attempt.offer.connection}, used again between two processes"
    if attempt.offer and attempt.offer.kept and attempt.client.stack == "ssl":
        yield f"the session in memory of connection {attempt.offer.connection}: SSLObject.session is a copy"


def _too_long(story: Story, attempt: Attempt) -> Iterator[str]:
    """Records of DTLS that are too long for the session that was offered (RFC 6066, 4); in memory they are shorter."""
    if not attempt.tls.datagrams or attempt.offer is None or attempt.result.outcome is not Outcome.ABORTED:
        return
    limits = any("max_fragment_length" in context.knobs for context in story.of(Role.CLIENT))
    if limits or "max_fragment_length_mode" in dict(attempt.offer.edits):
        yield f"records of connection {attempt.number} beyond its session's limit: a socket's MTU makes them so long"


def _at_an_empty_datagram(attempt: Attempt) -> Iterator[str]:
    if any(keys == ALERT for keys, _ in attempt.result.asked):
        yield f"the alert of connection {attempt.number} at an empty datagram: memory, which joins the ends, has none"
    stacks = {attempt.client.stack, attempt.server.stack}
    if STREAM in stacks and len(stacks) > 1:
        yield f"an empty datagram of connection {attempt.number}, the end for pyOpenSSL and nothing for the other stack"


def _meets_eof(attempt: Attempt) -> bool:
    return attempt.close is Close.EOF or "eof" in ORDERS.get(attempt.close, ())


def _renegotiates_at_once(attempt: Attempt) -> bool:
    """Whether its first action is a renegotiation."""
    return [action.name for action in attempt.during][:1] == ["renegotiate"]


def _quic_reasons(story: Story) -> Iterator[str]:
    if is_apart(story):
        yield "QUIC between two processes, each with an OpenSSL or a clock of its own"
    if any(map(name_refused, story.attempts)):
        yield "a name over QUIC that SSL_set1_host refuses, after which the client sends nothing"
    if any("psk_key" in context.knobs for context in story.contexts):
        yield "an external PSK over QUIC, whose callbacks come before there is a connection"
    if any(action.name == "choose" for attempt in story.attempts for action in attempt.before):
        yield "a context that a callback of QUIC chooses, which comes before there is a connection"
    if any(attempt.beside for attempt in story.attempts):
        yield "connections of QUIC that are open side by side"
    if any(attempt.offer and attempt.offer.ssl for attempt in story.attempts):
        yield "an SSL of QUIC that is used again, which SSL_clear does not take"


def is_quic(story: Story) -> bool:
    """Return whether a connection is one of QUIC."""
    return any(attempt.tls is TLSVersion.QUICv1 for attempt in story.attempts)


def is_apart(story: Story) -> bool:
    """Return whether the ends are two processes, so that the source is compiled twice."""
    return has_clocks(story) or len({context.version for context in story.contexts}) > 1


def _release(context: Context) -> tuple[int, ...]:
    found = re.match(r"(\d+)\.(\d+)\.(\d+)", context.version)
    return tuple(map(int, found.groups())) if found else (0,)


def _needs(story: Story) -> set[str]:
    """Return the optional parts of the program that the story needs."""
    offers = [attempt.offer for attempt in story.attempts if attempt.offer]
    knobs = {(context.role, name) for context in story.contexts for name, value in context.knobs.items() if value}
    names = {name for _role, name in knobs}
    during = {action.name for attempt in story.attempts for action in attempt.during}
    before = {action.name for attempt in story.attempts for action in attempt.before}
    chosen_at = [a.values["at"] for attempt in story.attempts for a in attempt.before if a.name == "choose"]
    closes = {attempt.close for attempt in story.attempts}
    early = (Role.SERVER, "max_early_data") in knobs
    edits = any(map(is_edited, offers))
    keeps = [
        attempt.during[offer.action].values
        for offer in offers
        for attempt in story.attempts
        if attempt.number == offer.connection and offer.action is not None and offer.kept and not offer.ssl
    ]
    ssls = any(offer.ssl for offer in offers)
    writes = any(attempt.offer and attempt.client.knobs.get("max_early_data") for attempt in story.attempts)
    fresh = any(not offer.kept and not is_edited(offer) for offer in offers)
    expires = any(context.knobs.get("external_get") == "expired" for context in story.contexts)
    needs = {
        "rand": bool({"session_id_prefix", "ticket_ring"} & names),
        "not_resumable": "not_resumable" in names,
        "ring": "ticket_ring" in names,
        "keep": any(keeps),
        "keep_ssl": ssls,
        "expected_name": "expected_name" in names,
        "read": any("read" in ORDERS.get(close, ("read",)) for close in closes),
        "times": edits or any(keeps) or bool({"flush", "age_sessions"} & before) or expires,
        "flush": "flush" in before,
        "age": "age_sessions" in before,
        "choose": "choose" in before,
        "choose_early": any(at == ChosenAt.CLIENT_HELLO for at in chosen_at),
        "choose_late": any(at != ChosenAt.CLIENT_HELLO for at in chosen_at),
        "set_timeouts": "set_timeouts" in before,
        "remove": "remove" in before,
        "edits": edits,
        "der_edits": any(offer.edits for offer in offers),
        "early": early or writes,
        "write_early": writes,
        "key_exchange": any(attempt.result.key_exchange for attempt in story.attempts),
        "given": any(offer.ticket is not None for offer in offers),
        "taken": any(offer.action is not None and not offer.kept for offer in offers),
        "offers": bool(offers),
        "offer": any(not offer.ssl for offer in offers),
        "offer_copy": fresh,
        "count": any(keys not in {*CIPHERS, ALERT} for attempt in story.attempts for keys, _ in attempt.result.asked),
        "copy": bool(offers)
        or any(of_session(keys) for attempt in story.attempts for keys, _ in attempt.result.asked)
        or bool({"remove", "flush", "add_session"} & before),
        "staple": (Role.SERVER, "ocsp") in knobs,
        "expected_rpk": "expected_rpk" in names,
        "files": any(
            context.certificate or {"verify", "expected_rpk"} & set(context.knobs) for context in story.contexts
        ),
        "certificate": any(context.certificate for context in story.contexts),
        "psk": "psk_key" in names,
        "psk_session": any(maker.psk and PskCallback.SESSION in maker.psk_generations for maker in makers(story)),
        "external": "external_cache" in names,
        "add_session": "add_session" in before,
        "ticket_keys": "ticket_keys" in names,
        "server_name": any(maker.acknowledges for maker in makers(story)),
        "lost": any(attempt.lost for attempt in story.attempts),
        **{COOKIES[said]: True for context in story.contexts if (said := cookie_of(context)) in COOKIES},
        "new_ticket": "new_ticket" in during,
        "exchange": "exchange" in during,
        "renegotiate": "renegotiate" in during,
        "authenticate": "authenticate" in during,
        "eof": bool(closes & {Close.EOF, Close.CLIENT_ONLY, Close.SERVER_ONLY})
        or any("eof" in ORDERS.get(close, ()) for close in closes),
    }
    return {name for name, needed in needs.items() if needed}


def _summary(story: Story) -> Iterator[str]:
    """Yield the first lines of the program's comment; at most LISTED connections are listed."""
    yield title(story)
    yield from (f"expected: {text}" for text in story.expected)
    if len(story.attempts) <= LISTED:
        yield ""
        yield from (f"{attempt.number}. {summary(attempt)}" for attempt in story.attempts)
    if story.wrong:
        yield ""
        yield from story.wrong.splitlines()


def render(story: Story) -> str:
    """Return the source: C99 that compiles without warnings with the headers of 1.1.1 to 4.0."""
    offers = [attempt.offer for attempt in story.attempts if attempt.offer]
    actions = [action for attempt in story.attempts for action in attempt.before]
    needs = _needs(story)
    apart = is_apart(story)
    doing = list(steps(story, early="early" in needs, apart=apart))
    calls = {step.partition("(")[0] for step in doing}
    authority = any(context.knobs.get("verify", "none") != "none" for context in story.contexts)
    files = [f"{stem}{suffix}" for stem in story.certificates for suffix in (".crt", ".key")]
    return rendered(
        TEMPLATE,
        story=story,
        summary=list(_summary(story)),
        files=" and ".join([*files, *(["authority.pem"] if authority else [])]),
        needs=needs,
        closes={str(attempt.close) for attempt in story.attempts},
        orders={str(close): {"calls": order, "says": SAYS.format(_calls(order))} for close, order in ORDERS.items()},
        makers=makers(story),
        psk_names=sorted({name for client in story.of(Role.CLIENT) for name in identities(client)}),
        most_given=1 + max((offer.ticket for offer in offers if offer.ticket is not None), default=0),
        held=list(dict.fromkeys(name for offer in offers if not offer.ssl and (name := held(offer)))),
        held_ssls=list(dict.fromkeys(name for offer in offers if offer.ssl and (name := held(offer)))),
        ages=list(dict.fromkeys(age_of(action) for action in actions if action.name == "age_sessions")),
        apart=apart,
        quic=is_quic(story),
        dtls=any(attempt.tls.carrier == "DTLS" for attempt in story.attempts),
        streams=any(context.stack == STREAM for context in story.contexts),
        server_end=server_end(story),
        clocks=has_clocks(story),
        runs="run_clock" in calls,
        sets="set_clock" in calls,
        choices=sum(action.name == "choose" for action in actions),
        versions={role.value: f"OpenSSL {story.of(role)[0].version}" for role in Role},
        steps=doing,
    )
