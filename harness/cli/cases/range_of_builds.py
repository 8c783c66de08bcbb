"""The builds between two versions, fetched when they are needed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.builds.store import BuildStore
from harness.builds.system import build_for
from harness.builds.versions import build_version, matching, nearest, newest_first
from harness.cli.fetching import owned
from harness.model.build import Build
from harness.model.errors import BuildError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence


class BuildRange:
    """Every version between a good and a bad one, in either order, that serves the stacks.

    ``good`` and ``bad`` are versions as users write them; UsageError if a version is unknown (it names the nearest
    ones), or if both are the same. With ``here``, only cached builds count.
    """

    def __init__(self, stacks: Sequence[str], good: str, bad: str, *, here: bool) -> None:
        self._stacks = stacks
        self._store = BuildStore()
        with owned():
            self._present = {stack: {*_own(stack), *self._store.serving(stack)} for stack in stacks}
        known = [self._present[s] | (set() if here else set(self._store.fetchable(s))) for s in stacks]
        common = newest_first(set.intersection(*known))
        first, last = (_meant(text, common, stacks) for text in (good, bad))
        if first == last:
            raise UsageError(f"--good {good} and --bad {bad} are both {first}; give two builds")
        low, high = sorted((first, last), key=build_version)
        between = [v for v in reversed(common) if build_version(low) <= build_version(v) <= build_version(high)]
        self.versions = between if first == low else between[::-1]

    def obtain(self, version: str, say: Callable[[str], None]) -> str:
        """Fetch the missing builds of a version; return why that failed, or an empty text."""
        for stack in self._stacks:
            if version in self._present[stack]:
                continue
            known = next(known for known in self._store.known if known.version == version and stack in known.stacks)
            try:
                with owned():
                    record = self._store.fetch(known, say)
            except BuildError as error:
                return f"not fetched: {error}"
            if record.version != version:
                return f"not fetched: {known.source} is now {record.version}"
        return ""


def _own(stack: str) -> list[str]:
    build = build_for(stack)
    return [build.version] if isinstance(build, Build) else []


def _meant(text: str, versions: Sequence[str], stacks: Iterable[str]) -> str:
    found = matching(text, versions)
    if not found:
        near = ", ".join(nearest(text, versions)) or "none"
        raise UsageError(f"no build {text!r} serves {' and '.join(stacks)}; the nearest are {near}")
    return found[0]
