"""Which programs can be ends of scenarios, and the stack by which a cell names one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.agent.vocabulary import release
from harness.model.errors import UnsupportedError
from harness.model.tls import Role
from harness.stacks.programs.clients import CLIENTS
from harness.stacks.programs.products import PRODUCTS
from harness.stacks.programs.program import label_of
from harness.stacks.remote import RemoteStack

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.runtime.runtime import Runtime
    from harness.stacks.programs.program import Installed


def known_programs(role: Role) -> Mapping[str, Installed]:
    """The programs that can play a role, by name."""
    return PRODUCTS if role is Role.SERVER else CLIENTS


def program_stack(role: Role, name: str, runtime: Runtime) -> tuple[RemoteStack, str]:
    """What a cell shows as this end, ``nginx@1.22.1``, and why it cannot be one: the package or version to install."""
    row = known_programs(role)[name]
    try:
        label, lacks = label_of(row, runtime), ""
    except UnsupportedError as error:
        label, lacks = name, str(error)
    since: str = getattr(row, "since", "")
    if since and not lacks and release(label.rpartition("@")[2]) < release(since):
        lacks = str(UnsupportedError(label, "this command", f"it is there since {since}"))
    return RemoteStack(label, ("", 0)), lacks
