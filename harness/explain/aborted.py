"""Why a handshake was aborted: an unmet requirement of the offered session, or another alert."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.explain.facts.offer import Offer
from harness.explain.finding import Candidate, Weight, choose, codes, errors, messages_before_alert, place, suite_name
from harness.model.knobs import UNSET, Verify
from harness.model.reason import Finding, Reason
from harness.model.tls import Role, TLSVersion

if TYPE_CHECKING:
    from harness.explain.facts.evidence import Evidence

HANDSHAKE_FAILURE, ILLEGAL_PARAMETER, DECRYPT_ERROR, INTERNAL_ERROR = 40, 47, 51, 80
MISSING_EXTENSION, UNSUPPORTED_EXTENSION = 109, 110
MISSES = (MISSING_EXTENSION, HANDSHAKE_FAILURE)
"""Before TLS 1.3 OpenSSL sends handshake_failure for missing_extension (tls1_alert_code)."""
INCONSISTENT_EXTMS = 104
BAD_EXTENSION = 110
UNSOLICITED_EXTENSION = 217
INVALID_MAX_FRAGMENT_LENGTH = 232
BINDER_DOES_NOT_VERIFY = 253
SESSION_ID_CONTEXT_UNINITIALIZED = 277
"""Reason codes of openssl/sslerr.h; their texts differ between releases."""
MAX_FRAGMENT_LENGTH = 1
"""The extension (RFC 6066, 4)."""
REQUIRED_CIPHER_MISSING = 215
"""SSL_R_REQUIRED_CIPHER_MISSING of openssl/sslerr.h."""
SIGNALS = {0x00FF, 0x5600}
"""Signalling values among the cipher suites (RFC 5746, 3.3; RFC 7507)."""


def findings(evidence: Evidence) -> tuple[Finding, ...]:
    """The reasons, the most likely first; never empty."""
    abort = Abort(evidence, Offer(evidence))
    if evidence.connection.blocked:
        return (_blocked(evidence),)
    finders = (
        context_unset,
        extended_master_secret_dropped,
        max_fragment_length,
        binder,
    )
    offered = evidence.connection.was_offered
    found = choose(find(abort) for find in finders) if offered else ()
    return found or ((_alert(abort),) if evidence.alert else (_unknown(evidence),))


def _alert(abort: Abort) -> Finding:
    evidence, alert = abort.evidence, abort.evidence.alert
    title = f"{alert}, {place(evidence)}"
    remedy = "look up the alert in RFC 8446, section 6.2, and check the error queues"
    source = "RFC 8446, 6.2"
    facts = abort.seen
    hello = abort.offer.hello
    if abort.code(Role.SERVER, REQUIRED_CIPHER_MISSING) and hello is not None:
        title += f": the client does not offer the session's cipher suite, {suite_name(abort.offer.cipher)}"
        remedy = "enable the session's cipher suite at the client, or discard the session"
        source = "RFC 5246, 7.4.1.2; tls_early_post_process_client_hello, SSL_R_REQUIRED_CIPHER_MISSING"
        offers = ", ".join(suite_name(suite) for suite in hello.cipher_suites if suite not in SIGNALS)
        facts = (*facts, f"wire: the ClientHello offers {offers}")
    elif evidence.connection.was_offered and abort.offer.version is TLSVersion.TLSv1_2 and "der" in evidence.edits:
        facts = (*facts, "session: its secret differs from the issued one")
    return Finding(Reason.ALERT, title, facts, remedy, source)


def _blocked(evidence: Evidence) -> Finding:
    return Finding(
        Reason.BLOCKED,
        "a middlebox closed the connection",
        (f"middlebox: {evidence.connection.blocked}",),
        "enable middlebox compatibility mode (SSL_OP_ENABLE_MIDDLEBOX_COMPAT)",
        "RFC 8446, D.4",
    )


def _unknown(evidence: Evidence) -> Finding:
    connection = evidence.connection
    facts = (
        *(f"{view.witness}: {line}" for view in connection.views for line in view.evidence),
        *errors(evidence),
        f"setup: the close mode was {connection.close}",
    )
    return Finding(
        Reason.ABORTED_UNKNOWN,
        f"the handshake ended without an alert, {place(evidence)}",
        facts,
        "find out what closed the TCP connection",
    )


@dataclass(frozen=True)
class Abort:
    """An aborted handshake: the alert, its sender, and the error queues."""

    evidence: Evidence
    offer: Offer

    def by(self, role: Role, *numbers: int) -> bool:
        """Whether this end sent one of these alerts; true if the sender is unknown."""
        alert = self.evidence.alert
        return alert is not None and alert.number in numbers and alert.sender in {None, role}

    def code(self, role: Role, *wanted: int) -> bool | None:
        """Whether the end reported one of these reason codes; None if it reported none."""
        given = codes(self.evidence, role)
        return bool(given & set(wanted)) if given else None

    @property
    def seen(self) -> tuple[str, ...]:
        """The alert, when it was sent, and the error queues."""
        alert = self.evidence.alert
        wire = (f"wire: alert {alert}, {place(self.evidence)}",) if alert else ()
        return (*wire, *errors(self.evidence))


def _weight(*, shown: bool | None, fits: bool) -> Weight | None:
    """The weight by reason code, or by the setup if there is no reason code."""
    if shown is None:
        return Weight.FITS if fits else None
    return Weight.SHOWN if shown else None


def context_unset(abort: Abort) -> Candidate | None:
    """The server verifies its clients but has no session id context, so every resumption is fatal."""
    now = abort.evidence.now
    knobs = bool(
        now and now.server.session_id_context is UNSET and now.server.verify in {Verify.OPTIONAL, Verify.REQUIRED}
    )
    weight = _weight(
        shown=abort.code(Role.SERVER, SESSION_ID_CONTEXT_UNINITIALIZED),
        fits=knobs and abort.by(Role.SERVER, INTERNAL_ERROR),
    )
    if weight is None:
        return None
    knob = (f"knob: the server has verify={now.server.verify} and no session_id_context",) if now and knobs else ()
    return Candidate(
        weight,
        Reason.SESSION_ID_CONTEXT_UNSET,
        "the server verifies its clients but has no session id context, so every resumption is fatal",
        (*abort.seen, *knob),
        "call SSL_CTX_set_session_id_context at the server",
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
            *(["knob: the server's extended_master_secret is off"] if at_server else []),
            *abort.seen,
        ),
        "enable extended master secret at both ends, or discard the session",
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
    missed = abort.by(Role.SERVER, MISSING_EXTENSION) if bad is None else bad and abort.by(Role.SERVER, *MISSES)
    unasked = (
        abort.by(Role.CLIENT, UNSUPPORTED_EXTENSION) and abort.code(Role.CLIENT, UNSOLICITED_EXTENSION) is not False
    )
    fits = differs and (missed or unasked or (reported == (None, None) and _illegal(abort)))
    if True not in reported and not fits:
        return None
    return Candidate(
        Weight.SHOWN if True in reported else Weight.FITS,
        Reason.MAX_FRAGMENT_LENGTH_CHANGED,
        f"the session has {_length(offered)}, but the client requests {_length(asked)}",
        (f"session: max_fragment_length_mode {offered}", f"wire: max_fragment_length {asked or 'absent'}", *abort.seen),
        "request the session's maximum fragment length, or discard the session",
        "RFC 6066, 4; tls_parse_ctos_maxfragmentlen, tls_parse_stoc_maxfragmentlen, final_maxfragmentlen",
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
