"""Reads from the environment which shard of the cells this run gets from a scheduler."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.model.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    Environment = Mapping[str, str]


MOST = 100_000
"""Shards of a run: more than there are cells."""
LONGEST = 80
"""Characters of a number, or of NUMBER/COUNT."""


@dataclass(frozen=True, slots=True)
class Shard:
    """One of ``count`` shards; ``number`` starts at 1."""

    number: int
    count: int
    source: str
    """The environment variables it was read from."""

    def __post_init__(self) -> None:
        if self.count > MOST:
            raise UsageError(f"{self.source} ask for {self.count} shards; a run has at most {MOST}")
        if not 1 <= self.number <= self.count:
            there = f"there are only shards 1 to {self.count}" if self.count else "there is at least one"
            raise UsageError(f"{self.source} ask for shard {self.number} of {self.count}; {there}")

    @property
    def arguments(self) -> list[str]:
        """Return the arguments for pytest-split."""
        return [f"--splits={self.count}", f"--group={self.number}"]


def named_shard(environment: Environment, arguments: Sequence[str]) -> Shard | None:
    """Return the shard that the environment names; None for no shard, for 1/1, or if the arguments choose a group.

    UsageError for invalid variables.
    """
    if any(argument.partition("=")[0] in {"--splits", "--group"} for argument in arguments):
        return None
    readers = (_own, _gitlab, _slurm, _kubernetes)
    shard = next((shard for read in readers if (shard := read(environment)) is not None), None)
    return None if shard is None or shard.count == 1 else shard


def _own(environment: Environment) -> Shard | None:
    text = environment.get("RESUMPTION_SHARD")
    if not text:
        return None
    found = re.fullmatch(r"([1-9]\d*)/([1-9]\d*)", text, re.ASCII)
    if not found or len(text) > LONGEST or int(found[1]) > int(found[2]):
        raise UsageError(
            f"RESUMPTION_SHARD cannot be {text!r:.80}; give NUMBER/COUNT, such as 1/3, 2/3 and 3/3 on three machines"
        )
    return Shard(int(found[1]), int(found[2]), "RESUMPTION_SHARD")


def _gitlab(environment: Environment) -> Shard | None:
    """GitLab sets CI_NODE_INDEX only if the job uses `parallel`, CI_NODE_TOTAL always: to 1 if it does not."""
    if not environment.get("CI_NODE_INDEX") and environment.get("CI_NODE_TOTAL", "1") in {"", "1"}:
        return None
    number, count = _number(environment, "CI_NODE_INDEX"), _number(environment, "CI_NODE_TOTAL")
    return Shard(number, count, "CI_NODE_INDEX and CI_NODE_TOTAL")


def _slurm(environment: Environment) -> Shard | None:
    if not environment.get("SLURM_ARRAY_TASK_ID"):
        return None
    task, first = _number(environment, "SLURM_ARRAY_TASK_ID"), _number(environment, "SLURM_ARRAY_TASK_MIN")
    count = _number(environment, "SLURM_ARRAY_TASK_COUNT")
    step = _number({"SLURM_ARRAY_TASK_STEP": "1", **environment}, "SLURM_ARRAY_TASK_STEP") or 1
    return Shard((task - first) // step + 1, count, "SLURM_ARRAY_TASK_ID, _MIN and _COUNT")


def _kubernetes(environment: Environment) -> Shard | None:
    """Kubernetes gives an indexed job the index of its pod, but not the number of pods."""
    if not environment.get("RESUMPTION_SHARDS"):
        return None  # `unsharded` says so, if there is an index
    number, count = _number(environment, "JOB_COMPLETION_INDEX") + 1, _number(environment, "RESUMPTION_SHARDS")
    return Shard(number, count, "JOB_COMPLETION_INDEX and RESUMPTION_SHARDS")


def unsharded(environment: Environment, shard: Shard | None) -> str:
    """Return what to say of a pod of an indexed job that runs all cells; empty for any other run."""
    if shard or "RESUMPTION_SHARD" in environment or "RESUMPTION_SHARDS" in environment:
        return ""
    if not environment.get("JOB_COMPLETION_INDEX"):
        return ""
    return "all cells, although JOB_COMPLETION_INDEX is set: RESUMPTION_SHARDS=N makes each of N pods run a shard"


def _number(environment: Environment, name: str) -> int:
    text = environment.get(name)
    if not text:
        raise UsageError(
            f"{name} is not set, but other variables of the same scheduler are; set it, or name the shard with "
            f"RESUMPTION_SHARD=1/3 (1/1 runs all cells)"
        )
    if not re.fullmatch(r"\d+", text, re.ASCII) or len(text) > LONGEST:
        raise UsageError(
            f"{name} cannot be {text!r:.80}; it must be a whole number, or name the shard with RESUMPTION_SHARD=1/3"
        )
    return int(text)
