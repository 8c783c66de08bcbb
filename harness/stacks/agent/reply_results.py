"""Turns the reply to a verb into a result, and the fields of a request into JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.model.connection import Counters
from harness.stacks.agent.agent_report import callback_calls
from harness.stacks.agent.session_objects import read_session

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from harness.agent.verbs import Verb
    from harness.stacks.agent.agent_process import AgentProcess

READ: Mapping[str, Callable[[Any, AgentProcess], Any]] = {
    "counters": lambda counters, _process: Counters(**counters),
    "callback_calls": lambda calls, _process: None if calls is None else callback_calls(calls),
    "session": lambda session, process: None if session is None else read_session(session, process),
    "sessions": lambda sessions, process: tuple(read_session(session, process) for session in sessions),
}
"""How to read the members of replies that are more than JSON values."""


def result(verb: Verb, reply: Mapping[str, Any], process: AgentProcess) -> Any:
    """Return the one member of a reply, or True if the verb has none; KeyError or TypeError if it is malformed."""
    for member in verb.result:
        value = reply[member]
        return READ[member](value, process) if member in READ else value
    return True


def no_result(verb: Verb) -> Any:
    """Return the result of a verb that the library refused: no session, or False if its reply has no member."""
    if not verb.result:
        return False
    return () if "sessions" in verb.result else None


def as_json(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a request as JSON values, with bytes in hexadecimal."""
    return {name: value.hex() if isinstance(value, bytes) else value for name, value in fields.items()}
