"""Why a server could not read the offered ticket: an unknown key, damage, or a newer format."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from harness.agent.kinds import SHORT, SHORT_TICKET_KEYS, TICKET_KEYS
from harness.agent.vocabulary import TicketCipher
from harness.explain.finding import Candidate, Weight, brief, knob_text
from harness.explain.remedies import KEEP, KEYS, by_knob, other_cache, shares_keys
from harness.model.connection import HANDLE
from harness.model.reason import Reason
from harness.model.tls import Role

if TYPE_CHECKING:
    from harness.explain.facts.evidence import Evidence
    from harness.explain.facts.offer import Offer
    from harness.model.connection import Connection
    from harness.model.setup import Setup

READS = "tls_decrypt_ticket: a ticket with an unknown key or a wrong HMAC is ignored"


def key_unknown(offer: Offer) -> Candidate | None:
    """The server has no key with the name in the ticket."""
    evidence = offer.evidence
    answer = callback_answer(offer)
    if answer is not None and answer != UNKNOWN:
        return None
    names = offer.key_names
    if names and offer.issued:
        names = offer.issued[: offer.key_name], names[1]
    handle = len(offer.issued or offer.identity) == HANDLE
    what = "the handle of a session in another cache" if handle else "a ticket that this server has no key for"
    known = server_change(evidence)
    if names is None:
        weight = Weight.SHOWN if answer == UNKNOWN else _by_setup(evidence)
        shown: tuple[str, ...] = ()
    else:
        weight = None if names[0] == names[1] else Weight.SHOWN
        name = "" if handle else "the key name "  # a handle is a session id and has none
        shown = (
            f"wire: the offered ticket of {len(offer.identity)} bytes begins with {name}{brief(names[0])}",
            f"wire: the tickets that this server issues begin with {brief(names[1])}",
        )
    if weight is None:
        return None
    return Candidate(
        weight,
        Reason.TICKET_KEY_UNKNOWN,
        f"the client offered {what}",
        (*shown, *_said(offer, answer), *known),
        _readable(evidence, handle=handle),
        f"RFC 5077, 4; {READS}",
        f"compare the first {offer.key_name} bytes of the ticket with those of a ticket that this server issues"
        if offer.key_name
        else "offer the ticket to the server that issued it",
    )


UNKNOWN = "unknown"
"""What a ticket key callback says of a ticket of a key that it does not have."""
NAME = 16
"""Bytes of the key name that a ticket key callback gets."""


def callback_answer(offer: Offer) -> str | None:
    """What the server's ticket key callback returned for the offered ticket; None if it was not called."""
    calls = offer.evidence.connection.server.callback_calls or ()
    named = (call for call in calls if call.call == "decrypt" and call.subject == offer.identity[:NAME])
    return next((call.result for call in named), None)


def _said(offer: Offer, answer: str | None) -> tuple[str, ...]:
    return () if answer is None else (f"callback: decrypt({offer.identity[:8].hex()}…) returned {answer}",)


def ignored_by_callback(offer: Offer) -> Candidate | None:
    """The callback for decrypted tickets ignores the session."""
    calls = offer.evidence.connection.server.callback_calls or ()
    named = (call.result for call in calls if call.call == "ticket" and call.subject == offer.identity[:NAME])
    answer = next(named, None)
    if answer not in {"ignore", "ignore_renew"}:
        return None
    return Candidate(
        Weight.SHOWN,
        Reason.TICKET_IGNORED,
        "the server reads the ticket, and its callback for decrypted tickets ignores the session",
        (f"callback: ticket({offer.identity[:8].hex()}…) returned {answer}",),
        "let the callback return SSL_TICKET_RETURN_USE or SSL_TICKET_RETURN_USE_RENEW",
        "SSL_CTX_set_session_ticket_cb(3)",
        "what the callback returns for this ticket",
    )


def refused_by_callback(offer: Offer) -> Candidate | None:
    """The ticket key callback has the key and says that it has not."""
    answer = callback_answer(offer)
    if answer != "none":
        return None
    return Candidate(
        Weight.SHOWN,
        Reason.TICKET_KEY_UNKNOWN,
        "the server's ticket key callback has the key of the ticket and returns 0, which means that it has not",
        _said(offer, answer),
        "let the callback return 1, or 2 to renew the ticket, for a key that it has",
        "SSL_CTX_set_tlsext_ticket_key_evp_cb(3)",
        "what the callback returns for this ticket",
    )


