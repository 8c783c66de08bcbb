"""The builds that `diff` compares: which a user names, with which stacks, and where they come from."""

from __future__ import annotations

import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.builds.options import options
from harness.cli.runs.run import paths, scenarios
from harness.model.errors import UsageError
from harness.results.code import beside, content, running_code
from harness.results.run_cache import RunCache, Unit, digest, identity, run_cache
from harness.runtime.runtime import Runtime
from harness.stacks.foreign import NAME
from harness.stacks.machine import STACKS as BUILT_IN
from harness.stacks.machine import Machine

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.report.json.shapes import BuiltObject
    from harness.stacks.base import Stack

STACKS = ("libssl", "openssl")
"""The stacks that use the build directly, without another library around it."""
BUILD = re.compile(r"\d[\w.]*(?:-\w+)?|\w+@[\w.+-]+")
"""A version, or stack@version."""


def is_build(argument: str) -> bool:
    """Whether it is a version, stack@version or a stack's name, and not a path; pytest's arguments follow those."""
    named = argument in BUILT_IN or (NAME.fullmatch(argument) and not Path(argument).exists())
    return bool(named or BUILD.fullmatch(argument))


@dataclass(frozen=True)
class BuildEnds:
    """A build with its stacks, where it comes from, and with which options it was made."""

    labels: tuple[str, ...]
    """``stack@build`` for each stack."""
    identities: tuple[str, ...]
    """What each stack's build consists of, wherever its files are."""
    origin: str
    options: tuple[str, ...] | None
    """None if they are unknown."""

    @classmethod
    def of(cls, stacks: Sequence[Stack]) -> BuildEnds:
        """Return what is known of the build of some stacks."""
        labels, builds = tuple(stack.label for stack in stacks), [stack.build for stack in stacks]
        made = options(next((build for build in builds if build.libssl), builds[0]))
        return cls(labels, tuple(map(identity, builds)), builds[0].origin, made)

    def with_servers(self, servers: BuildEnds) -> Unit:
        """Return the unit of results of its stacks as clients of others, or of its own, as servers."""
        ends = (self, servers)
        key = digest([part for end in ends for part in (*end.labels, *end.identities)])
        return Unit(key, self.labels, servers.labels)

    def meeting(self, other: BuildEnds) -> Unit:
        """Return the unit of results of the cells in which its stacks and those of another build meet."""
        labels = (*self.labels, *other.labels)
        return Unit(digest(["across", *labels, *self.identities, *other.identities]), labels, labels)

    @property
    def version(self) -> str:
        """The version of the build."""
        return self.labels[0].partition("@")[2]

    def __str__(self) -> str:
        made = "options unknown" if self.options is None else f"with {', '.join(self.options) or 'no option'}"
        return f"{', '.join(self.labels)}: {self.origin}, {made}"

    def to_json(self) -> BuiltObject:
        """Return it as JSON."""
        return {
            "labels": list(self.labels),
            "origin": self.origin,
            "options": None if self.options is None else list(self.options),
        }


def ends_of(names: Sequence[str]) -> list[BuildEnds]:
    """Return each named build with the stacks that all of them have; UsageError if no stack has all builds."""
    with Runtime() as runtime:
        machine = Machine(runtime)
        try:
            found = [endpoints(machine, name) for name in names]
        finally:
            machine.close()
    common = [stack for stack in found[0] if all(stack in ends for ends in found)]
    if not common:
        had = "; ".join(f"{name} has {', '.join(ends)}" for name, ends in zip(names, found, strict=True))
        raise UsageError(f"no stack has both builds: {had}; name builds that share a stack")
    return [BuildEnds.of([one[stack] for stack in common]) for one in found]


def ends_at(stacks: Sequence[str], versions: Sequence[str]) -> list[BuildEnds]:
    """Return the build of each version, with the same stacks."""
    with Runtime() as runtime:
        machine = Machine(runtime)
        try:
            found = [[machine.one(f"{stack}@{version}") for stack in stacks] for version in versions]
        finally:
            machine.close()
    return [BuildEnds.of(one) for one in found]


def cache_of(given: Sequence[str]) -> RunCache:
    """Return the kept results of this code and these scenarios, with these arguments of pytest.

    They are the same wherever the code, the scenarios and the builds are. A scenario of the harness that changes makes
    its own cells run again; a file of another project makes all cells run again.
    """
    own = Path(scenarios(Path.cwd())[-1])
    root, named = own.parent, [Path(path.partition("::")[0]).absolute() for path in paths(given)]
    files = {file for place in (named or [own]) for file in (place.rglob("*.py") if place.is_dir() else [place])}
    apart = not named or (root / "pyproject.toml").is_file()
    ours = {file for file in files if apart and file.is_relative_to(own) and file.is_file()}
    others = dict(each for file in sorted(files - ours) for each in beside(file))
    plain = [one.replace(f"{root}{os.sep}", "").replace(f"{Path.cwd()}{os.sep}", "") for one in given]
    code = [running_code(), sys.version, *plain, *(f"{name} {content(path)}" for name, path in sorted(others.items()))]
    by_name = {file.relative_to(root).as_posix(): content(file) for file in sorted(ours)}
    return RunCache(run_cache(), digest(code), by_name, lambda line: click.echo(f"note: {line}", err=True))


def endpoints(machine: Machine, build: str) -> dict[str, Stack]:
    """Return the stacks that BUILD selects, by name; UsageError lists the builds if it selects none."""
    if not build[:1].isdigit():
        one = machine.one(build)
        return {one.name: one}
    found, errors = {}, []
    for stack in STACKS:
        try:
            found[stack] = machine.one(f"{stack}@{build}")
        except UsageError as error:
            errors.append(error)
    if not found:
        raise errors[0]
    return found
