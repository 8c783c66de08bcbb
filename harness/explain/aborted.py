"""Why a handshake was aborted: an unmet requirement of the offered session, or another alert."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.agent.vocabulary import TicketCipher, TicketUse
from harness.explain import external_psk
from harness.explain.facts.negotiated import enabled_versions
from harness.explain.facts.offer import Offer
from harness.explain.finding import (
    SILENT,
    Candidate,
    Weight,
    choose,
    codes,
    entries,
    errors,
    knob_text,
    messages_before_alert,
    place,
    suite_name,
)
from harness.explain.openssl_errors.alerts import MEANINGS
from harness.explain.openssl_errors.cause import cause_of
from harness.explain.refined import refined
from harness.explain.remedies import by_knob
from harness.model.knobs import UNSET, Verify
from harness.model.reason import Finding, Reason
from harness.model.tls import Role, TLSVersion
from harness.wire.hellos import numbers_of
from harness.wire.names import GROUPS, list_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.explain.facts.evidence import Evidence
    from harness.explain.openssl_errors.areas import Words
    from harness.model.connection import Connection
    from harness.model.transcript import ClientHello

UNEXPECTED_MESSAGE, BAD_RECORD_MAC, HANDSHAKE_FAILURE, ILLEGAL_PARAMETER, DECRYPT_ERROR, INTERNAL_ERROR = (
    10,
    20,
    40,
    47,
    51,
    80,
)
RECORD_OVERFLOW, PROTOCOL_VERSION = 22, 70
MISSING_EXTENSION, UNSUPPORTED_EXTENSION = 109, 110
MISSES = (MISSING_EXTENSION, HANDSHAKE_FAILURE)
"""Before TLS 1.3 OpenSSL sends handshake_failure for missing_extension (tls1_alert_code)."""
INCONSISTENT_EXTMS = 104
BAD_EXTENSION = 110
CERTIFICATE_VERIFY_FAILED = 134
EXCESSIVE_MESSAGE_SIZE = 152
UNSOLICITED_EXTENSION = 217
INVALID_MAX_FRAGMENT_LENGTH = 232
BINDER_DOES_NOT_VERIFY = 253
SESSION_ID_CONTEXT_UNINITIALIZED = 277
"""Reason codes of openssl/sslerr.h; their texts differ between releases."""
SUPPORTED_GROUPS = 10
MAX_FRAGMENT_LENGTH = 1
"""The extension (RFC 6066, 4)."""
REQUIRED_CIPHER_MISSING = 215
"""SSL_R_REQUIRED_CIPHER_MISSING of openssl/sslerr.h."""
SMALL_TICKET = 2**14
"""Bytes of a message with a ticket that every OpenSSL takes; a longer one is refused before it is whole."""
LONGEST_SESSION = 0xFF00
"""Bytes of a session, as i2d_SSL_SESSION writes it, of which OpenSSL makes a ticket."""
SIGNALS = {0x00FF, 0x5600}
"""Signalling values among the cipher suites (RFC 5746, 3.3; RFC 7507)."""


def findings(evidence: Evidence) -> tuple[Finding, ...]:
    """The reasons, the most likely first; never empty."""
    abort = Abort(evidence, Offer(evidence))
    if evidence.connection.blocked:
        return (_blocked(evidence),)
    if psk := external_psk.aborted(evidence):
        return psk
    finders = OF_THE_SESSION if evidence.connection.was_offered else ()
    found = choose(find(abort) for find in (*finders, callback_failed, early_data_before_tls13, *OF_TICKETS))
    return found or (_in_silence(abort) or _by_code(abort) or _by_alert(abort) or _unknown(evidence),)


def _in_silence(abort: Abort) -> Finding | None:
    """An end whose library failed without an error; what its peer reports or sends is about the end of TCP."""
    connection = abort.evidence.connection
    ends = {Role.CLIENT: connection.client, Role.SERVER: connection.server}
    failed = next((role for role, report in ends.items() if SILENT in entries(report.errors)), None)
    if failed is None:
        return None
    return Finding(
        Reason.LIBRARY_FAILED,
        f"the {failed}'s OpenSSL failed without an error and without an alert, {place(abort.evidence)}",
        (*abort.seen, *_ends(abort.evidence)),
        f"use OpenSSL 1.1.1 or later at the {failed}: whatever fails in a handshake then has an error and an alert",
        "SSLfatal, since 1.1.1; SSL_get_error(3), SSL_ERROR_SYSCALL; SSL_want(3)",
    )


def _by_code(abort: Abort) -> Finding | None:
    """What the reason code of the end that failed says."""
    evidence, cause = abort.evidence, cause_of(abort.evidence)
    if cause is None:
        return None
    words: Words = cause.code
    if cause.code.number == CERTIFICATE_VERIFY_FAILED and evidence.alert and evidence.alert.sender is cause.role:
        words = MEANINGS.get(evidence.alert.number, words)  # which check failed
    title, remedy = words.title(cause.role), words.help(cause.role)
    facts = abort.seen
    hello = abort.offer.hello
    if cause.code.number == REQUIRED_CIPHER_MISSING and hello is not None:
        title += f", {suite_name(abort.offer.cipher)}"
        offers = ", ".join(suite_name(suite) for suite in hello.cipher_suites if suite not in SIGNALS)
        facts = (*facts, f"wire: the ClientHello offers {offers}")
    elif hello is not None:
        facts = (*facts, *_offers(evidence, hello, cause.code.area))
    if evidence.alert is None:
        facts = (*facts, *_ends(evidence))
    if more := refined(abort.offer, cause):
        title, facts, remedy = more.title, (*facts, *more.evidence), more.remedy
    return Finding(cause.code.reason, f"{title} ({_how(evidence)})", facts, remedy, cause.source)


def _offers(evidence: Evidence, hello: ClientHello, area: str) -> tuple[str, ...]:
    """What the client offers of that over which the handshake failed, and what the server was set to."""
    connection = evidence.connection
    if area == "version":
        versions = " and ".join(sorted(version.label for version in enabled_versions(hello)))
        offers = versions or "no known version"
        return (f"wire: the ClientHello offers {offers}", *_server(connection, "versions"))
    if area == "cipher":
        suites = ", ".join(suite_name(suite) for suite in hello.cipher_suites if suite not in SIGNALS)
        return (f"wire: the ClientHello offers {suites}", *_server(connection, "ciphers", "ciphersuites"))
    if area == "key_exchange":
        groups = list_of(GROUPS, numbers_of(hello.extensions.get(SUPPORTED_GROUPS, b"")[2:]))
        return (f"wire: the ClientHello offers the groups {groups}", *_server(connection, "groups"))
    if area == "alpn":
        return (
            f"wire: the ClientHello offers the ALPN protocols {', '.join(hello.alpn)}",
            *_server(connection, "alpn"),
        )
    return ()


def _server(connection: Connection, *names: str) -> Iterator[str]:
    """The server's knobs that are set."""
    setup = connection.setup
    for name in names:
        if setup and getattr(setup.server, name) is not None:
            yield from knob_text(connection, Role.SERVER, name)


