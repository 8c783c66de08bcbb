"""Accounts of handmade connections, one for each kind of outcome."""

from __future__ import annotations

from dataclasses import replace

from harness.model.connection import Counters
from harness.model.reason import Expiry, Explanation, Finding, Limit, Question, Reason
from harness.model.tls import Alert, Mechanism
from harness.model.transcript import NewSessionTicket, Transcript
from harness.model.view import Saw
from harness.report.account import Account
from harness.tests.made.handshakes import (
    CLIENT,
    CLOSED,
    KEY,
    OTHER_KEY,
    SERVER,
    TLS12,
    answer12,
    answer13,
    hello12,
    hello13,
    made,
    session,
    ticket,
    transcript,
)

FIRST, SECOND, OTHER = ticket(KEY, 1), ticket(KEY, 2), ticket(OTHER_KEY, 3)
TAKEN = session(ticket=SECOND, age_add=588_587_051)
ANOTHER = session(ticket=OTHER, age_add=4_286_473_556, session_id=bytes(range(100, 132)), time=1_795_304_585)
NST = {t: NewSessionTicket(7200, t, age) for t, age in ((FIRST, 7), (SECOND, 588_587_051), (OTHER, 4_286_473_556))}

CERTIFIED = ((SERVER, "Certificate", 623), (SERVER, "CertificateVerify", 75))
MIDDLE = ((SERVER, "ChangeCipherSpec"), (SERVER, "EncryptedExtensions", 30))
FINISHED = ((SERVER, "Finished", 48), (CLIENT, "ChangeCipherSpec"), (CLIENT, "Finished", 48))

FULL13 = made(
    1,
    Saw.FULL,
    transcript(
        (CLIENT, hello13(0xB4)),
        (SERVER, answer13(0xB4)),
        *MIDDLE,
        *CERTIFIED,
        *FINISHED,
        (SERVER, NST[FIRST]),
        (SERVER, NST[SECOND]),
        *CLOSED,
    ),
    offered=None,
    last_session=TAKEN,
)
DECLINED13 = made(
    2,
    Saw.FULL,
    transcript(
        (CLIENT, hello13(0x6C, SECOND, age=588_587_051)),
        (SERVER, answer13(0x6C)),
        *MIDDLE,
        *CERTIFIED,
        *FINISHED,
        (SERVER, NST[OTHER]),
        *CLOSED,
    ),
    offered=TAKEN,
    last_session=ANOTHER,
)
RESUMED13 = made(
    2,
    Saw.RESUMED,
    transcript(
        (CLIENT, hello13(0x6C, SECOND, age=588_588_051)),
        (SERVER, answer13(0x6C, selected=0)),
        *MIDDLE,
        *FINISHED,
        (SERVER, NST[OTHER]),
        *CLOSED,
    ),
    offered=TAKEN,
    last_session=ANOTHER,
)

KEY_UNKNOWN = Finding(
    Reason.TICKET_KEY_UNKNOWN,
    "the ticket was made with a key that this server does not have",
    (
        "the session came from server 1, and connection 2 went to server 2",
        "neither server was given ticket_keys, so that each made its own at random",
        f"the ticket begins with the key name {KEY.hex()}, and that which this server issued with {OTHER_KEY.hex()}",
    ),
    "give both servers the same ticket_keys",
    "RFC 5077, 4; SSL_CTX_set_tlsext_ticket_key_cb(3)",
)
EXPIRED = Finding(
    Reason.EXPIRED_AT_SERVER,
    "the session had expired at the server",
    ("it was 7200 s old, and the server's timeout is 7200 s",),
    "a longer timeout at the server",
    "SSL_CTX_set_timeout(3)",
    "sess_timeouts of the server, which its stack does not report",
)


def why(question: Question, *findings: Finding) -> Explanation:
    return Explanation(question, findings)


def declined13(**changes: object) -> Account:
    """Another server declines the session of connection 1."""
    account = Account(
        [FULL13, DECLINED13],
        {2: why(Question.DECLINED, KEY_UNKNOWN)},
        Counters(items=0, accept=1, accept_good=1, hits=0, misses=0, timeouts=0, cache_size=20480),
    )
    return replace(account, **changes)  # type: ignore[arg-type] # as the caller says


def resumed13() -> Account:
    return Account([FULL13, RESUMED13])


def lasting() -> Account:
    """The client's copy of the session is older than the server's."""
    client = Limit(301, 302, "the ticket's lifetime is 300 s, and the client takes one second off the age")
    server = Limit(0, 301, "the timeout is 300 s, and the server declines what is older in whole seconds")
    return Account([FULL13, RESUMED13], expiries={2: Expiry(client, server, 301)})


def resumed_but() -> Account:
    """Two findings that are both true."""
    name = Finding(
        Reason.OTHER_SERVER_NAME,
        "the client asked for other.example, and the session was made for server.example",
        ("server_name other.example in the ClientHello", "server_name server.example in the session"),
        "a session for each name; a server that compares it in SSL_CTX_set_client_hello_cb",
        "RFC 8446, 4.6.1",
    )
    unasked = Finding(
        Reason.CLIENT_CERTIFICATE_NOT_ASKED,
        "the client's certificate was never asked for",
        ("no CertificateRequest in either connection",),
        "verify in the full handshake",
    )
    return Account([FULL13, RESUMED13], {2: why(Question.RESUMED_BUT, name, unasked)})


