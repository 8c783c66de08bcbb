"""`resumption connect`: runs one case and shows its outcome."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from harness.case.case import case_object, run
from harness.case.desk import offering
from harness.cli import session_files
from harness.cli.cases.case_options import case_options, exclusive, expectations, story_of, untestable
from harness.cli.cases.reproducing import STORY, checked, reproducing, reproducing_options
from harness.cli.messages import example
from harness.cli.paths import NamedPath
from harness.cli.session_files import session_options
from harness.explain.proof.check import false_evidence
from harness.model.errors import DisagreementError, EvidenceError, UsageError
from harness.results.writer import keep, writable, write_new
from harness.runtime.runtime import Runtime
from harness.stacks.machine import Machine

if TYPE_CHECKING:
    from harness.case.case import CaseResult
    from harness.stacks.base import Stack
    from harness.story.story import Story

NOT_AS_EXPECTED = 1
KEPT = "Write all evidence to DIR, with a capture that Wireshark opens decrypted."
AGENT = "Also use the stack of an agent, whose command is in FILE; may be repeated."
OWN = "Also use the OpenSSL installed in PREFIX; may be repeated."


def judge(story: Story, result: CaseResult) -> str | None:
    """Return why the exit code is 1: the endpoints disagree, or an expectation does not hold; else None.

    EvidenceError if an explanation cites what its witness did not see.
    """
    try:
        for connection in result.connections:
            connection.observed_outcome()
    except DisagreementError as error:
        return str(error)
    if lies := false_evidence(result.connections):
        raise EvidenceError("\n".join(lies))
    wanted = expectations(story)
    case = case_object(story, ("", ""), result) if wanted else None
    failures = [failure for each in wanted if case and (failure := each.failure(case))]
    return "\n".join(failures) or None


def evidence(story: Story, ends: tuple[Stack, Stack], result: CaseResult, folder: Path | None) -> str:
    """Return the case as JSON; write all evidence to the folder if one is given."""
    # Imported when they are needed: they are a third of the time that `connect` takes to load.
    from harness.report.account import account  # noqa: PLC0415
    from harness.report.capture import NAME, capture  # noqa: PLC0415
    from harness.report.failed_cell import files  # noqa: PLC0415

    shown = json.dumps(case_object(story, (ends[0].label, ends[1].label), result), indent=2)
    if folder:
        kept = files(account(result.connections, result.counters))
        keep(folder, {**kept, NAME: capture(result.connections), "case.json": shown, STORY: story.text()})
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


def unlike(text: str, stack: str) -> str:
    """Return the ``stack@build`` of --unlike; a version alone is one of this stack."""
    return f"{stack}@{text}" if text[:1].isdigit() else text


def used(prefixes: tuple[Path, ...], ends: tuple[Stack, Stack], machine: Machine) -> None:
    """UsageError if neither endpoint uses a prefix that the user named."""
    for prefix in map(Path.absolute, prefixes):
        if str(prefix) not in {end.build.origin for end in ends}:
            labels = ", ".join(stack.label for stack in machine.own if stack.build.origin == str(prefix))
            raise UsageError(
                f"--openssl {prefix} serves neither end; name {labels} as --client or --server, or leave it out"
            )


@click.command(epilog=example("connect --client openssl --server libssl --tls 1.3 --age 8000"))
@case_options
@click.option("--stack", "files", multiple=True, type=NamedPath(path_type=Path), metavar="FILE", help=AGENT)
@click.option("--openssl", "prefixes", multiple=True, type=NamedPath(path_type=Path), metavar="PREFIX", help=OWN)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object (docs/json.md) and nothing else.")
@click.option("--all", "all_", is_flag=True, help="Show every message and field of every connection.")
@click.option(
    "--quiet", "-q", is_flag=True, help="Print only the first line: the outcome of the last connection and its cause."
)
@session_options("Let the first connection offer")
@reproducing_options
@click.option("--keep", type=NamedPath(path_type=Path, file_okay=False), metavar="DIR", help=KEPT)
@untestable
def connect(**given: Any) -> None:
    """Run one case: handshake, save the session, reconnect with it; show what all three witnesses saw.

    The options make a story; --story FILE runs one that has any steps (docs/stories.md).

    Exit code 0: as expected. 1: not as expected, or the witnesses disagree. 2: bad usage. 125, with --expect: an
    OpenSSL is missing or breaks during the first connection, or an endpoint does not start or answer; `git bisect run`
    then skips the revision.
    """
    if given["session_in"] and given["reproduce"]:
        raise UsageError("--session-in and --reproduce cannot be combined: a reproducer makes its own sessions")
    story = story_of(given)
    if session := session_files.checked(given):
        story = offering(story, session)
    printed = {"as_json": "--json", "all_": "--all", "quiet": "--quiet"}
    exclusive(printed, "each selects what is printed")
    if given["keep"]:
        writable(given["keep"])
    checked(given)
    with Runtime() as runtime:
        machine = Machine(runtime, given["prefixes"], files=given["files"])
        try:
            client, server = machine.one(story.client.stack), machine.one(story.server.stack)
            used(given["prefixes"], (client, server), machine)
            other = machine.one(unlike(given["unlike"], client.name)) if given["unlike"] else None
            done = reproducing(
                given,
                runtime,
                story,
                lambda one: run(one, client, server, runtime, machine.one),
                judge,
                (lambda one: run(one, other, other, runtime, machine.one)) if other else None,
            )
        finally:
            machine.close()
    story, result = done.story, done.result
    if given["as_json"] or given["keep"]:
        shown = evidence(story, (client, server), result, given["keep"])
    if given["as_json"]:
        click.echo(shown)
    else:
        show(result, quiet=given["quiet"], whole=given["all_"])
    for line in done.write():
        click.echo(line, err=given["as_json"])
    if given["session_out"]:
        session_files.write(given["session_out"], result.connections, overwrite=given["overwrite"])
    if given["story_out"]:
        write_new(given["story_out"], story.text())
    wrong = judge(story, result)
    if wrong:
        click.echo(wrong, err=True)
        click.get_current_context().exit(NOT_AS_EXPECTED)
