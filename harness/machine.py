"""Every stack that this machine has, on its build; which one a user means by a glob, and why one is missing."""

from __future__ import annotations

from fnmatch import fnmatchcase
from importlib import import_module
from typing import TYPE_CHECKING, cast

from harness.builds.system import Missing, build_for
from harness.model.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.model.build import Build
    from harness.runtime import Runtime
    from harness.stacks.base import Stack

STACKS = {
    "openssl": ("harness.stacks.openssl", "OpensslStack"),
    "libssl": ("harness.stacks.libssl", "LibsslStack"),
    "pyopenssl": ("harness.stacks.pyopenssl", "PyopensslStack"),
    "ssl": ("harness.stacks.ssl_", "SslStack"),
}
"""Each stack's module and class; a module is loaded when its stack is used, as it may load a TLS library's package."""


class Machine:
    """The stacks of this machine for one process of the harness."""

    def __init__(self, runtime: Runtime) -> None:
        found = {name: build_for(name) for name in STACKS}
        self.missing = tuple(f for f in found.values() if isinstance(f, Missing))
        self.stacks = tuple(
            self._make(name, build, runtime) for name, build in found.items() if not isinstance(build, Missing)
        )

    @staticmethod
    def _make(name: str, build: Build, runtime: Runtime) -> Stack:
        module, class_name = STACKS[name]
        make = cast("Callable[[Build, Runtime], Stack]", getattr(import_module(module), class_name))
        return make(build, runtime)

    def select(self, pattern: str) -> tuple[Stack, ...]:
        """The stacks whose name or ``stack@build`` matches a glob; UsageError lists them if none does."""
        found = tuple(s for s in self.stacks if fnmatchcase(s.name, pattern) or fnmatchcase(s.label, pattern))
        if not found:
            absent = "".join(f"\n{m.stack} is missing: {m.reason}" for m in self.missing)
            labels = ", ".join(stack.label for stack in self.stacks)
            raise UsageError(f"no stack matches {pattern!r}; this machine has: {labels or 'none'}{absent}")
        return found

    def one(self, pattern: str) -> Stack:
        """The one stack that a glob means; UsageError if it means several."""
        found = self.select(pattern)
        if len(found) > 1:
            raise UsageError(f"{pattern!r} means {', '.join(s.label for s in found)}; name one of them")
        return found[0]

    def close(self) -> None:
        """End the processes that the stacks kept."""
        for stack in self.stacks:
            stack.close()