ID = bytes(range(32))
TAKEN12 = session(TLS12, ticket=SECOND, session_id=ID)
CERTIFIED12 = ((SERVER, "Certificate", 621), (SERVER, "ServerKeyExchange", 112), (SERVER, "ServerHelloDone", 0))
KEYED12 = ((CLIENT, "ClientKeyExchange", 33), (CLIENT, "ChangeCipherSpec"), (CLIENT, "Finished", 12))
LAST12 = ((SERVER, "ChangeCipherSpec"), (SERVER, "Finished", 12))
FULL12 = made(
    1,
    Saw.FULL,
    transcript(
        (CLIENT, hello12()),
        (SERVER, answer12(ticket=True)),
        *CERTIFIED12,
        *KEYED12,
        (SERVER, NewSessionTicket(7200, SECOND)),
        *LAST12,
        *CLOSED,
        tls=TLS12,
    ),
    offered=None,
    last_session=TAKEN12,
    tls=TLS12,
)
RESUMED12 = made(
    2,
    Saw.RESUMED,
    transcript(
        (CLIENT, hello12(ID, SECOND)),
        (SERVER, answer12(ID)),
        *LAST12,
        (CLIENT, "ChangeCipherSpec"),
        (CLIENT, "Finished", 12),
        *CLOSED,
        tls=TLS12,
    ),
    offered=TAKEN12,
    last_session=TAKEN12,
    tls=TLS12,
    observed_mechanism=Mechanism.SESSION_TICKET,
)


def resumed12() -> Account:
    """An abbreviated handshake, in which the server's Finished comes first."""
    return Account([FULL12, RESUMED12])


def declined12() -> Account:
    """Two reasons that fit the evidence."""
    declined = made(
        2,
        Saw.FULL,
        transcript(
            (CLIENT, hello12(ID, SECOND)),
            (SERVER, answer12(ticket=True)),
            *CERTIFIED12,
            *KEYED12,
            (SERVER, NewSessionTicket(7200, OTHER)),
            *LAST12,
            *CLOSED,
            tls=TLS12,
        ),
        offered=TAKEN12,
        last_session=session(TLS12, ticket=OTHER, session_id=bytes(range(32, 64))),
        tls=TLS12,
    )
    unknown = replace(KEY_UNKNOWN, tell_apart="the same with ticket_keys given to both servers")
    return Account([FULL12, declined], {2: why(Question.DECLINED, unknown, EXPIRED)})


def aborted12() -> Account:
    """The server aborts the handshake, so there is no session."""
    alert = Alert(80, SERVER)
    aborted = made(
        2,
        Saw.ABORTED,
        transcript((CLIENT, hello12(ID, SECOND)), (SERVER, alert), tls=TLS12),
        offered=TAKEN12,
        last_session=None,
        tls=TLS12,
    )
    unset = Finding(
        Reason.SESSION_ID_CONTEXT_UNSET,
        "the server verifies its clients and has no session id context",
        ("alert internal_error (80) sent by the server after the ClientHello", "server knobs: verify=optional"),
        "SSL_CTX_set_session_id_context at the server",
        "SSL_CTX_set_session_id_context(3), WARNINGS",
    )
    return Account([FULL12, aborted], {2: why(Question.ABORTED, unset)})


def not_offered() -> Account:
    """The client has no session to offer."""
    second = made(
        2,
        Saw.FULL,
        transcript(
            (CLIENT, hello13(0x6C)), (SERVER, answer13(0x6C)), *MIDDLE, *CERTIFIED, *FINISHED, (SERVER, NST[OTHER])
        ),
        offered=None,
        last_session=ANOTHER,
    )
    none = Finding(
        Reason.NO_SESSION,
        "no session was given to the client, though connection 1 yielded one",
        ("connection 1 yielded a session with a ticket of 208 bytes",),
        "SSL_set_session before the handshake",
        "SSL_set_session(3)",
    )
    return Account([FULL13, second], {2: why(Question.NOT_OFFERED, none)})


def edited() -> Account:
    """The session is backdated, and the client does not offer it."""
    account = not_offered()
    older = replace(TAKEN, known={**TAKEN.known, "time": 1_795_297_284})
    second = replace(account.connections[1], offered=older, was_offered=False)
    expired = replace(EXPIRED, reason=Reason.EXPIRED_AT_CLIENT, title="the session has expired at the client")
    return Account([FULL13, second], {2: why(Question.NOT_OFFERED, replace(expired, tell_apart=""))})


def disagreement() -> Account:
    """The server reports a full handshake."""
    server = replace(RESUMED13.server, view=DECLINED13.server.view)
    return Account([FULL13, replace(RESUMED13, server=server)])


def several() -> Account:
    """The second connection is declined, all later ones are resumed."""
    later = [replace(RESUMED13, number=number, offered=ANOTHER) for number in range(3, 6)]
    return declined13(connections=[FULL13, DECLINED13, *later])


def alone() -> Account:
    return Account([FULL13])


def hostile() -> Account:
    """A peer that sends control characters, and a truncated handshake."""
    rogue = hello13(0x6C, b"\xee" * 208, age=1, server_name="\x1b[2Jgone\nConnection 2: resumed")
    broken = "the server's bytes end within a record of 4096 bytes at offset 128"
    sent = transcript((CLIENT, rogue), (SERVER, answer13(0x6C)), (SERVER, "EncryptedRecord", 90), problem=broken)
    connection = made(
        2,
        Saw.ABORTED,
        replace(sent, tickets=None),
        offered=TAKEN,
        last_session=None,
        blocked="it was \x1b[1m",
    )
    return Account([FULL13, connection])


def nothing() -> Account:
    """A connection without any bytes."""
    return Account([made(1, Saw.ABORTED, Transcript(), offered=None, last_session=None)])
