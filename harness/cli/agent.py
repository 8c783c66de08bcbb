"""`resumption agent check`: tries the rules of the protocol's page on an agent, in any language."""

from __future__ import annotations

import click

from harness.case.conformance import check_agent
from harness.cli.cases.case_options import UNTESTABLE
from harness.cli.messages import example, show_error
from harness.model.errors import HarnessError, UsageError
from harness.runtime.runtime import Runtime
from harness.stacks.machine import Machine

FAILED = 1


@click.group(epilog=example("agent check -- ./agent"))
def agent() -> None:
    """Check an agent: a program that drives a TLS library for the harness."""


@agent.command(
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
    epilog=example("agent check -- python3 -m harness.agent ssl"),
)
@click.argument("command", nargs=-1, type=click.UNPROCESSED, metavar="-- COMMAND...")
@click.pass_context
def check(context: click.Context, command: tuple[str, ...]) -> None:
    """Try the rules of the agent protocol on the agent that COMMAND starts, and say which it breaks.

    It is spoken to alone, and meets this machine's libssl in each of its roles and TLS versions.

    Exit code 0: it keeps all rules. 1: it breaks one. 125: it cannot be run.
    """
    if not command:
        raise UsageError("no command; write the agent's command line after --, as in agent check -- ./agent")
    broken = 0
    with Runtime() as runtime:
        machine = Machine(runtime)
        try:
            for checked in check_agent(command, runtime, machine):
                broken += checked.breach is not None
                click.echo(f"{'ok   ' if checked.breach is None else 'FAILS'} {checked.rule}")
                for line in (checked.breach or "").splitlines():
                    click.echo(f"      {line}")
        except HarnessError as error:
            show_error(error)
            context.exit(UNTESTABLE)
        finally:
            machine.close()
    click.echo(f"{broken} of the rules broken" if broken else "every rule is kept")
    context.exit(FAILED if broken else 0)