def _how(evidence: Evidence) -> str:
    """The alert, its sender and its place; or that there was none."""
    return f"{evidence.alert or 'no alert'}, {place(evidence)}"


def _by_alert(abort: Abort) -> Finding | None:
    """What the alert means, where its sender reports no code."""
    alert = abort.evidence.alert
    if alert is None:
        return None
    words = MEANINGS.get(alert.number)
    if words is None or alert.sender is None:
        title, remedy = (
            _how(abort.evidence),
            "read the log of the end that sent it; RFC 8446, section 6, lists the alerts",
        )
    else:
        title, remedy = f"{words.title(alert.sender)} ({_how(abort.evidence)})", words.help(alert.sender)
    return Finding(Reason.ALERT, title, abort.seen, remedy, "RFC 8446, 6")


def _blocked(evidence: Evidence) -> Finding:
    hello = evidence.client_hello
    return Finding(
        Reason.BLOCKED,
        "a middlebox closed the connection",
        (f"middlebox: {evidence.connection.blocked}",),
        "find out which rule of the middlebox it breaks: the client is in middlebox compatibility mode"
        if hello is not None and hello.session_id
        else "enable middlebox compatibility mode (SSL_OP_ENABLE_MIDDLEBOX_COMPAT) at the client",
        "RFC 8446, D.4",
    )


def _unknown(evidence: Evidence) -> Finding:
    connection = evidence.connection
    how = (f"setup: the close mode was {connection.close}",) if connection.client.driven else ()
    return Finding(
        Reason.ABORTED_UNKNOWN,
        f"the handshake ended without an alert, {place(evidence)}, and no end reports a reason",
        (*_ends(evidence), *errors(evidence), *how),
        "find out what closed the connection",
    )


