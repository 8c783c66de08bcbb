"""Renders a story as ``reproduce.sh``, POSIX sh with s_server and s_client, and lists what these cannot express."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.agent.knobs import DEFAULT_IDENTITY, for_programs, psk_in_a_file
from harness.agent.vocabulary import release
from harness.model.capability import Capability
from harness.model.knobs import Verify, knobs_of
from harness.model.tls import ORDERS, Close, Mechanism, Role, TLSVersion
from harness.reproduce import quoting
from harness.reproduce.clocks import ACTIONS as CLOCK_ACTIONS
from harness.reproduce.clocks import Clocks, has_clocks
from harness.reproduce.rendering import rendered
from harness.reproduce.story import compared, gaps_of, name_refused, no_common_alpn
from harness.reproduce.words import UNSCRIPTED, grouped, summary, title
from harness.stacks.openssl.abilities import COMMON_MISSING, program_abilities

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.reproduce.story import Attempt, Context, Offer, Story

INPUTS = (5, 6, 7, 8, 9)
"""The descriptors of the servers' inputs; a POSIX shell guarantees ten in total."""
VERIFY_DEPTH = "3"
MESSAGE_HEAD = {False: 4, True: 12}
"""Bytes before a handshake message, by whether datagrams carry it (RFC 8446, 4; RFC 6347, 4.2.2)."""
ALPN_REFUSED = (3,)
"""The first s_server whose alpn_cb returns SSL_TLSEXT_ERR_ALERT_FATAL."""
ACTIONS = {
    "flush": "s_server has no command to flush its cache",
    "resize_cache": "s_server has no command to resize its cache",
    "remove": "s_server has no command to remove a session",
    "choose": "s_server goes over to one other context alone, with the same knobs (-servername, -cert2)",
    "rotate_keys": "s_server has no command to change its ticket keys",
    "add_session": "s_server has no command to add a session",
    "set_timeouts": "s_server has no command to change its sessions",
    "age_sessions": "s_server has no command to age its sessions",
}
CLOSES = {
    Close.CLIENT_ONLY: "s_server answers a close_notify with its own at once",
    Close.SERVER_ONLY: "s_server has no command that sends close_notify",
    **dict.fromkeys((*ORDERS, Close.UNREAD), "the programs call SSL_shutdown in an order of their own"),
}
VARIABLES = {
    "outcome": "$outcome",
    "client": "$saw_client",
    "server": "$saw_server",
    "mechanism": "$mechanism",
    "alert": "${number_of_alert:-none}",
    "tickets": "$tickets",
    "has_ticket": "$has_ticket",
    "early_data": "$early_data",
    "key_exchange": "$key_exchange",
}


def lacks(story: Story) -> list[str]:
    """Return what a script with s_server and s_client cannot express, each with the reason."""
    found = [f"{c.role} knob {name}: {why}" for c in story.contexts for name, why in _knobs(c)]
    found += grouped((why, attempt.number) for attempt in story.attempts for why in _attempt(attempt))
    if len(story.of(Role.SERVER)) > len(INPUTS):
        found.append(f"there are more than {len(INPUTS)} servers, and a POSIX shell has ten descriptors")
    return gaps_of(story, found)


def _knobs(context: Context) -> Iterator[tuple[str, str]]:
    abilities = program_abilities(context.role, context.version, None)
    for name, value in context.given.items():
        if name in {"psk_callback", "psk_cipher"} and psk_in_a_file(context.given):
            yield name, "-psk_session wants a file, which the script does not write"
        elif why := abilities.lacks_knob(name, value):
            yield name, why
        elif any("\0" in word for word in _words(context, name, value)):
            yield name, "no argument of a program can hold a NUL byte"


def _attempt(attempt: Attempt) -> Iterator[str]:
    if attempt.tls.datagrams:
        yield from _datagrams(attempt)
    asked = [action.name for action in attempt.before if action.name not in CLOCK_ACTIONS]
    yield from (ACTIONS.get(name, f"{name} cannot be asked of s_server") for name in asked)
    during = {action.name for action in attempt.during}
    yield from (why for name, why in UNSCRIPTED.items() if name in during)
    yield from _handshake(attempt)
    if "exchange" not in during:
        yield "nothing is exchanged, and s_client reads what comes as soon as its handshake is done"
    if attempt.beside:
        yield "another connection is open beside it, and s_server has one at a time"
    if attempt.offer is not None:
        yield from _offer(attempt.offer, attempt.tls)
    if attempt.close in CLOSES:
        yield f"close {attempt.close}: {CLOSES[attempt.close]}"
    elif attempt.close is not Close.BOTH and attempt.server.stack != "openssl":
        why = f"s_server calls SSL_shutdown after every end, which the server on {attempt.server.stack} did not"
        yield f"close {attempt.close}: {why}"


def _handshake(attempt: Attempt) -> Iterator[str]:
    if attempt.tls is TLSVersion.TLSv1_3 and "psk_key" in attempt.client.knobs and "psk_key" in attempt.server.knobs:
        yield "s_client and s_server print Reused of an external PSK, too"
    elif _unknown_psk(attempt):
        yield COMMON_MISSING[Capability.PSK_IDENTITIES.value]
    if attempt.result.mechanism is Mechanism.SESSION_ID and attempt.result.tickets:
        yield "s_client writes no session after a resumption of TLS 1.2, and the ticket that comes with it is lost"
    if name_refused(attempt):
        yield "s_client refuses the name of -verify_hostname before it connects"
    if no_common_alpn(attempt) and attempt.server.stack != "openssl" and _release(attempt.server) < ALPN_REFUSED:
        yield "no ALPN protocol in common: s_server before 3.0 goes on without any"


