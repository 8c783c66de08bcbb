"""The reply to a verb as a result, and the fields of a request as JSON; the table of verbs says which there are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.model.connection import Counters
from harness.stacks.agent.session_objects import read_session

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from harness.agent.verbs import Verb
    from harness.stacks.agent.agent_process import AgentProcess

READ: Mapping[str, Callable[[Any, AgentProcess], Any]] = {
    "counters": lambda counters, _process: Counters(**counters),
    "session": lambda session, process: None if session is None else read_session(session, process),
    "sessions": lambda sessions, process: tuple(read_session(session, process) for session in sessions),
}
"""The members of replies that are more than JSON."""


def result(verb: Verb, reply: Mapping[str, Any], process: AgentProcess) -> Any:
    """What the one member of a reply says; True where the verb has none. KeyError or TypeError for another reply."""
    for member in verb.result:
        value = reply[member]
        return READ[member](value, process) if member in READ else value
    return True


def no_result(verb: Verb) -> Any:
    """What a verb gives that the library refused: no session, or False where its reply has no member."""
    if not verb.result:
        return False
    return () if "sessions" in verb.result else None


def as_json(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a request; bytes are hexadecimal digits."""
    return {name: value.hex() if isinstance(value, bytes) else value for name, value in fields.items()}