def _ends(evidence: Evidence) -> tuple[str, ...]:
    """What each witness saw of the end."""
    return tuple(f"{view.witness}: {line}" for view in evidence.connection.views for line in view.evidence)


@dataclass(frozen=True)
class Abort:
    """An aborted handshake: the alert, its sender, and the error queues."""

    evidence: Evidence
    offer: Offer

    def by(self, role: Role, *numbers: int) -> bool:
        """Whether this end sent one of these alerts; true if the sender is unknown."""
        alert = self.evidence.alert
        return alert is not None and alert.number in numbers and alert.sender in {None, role}

    @property
    def misses_extension(self) -> bool:
        """Whether the server's alert can be missing_extension: 1.1.1n and before send none of it before TLS 1.3."""
        alert = self.evidence.alert
        return alert is None or alert.sender is Role.CLIENT or self.by(Role.SERVER, *MISSES)

    def code(self, role: Role, *wanted: int) -> bool | None:
        """Whether the end reported one of these reason codes; None if it reported none."""
        given = codes(self.evidence, role)
        return bool(given & set(wanted)) if given else None

    @property
    def seen(self) -> tuple[str, ...]:
        """The alert, when it was sent, and the error queues."""
        alert = self.evidence.alert
        if alert is None:
            return errors(self.evidence)
        if alert in self.evidence.transcript.alerts:
            return (f"wire: alert {alert}, {place(self.evidence)}", *errors(self.evidence))
        views = (self.evidence.connection.client.view, self.evidence.connection.server.view)
        return (
            *(f"{view.witness}: it reports the alert {alert}" for view in views if view.alert == alert),
            *errors(self.evidence),
        )


def _weight(*, shown: bool | None, fits: bool) -> Weight | None:
    """The weight by reason code, or by the setup if there is no reason code."""
    if shown is None:
        return Weight.FITS if fits else None
    return Weight.SHOWN if shown else None


def context_unset(abort: Abort) -> Candidate | None:
    """The server verifies its clients but has no session id context, so every resumption is fatal."""
    now = abort.evidence.now
    knobs = bool(
        now
        and now.server.session_id_context is UNSET
        and now.server.verify in {Verify.OPTIONAL, Verify.ONCE, Verify.REQUIRED}
    )
    weight = _weight(
        shown=abort.code(Role.SERVER, SESSION_ID_CONTEXT_UNINITIALIZED),
        fits=knobs and abort.by(Role.SERVER, INTERNAL_ERROR),
    )
    if weight is None:
        return None
    connection = abort.evidence.connection
    knob = [
        line for name in ("verify", "session_id_context") if knobs for line in knob_text(connection, Role.SERVER, name)
    ]
    return Candidate(
        weight,
        Reason.SESSION_ID_CONTEXT_UNSET,
        "the server verifies its clients but has no session id context, so every resumption is fatal",
        (*abort.seen, *knob),
        by_knob(
            abort.evidence,
            Role.SERVER,
            "session_id_context",
            b"context",
            "call SSL_CTX_set_session_id_context at the server",
        ),
        "ssl_get_prev_session, SSL_R_SESSION_ID_CONTEXT_UNINITIALIZED; SSL_CTX_set_session_id_context(3)",
        "reason 277 in the server's error queue",
    )


def extended_master_secret_dropped(abort: Abort) -> Candidate | None:
    """The session was created with extended master secret, but one end does not use it now."""
    hello, had = abort.offer.hello, abort.offer.extended_master_secret
    now = abort.evidence.now
    at_client = hello is not None and not hello.extended_master_secret
    at_server = now is not None and now.server.extended_master_secret is False
    shown = abort.code(Role.SERVER, INCONSISTENT_EXTMS)
    if abort.code(Role.CLIENT, INCONSISTENT_EXTMS):
        shown = True
    alerts = (HANDSHAKE_FAILURE, ILLEGAL_PARAMETER)
    fits = had is True and (at_client or at_server) and abort.by(Role.SERVER, *alerts)
    weight = _weight(shown=shown, fits=fits)
    if weight is None:
        return None
    who = "the client does not offer it" if at_client else "the server does not accept it"
    return Candidate(
        weight,
        Reason.EXTENDED_MASTER_SECRET_DROPPED,
        f"the session was created with extended master secret, but {who} now",
        (
            *([f"session: extended_master_secret is {'true' if had else 'false'}"] if had is not None else []),
            *(["wire: the ClientHello has no extended_master_secret"] if at_client else []),
            *(knob_text(abort.evidence.connection, Role.SERVER, "extended_master_secret") if at_server else []),
            *abort.seen,
        ),
        f"enable extended master secret at the {'client' if at_client else 'server'}, or discard the session",
        "RFC 7627, 5.3; ssl_get_prev_session, SSL_R_INCONSISTENT_EXTMS",
        "reason 104 in the error queue of the endpoint that sent the alert",
    )


