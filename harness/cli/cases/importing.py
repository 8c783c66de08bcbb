"""`resumption import`: runs the tests of OpenSSL's own test/ssl-tests/*.cnf as stories."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.table import Table

from harness.case.case import Ends, refusals, run
from harness.case.ssl_tests import read
from harness.cli.cases.connect import judge
from harness.cli.console import console
from harness.cli.messages import example
from harness.cli.paths import NamedPath
from harness.model.errors import EndpointError, TimedOutError, UsageError
from harness.results.writer import write_new
from harness.runtime.runtime import Runtime
from harness.stacks.machine import Machine

if TYPE_CHECKING:
    from harness.case.ssl_tests import SslTest
    from harness.stacks.base import Stack

FAILED = 1
NO_VERDICT = 125
"""Exit code if no test could run, so that nothing is known; a CI must not take that for agreement."""
AGREES, DIFFERS, UNSAID = "agrees", "differs", "cannot be said"


@click.command("import", epilog=example("import 10-resumption.cnf --client libssl@3.5 --server openssl"))
@click.argument("file", type=NamedPath(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--client", default="libssl", show_default=True, metavar="STACK", help="The client: stack or stack@build."
)
@click.option(
    "--server", default="libssl", show_default=True, metavar="STACK", help="The server: stack or stack@build."
)
@click.option("--stories", type=NamedPath(path_type=Path), metavar="DIR", help="Also write each story to DIR.")
@click.pass_context
def importing(context: click.Context, file: Path, client: str, server: str, stories: Path | None) -> None:
    """Run each test of one of OpenSSL's test/ssl-tests/*.cnf as a story, between any two stacks.

    A test whose words no story can say is listed with them. Exit code 0: all that ran do what their file expects. 1:
    one does not. 2: bad usage. 125: none could run.
    """
    try:
        tests = read(file.read_text(encoding="utf-8-sig"))
    except UnicodeDecodeError as error:
        raise UsageError(f"{file} is not a text: {error}") from error
    except UsageError as error:
        raise UsageError(f"{file}: {error}") from error
    if stories is not None:
        stories.mkdir(parents=True, exist_ok=True)
        for test in tests:
            if test.story is not None:
                write_new(stories / f"{test.name}.json", test.story.text())
    with Runtime() as runtime, closing(Machine(runtime)) as machine:
        ends = machine.one(client), machine.one(server)
        found = [(test, *_done(test, ends, runtime)) for test in tests]
    listing = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for head in ("test", "result", "why"):
        listing.add_column(head, overflow="fold")
    for test, result, why in found:
        listing.add_row(test.name, result, why)
    console().print(listing)
    counts = {word: sum(result == word for _, result, _ in found) for word in (AGREES, DIFFERS, UNSAID)}
    click.echo(f"{len(found)} tests: " + ", ".join(f"{count} {word}" for word, count in counts.items()))
    context.exit(FAILED if counts[DIFFERS] else 0 if counts[AGREES] else NO_VERDICT)


def _done(test: SslTest, ends: tuple[Stack, Stack], runtime: Runtime) -> tuple[str, str]:
    """What became of a test, and why."""
    if test.story is None:
        return UNSAID, "; ".join(test.unsaid)
    try:
        lacking = refusals(test.story, Ends(*ends))
    except UsageError as error:
        return UNSAID, str(error)
    if lacking:
        return UNSAID, "; ".join(lacking)
    try:
        wrong = judge(test.story, run(test.story, *ends, runtime))
    except (EndpointError, TimedOutError) as error:
        wrong = str(error)
    return (DIFFERS, wrong) if wrong else (AGREES, "")
