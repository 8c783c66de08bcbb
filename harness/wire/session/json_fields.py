"""A session as JSON fields, for stacks without its DER: what the stack reports; the rest is unknown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.model.session import SESSION_FIELDS, Session
from harness.model.tls import TLSVersion

if TYPE_CHECKING:
    from collections.abc import Mapping


def from_fields(fields: Mapping[str, object], handle: object, *, taken_by: str = "", taken_from: str = "") -> Session:
    """A session whose known fields are those of the mapping, by their names in ``Session``.

    Values are as JSON carries them: bytes as hex, a version as ``1.2``, which implies the protocol; None
    is unknown. ``handle`` is what the stack offers the session by. ValueError names a field that does not exist, or
    whose value is of a wrong type.
    """
    known = {name: _value(name, value) for name, value in fields.items() if value is not None}
    version = known.get("version")
    if isinstance(version, TLSVersion):
        known.setdefault("protocol", version.label)
    return Session({name: known[name] for name in SESSION_FIELDS if name in known}, None, taken_by, taken_from, handle)


def to_fields(session: Session) -> dict[str, object]:
    """Every known field as JSON carries it: bytes as hex, a version as ``1.2``."""
    return {
        name: value.hex() if isinstance(value, bytes) else str(value) if isinstance(value, TLSVersion) else value
        for name, value in session.known.items()
    }


def _value(name: str, value: object) -> object:
    if name not in SESSION_FIELDS:
        raise ValueError(f"no field {name!r} in a session; its fields are: {', '.join(SESSION_FIELDS)}")
    kind = getattr(Session, name).kind
    try:
        if kind is bytes and isinstance(value, str):
            return bytes.fromhex(value)
        if kind is TLSVersion and isinstance(value, str):
            return TLSVersion(value)
    except ValueError as error:
        raise ValueError(f"{name} of a session cannot be {value!r}: {error}") from error
    if type(value) is not kind:
        raise ValueError(f"{name} of a session cannot be {value!r}; it is of type {kind.__name__}")
    return value
