"""The command line: loads subcommands on demand and turns errors into exit codes."""

from __future__ import annotations

import importlib
import io
import keyword
import os
import sys
from typing import TYPE_CHECKING, NamedTuple

import click

from harness.cli import INTERRUPTED, UNUSABLE
from harness.cli.messages import quoted, show_error
from harness.model.errors import HarnessError, RefusedError, SessionFormatError, UnsupportedError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence


class Subcommand(NamedTuple):
    """A subcommand: the module of this package that defines the click command of its name, and its help."""

    module: str
    help: str


SUBCOMMANDS = {
    "connect": Subcommand("cases.connect", "Run one case: handshake, save the session, reconnect with it."),
    "probe": Subcommand("probe", "Ask a running server how it resumes, and why it does not."),
    "serve": Subcommand("cases.serve", "Keep one server open for clients of your own, and report each connection."),
    "watch": Subcommand("cases.watch", "Run a client of your own against ten kinds of server."),
    "between": Subcommand("cases.between", "Read what a client and a server of your own do with their sessions."),
    "stacks": Subcommand(
        "stacks", "Show the stacks of this machine and the knobs and Capabilities that each supports."
    ),
    "bisect": Subcommand("cases.bisect", "Find the first build whose behaviour changed, fetching builds as needed."),
    "diff": Subcommand("runs.diff", "Run the same cells on two or more builds and show what differs, by cause."),
    "behaviours": Subcommand(
        "runs.behaviours", "Show what OpenSSL's resumption does differently from version to version."
    ),
    "import": Subcommand("cases.importing", "Run OpenSSL's own test/ssl-tests/*.cnf as stories on any stacks."),
    "explore": Subcommand("explore", "Look for behaviours that nobody wrote down, in thousands of generated stories."),
    "builds": Subcommand("builds", "List, fetch, build, verify and remove OpenSSL builds."),
    "libraries": Subcommand("libraries", "List and fetch the libraries that are not OpenSSL."),
    "run": Subcommand("runs.run", "Run every scenario between all stacks of this machine."),
    "cell": Subcommand("runs.cell", "Rerun one cell of a run and show everything about it."),
    "report": Subcommand(
        "runs.report", "Write an HTML page, a Markdown summary and JUnit XML from the results of a run."
    ),
    "agent": Subcommand("agent", "Check an agent, which drives a TLS library for the harness, against its protocol."),
    "session": Subcommand("session", "Show every field of a session file, PEM or DER."),
}

FAILED = 1
BAD_USAGE = 2


class Subcommands(click.Group):
    """Imports a subcommand's module only when it is called, which keeps ``--help`` fast."""

    def list_commands(self, _context: click.Context) -> list[str]:
        """Return all names, in the order of SUBCOMMANDS."""
        return list(SUBCOMMANDS)

    def get_command(self, _context: click.Context, name: str) -> click.Command | None:
        """Return the command with this name, or None if there is none."""
        if name not in SUBCOMMANDS:
            return None
        module = SUBCOMMANDS[name].module
        word = module.rpartition(".")[2] if keyword.iskeyword(name) else name
        command: click.Command = getattr(importlib.import_module(f"harness.cli.{module}"), word)
        return command

    def format_commands(self, _context: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands from SUBCOMMANDS alone."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, row.help) for name, row in SUBCOMMANDS.items()])


@click.group(cls=Subcommands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="resumption-harness", prog_name="resumption")
def cli() -> None:
    """Test TLS session resumption between real OpenSSLs, with three witnesses for every verdict."""


class _Shown(io.StringIO):
    """What click shows, with the control characters that it takes out elsewhere."""

    def isatty(self) -> bool:
        """Return that it is a terminal."""
        return True


def _open_streams() -> None:
    """Open what the caller closed of stdin, stdout and stderr as /dev/null, so that no other file gets its number."""
    for number, (name, mode) in enumerate((("stdin", "r"), ("stdout", "w"), ("stderr", "w"))):
        if getattr(sys, name) is None:
            opened = os.open(os.devnull, os.O_RDWR)
            if opened != number:
                os.dup2(opened, number)
                os.close(opened)
            setattr(sys, name, os.fdopen(number, mode, closefd=False))


def _give_up_output() -> None:
    """Let what stdout cannot take go nowhere: Python would try once more at its end, and exit with 120."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line (default: sys.argv) and return the exit code.

    0: success. 1: a failure, or a HarnessError other than a usage error. 2: bad usage, a knob value that the stack
    does not support or OpenSSL refuses, a path that no file can have, or a file that is not a session. 130: Ctrl-C.
    Errors are one message on stderr, without a traceback.
    """
    _open_streams()
    given = sys.argv[1:] if arguments is None else arguments
    try:
        code = cli.main(arguments, prog_name="resumption", standalone_mode=False)
        sys.stdout.flush()
    except click.ClickException as error:
        shown = _Shown()
        error.show(shown)
        click.echo(quoted(shown.getvalue(), given), err=True, nl=False)
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        return INTERRUPTED
    except (UsageError, UnsupportedError, SessionFormatError, RefusedError) as error:
        show_error(error, given)
        return BAD_USAGE
    except HarnessError as error:
        show_error(error, given)
        return FAILED
    except OSError as error:
        show_error(error, given)
        _give_up_output()
        return BAD_USAGE if error.errno in UNUSABLE else FAILED
    return code if isinstance(code, int) else 0
