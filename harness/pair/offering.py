"""Offers a session that the client may be unable to read, and explains why it was not offered."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.explain import reasons
from harness.explain.unread import explain_unread
from harness.model.errors import EndpointError

if TYPE_CHECKING:
    from harness.model.reason import Reason
    from harness.model.session import Session
    from harness.pair.pair import Pair


def reasons_offered(pair: Pair, session: Session) -> tuple[Reason, ...]:
    """Offer it in a new connection; return the reasons for the outcome, empty if it resumed without a caveat.

    A client that cannot read it may end before it connects, so that there is no connection; this pair can then connect
    no more. EndpointError if it ended so for another reason.
    """
    connection = pair.try_offer(session)
    if not isinstance(connection, EndpointError):
        return reasons(pair, connection)
    explanation = explain_unread(connection, session)
    if explanation is None:
        raise connection
    return explanation.reasons