def max_fragment_length(abort: Abort) -> Candidate | None:
    """The client requests a different maximum fragment length than the session's."""
    evidence = abort.evidence
    offered = evidence.offered.get("max_fragment_length_mode") if evidence.offered else None
    hello = abort.offer.hello
    body = hello.extensions.get(MAX_FRAGMENT_LENGTH) if hello else None
    asked = body[0] if body else 0
    differs = isinstance(offered, int) and offered != asked
    reported = (
        abort.code(Role.SERVER, INVALID_MAX_FRAGMENT_LENGTH),
        abort.code(Role.CLIENT, INVALID_MAX_FRAGMENT_LENGTH),
    )
    bad = abort.code(Role.SERVER, BAD_EXTENSION)
    missed = abort.by(Role.SERVER, MISSING_EXTENSION) if bad is None else bad and abort.misses_extension
    unasked = (
        abort.by(Role.CLIENT, UNSUPPORTED_EXTENSION) and abort.code(Role.CLIENT, UNSOLICITED_EXTENSION) is not False
    )
    overflown = bool(offered) and abort.by(Role.CLIENT, RECORD_OVERFLOW)  # its buffer has the session's size
    fits = differs and (missed or unasked or overflown or (reported == (None, None) and _illegal(abort)))
    if True not in reported and not fits:
        return None
    return Candidate(
        Weight.SHOWN if True in reported else Weight.FITS,
        Reason.MAX_FRAGMENT_LENGTH_CHANGED,
        f"the session has {_length(offered)}, but the client requests {_length(asked)}",
        (
            *([f"session: max_fragment_length_mode {offered}"] if offered is not None else []),
            f"wire: max_fragment_length {asked or 'absent'}",
            *abort.seen,
        ),
        "request the session's maximum fragment length, or discard the session",
        "RFC 6066, 4; tls_parse_ctos_maxfragmentlen, tls_parse_stoc_maxfragmentlen, final_maxfragmentlen, "
        "tls_get_more_records",
        "reason 232 in the error queue of the endpoint that sent the alert",
    )


def _illegal(abort: Abort) -> bool:
    return abort.by(Role.SERVER, ILLEGAL_PARAMETER) or abort.by(Role.CLIENT, ILLEGAL_PARAMETER)


def _length(mode: object) -> str:
    if not isinstance(mode, int):
        return "an unknown maximum fragment length"
    return f"a maximum fragment length of {256 << mode} bytes" if mode else "no maximum fragment length"


def binder(abort: Abort) -> Candidate | None:
    """The client and the server have different secrets for the ticket."""
    before = messages_before_alert(abort.evidence)
    hello = abort.offer.hello
    early = (
        abort.by(Role.SERVER, DECRYPT_ERROR)
        and hello is not None
        and bool(hello.psk_binders)
        and not any(message.type == "ServerHello" for message in before)
    )
    weight = _weight(shown=abort.code(Role.SERVER, BINDER_DOES_NOT_VERIFY), fits=early)
    if weight is None:
        return None
    edits = abort.evidence.edits
    return Candidate(
        weight,
        Reason.BINDER_WRONG,
        "the client's binder does not verify: the endpoints have different keys for the same ticket",
        (*abort.seen, *([f"session: edited since it was issued ({', '.join(edits)})"] if edits else [])),
        "offer the session unchanged: its secret belongs to its ticket",
        "RFC 8446, 4.2.11.2; tls_psk_do_binder, SSL_R_BINDER_DOES_NOT_VERIFY",
        "reason 253 in the server's error queue",
    )