def _unknown_psk(attempt: Attempt) -> bool:
    client, server = attempt.client.knobs, attempt.server.knobs
    if "psk_key" not in client or "psk_key" not in server:
        return False
    offered, known = (ends.get("psk_identity") or DEFAULT_IDENTITY for ends in (client, server))
    return isinstance(offered, tuple) and isinstance(known, tuple) and not {*offered} <= {*known}


def _datagrams(attempt: Attempt) -> Iterator[str]:
    if attempt.tls is TLSVersion.QUICv1:
        yield f"{attempt.tls.label}: s_server has no QUIC"
    if attempt.lost:
        yield "a flight was lost, and nothing is lost between s_client and s_server"
    if attempt.close is Close.EOF:
        yield "close eof: s_server does not notice that a client of datagrams is gone"


def _release(context: Context) -> tuple[int, ...]:
    return release(context.version)


def _offer(offer: Offer, tls: TLSVersion) -> Iterator[str]:
    if offer.kept:
        yield "the object in memory is offered, and each s_client is a process of its own"
    elif offer.action is not None and tls is TLSVersion.TLSv1_3:
        yield "a session is offered that was taken within the connection, and s_client writes one with each ticket"
    if offer.ticket is not None:
        yield "an earlier ticket is offered, and -sess_out is overwritten by each"
    if offer.timeout is not None or offer.edits:
        yield "no flag writes other fields into a session"


@dataclass(frozen=True, slots=True)
class Server:
    """A server and the descriptor of its stdin."""

    number: int
    input: int
    times: int
    """The number of its connections."""
    flags: tuple[str, ...]


def render(story: Story) -> str:
    """Return the script; call this only if ``lacks`` is empty."""
    uses = [attempt.server.number for attempt in story.attempts]
    servers = {
        context.number: Server(context.number, descriptor, uses.count(context.number), _server_flags(context))
        for context, descriptor in zip(story.of(Role.SERVER), INPUTS, strict=False)
    }
    clocks = Clocks()
    attempts = [
        {
            **_values(attempt, servers[attempt.server.number], uses[:index]),
            "clocks": [(clock_name(context), stand.faketime) for context, stand in clocks.at(attempt)],
        }
        for index, attempt in enumerate(story.attempts)
    ]
    sizes = {attempt.client.knobs.get("max_early_data") for attempt in story.attempts} - {None, 0}
    return rendered(
        "reproduce.sh.j2",
        title=title(story),
        notes=[f"It was seen on {context.stack}@{context.version} as {context.name}." for context in story.contexts],
        head=MESSAGE_HEAD[any(attempt.tls.datagrams for attempt in story.attempts)],
        ages=any(attempt["older"] for attempt in attempts),
        early=sorted(sizes, key=str),
        clocks=has_clocks(story),
        attempts=attempts,
    )


def clock_name(context: Context) -> str:
    """Return the name of the file with a context's clock setting."""
    return f"{context.role}{context.number}.clock"


def _values(attempt: Attempt, server: Server, uses: list[int]) -> dict[str, object]:
    """Return the values of an attempt for the template; ``uses`` are the server numbers of earlier attempts."""
    offer = attempt.offer
    source = f'"$work/session{offer.connection}.pem"' if offer else ""
    return {
        "number": attempt.number,
        "client": attempt.client.number,
        "summary": summary(attempt),
        "starts": [] if server.number in uses else [server],
        "server": server,
        "place": uses.count(server.number) + 1,
        "source": source,
        "older": offer.older if offer else 0,
        "offered": f'"$work/offered{attempt.number}.pem"' if offer and offer.older else source,
        "flags": _client_flags(attempt),
        "exchanges": [action for action in attempt.during if action.name == "exchange"],
        "close": attempt.close,
        "compared": {name: value for name, value in compared(attempt.result).items() if name in VARIABLES},
        "variables": VARIABLES,
    }


def _file(name: str) -> str:
    return f'"$here/"{quoting.sh(name)}'


def _server_flags(context: Context) -> tuple[str, ...]:
    pem = f"-cert {_file(f'{context.certificate}.crt')} -key {_file(f'{context.certificate}.key')}"
    words = [pem if context.certificate else "-nocert"]
    verify = context.knobs.get("verify")
    if verify in {Verify.OPTIONAL, Verify.ONCE, Verify.REQUIRED}:
        asks = "-Verify" if verify is Verify.REQUIRED else "-verify"
        words.append(f"{asks} {VERIFY_DEPTH} -verify_return_error -CAfile {_file('authority.pem')}")
    return (*words, *_quoted(context))


def _client_flags(attempt: Attempt) -> tuple[str, ...]:
    context = attempt.client
    words = []
    if context.certificate:
        words.append(f"-cert {_file(f'{context.certificate}.crt')} -key {_file(f'{context.certificate}.key')}")
    if context.knobs.get("verify") is Verify.REQUIRED:
        words.append(f"-verify {VERIFY_DEPTH} -verify_return_error -CAfile {_file('authority.pem')}")
    if size := context.knobs.get("max_early_data"):
        words.append(f'-early_data "$work/early{size}"')
    return (*words, *_quoted(context))


def _quoted(context: Context) -> list[str]:
    """Return the flags of the knobs, each with its argument."""
    found = [_words(context, name, value) for name, value in for_programs(context.given, context.version).items()]
    return [" ".join(map(quoting.sh, words)) for words in found if words]


def _words(context: Context, name: str, value: object) -> list[str]:
    return knobs_of(context.role)[name].words(context.role, context.version, value)
