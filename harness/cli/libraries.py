"""`resumption libraries`: lists the agents for other TLS libraries, and makes them ready to run."""

from __future__ import annotations

import json

import click
from rich.table import Table

from harness.builds.libraries import foreign_libraries, named
from harness.cli.console import console
from harness.cli.fetching import Fetching, owned
from harness.cli.help import example
from harness.model.errors import BuildError, UsageError

FAILED = 1


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
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for head in ("stack", "library", "from", "state"):
        table.add_column(head, overflow="fold")
    for one in known:
        table.add_row(one.name, one.library, one.source, one.why_not() or "ready")
    console().print(table)


@libraries.command(epilog=example("libraries fetch go"))
@click.argument("names", nargs=-1, required=True, metavar="NAME…|all")
@click.option("--again", is_flag=True, help="Fetch and build it even if that is done.")
@click.pass_context
def fetch(context: click.Context, names: tuple[str, ...], *, again: bool) -> None:
    """Fetch or build what an agent needs, into the cache; from then on it is a stack of every run."""
    chosen = named(names)
    progress = Fetching(len(chosen))
    failed = 0
    for one in chosen:
        try:
            with owned(), progress.build(one.name):
                one.fetch(progress.say, again=again)
        except BuildError as error:
            click.echo(f"error: {error}", err=True)
            failed += 1
            continue
        click.echo(f"{one.name}: {one.library} is ready")
    context.exit(FAILED if failed else 0)


@libraries.command(epilog=example("libraries remove go"))
@click.argument("names", nargs=-1, required=True, metavar="NAME…|all")
def remove(names: tuple[str, ...]) -> None:
    """Remove what was fetched from the cache; runs no longer use it."""
    for one in named(names):
        one.remove()
        click.echo(f"removed {one.name}")