def secret_differs(abort: Abort) -> Candidate | None:
    """TLS 1.2: the server resumed the session, and the first sealed record does not open."""
    evidence, hello, answer = abort.evidence, abort.offer.hello, abort.evidence.server_hello
    alert = evidence.alert
    if hello is None or answer is None or answer.version is TLSVersion.TLSv1_3 or alert is None:
        return None
    resumed = bool(hello.session_id) and hello.session_id == answer.session_id
    sealed = any(message.type == "ChangeCipherSpec" for message in messages_before_alert(evidence))
    if not resumed or not sealed or alert.number not in {BAD_RECORD_MAC, DECRYPT_ERROR}:
        return None
    end = f"the {alert.sender}" if alert.sender else "an endpoint"
    edits = evidence.edits
    return Candidate(
        Weight.SHOWN,
        Reason.SECRET_DIFFERS,
        f"the server resumed the session, and {end} cannot open its peer's first encrypted record: both ends hold "
        "different secrets for it",
        (
            "wire: the ServerHello echoes the session id of the ClientHello",
            *abort.seen,
            *([f"session: edited since it was issued ({', '.join(edits)})"] if edits else []),
        ),
        "offer the session unchanged: its secret belongs to its ticket or its id",
        "RFC 5246, 7.3: an abbreviated handshake takes its keys from the session's master secret; RFC 5077, 3.4",
        "offer the session as it was issued",
    )


def callback_failed(abort: Abort) -> Candidate | None:
    """The server's callback for ticket keys, or that for decrypted tickets, failed, and with it the handshake."""
    calls = abort.evidence.connection.server.callback_calls or ()
    if aborting := [call for call in calls if call.call == "ticket" and call.result == TicketUse.ABORT]:
        return _ticket_refused(abort, aborting[-1].subject)
    tickets = [call for call in calls if call.result == "error" and call.call in {"decrypt", "encrypt"}]
    if not tickets:
        return _nothing_padded(abort)
    call = tickets[-1]
    does = "reads the offered ticket" if call.call == "decrypt" else "makes a ticket"
    return Candidate(
        Weight.SHOWN,
        Reason.TICKET_CALLBACK_FAILED,
        f"the server's ticket key callback returned less than 0 where it {does}, which ends the handshake",
        (f"callback: {call.call}({call.subject[:8].hex()}…) returned error", *abort.seen),
        "let the callback return 0 for a ticket that it cannot read or make; find out what fails in it",
        "SSL_CTX_set_tlsext_ticket_key_evp_cb(3); before 1.1.1 the server sends no alert",
        "what the callback returns for this ticket",
    )


def _nothing_padded(abort: Abort) -> Candidate | None:
    """The ticket key callback set a cipher without padding, with which OpenSSL since 1.1.1 makes no ticket."""
    connection, setup = abort.evidence.connection, abort.evidence.now
    calls = connection.server.callback_calls or ()
    if setup is None or setup.server.ticket_cipher is not TicketCipher.AES_CTR or not calls:
        return None
    if calls[-1].call != "encrypt" or not abort.by(Role.SERVER, INTERNAL_ERROR):
        return None
    return Candidate(
        Weight.SHOWN,
        Reason.TICKET_CALLBACK_FAILED,
        "the server's ticket key callback set a cipher that adds no padding, with which OpenSSL since 1.1.1 makes no "
        "ticket",
        (
            *knob_text(connection, Role.SERVER, "ticket_cipher"),
            f"callback: encrypt({calls[-1].subject[:8].hex()}…) returned {calls[-1].result}",
            *abort.seen,
        ),
        "let the callback set a cipher in CBC mode, such as EVP_aes_256_cbc()",
        "WPACKET_allocate_bytes fails for the 0 bytes that EVP_EncryptFinal writes (construct_stateless_ticket)",
        "which cipher the callback gives to EVP_EncryptInit_ex",
    )


def _ticket_refused(abort: Abort, subject: bytes) -> Candidate:
    return Candidate(
        Weight.SHOWN,
        Reason.TICKET_CALLBACK_FAILED,
        "the server's callback for decrypted tickets returned SSL_TICKET_RETURN_ABORT, which ends the handshake",
        (f"callback: ticket({subject[:8].hex()}…) returned {TicketUse.ABORT}", *abort.seen),
        "let the callback return SSL_TICKET_RETURN_IGNORE for a ticket that it does not want, for a full handshake",
        "SSL_CTX_set_session_ticket_cb(3)",
        "what the callback returns for this ticket",
    )


def early_data_before_tls13(abort: Abort) -> Candidate | None:
    """The client sent early data, and the server negotiated a version that has none."""
    hello, answer = abort.offer.hello, abort.evidence.server_hello
    if hello is None or answer is None or answer.version in {TLSVersion.TLSv1_3, None} or not hello.early_data:
        return None
    if not abort.by(Role.SERVER, UNEXPECTED_MESSAGE) and not abort.by(Role.CLIENT, PROTOCOL_VERSION):
        return None
    return Candidate(
        Weight.SHOWN,
        Reason.EARLY_DATA_ABORTED,
        f"the client sent early data, and the server negotiated {answer.version.label}, which has none",
        (
            "wire: the ClientHello has the early_data extension",
            f"wire: the ServerHello negotiates {answer.version.label}",
            *abort.seen,
        ),
        "send no early data to servers that may negotiate TLS 1.2, or connect again without it after this failure",
        "RFC 8446, D.3: a server that does not know early data aborts",
        "connect without early data",
    )


