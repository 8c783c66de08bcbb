"""`resumption libraries`: lists the agents for other TLS libraries, and makes them ready to run."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.table import Table

from harness.builds.libraries import foreign_libraries, named
from harness.case.library_table import meetings
from harness.cli.console import console
from harness.cli.fetching import Fetching, owned
from harness.cli.messages import example, show_error
from harness.cli.paths import NamedPath
from harness.cli.runs.inner_run import results_of
from harness.cli.runs.run import found
from harness.model.errors import BuildError, EndpointError, NoBuildError, TimedOutError, UsageError
from harness.model.tls import Role
from harness.report.library_fares import fare
from harness.report.text.library_table import fares_table, library_page, library_table
from harness.results.writer import writable
from harness.runtime.files import ANYONE, write_whole
from harness.runtime.runtime import Runtime
from harness.stacks.foreign import Registration, ask_hello
from harness.stacks.machine import Machine

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.builds.libraries import ForeignLibrary
    from harness.report.library_fares import Fare

FAILED = 1
AGAINST = ("libssl@1.1.1w", "libssl@3.0", "libssl@3.5", "libssl@4.0")
"""The builds of OpenSSL that a library meets, unless the user names others; those that are not cached are left out."""
EVERY = "all"
SCENARIOS = "Also run this file of scenarios, or all, and count how the cells of each library end; may be repeated."


@click.group(invoke_without_command=True, epilog=example("libraries fetch go"))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")
@click.pass_context
def libraries(context: click.Context, *, as_json: bool) -> None:
    """Show the TLS libraries that are not OpenSSL for which the harness has an agent, and which of them runs use.

    A library that was fetched is a stack of every run. `resumption stacks` shows what each can do.
    """
    if context.invoked_subcommand is not None:
        if as_json:
            raise UsageError(f"--json only lists libraries; remove it, or remove {context.invoked_subcommand}")
        return
    known = foreign_libraries().values()
    if as_json:
        rows = {one.name: {"library": one.library, "source": one.source, "missing": one.why_not()} for one in known}
        click.echo(json.dumps({"schema": 1, "libraries": rows}, indent=2))
        return
    listing = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for head in ("stack", "library", "from", "state"):
        listing.add_column(head, overflow="fold")
    for one in known:
        listing.add_row(one.name, one.library, one.source, one.why_not() or "ready")
    console().print(listing)


@libraries.command(epilog=example("libraries fetch go"))
@click.argument("names", nargs=-1, required=True, metavar="NAME…|all")
@click.option("--again", is_flag=True, help="Fetch and build it even if that is done.")
@click.pass_context
def fetch(context: click.Context, names: tuple[str, ...], *, again: bool) -> None:
    """Fetch or build what an agent needs, into the cache, and start it once; then it is a stack of every run."""
    chosen = named(names)
    progress = Fetching(len(chosen))
    failed = 0
    for one in chosen:
        try:
            with owned(one.place()) as temporary, progress.build(one.name):
                one.fetch(progress.say, temporary, again=again)
                progress.say("starting the agent")
                _start(one)
        except BuildError as error:
            show_error(error)
            failed += 1
            continue
        click.echo(f"{one.name}: {one.library} is ready")
    context.exit(FAILED if failed else 0)


def _start(one: ForeignLibrary) -> None:
    """Start the agent once; BuildError if it does not say hello, and then it is not used."""
    try:
        with Runtime() as runtime:
            ask_hello(Registration(one.name, one.argv()), runtime)
    except (EndpointError, TimedOutError) as error:
        one.remove()
        raise BuildError(f"{one.name}: its agent does not run: {error}") from error


@libraries.command(epilog=example("libraries remove go"))
@click.argument("names", nargs=-1, required=True, metavar="NAME…|all")
def remove(names: tuple[str, ...]) -> None:
    """Remove what was fetched from the cache; runs no longer use it."""
    for one in named(names):
        one.remove()
        click.echo(f"removed {one.name}")


@libraries.command(epilog=example("libraries table --client go --client libssl --server libssl"))
@click.option("--client", "clients", multiple=True, metavar="GLOB", help="Only these clients; may be repeated.")
@click.option("--server", "servers", multiple=True, metavar="GLOB", help="Only these servers; may be repeated.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")
@click.option(
    "--write",
    "folder",
    metavar="DIR",
    type=NamedPath(file_okay=False, writable=True, path_type=Path),
    help="Also write libraries.md and libraries.html to this folder.",
)
@click.option("--scenarios", "files", multiple=True, metavar="FILE|all", help=SCENARIOS)
@click.option(
    "--against",
    "peers",
    multiple=True,
    metavar="GLOB",
    help=f"The builds of OpenSSL in those scenarios; may be repeated. Default: {', '.join(AGAINST)}, if cached.",
)
@click.pass_context
def table(
    context: click.Context,
    clients: tuple[str, ...],
    servers: tuple[str, ...],
    folder: Path | None,
    files: tuple[str, ...],
    peers: tuple[str, ...],
    *,
    as_json: bool,
) -> None:
    """Show which library resumes with which, by mechanism, as Markdown: one case for each pair of stacks.

    Without globs, libssl and every other library that is ready. A glob may name a build, as in libssl@1.1.1w.

    With --scenarios, each library also plays them against builds of OpenSSL, as client and as server. A cell is
    classified if it passed because its scenario declares what this library does differently. Exit code 1 if one failed.
    """
    if peers and not files:
        raise UsageError("--against is about --scenarios; name a file of scenarios, or all")
    if EVERY in files and len(files) > 1:
        raise UsageError("--scenarios all is every file; remove the others")
    if folder is not None:
        writable(folder)
    with Runtime() as runtime, closing(Machine(runtime)) as machine:
        usual = ("libssl", *sorted(machine.others - machine.only_named))
        ends = [[s for glob in globs or usual for s in machine.select(glob)] for globs in (clients, servers)]
        others = [[s.label for s in stacks if not s.build.library.is_openssl] for stacks in ends]
        if files and not any(others):
            raise UsageError(
                "--scenarios counts the cells of libraries that are not OpenSSL, and none is named or ready; "
                "`resumption libraries` says what to fetch"
            )
        against = _builds(machine, peers) if files else []
        met = {(str(m.mechanism), m.client, m.server): (m.result, m.why) for m in meetings(ends[0], ends[1], runtime)}
    fares = _fares(others, against, [one for one in files if one != EVERY]) if files else []
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        write_whole(folder / "libraries.md", library_table(met) + fares_table(fares), ANYONE)
        write_whole(folder / "libraries.html", library_page(met, fares), ANYONE)
    if as_json:
        names = ("mechanism", "client", "server", "result", "why")
        rows = [dict(zip(names, (*key, *value), strict=True)) for key, value in met.items()]
        scenarios = {"scenarios": [asdict(one) for one in fares]} if files else {}
        click.echo(json.dumps({"schema": 1, "pairs": rows, **scenarios}, indent=2))
    else:
        click.echo(library_table(met) + fares_table(fares), nl=False)
    context.exit(FAILED if any(one.failed for one in fares) else 0)


def _builds(machine: Machine, peers: Sequence[str]) -> list[str]:
    """The labels of the builds of OpenSSL; NoBuildError if none is there."""
    labels: dict[str, None] = {}
    absent: list[NoBuildError] = []
    for glob in peers or AGAINST:
        try:
            labels |= dict.fromkeys(stack.label for stack in machine.select(glob))
        except NoBuildError as error:
            if peers:
                raise
            absent.append(error)
    if not labels:
        raise absent[0]
    return list(labels)


def _fares(others: Sequence[Sequence[str]], against: Sequence[str], files: Sequence[str]) -> list[Fare]:
    """Run the scenarios of each library that is not OpenSSL, in each role in which it was named, one after another."""
    fares = []
    for role, labels in zip(Role, others, strict=True):
        for label in dict.fromkeys(labels):
            clients, servers = ([label], against) if role is Role.CLIENT else (against, [label])
            one = fare(label, role.value, results_of(clients, servers, found(files))["cells"])
            click.echo(f"{label} as {role}: {one.cells} cells, {len(one.failed)} failed", err=True)
            fares.append(one)
    return fares
