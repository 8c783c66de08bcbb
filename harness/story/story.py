"""The Story: TLS version, both ends and steps, with what is expected of it."""

# Without `from __future__ import annotations`: msgspec reads the annotations at run time.

import json
from collections.abc import Mapping
from functools import reduce
from operator import or_
from typing import Annotated, Any, Literal, overload

import msgspec
from msgspec import Meta, Struct, field

from harness.model.knobs import ClientConfig, Config, ServerConfig, parse_knob, show_knob
from harness.model.tls import Role, TLSVersion
from harness.story.step import Texts, plain
from harness.story.steps import KINDS

VERSION = 1
"""Raised when a field or a step changes its meaning or is removed, not when one is added."""
DIALECT = "https://json-schema.org/draft/2020-12/schema"


class End(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One end at the beginning."""

    stack: Annotated[str, Meta(description="`stack` or `stack@build`; empty if whoever runs the story names it")] = ""
    knobs: Annotated[Texts, Meta(description="its knobs by name, as a user types them")] = field(default_factory=dict)


class Story(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A whole case as data."""

    tls: Annotated[TLSVersion, Meta(description="the protocol version")]
    steps: Annotated[tuple[Any, ...], Meta(description="what is done, in order")]
    story: Annotated[int, Meta(description="the version of this format: 1")] = VERSION
    about: Annotated[str, Meta(description="where it comes from, for its reader")] = ""
    client: Annotated[End, Meta(description="the first client: its `stack`, or `stack@build`, and its `knobs`")] = End()
    server: Annotated[End, Meta(description="the first server, in the same way")] = End()
    expect: Annotated[tuple[str, ...], Meta(description="what must hold of its connections")] = ()
    gaps: Annotated[
        tuple[str, ...], Meta(description="what happened when it was recorded and no step can say; it cannot be run")
    ] = ()

    def end(self, role: Role) -> End:
        """Return the first client or server."""
        return self.client if role is Role.CLIENT else self.server

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values, without what has its default; version, ends and steps are always there."""
        found: dict[str, Any] = {"story": self.story, "about": self.about, "tls": self.tls.value}
        found |= {str(role): {k: v for k, v in msgspec.to_builtins(self.end(role)).items() if v} for role in Role}
        found |= {"steps": [plain(step) for step in self.steps], "expect": list(self.expect), "gaps": list(self.gaps)}
        return {name: value for name, value in found.items() if value or name not in {"about", "expect", "gaps"}}

    def text(self) -> str:
        """Return the file of it: JSON with one line for each step."""
        values = self.to_json()
        lines = [f" {json.dumps(name)}: {json.dumps(value)}" for name, value in values.items() if name != "steps"]
        steps = ",\n".join(f"  {json.dumps(step)}" for step in values["steps"])
        place = list(values).index("steps")
        lines.insert(place, f' "steps": [\n{steps}\n ]')
        return "{\n" + ",\n".join(lines) + "\n}\n"


@overload
def config_of(role: Literal[Role.CLIENT], knobs: Mapping[str, str]) -> ClientConfig: ...
@overload
def config_of(role: Literal[Role.SERVER], knobs: Mapping[str, str]) -> ServerConfig: ...
@overload
def config_of(role: Role, knobs: Mapping[str, str]) -> ClientConfig | ServerConfig: ...
def config_of(role: Role, knobs: Mapping[str, str]) -> ClientConfig | ServerConfig:
    """Return the knobs as a configuration; UsageError for an unknown knob or a value that is not allowed."""
    return (ClientConfig if role is Role.CLIENT else ServerConfig)(**values_of(role, knobs))


def values_of(role: Role, knobs: Mapping[str, str]) -> dict[str, Any]:
    """Return the values of knobs that a user typed; UsageError for an unknown knob or a value that is not allowed."""
    return {name: parse_knob(role, name, text) for name, text in knobs.items()}


def texts_of(knobs: Mapping[str, Any] | Config) -> Texts:
    """Return knobs as a user types them."""
    return {name: show_knob(value) for name, value in (knobs.given() if isinstance(knobs, Config) else knobs).items()}


def story_schema() -> dict[str, Any]:
    """Return the JSON Schema of a story (draft 2020-12)."""
    steps: Any = reduce(or_, KINDS.values())
    (first, of_steps), parts = msgspec.json.schema_components([Story, steps], ref_template="#/$defs/{name}")
    story = parts.pop(str(first["$ref"]).rpartition("/")[2])
    story["properties"]["steps"]["items"] = of_steps
    story["required"] = ["story", *story["required"]]
    whole = {"$schema": DIALECT, **story, "title": "A story of the resumption harness", "$defs": parts}
    schema: dict[str, Any] = json.loads(json.dumps(whole))
    return schema
