"""Converts sessions between the harness and an agent, in both directions."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from harness.model.errors import UnsupportedError
from harness.model.session import Session
from harness.wire.session.codec import decode
from harness.wire.session.json_fields import from_fields

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.stacks.agent.agent_process import AgentProcess


@dataclass(frozen=True)
class Held:
    """A session object that an agent keeps under a name."""

    process: AgentProcess
    name: str | None
    opaque: str | None = None
    """The session in the library's own format, as hexadecimal digits, if it can export one that is not DER."""


@lru_cache(maxsize=64)
def _decoded(der: str, taken_by: str, resumable: bool | None) -> Session:  # noqa: FBT001 - a cache's key is positional
    return decode(bytes.fromhex(der), taken_by=taken_by, resumable=resumable)


def read_session(session: Mapping[str, Any], process: AgentProcess) -> Session:
    """Return the Session of a session object; equal DER is decoded once. ValueError if it is malformed."""
    name, opaque = session.get("handle"), session.get("opaque")
    held = name is not None or opaque is not None
    handle = Held(process, None if name is None else str(name), as_hex(opaque)) if held else None
    resumable = session.get("resumable")
    if session.get("der") is not None:
        found = _decoded(session["der"], process.name, resumable)
        return found if handle is None else Session(found.known, found.der, process.name, handle=handle)
    fields = {**session.get("fields", {}), "resumable": resumable}
    return from_fields(fields, handle, taken_by=process.name)


def as_hex(opaque: str | None) -> str | None:
    """The digits in one case; ValueError if they are not hexadecimal."""
    return None if opaque is None else bytes.fromhex(opaque).hex()


def _stack(process: AgentProcess) -> str:
    """The name of the stack, whose agents read each other's sessions whatever the version."""
    return process.name.partition("@")[0]


def offer_object(session: Session, process: AgentProcess, *, can_import: bool) -> dict[str, Any]:
    """Return the session object to offer: by the agent's own handle if it has one, otherwise by DER."""
    held = session.handle if isinstance(session.handle, Held) else None
    if held and held.opaque is not None and _stack(held.process) == _stack(process):
        return {"handle": None, "der": None, "opaque": held.opaque}
    if held and held.process is process:
        return {"handle": held.name, "der": None if session.der is None else session.der.hex()}
    if session.der is None:
        reason = "it was taken by another process, and the stack that took it cannot export it"
        raise UnsupportedError(process.name, "that session", reason)
    if not can_import:
        raise UnsupportedError(process.name, "session import", "it can offer only sessions that it took itself")
    return {"handle": None, "der": session.der.hex()}
