"""A session as a JSON object: every field by its name, null where it is unknown; no key material."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from harness.model.session import SESSION_FIELDS
from harness.wire.session.json_fields import to_fields

if TYPE_CHECKING:
    from harness.model.session import Session
    from harness.report.json.case_shape import SessionObject


def session_json(session: Session) -> SessionObject:
    """Who took it from whom, then every field: bytes as lower-case hex, a version as ``1.2`` or ``1.3``."""
    known = to_fields(session)
    fields = {name: known.get(name) for name in SESSION_FIELDS}
    return cast("SessionObject", {"taken_by": session.taken_by, "taken_from": session.taken_from, **fields})
