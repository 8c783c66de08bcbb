"""The stacks of this machine, on its own builds and on fetched ones, and which of them a user's words select."""

from __future__ import annotations

from fnmatch import fnmatchcase
from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING, cast

from harness.builds.libraries import foreign_libraries
from harness.builds.programs import in_group
from harness.builds.system import Missing, build_for
from harness.builds.versions import matching, means_all, nearest, newest_first
from harness.model.build import Build
from harness.model.errors import EndpointError, NoBuildError, UsageError, did_you_mean
from harness.stacks.absent import AbsentStack
from harness.stacks.foreign import ForeignStack, ask_hello, build_of, commands, installed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from harness.builds.store import BuildStore
    from harness.runtime.runtime import Runtime
    from harness.stacks.agent.hello import Hello
    from harness.stacks.base import Stack
    from harness.stacks.foreign import Registration

STACKS = {
    "openssl": ("harness.stacks.openssl", "OpensslStack"),
    "libssl": ("harness.stacks.libssl", "LibsslStack"),
    "pyopenssl": ("harness.stacks.pyopenssl", "PyopensslStack"),
    "ssl": ("harness.stacks.ssl_", "SslStack"),
}
"""The module and the class of each stack; a module is loaded when its stack is first used."""

SHOWN = 8
"""How many fetched builds an error names."""


