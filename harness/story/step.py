"""The base of every kind of step, and the sessions that a step can offer."""

# Without `from __future__ import annotations`: msgspec reads the annotations at run time.

import re
from enum import Enum
from typing import Annotated, Any, Literal, NoReturn, Protocol

from msgspec import NODEFAULT, Meta, Struct, field, structs, to_builtins

from harness.agent.vocabulary import Capability
from harness.model.tls import Close, Role, TLSVersion

FARTHEST = 1_000_000_000
"""Seconds, 31 years: a clock that is moved so far shows a time that every OpenSSL can represent."""
LATEST: Literal["latest"] = "latest"

Number = Annotated[int, Meta(ge=1, description="counted from 1")]
Seconds = Annotated[int, Meta(ge=-FARTHEST, le=FARTHEST, description="seconds")]
Texts = dict[str, str]


def tag_of(name: str) -> str:
    """Return the word for a kind of step in JSON: ``new_server`` for NewServer."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


class Held(Enum):
    """What a client has of a session that it took on an open connection."""

    DATA = "data"
    OBJECT = "object"
    SSL = "ssl"
    SPENT = "spent"
    """An SSL that has connected again."""


class Following(Protocol):
    """What a step knows of the steps before it, and where it notes its own: see `harness.story.plan.Plan`."""

    @property
    def tls(self) -> TLSVersion:
        """The protocol version of the story."""
        ...

    def knobs(self, role: Role) -> Texts:
        """The knobs of the present client or server."""
        ...

    def misfit(self, why: str) -> NoReturn:
        """Raise the error of a step that does not fit."""

    def make(self, role: Role, knobs: Texts, stack: str | None) -> None:
        """Go over to a new context."""

    def use(self, role: Role, number: int) -> None:
        """Go back to an earlier context."""

    def need(self, role: Role, capability: Capability, number: int | None = None) -> None:
        """Note that the step needs this of an end."""

    def clocks(self, *roles: Role, number: int | None = None, optional: bool = False) -> None:
        """Note that the step moves the clocks of these ends."""

    def open(self, offer: "Offer | None", *, thread: bool = False) -> int:
        """Open a connection that offers a session; return its number."""
        ...

    def opened(self, number: int | None) -> int:
        """Return the open connection that is meant."""
        ...

    def closed(self, number: int, *, or_taken: bool = False) -> None:
        """Check that a connection is over, or that its session was taken."""

    def take(self, number: int, held: "Held" = Held.DATA) -> None:
        """Take a session on an open connection."""

    def close(self, number: int, how: Close) -> None:
        """Close a connection."""


class Step(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="do", tag=tag_of):
    """One thing that is done. A further kind is a class here and its function in `harness.case.tell`."""

    def plan(self, plan: "Following") -> None:
        """Note what the step needs and changes; MisfitError if it cannot follow the steps before it."""
        raise NotImplementedError

    @property
    def kind(self) -> str:
        """The word for it in JSON."""
        return tag_of(type(self).__name__)


class Offer(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A session of an earlier connection, which a connection offers."""

    connection: Annotated[
        Number | Literal["latest"],
        Meta(description="the connection that yielded it; `latest` is the last one that yielded a session"),
    ] = LATEST
    ticket: Annotated[
        Number | None, Meta(description="which of the connection's tickets, from 1; null for its last session")
    ] = None
    taken: Annotated[
        Number | None,
        Meta(description="which of the sessions that `session` and `keep` took on the open connection, from 1"),
    ] = None
    older: Annotated[
        int, Meta(ge=-FARTHEST, le=FARTHEST, description="seconds by which this copy is made older, younger if < 0")
    ] = 0
    timeout: Annotated[int | None, Meta(description="seconds to write as its timeout; null leaves it")] = None
    edit: Annotated[Texts, Meta(description="fields of this copy that are changed, each with its value as text")] = (
        field(default_factory=dict)
    )
    session: Annotated[
        str | None,
        Meta(description="instead of a connection's, a session from elsewhere: its DER in Base64, with secrets"),
    ] = None


def plain(step: Step) -> dict[str, Any]:
    """Return the step as JSON values, with its kind first and without what has its default."""
    found: dict[str, Any] = {"do": step.kind}
    for each in structs.fields(step):
        value, default = getattr(step, each.name), {} if each.default is NODEFAULT else each.default
        if isinstance(value, Offer):
            found[each.name] = (
                to_builtins(value) if value.session else {"connection": value.connection} | to_builtins(value)
            )
        elif each.required or value != default:
            found[each.name] = to_builtins(value)
    return found
