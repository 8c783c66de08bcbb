"""Reads a story from a file; errors say what is wrong, where, and what is allowed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import msgspec

from harness.model.errors import UsageError, did_you_mean, given_bytes
from harness.model.tls import TLSVersion
from harness.story.plan import Plan
from harness.story.steps import KINDS
from harness.story.story import VERSION, Story

if TYPE_CHECKING:
    from pathlib import Path

    from harness.story.step import Step

LONGEST = 10 << 20
"""Bytes of a file; a story of 10,000 steps has a twentieth of it."""
PAGE = "docs/stories.md has every step and field"


def read_story(path: Path) -> Story:
    """Read a file; UsageError if it cannot be read or is not a story that fits."""
    data = given_bytes(path, str(path), "name a file of --story-out", LONGEST)
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is not text: {error.reason} at byte {error.start}; {PAGE}") from error
    return story_of_text(text, str(path))


def story_of_text(text: str, where: str) -> Story:
    """Read the text of a file; ``where`` is its name in errors."""
    try:
        value = json.loads(text, parse_constant=_no_number)
    except json.JSONDecodeError as error:
        raise UsageError(
            f"{where} is not JSON: {error.msg} at line {error.lineno}, column {error.colno}; {PAGE}"
        ) from error
    except (RecursionError, ValueError) as error:
        raise UsageError(f"{where} is not JSON of a story: {error}; {PAGE}") from error
    return story_of_json(value, where)


def _no_number(constant: str) -> None:
    raise ValueError(f"{constant} is not a number of JSON")


def story_of_json(value: Any, where: str) -> Story:
    """Read JSON values; UsageError names the step or the field that is wrong."""
    _right_version(value, where)
    steps = value.get("steps")
    if not isinstance(steps, list):
        raise UsageError(f"{where}: `steps` must be an array of objects such as {{'do': 'connect'}}; {PAGE}")
    made = tuple(_step(step, f"{where}: step {number}") for number, step in enumerate(steps, 1))
    if value.get("tls", TLSVersion.TLSv1_3) not in list(TLSVersion):
        raise UsageError(f"{where}: `tls` is {value['tls']!r}; it must be one of {', '.join(TLSVersion)}; {PAGE}")
    try:
        story = msgspec.convert({**value, "steps": []}, Story)
    except (msgspec.ValidationError, RecursionError) as error:
        raise UsageError(f"{where}: {error}; the fields are {', '.join(Story.__struct_fields__)}; {PAGE}") from error
    story = msgspec.structs.replace(story, steps=made)
    try:
        Plan.of(story)
    except UsageError as error:
        raise UsageError(f"{where}: {error}") from error
    return story


def _right_version(value: Any, where: str) -> None:
    if not isinstance(value, dict):
        raise UsageError(f"{where} holds no object, so it is not a story; {PAGE}")
    if "story" not in value:
        other = "it is the JSON of a case or of a run" if "schema" in value else "it is another JSON"
        raise UsageError(f"{where} has no `story`, so it is not a story: {other}; --story-out writes one; {PAGE}")
    version = value["story"]
    if type(version) is not int or version < 1:
        raise UsageError(f"{where}: `story` is the version of the format, {VERSION}, and not {version!r:.60}")
    if version > VERSION:
        raise UsageError(
            f"{where} is a story of version {version}, and this harness reads version {VERSION}; "
            "use the harness that wrote it, or a later one"
        )


def _step(value: Any, where: str) -> Step:
    if not isinstance(value, dict) or not isinstance(value.get("do"), str):
        raise UsageError(f"{where} must be an object whose `do` is one of {', '.join(KINDS)}; {PAGE}")
    kind = KINDS.get(value["do"])
    if kind is None:
        hint = did_you_mean(value["do"], KINDS)
        raise UsageError(f"{where}: there is no step {value['do']!r:.60}{hint}; the steps are {', '.join(KINDS)}")
    try:
        return msgspec.convert(value, kind)
    except (msgspec.ValidationError, RecursionError) as error:
        has = ", ".join(kind.__struct_fields__) or "no field"
        raise UsageError(f"{where} ({value['do']}): {error}; it has {has}; {PAGE}") from error