class Machine:
    """The stacks of this machine for one process of the harness.

    ``own`` stacks use the builds that are installed, one per stack, and the builds in ``prefixes``; last come the other
    libraries that were fetched, and the stacks that are registered by entry points, in a folder or by ``files``.
    """

    def __init__(
        self,
        runtime: Runtime,
        prefixes: Sequence[Path] = (),
        store: BuildStore | None = None,
        files: Sequence[Path] = (),
    ) -> None:
        self._runtime = runtime
        self._commands = commands(files, STACKS)
        self._hellos: dict[str, Hello] = {}
        with in_group(runtime.warden.group):
            self._prefixed = _prefixed(prefixes) if prefixes else []
        self._given_store = store
        self._found: dict[str, Build | Missing] = {}
        self._own: dict[str, tuple[Stack, ...]] = {}
        self._on_fetched: tuple[Stack, ...] = ()
        self._played: dict[str, tuple[Stack, ...]] = {}

    @cached_property
    def _others(self) -> dict[str, Registration | Missing]:
        """The stacks that are agents of others; what names a stack of the harness does not look for them."""
        return {**installed(STACKS), **self._commands}

    @property
    def _registered(self) -> dict[str, Registration]:
        return {name: one for name, one in self._others.items() if not isinstance(one, Missing)}

    @cached_property
    def _store(self) -> BuildStore:
        from harness.builds.store import BuildStore  # noqa: PLC0415 - the machine's own builds need no store

        return self._given_store or BuildStore()

    @property
    def missing(self) -> tuple[Missing, ...]:
        """The stacks without an installed build, each with the reason."""
        return tuple(found for name in self._names if isinstance(found := self._build_for(name), Missing))

    @property
    def _names(self) -> tuple[str, ...]:
        """The names of all stacks, registered ones last."""
        return (
            *STACKS,
            *self._registered,
            *(name for name in self._others if name not in {*STACKS, *self._registered}),
        )

    @property
    def unused(self) -> dict[str, str]:
        """Why runs do not use a library that the harness has an agent for, with what to do."""
        others = (one for one in foreign_libraries().values() if one.name not in self._registered)
        return {one.name: why for one in others if (why := one.why_not()) is not None}

    @property
    def others(self) -> frozenset[str]:
        """The names of the stacks of other libraries that come with the harness."""
        return frozenset(self._registered) & foreign_libraries().keys()

    @property
    def only_named(self) -> frozenset[str]:
        """Those of ``others`` that are in a run only where a scenario or a user names them."""
        return frozenset(name for name in self.others if foreign_libraries()[name].only_named)

    @property
    def own(self) -> tuple[Stack, ...]:
        """The stacks on installed builds, then further ones on the builds in prefixes."""
        groups = [self._own_of(name) for name in self._names if name not in self.only_named]
        return tuple([stack for group in groups for stack in group[:1]] + [s for group in groups for s in group[1:]])

    @property
    def stacks(self) -> tuple[Stack, ...]:
        """The ``own`` stacks, those that were named, and those on fetched builds that were used."""
        named = [stack for name in sorted(self.only_named & self._own.keys()) for stack in self._own[name]]
        return (*self.own, *named, *self._on_fetched)

    def _build_for(self, name: str) -> Build | Missing:
        """Return the installed build; it is looked up once, and only if needed: that takes a process or two."""
        if name not in self._found:
            self._found[name] = self._looked_up(name)
        return self._found[name]

    def _looked_up(self, name: str) -> Build | Missing:
        other = None if name in STACKS else self._others.get(name)
        if other is None:
            with in_group(self._runtime.warden.group):
                return build_for(name)
        return other if isinstance(other, Missing) else self._asked(other)

    def _asked(self, one: Registration) -> Build | Missing:
        """Return what a registered agent drives, by its ``hello``."""
        try:
            self._hellos[one.name] = ask_hello(one, self._runtime)
        except (EndpointError, OSError) as error:
            return Missing(one.name, f"its agent cannot be used: {error}")
        return build_of(one, self._hellos[one.name])

    def _own_of(self, name: str) -> tuple[Stack, ...]:
        if name not in self._own:
            own = self._build_for(name)
            builds = [build for build in (own,) if not isinstance(build, Missing)]
            builds += [build for stack, build in self._prefixed if stack == name]
            unique = {build.version: build for build in builds}  # for one version, a prefix replaces what is installed
            self._own[name] = tuple(self._make(name, build, self._runtime) for build in unique.values())
        return self._own[name]

    def _make(self, name: str, build: Build, runtime: Runtime) -> Stack:
        if name not in STACKS:
            return ForeignStack(self._registered[name], self._hellos[name], runtime)
        module, class_name = STACKS[name]
        make = cast("Callable[[Build, Runtime], Stack]", getattr(import_module(module), class_name))
        return make(build, runtime)

    def fetched(self, name: str) -> dict[str, Build]:
        """Return the cached builds for a stack, by version."""
        return self._store.serving(name)

    def fetchable(self, name: str) -> list[str]:
        """Return the versions that can be fetched for a stack."""
        return self._store.fetchable(name)

    def select(self, pattern: str) -> tuple[Stack, ...]:
        """Return the stacks that ``openssl``, ``lib*``, ``libssl@1.1.1w``, ``openssl@3.5`` or ``libssl@3.*`` selects.

        Without a build, only ``own`` stacks count. With one, cached builds count too: a glob selects every match,
        anything else the newest match. If nothing matches, UsageError lists the stacks and what can be fetched.
        BuildError if a fetched build is damaged.
        """
        if "@" not in pattern:
            own = self._own_of(pattern) if pattern in STACKS or pattern in self._names else self.own
            chosen = tuple(s for s in own if fnmatchcase(s.name, pattern) or fnmatchcase(s.label, pattern))
        else:
            glob, _, wanted = pattern.partition("@")
            own_or_all = (glob,) if glob in STACKS else self._names
            names = [name for name in own_or_all if fnmatchcase(name, glob) and self._compares(name, glob)]
            chosen = tuple(stack for name in names for stack in self._on_builds(name, wanted))
        if not chosen:
            known = any(fnmatchcase(name, pattern.partition("@")[0]) for name in (*self._names, *self.unused))
            raise (NoBuildError if known else UsageError)(self._none(pattern))
        return chosen

    def _compares(self, name: str, glob: str) -> bool:
        """Whether a version beside the glob is one of this stack: a glob means versions of OpenSSL."""
        build = None if name in STACKS else self._build_for(name)
        return glob == name or not isinstance(build, Build) or build.library.is_openssl

    def _on_builds(self, name: str, wanted: str) -> list[Stack]:
        used = (*self._own_of(name), *self._on_fetched)
        present = {stack.build.version: stack for stack in used if stack.name == name}
        fetched = self.fetched(name)
        versions = matching(wanted, [*present, *fetched])
        chosen = versions if means_all(wanted) else versions[:1]
        absent = [version for version in chosen if version not in present]
        verified = self._store.verified(name, absent) if absent else {}
        made = {version: self._make(name, build, self._runtime) for version, build in verified.items()}
        self._on_fetched += tuple(made.values())
        present |= made
        return [present[version] for version in chosen]

    def _none(self, pattern: str) -> str:
        glob, _, wanted = pattern.partition("@")
        names = [name for name in self._names if fnmatchcase(name, glob)]
        labels = [stack.label for stack in self.own]
        fetched = [f"{name}@{version}" for name in names or self._names for version in self.fetched(name)]
        hint = did_you_mean(glob, self._names)
        text = f"no stack matches {pattern!r}{hint}; this machine has: {', '.join(labels) or 'none'}"
        if fetched:
            text += f", and fetched {', '.join(fetched[:SHOWN])}{' …' if len(fetched) > SHOWN else ''}"
            text += " (`resumption builds` lists all)"
        text += "".join(f"\n{m.stack} is missing: {m.reason}" for m in self.missing)
        text += "".join(f"\n{name} is not used: {why}" for name, why in self.unused.items() if fnmatchcase(name, glob))
        text += "".join(f"\n{key} is damaged: {why}" for key, why in self._store.damaged().items())
        return text + (self._advice(names, wanted) if names and wanted else "")

    def _advice(self, names: Iterable[str], wanted: str) -> str:
        known = newest_first(version for name in names for version in self.fetchable(name))
        could = matching(wanted, known)
        if could:
            what = f"'{wanted}'" if means_all(wanted) else wanted
            return f"\n{', '.join(could)} can be fetched: resumption builds fetch {what}"
        return f"\nnone can be fetched; the nearest are {', '.join(nearest(wanted, known))}" if known else ""

    def played(self, name: str) -> tuple[Stack, ...]:
        """Return the stack that a scenario names for an end; an AbsentStack, with the reason, if it is not here."""
        if name not in self._played:
            self._played[name] = self._found_or_absent(name)
        return self._played[name]

    def _found_or_absent(self, name: str) -> tuple[Stack, ...]:
        try:
            return self.select(name)
        except NoBuildError:
            missing = next((each.reason for each in self.missing if each.stack == name), None)
            return (AbsentStack(name, missing or self.unused.get(name) or "this machine does not have it"),)

    def one(self, pattern: str) -> Stack:
        """Return the only stack that a pattern selects; UsageError if it selects none or several."""
        found = self.select(pattern)
        if len(found) > 1:
            raise UsageError(f"{pattern!r} matches {', '.join(s.label for s in found)}; name one of them")
        return found[0]

    def close(self) -> None:
        """End the processes that the stacks keep for reuse."""
        for stack in [*(stack for group in self._own.values() for stack in group), *self._on_fetched]:
            stack.close()


def _prefixed(prefixes: Sequence[Path]) -> list[tuple[str, Build]]:
    """Return the builds in the prefixes with the stacks that they serve; BuildError if one is broken."""
    from harness.builds.providers.prefix import measured_prefix  # noqa: PLC0415 - only `--openssl` needs it

    return [(name, build) for prefix in prefixes for name, build in measured_prefix(prefix).items()]
