"""Why a handshake was aborted: by what an offered session demands, or by an alert that is told with its place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.explain import demands
from harness.explain.candidate import choose
from harness.explain.demands import Abort
from harness.explain.offer import Offer
from harness.explain.place import errors, place
from harness.explain.words import suite_name
from harness.model.reason import Finding, Reason
from harness.model.tls import Role, TLSVersion

if TYPE_CHECKING:
    from harness.explain.evidence import Evidence

REQUIRED_CIPHER_MISSING = 215
"""SSL_R_REQUIRED_CIPHER_MISSING of openssl/sslerr.h."""
SIGNALS = {0x00FF, 0x5600}
"""Cipher suite values that are no suites (RFC 5746, 3.3; RFC 7507)."""


def findings(evidence: Evidence) -> tuple[Finding, ...]:
    """The reasons, the most likely first; never empty."""
    abort = Abort(evidence, Offer(evidence))
    if evidence.connection.blocked:
        return (_blocked(evidence),)
    finders = (
        demands.context_unset,
        demands.extended_master_secret_dropped,
        demands.max_fragment_length,
        demands.binder,
    )
    offered = evidence.connection.was_offered
    found = choose(find(abort) for find in finders) if offered else ()
    return found or ((_alert(abort),) if evidence.alert else (_unknown(evidence),))


def _alert(abort: Abort) -> Finding:
    evidence, alert = abort.evidence, abort.evidence.alert
    title = f"{alert}, {place(evidence)}"
    remedy = "see the alert's meaning in RFC 8446, section 6.2, and the error queues"
    source = "RFC 8446, 6.2"
    facts = abort.seen
    hello = abort.offer.hello
    if abort.code(Role.SERVER, REQUIRED_CIPHER_MISSING) and hello is not None:
        title += f": the session's {suite_name(abort.offer.cipher)} is not among the ciphers that the client offers"
        remedy = "let the client enable the session's cipher, or forget the session"
        source = "RFC 5246, 7.4.1.2; tls_early_post_process_client_hello, SSL_R_REQUIRED_CIPHER_MISSING"
        offers = ", ".join(suite_name(suite) for suite in hello.cipher_suites if suite not in SIGNALS)
        facts = (*facts, f"wire: the ClientHello offers {offers}")
    elif evidence.connection.was_offered and abort.offer.version is TLSVersion.TLSv1_2 and "der" in evidence.edits:
        facts = (*facts, "session: its secret is not the one that was issued")
    return Finding(Reason.ALERT, title, facts, remedy, source)


def _blocked(evidence: Evidence) -> Finding:
    return Finding(
        Reason.BLOCKED,
        "a middlebox between both ends ended the connection",
        (f"middlebox: {evidence.connection.blocked}",),
        "use middlebox compatibility mode (SSL_OP_ENABLE_MIDDLEBOX_COMPAT)",
        "RFC 8446, D.4",
    )


def _unknown(evidence: Evidence) -> Finding:
    connection = evidence.connection
    facts = (
        *(f"{view.witness}: {line}" for view in connection.views for line in view.evidence),
        *errors(evidence),
        f"circumstances: closed by {connection.close}",
    )
    return Finding(
        Reason.ABORTED_UNKNOWN,
        f"the handshake ended without an alert, {place(evidence)}",
        facts,
        "look at what ended the TCP connection",
    )
