"""`resumption connect`: runs one case and shows its outcome."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from harness.case.case import run
from harness.cli import session_files
from harness.cli.cases.case_options import case_of, case_options, exclusive, untestable
from harness.cli.cases.reproducing import checked, reproducing, reproducing_options
from harness.cli.help import example
from harness.cli.session_files import session_options
from harness.explain.proof.check import false_evidence
from harness.model.errors import DisagreementError, EvidenceError, UsageError
from harness.model.tls import Outcome
from harness.results.writer import keep, writable
from harness.runtime.runtime import Runtime
from harness.stacks.machine import Machine

if TYPE_CHECKING:
    from harness.case.case import Case, CaseResult
    from harness.stacks.base import Stack

NOT_AS_EXPECTED = 1
KEPT = "Write all evidence to DIR, with a capture that Wireshark opens decrypted."
AGENT = "Also use the stack of an agent, whose command is in FILE; may be repeated."
OWN = "Also use the OpenSSL installed in PREFIX; may be repeated."


def judge(result: CaseResult, expected: Outcome | None) -> str | None:
    """Return why the exit code is 1: the endpoints disagree, or the last outcome is unexpected; else None.

    EvidenceError if an explanation cites what its witness did not see.
    """
    try:
        outcomes = [connection.observed_outcome() for connection in result.connections]
    except DisagreementError as error:
        return str(error)
    if lies := false_evidence(result.connections):
        raise EvidenceError("\n".join(lies))
    if expected is None or outcomes[-1] is expected:
        return None
    return f"connection {len(outcomes)} was expected to be {expected} and is {outcomes[-1]}"


def evidence(case: Case, ends: tuple[Stack, Stack], result: CaseResult, folder: Path | None) -> str:
    """Return the case as JSON; write all evidence to the folder if one is given."""
    # Imported when they are needed: they are a third of the time that `connect` takes to load.
    from harness.report.account import account  # noqa: PLC0415
    from harness.report.capture import NAME, capture  # noqa: PLC0415
    from harness.report.failed_cell import files  # noqa: PLC0415
    from harness.report.json.encode import case_json  # noqa: PLC0415

    written = case_json(
        ends[0].label,
        ends[1].label,
        case.tls,
        result.connections,
        result.counters,
        (case.client, case.server),
        then=(case.then_client, case.then_server),
    )
    shown = json.dumps(written, indent=2)
    if folder:
        kept = files(account(result.connections, result.counters))
        keep(folder, {**kept, NAME: capture(result.connections), "case.json": shown})
    return shown


def show(result: CaseResult, *, quiet: bool, whole: bool) -> None:
    """Print the account of the case, or its first line alone if ``quiet``."""
    # Imported last: nothing has to be printed before the connections are over.
    from harness.cli.console import console, encodable, text_width  # noqa: PLC0415
    from harness.report.account import account  # noqa: PLC0415
    from harness.report.text.account_text import account_text  # noqa: PLC0415
    from harness.report.text.why_text import answer  # noqa: PLC0415

    explained = account(result.connections, result.counters)
    out = console()
    text = answer(explained) if quiet else account_text(explained, text_width(out), whole=whole)
    out.print(encodable(text, out))
    for note in result.notes:
        click.echo(f"note: {note}", err=True)


def used(prefixes: tuple[Path, ...], ends: tuple[Stack, Stack], machine: Machine) -> None:
    """UsageError if neither endpoint uses a prefix that the user named."""
    for prefix in map(Path.absolute, prefixes):
        if str(prefix) not in {end.build.origin for end in ends}:
            labels = ", ".join(stack.label for stack in machine.own if stack.build.origin == str(prefix))
            raise UsageError(
                f"--openssl {prefix} serves neither end; name {labels} as --client or --server, or leave it out"
            )


@click.command(epilog=example("connect --client openssl --server libssl --tls 1.3 --age 8000"))
@case_options(required=True)
@click.option("--stack", "files", multiple=True, type=click.Path(path_type=Path), metavar="FILE", help=AGENT)
@click.option("--openssl", "prefixes", multiple=True, type=click.Path(path_type=Path), metavar="PREFIX", help=OWN)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object (docs/json.md) and nothing else.")
@click.option("--all", "all_", is_flag=True, help="Show every message and field of every connection.")
@click.option(
    "--quiet", "-q", is_flag=True, help="Print only the first line: the outcome of the last connection and its cause."
)
@session_options("Let the first connection offer")
@reproducing_options
@click.option("--keep", type=click.Path(path_type=Path, file_okay=False), metavar="DIR", help=KEPT)
@untestable
def connect(**given: Any) -> None:
    """Run one case: handshake, save the session, reconnect with it; show what all three witnesses saw.

    Exit code 0: as expected. 1: not as expected, or the witnesses disagree. 2: bad usage. 125, with --expect: an
    OpenSSL is missing or breaks during the first connection, or an endpoint does not start or answer; `git bisect run`
    then skips the revision.
    """
    if given["session_in"] and given["reproduce"]:
        raise UsageError("--session-in and --reproduce cannot be combined: a reproducer makes its own sessions")
    case = replace(case_of(given), offer=session_files.checked(given))
    printed = {"as_json": "--json", "all_": "--all", "quiet": "--quiet"}
    exclusive(printed, "each selects what is printed")
    if given["keep"]:
        writable(given["keep"])
    checked(given)
    expected = Outcome(given["expect"]) if given["expect"] else None
    with Runtime() as runtime:
        machine = Machine(runtime, given["prefixes"], files=given["files"])
        try:
            client, server = machine.one(given["client_name"]), machine.one(given["server_name"])
            used(given["prefixes"], (client, server), machine)
            done = reproducing(given, runtime, case, lambda case: run(case, client, server, runtime), judge, expected)
        finally:
            machine.close()
    case, result = done.case, done.result
    if given["as_json"] or given["keep"]:
        shown = evidence(case, (client, server), result, given["keep"])
    if given["as_json"]:
        click.echo(shown)
    else:
        show(result, quiet=given["quiet"], whole=given["all_"])
    for line in done.write():
        click.echo(line, err=given["as_json"])
    if given["session_out"]:
        session_files.write(given["session_out"], result.connections, overwrite=given["overwrite"])
    wrong = judge(result, expected)
    if wrong:
        click.echo(wrong, err=True)
        click.get_current_context().exit(NOT_AS_EXPECTED)