def _readable(evidence: Evidence, *, handle: bool) -> str:
    """What makes the ticket readable: another kind of ticket if it is a handle, its key if it is not."""
    if handle:
        return other_cache(evidence, tls13=True)
    if evidence.same_server is True:
        return "keep a key until the tickets made with it have expired (SSL_CTX_set_tlsext_ticket_key_evp_cb)"
    if shares_keys(evidence):
        return "find out where the ticket comes from: this server has the keys of the one that issued the session"
    keys = f"{KEYS}, and {KEEP}"
    return by_knob(evidence, Role.SERVER, "ticket_keys", "shared", keys)


def _by_setup(evidence: Evidence) -> Weight | None:
    if evidence.same_server is None:
        return Weight.OPEN
    if evidence.same_server:
        return None
    return None if shares_keys(evidence) else Weight.FITS


def server_change(evidence: Evidence) -> tuple[str, ...]:
    """Which server issued the ticket and which one received it."""
    if evidence.same_server is not False or evidence.now is None or evidence.then is None:
        return ()
    keys = "which shares its ticket keys" if shares_keys(evidence) else "which has its own ticket keys"
    then, now = evidence.then.server_context, evidence.now.server_context
    return (f"setup: the session comes from server {then}; this is server {now}, {keys}",)


def damaged(offer: Offer) -> Candidate | None:
    """The ticket differs from the issued one."""
    changed = _changed(offer)
    if changed is False:
        return None
    rest = (
        "offer the ticket unchanged; check the code that stores and transfers sessions",
        f"RFC 5077, 4; {READS}",
        "compare the offered ticket with the one that was issued",
    )
    title = "the offered ticket differs from the issued ticket"
    if changed is None:
        return Candidate(Weight.OPEN, Reason.TICKET_DAMAGED, title, (), *rest)
    issued, sent = offer.issued or b"", offer.identity
    first = first_difference(issued, sent)
    shown = (
        f"session: a ticket of {len(issued)} bytes was issued",
        f"wire: a ticket of {len(sent)} bytes was offered, which differs from byte {first} on",
    )
    return Candidate(Weight.SHOWN, Reason.TICKET_DAMAGED, title, shown, *rest)


def first_difference(one: bytes, other: bytes) -> int:
    """The first byte in which they differ; where one is the beginning of the other, the length of the shorter."""
    differ = (place for place, (a, b) in enumerate(zip(one, other, strict=False)) if a != b)
    return next(differ, min(len(one), len(other)))


def other_key_length(offer: Offer) -> Candidate | None:
    """The key has the name of one of the server's, and another length: the builds cannot have it in common."""
    builds = _builds(offer)
    if builds is None or (_release(builds[0]) < LONGER_KEYS) is (_release(builds[1]) < LONGER_KEYS):
        return None
    maker, reader = builds
    return Candidate(
        Weight.SHOWN,
        Reason.TICKET_KEY_UNKNOWN,
        f"the ticket keys of {reader} have another length than those of {maker}, which issued the ticket",
        _same_name(offer, maker),
        "share ticket keys among OpenSSLs before 1.1.0, or among later ones, and accept a full handshake in between",
        "https://github.com/openssl/openssl/pull/515: keys of 16 bytes before 1.1.0 and of 32 since",
        "offer the ticket to the build that issued it",
    )


def other_secrets(offer: Offer) -> Candidate | None:
    """The server has a key with the name of the ticket's, and of another length, so that the ticket's HMAC is wrong."""
    evidence = offer.evidence
    then, now, origin = evidence.then, evidence.now, evidence.origin
    if then is None or now is None or origin is None or _changed(offer) is not False or other_key_length(offer):
        return None
    (knob, made), (other, held) = _keys(then, origin.connection), _keys(now, evidence.connection)
    if not made or made[0] in held:
        return None
    name, length = made[0]
    lengths = [size for known, size in held if known == name]
    if not lengths:
        return None
    return Candidate(
        Weight.SHOWN,
        Reason.TICKET_KEY_UNKNOWN,
        f"the server has a key of {lengths[0]} bytes with the name of the ticket's, which has {length} bytes",
        (
            *knob_text(origin.connection, Role.SERVER, knob, here=False),
            *knob_text(evidence.connection, Role.SERVER, other),
            *_said(offer, callback_answer(offer)),
        ),
        "give all servers that share ticket keys the same bytes: the first 48 of 80 bytes are another key",
        "SSL_CTX_set_tlsext_ticket_key_evp_cb(3); tls_decrypt_ticket verifies the HMAC before it decrypts",
        "compare all bytes of the keys, not only the first 16, which are the name",
    )


