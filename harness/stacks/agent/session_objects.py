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
    name: str


@lru_cache(maxsize=64)
def _decoded(der: str, taken_by: str, resumable: bool | None) -> Session:  # noqa: FBT001 - a cache's key is positional
    return decode(bytes.fromhex(der), taken_by=taken_by, resumable=resumable)


def read_session(session: Mapping[str, Any], process: AgentProcess) -> Session:
    """Return the Session of a session object; equal DER is decoded once. ValueError if it is malformed."""
    handle = None if session.get("handle") is None else Held(process, str(session["handle"]))
    resumable = session.get("resumable")
    if session.get("der") is not None:
        found = _decoded(session["der"], process.name, resumable)
        return found if handle is None else Session(found.known, found.der, process.name, handle=handle)
    fields = {**session.get("fields", {}), "resumable": resumable}
    return from_fields(fields, handle, taken_by=process.name)


def offer_object(session: Session, process: AgentProcess, *, can_import: bool) -> dict[str, Any]:
    """Return the session object to offer: by the agent's own handle if it has one, otherwise by DER."""
    if isinstance(session.handle, Held) and session.handle.process is process:
        return {"handle": session.handle.name, "der": None if session.der is None else session.der.hex()}
    if session.der is None:
        reason = "it was taken by another process, and the stack that took it cannot export it"
        raise UnsupportedError(process.name, "that session", reason)
    if not can_import:
        raise UnsupportedError(process.name, "session import", "it can offer only sessions that it took itself")
    return {"handle": None, "der": session.der.hex()}
