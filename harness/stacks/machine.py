"""Every stack that this machine has, on its own builds and on fetched ones; which one a user means, or why none."""

from __future__ import annotations

from fnmatch import fnmatchcase
from importlib import import_module
from typing import TYPE_CHECKING, cast

from harness.builds.providers.prefix import measured_prefix
from harness.builds.store import BuildStore
from harness.builds.system import Missing, build_for
from harness.builds.versions import matching, means_all, nearest, newest_first
from harness.model.errors import NoBuildError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from harness.model.build import Build
    from harness.runtime.runtime import Runtime
    from harness.stacks.base import Stack

STACKS = {
    "openssl": ("harness.stacks.openssl", "OpensslStack"),
    "libssl": ("harness.stacks.libssl", "LibsslStack"),
    "pyopenssl": ("harness.stacks.pyopenssl", "PyopensslStack"),
    "ssl": ("harness.stacks.ssl_", "SslStack"),
}
"""Each stack's module and class; a module is loaded when its stack is used, as it may load a TLS library's package."""


SHOWN = 8
"""How many fetched builds an error names."""


class Machine:
    """The stacks of this machine for one process of the harness.

    Its own are those on the builds that it has without fetching any, one a stack, and those on the builds of
    ``prefixes``.
    """

    def __init__(self, runtime: Runtime, prefixes: Sequence[Path] = (), store: BuildStore | None = None) -> None:
        self._prefixed = [(name, build) for prefix in prefixes for name, build in measured_prefix(prefix).items()]
        self._runtime = runtime
        self._stock = store or BuildStore()
        self._found: dict[str, Build | Missing] = {}
        self._own: dict[str, tuple[Stack, ...]] = {}
        self._on_fetched: tuple[Stack, ...] = ()

    @property
    def missing(self) -> tuple[Missing, ...]:
        """Why a stack has no build of the machine's own, for each that has none."""
        return tuple(found for name in STACKS if isinstance(found := self._build_for(name), Missing))

    @property
    def own(self) -> tuple[Stack, ...]:
        """The stacks on the machine's own builds, then those on further ones of prefixes."""
        groups = [self._own_of(name) for name in STACKS]
        return tuple([stack for group in groups for stack in group[:1]] + [s for group in groups for s in group[1:]])

    @property
    def stacks(self) -> tuple[Stack, ...]:
        """Those of ``own``, and those on fetched builds that were used."""
        return (*self.own, *self._on_fetched)

    def _build_for(self, name: str) -> Build | Missing:
        """The machine's own build: looked for once, and only if it is asked for, as that takes a process or two."""
        if name not in self._found:
            self._found[name] = build_for(name)
        return self._found[name]

    def _own_of(self, name: str) -> tuple[Stack, ...]:
        if name not in self._own:
            own = self._build_for(name)
            builds = [build for build in (own,) if not isinstance(build, Missing)]
            builds += [build for stack, build in self._prefixed if stack == name]
            unique = {build.version: build for build in builds}  # a prefix before what has its version
            self._own[name] = tuple(self._make(name, build, self._runtime) for build in unique.values())
        return self._own[name]

    @staticmethod
    def _make(name: str, build: Build, runtime: Runtime) -> Stack:
        module, class_name = STACKS[name]
        make = cast("Callable[[Build, Runtime], Stack]", getattr(import_module(module), class_name))
        return make(build, runtime)

    def fetched(self, name: str) -> dict[str, Build]:
        """The builds in the cache that serve a stack, by version."""
        return self._stock.serving(name)

    def fetchable(self, name: str) -> list[str]:
        """The versions that could be fetched for a stack."""
        return self._stock.fetchable(name)

    def select(self, pattern: str) -> tuple[Stack, ...]:
        """The stacks that ``openssl``, ``lib*``, ``libssl@1.1.1w``, ``openssl@3.5`` or ``libssl@3.*`` means.

        Without a build, those of the machine's own; with one, fetched builds too: all that a glob matches, else the
        newest. UsageError lists what there is if there is none, and says what could be fetched. BuildError if a fetched
        build is damaged.
        """
        if "@" not in pattern:
            own = self._own_of(pattern) if pattern in STACKS else self.own
            chosen = tuple(s for s in own if fnmatchcase(s.name, pattern) or fnmatchcase(s.label, pattern))
        else:
            glob, _, wanted = pattern.partition("@")
            names = [name for name in STACKS if fnmatchcase(name, glob)]
            chosen = tuple(stack for name in names for stack in self._on_builds(name, wanted))
        if not chosen:
            known = any(fnmatchcase(name, pattern.partition("@")[0]) for name in STACKS)
            raise (NoBuildError if known else UsageError)(self._none(pattern))
        return chosen

    def _on_builds(self, name: str, wanted: str) -> list[Stack]:
        used = (*self._own_of(name), *self._on_fetched)
        present = {stack.build.version: stack for stack in used if stack.name == name}
        fetched = self.fetched(name)
        versions = matching(wanted, [*present, *fetched])
        chosen = versions if means_all(wanted) else versions[:1]
        for version in chosen:
            if version not in present:
                present[version] = self._make(name, self._stock.verified(name, version), self._runtime)
                self._on_fetched = (*self._on_fetched, present[version])
        return [present[version] for version in chosen]

    def _none(self, pattern: str) -> str:
        glob, _, wanted = pattern.partition("@")
        names = [name for name in STACKS if fnmatchcase(name, glob)]
        labels = [stack.label for stack in self.own]
        fetched = [f"{name}@{version}" for name in names or STACKS for version in self.fetched(name)]
        text = f"no stack matches {pattern!r}; this machine has: {', '.join(labels) or 'none'}"
        if fetched:
            text += f", and fetched {', '.join(fetched[:SHOWN])}{' …' if len(fetched) > SHOWN else ''}"
            text += " (`resumption builds` lists all)"
        text += "".join(f"\n{m.stack} is missing: {m.reason}" for m in self.missing)
        text += "".join(f"\n{key} is damaged: {why}" for key, why in self._stock.damaged().items())
        return text + (self._advice(names, wanted) if names and wanted else "")

    def _advice(self, names: Iterable[str], wanted: str) -> str:
        known = newest_first(version for name in names for version in self.fetchable(name))
        could = matching(wanted, known)
        if could:
            what = f"'{wanted}'" if means_all(wanted) else wanted
            return f"\n{', '.join(could)} can be fetched: resumption builds fetch {what}"
        return f"\nnone can be fetched; the nearest are {', '.join(nearest(wanted, known))}" if known else ""

    def one(self, pattern: str) -> Stack:
        """The one stack that a glob means; UsageError if it means several."""
        found = self.select(pattern)
        if len(found) > 1:
            raise UsageError(f"{pattern!r} means {', '.join(s.label for s in found)}; name one of them")
        return found[0]

    def close(self) -> None:
        """End the processes that the stacks kept."""
        for stack in [*(stack for group in self._own.values() for stack in group), *self._on_fetched]:
            stack.close()