def other_cipher(offer: Offer) -> Candidate | None:
    """The callback has the key of the ticket, and decrypts with another cipher than the one that made it."""
    evidence = offer.evidence
    then, now, origin = evidence.then, evidence.now, evidence.origin
    if then is None or now is None or origin is None or _changed(offer) is not False:
        return None
    knob = "ticket_cipher"
    made, read = (setup.server.ticket_cipher or TicketCipher.AES_CBC for setup in (then, now))
    if made is read or not (then.server.ticket_ring and now.server.ticket_ring) or not shares_keys(evidence):
        return None
    return Candidate(
        Weight.SHOWN,
        Reason.TICKET_KEY_UNKNOWN,
        f"the server has the key of the ticket and decrypts with {read}, while the ticket was encrypted with {made}",
        (
            *knob_text(origin.connection, Role.SERVER, knob, here=False),
            *knob_text(evidence.connection, Role.SERVER, knob),
            *_said(offer, callback_answer(offer)),
        ),
        "let all servers that share ticket keys set the same cipher in their callbacks",
        "SSL_CTX_set_tlsext_ticket_key_evp_cb(3); tls_decrypt_ticket ignores a ticket that it cannot decrypt",
        "compare what the callbacks of both servers give to EVP_EncryptInit_ex and EVP_DecryptInit_ex",
    )


def _keys(setup: Setup, connection: Connection) -> tuple[str, list[tuple[str, int]]]:
    """The knob that gives a server its ticket keys, and the name and the bytes of each; the first one encrypts.

    The keys that SSL_CTX_set_tlsext_ticket_keys takes have the length that the release has.
    """
    if setup.server.ticket_ring:
        ring = setup.server.ticket_ring.split(",")
        lengths = [SHORT_TICKET_KEYS if key.endswith(SHORT) else TICKET_KEYS for key in ring]
        return "ticket_ring", [(key.removesuffix(SHORT), size) for key, size in zip(ring, lengths, strict=True)]
    short = _release(connection.server.view.name) < LONGER_KEYS
    keys = [(setup.server.ticket_keys, SHORT_TICKET_KEYS if short else TICKET_KEYS)] if setup.server.ticket_keys else []
    return "ticket_keys", keys


def unreadable(offer: Offer) -> Candidate | None:
    """The ticket is intact and the server has its key, but its build cannot read another build's session."""
    builds = _builds(offer)
    if builds is None or other_key_length(offer):
        return None
    maker, reader = builds
    return Candidate(
        Weight.FITS if _release(reader) < NEW_TICKETS <= _release(maker) else Weight.OPEN,
        Reason.TICKET_UNREADABLE,
        f"{reader} cannot read the session in the ticket, which {maker} wrote",
        _same_name(offer, maker),
        "resume within one release during server upgrades, or accept a full handshake after a rollback",
        "d2i_SSL_SESSION rejects a field newer than itself ([19] kex_group of 3.0); tls_decrypt_ticket",
        "offer the ticket to the build that issued it",
    )


def _both_openssl(evidence: Evidence) -> bool:
    """Whether the issuing server and this one are OpenSSLs, whose releases can be compared."""
    return all(setup is None or setup.server_library.is_openssl for setup in (evidence.then, evidence.now))


def _builds(offer: Offer) -> tuple[str, str] | None:
    """Who issued the ticket and who got it, where they are two builds and the ticket is intact, of a known key name."""
    names, origin = offer.key_names, offer.evidence.origin
    if names is None or names[0] != names[1] or origin is None or _changed(offer) is not False:
        return None
    maker, reader = origin.connection.server.view.name, offer.evidence.connection.server.view.name
    return None if maker == reader or not _both_openssl(offer.evidence) else (maker, reader)


def _same_name(offer: Offer, maker: str) -> tuple[str, ...]:
    name = brief(offer.key_names[0]) if offer.key_names else "unknown"
    return (
        f"wire: the ticket is intact, and its key name is one of this server's, {name}",
        f"setup: {maker} issued it",
    )


LONGER_KEYS = (1, 1)
"""The release since which ticket keys have 32 bytes, so that it shares none with an older one."""
NEW_TICKETS = (3, 0)
"""The release whose tickets an older release cannot read."""


def _release(name: str) -> tuple[int, ...]:
    """``(3, 0)`` of ``libssl@3.0.19``."""
    return tuple(map(int, re.findall(r"\d+", name.partition("@")[2])[:2]))


def _changed(offer: Offer) -> bool | None:
    if offer.issued is None or not offer.identity:
        return None
    return offer.issued != offer.identity