def ticket_too_large(abort: Abort) -> Candidate | None:
    """The client refuses the NewSessionTicket for its size, as OpenSSL before 1.1.1l does."""
    last, messages = messages_before_alert(abort.evidence)[-1:], abort.evidence.transcript.messages
    sent = [m for m in messages if m.type == "NewSessionTicket" and (m in last or m.length > SMALL_TICKET)]
    if not sent or not abort.code(Role.CLIENT, EXCESSIVE_MESSAGE_SIZE):
        return None
    length = sent[-1].length
    return Candidate(
        Weight.SHOWN,
        Reason.TICKET_TOO_LARGE,
        f"the client does not take a NewSessionTicket of {length} bytes",
        (f"wire: the NewSessionTicket has {length} bytes", *abort.seen),
        "use a smaller client certificate, as it is in the ticket, or tickets that are kept at the server "
        "(SSL_OP_NO_TICKET); an OpenSSL client takes larger ones from 1.1.1l on",
        "tls_process_new_session_ticket; CHANGES, 1.1.1l; RFC 8446, 4.6.1",
        "reason 152 in the client's error queue",
    )


def session_too_large(abort: Abort) -> Candidate | None:
    """The server cannot make a ticket of its session; before 1.1.1 OpenSSL fails there without an alert or an error."""
    transcript, setup = abort.evidence.transcript, abort.evidence.now
    chain, sent = transcript.certificates.get(Role.CLIENT, ()), transcript.types(Role.SERVER)
    if setup is None or not setup.server_library.is_openssl or not chain or len(chain[0]) <= LONGEST_SESSION:
        return None
    failed = abort.by(Role.SERVER, INTERNAL_ERROR) or not codes(abort.evidence, Role.SERVER)
    if not failed or "NewSessionTicket" in sent or not transcript.finished(Role.CLIENT):
        return None
    return Candidate(
        Weight.SHOWN,
        Reason.SESSION_TOO_LARGE,
        f"the session is too large for a ticket of the server, as the client's certificate has {len(chain[0])} bytes",
        (
            f"wire: the client's certificate has {len(chain[0])} bytes",
            "wire: the server sent no NewSessionTicket after the client's Finished",
            *abort.seen,
        ),
        "use a smaller client certificate, or sessions that are kept at the server (SSL_OP_NO_TICKET)",
        "tls_construct_new_session_ticket, ssl3_send_newsession_ticket: a session above 0xff00 bytes is an error",
        "the length of the certificate on the wire",
    )


def hello_too_large(abort: Abort) -> Candidate | None:
    """The server refuses the ClientHello for its size, as OpenSSL before 1.1.0 does with a ticket that it made."""
    hello = abort.offer.hello
    ticket = hello.session_ticket if hello else None
    if (
        hello is None
        or not ticket
        or hello.length <= SMALL_TICKET
        or not abort.code(Role.SERVER, EXCESSIVE_MESSAGE_SIZE)
    ):
        return None
    return Candidate(
        Weight.SHOWN,
        Reason.TICKET_TOO_LARGE,
        f"the server does not take a ClientHello of {hello.length} bytes, with a ticket of {len(ticket)} bytes in it",
        (f"wire: the ClientHello has {hello.length} bytes, {len(ticket)} of them its ticket", *abort.seen),
        "use a smaller client certificate, as it is in the ticket, or sessions that are kept at the server "
        "(SSL_OP_NO_TICKET); an OpenSSL server takes larger ones from 1.1.0 on",
        "ssl3_get_client_hello of 1.0.2: at most SSL3_RT_MAX_PLAIN_LENGTH, 16384 bytes",
        "reason 152 in the server's error queue",
    )


OF_TICKETS = (ticket_too_large, hello_too_large, session_too_large)
"""The finders for a handshake that fails over a ticket that is made in it."""
OF_THE_SESSION = (context_unset, extended_master_secret_dropped, max_fragment_length, binder, secret_differs)
"""The finders for a handshake that offers a session."""
