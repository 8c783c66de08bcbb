"""The declarations of a scenario file about its cells."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from harness.builds.libraries import foreign_libraries
from harness.explain.rules import known_rule
from harness.matrix.cells import Situation, knob_values
from harness.matrix.expectation import Differs, Expectation
from harness.model.capability import Capability
from harness.model.errors import UsageError
from harness.model.tls import USUAL_VERSIONS, Close, Role
from harness.stacks.machine import STACKS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.model.tls import TLSVersion


def scenario(  # noqa: PLR0913 - each is a word of a scenario file, given by name
    *,
    versions: Sequence[TLSVersion] = USUAL_VERSIONS,
    client: Mapping[str, Any] | None = None,
    server: Mapping[str, Any] | None = None,
    needs: Mapping[str, Sequence[Capability]] | None = None,
    close: Close | Sequence[Close] = Close.BOTH,
    same_stack: bool = False,
    second_client: bool = False,
    second_server: bool = False,
    played_by: Mapping[str, str] | None = None,
    breaks: Mapping[str, Differs[bool] | Sequence[Differs[bool]]] | None = None,
    programs: Sequence[str] = (),
    every_stack: bool = False,
) -> pytest.MarkDecorator:
    """The ``pytestmark`` of a scenario file, or the decorator of one test, which then replaces the file's as a whole.

    ``client`` and ``server`` are knobs by name. A list varies: each value makes cells of its own (``BOTH`` is on and
    off, None the stack's default). ``needs`` are Capabilities by role, ``{"client": [...], "server": [...]}``; what the
    knobs and the way to close need is derived. ``same_stack`` makes only cells in which one stack is both ends,
    ``second_client`` one for each other client stack, to which `Pair.use_second_client` goes over, and
    ``second_server`` one for each other server stack, to which `Pair.use_second_server` does. ``played_by`` names the
    one stack that plays a role, ``{"server": "tlslite"}``, whichever stacks the run has. Unless a knob says otherwise,
    both ends enable the cell's version alone.
    ``breaks`` declares by the names of rules (docs/rules.md) which builds break them (`broken_by`): a MUST that a
    connection breaks undeclared fails the cell, and so does a declared breach that does not happen.
    ``programs`` are programs that people run: servers for a test that takes the fixture ``program``, clients for one
    that takes ``client_program``. Each meets libssl, or the stacks that the run names; with ``every_stack`` it meets
    every stack.
    UsageError for a knob, a value, a role, a rule or a program that does not exist, at import.
    """
    try:
        needed = {Role(role): tuple(capabilities) for role, capabilities in (needs or {}).items()}
        played = {Role(role): name for role, name in (played_by or {}).items()}
    except ValueError as error:
        wrong = f"needs={needs!r}, played_by={played_by!r}"
        raise UsageError(f"{wrong}: {error}; the roles are: {', '.join(Role)}") from error
    known = (*STACKS, *foreign_libraries())
    if unknown := [name for name in played.values() if name not in known]:
        raise UsageError(f"played_by names {', '.join(unknown)}; the stacks are: {', '.join(known)}")
    return pytest.mark.scenario(
        Situation(
            versions=tuple(versions),
            client=knob_values(Role.CLIENT, client or {}),
            server=knob_values(Role.SERVER, server or {}),
            needs=needed,
            close=(close,) if isinstance(close, Close) else tuple(close),
            same_stack=same_stack,
            second_client=second_client,
            second_server=second_server,
            played_by=played,
            breaks={known_rule(name).name: _expected(differs) for name, differs in (breaks or {}).items()},
            programs=_programs(programs) if programs else {},
            every_stack=every_stack,
        )
    )


def _programs(names: Sequence[str]) -> dict[Role, tuple[str, ...]]:
    """The programs by the role that they can play; UsageError for one that is not known."""
    from harness.stacks.programs.known import known_programs  # noqa: PLC0415 - few scenarios have programs

    known = {role: known_programs(role) for role in Role}
    if unknown := [name for name in names if not any(name in table for table in known.values())]:
        there = ", ".join(name for table in known.values() for name in table)
        raise UsageError(f"no program {unknown[0]!r}; there are: {there}")
    return {role: tuple(name for name in names if name in table) for role, table in known.items()}


def _expected(differs: Differs[bool] | Sequence[Differs[bool]]) -> Expectation[bool]:
    """Whether a rule is broken."""
    broken = [differs] if isinstance(differs, Differs) else differs
    keeps = False
    return Expectation(keeps, *broken)


def openssl_chooses(role: Role, what: str) -> pytest.MarkDecorator:
    """The decorator of a test that pins ``what`` OpenSSL alone does at an end, where no RFC decides.

    Cells with another family there are UNSUPPORTED. It adds to ``scenario``, and may be repeated. UsageError if nothing
    is said.
    """
    if not what:
        raise UsageError("openssl_chooses needs what OpenSSL chooses, such as 'two TLS 1.3 tickets'")
    return pytest.mark.openssl_chooses(role, Capability.OPENSSL_CHOICES, what)


def cases(names: str, *values: Any) -> pytest.MarkDecorator:
    """Run a test once for each value, or tuple of values, of its arguments ``names``, which commas separate."""
    return pytest.mark.parametrize(names, values)
