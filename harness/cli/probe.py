"""`resumption probe`: asks a running server how it resumes, and says why it does not."""

from __future__ import annotations

import json
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from harness.cli import session_files
from harness.cli.help import example
from harness.cli.session_files import session_options
from harness.explain.probing.expectations import EXPECTATIONS, unmet
from harness.explain.probing.products import SETTINGS
from harness.model.errors import HarnessError, UnreachableError, UsageError, is_lost
from harness.model.tls import TLSVersion
from harness.probe import probing
from harness.probe.limits import MOST, RATE
from harness.probe.probing import OFFERS, Wanted
from harness.probe.say import HTTP, NONE
from harness.probe.starttls import TURNS
from harness.runtime.address import target
from harness.runtime.pki import Issued
from harness.runtime.runtime import Runtime
from harness.stacks.machine import Machine

if TYPE_CHECKING:
    from harness.model.probe import Probe

UNREACHABLE = 125
"""Exit code if the server cannot be reached, or nothing is known about it."""
LARGEST_SEED = 999_999
SAY = "What the client says. Default: http, a GET of /; none with --starttls."
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
FAILED = 1
"""Exit code if an expectation does not hold."""
SNI = "The server name to send, then others under which its sessions are offered. Default: HOST, if it is a name."
CERTIFICATE = "the client's"
"""Its name in the PKI of the run."""
TLS = click.Choice([version.value for version in TLSVersion])


@click.command("probe", epilog=example("probe 127.0.0.1:8443"))
@click.argument("addresses", nargs=-1, required=True, metavar="HOST:PORT...")
@click.option("--tls", multiple=True, type=TLS, help="Only this protocol version; may be repeated. Default: both.")
@click.option("--client", "client_name", default="libssl", metavar="STACK", help="The client. Default: libssl.")
@click.option("--sni", metavar="NAME,...", default="", help=SNI)
@click.option("--ca", type=FILE, help="Verify the server's certificate with this authority (PEM). Default: no check.")
@click.option("--cert", type=FILE, help="The client's certificate chain (PEM); needs --key.")
@click.option("--key", type=FILE, help="The private key of --cert (PEM, unencrypted).")
@click.option("--expect", default="", metavar="WORD,...", help=f"Exit 1 unless all hold: {', '.join(EXPECTATIONS)}.")
@click.option(
    "--offers", type=click.IntRange(min=1), default=OFFERS, help=f"Offers of each mechanism. Default: {OFFERS}."
)
@click.option("--seed", type=click.IntRange(0, LARGEST_SEED), help="Repeat the order of the offers of another probe.")
@click.option("--starttls", type=click.Choice(sorted(TURNS)), help="Ask for TLS in the words of this protocol first.")
@click.option("--say", metavar="http|none|FILE", help=SAY)
@click.option(
    "--software", type=click.Choice(sorted(SETTINGS)), help="Whose settings to name. Default: as Server says."
)
@click.option(
    "--rate",
    type=click.FloatRange(min=0, min_open=True),
    help=f"Connections a second. Default: {RATE:g}, and no limit for this machine.",
)
@click.option(
    "--connections",
    type=click.IntRange(min=1),
    default=MOST,
    help=f"Connections to an address in all. Default: {MOST}.",
)
@session_options("Also offer")
@click.option("--allow-public", is_flag=True, help="Also probe addresses that are neither loopback nor private.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object (docs/json.md) and nothing else.")
@click.option("--verbose", "-v", is_flag=True, help="Show the evidence of each answer.")
def probe(addresses: tuple[str, ...], **given: Any) -> None:
    """Ask a running server whether, how and how often it resumes; say why it does not, and what to change.

    Sessions are written only with --session-out, keys never. Exit code 0: probed. 1: an expectation does not hold, or
    there is no session to write. 2: bad usage, or an address that is not allowed. 125: a server cannot be reached, or
    does not do TLS.
    """
    if given["session_out"] and len(addresses) > 1:
        raise UsageError("--session-out holds the session of one server; probe one address")
    wanted, expected = _wanted(given), _expected(given["expect"])
    try:
        found = _probed(addresses, given, wanted, expected)
    except UsageError:
        raise
    except (HarnessError, OSError) as error:
        if not isinstance(error, UnreachableError) and not is_lost(error):
            raise
        click.echo(f"error: {error}", err=True)
        click.get_current_context().exit(UNREACHABLE)
    if given["as_json"]:
        from harness.report.json.probing import probes_json  # noqa: PLC0415 - only `--json` needs it

        click.echo(json.dumps(probes_json(found), indent=2))
    lines = [line for _done, wrong in found for line in wrong]
    for line in lines:
        click.echo(line, err=True)
    if lines:
        click.get_current_context().exit(FAILED)


def _probed(
    addresses: tuple[str, ...], given: dict[str, Any], wanted: Wanted, expected: list[str]
) -> list[tuple[Probe, list[str]]]:
    """Probe each address and print it, unless as JSON; each with the expectations that do not hold."""
    targets = [target(text, allow_public=given["allow_public"]) for text in addresses]
    found: list[tuple[Probe, list[str]]] = []
    with Runtime() as runtime:
        if given["ca"]:
            runtime.pki.trust(given["ca"])
        if given["cert"]:
            runtime.pki.provide(CERTIFICATE, Issued(given["cert"], given["key"]))
        machine = Machine(runtime)
        try:
            client = machine.one(given["client_name"])
            for one in targets:
                done, connections = probing.probe(runtime, client, one, wanted)
                if given["session_out"]:
                    session_files.write(given["session_out"], connections, overwrite=given["overwrite"])
                if not given["as_json"]:
                    click.echo("", nl=bool(found))
                    _show(done, verbose=given["verbose"])
                found.append((done, unmet(done, expected)))
        finally:
            machine.close()
    return found


def _expected(text: str) -> list[str]:
    words = [word.strip() for word in text.split(",")] if text else []
    if unknown := [word for word in words if word not in EXPECTATIONS]:
        raise UsageError(f"--expect has no {unknown[0]!r}; it takes: {', '.join(EXPECTATIONS)}")
    return words


def _wanted(given: dict[str, Any]) -> Wanted:
    versions = tuple(version for version in TLSVersion if not given["tls"] or version.value in given["tls"])
    seed = secrets.randbelow(LARGEST_SEED + 1) if given["seed"] is None else given["seed"]
    if bool(given["cert"]) != bool(given["key"]):
        raise UsageError("--cert and --key go together; give both, or neither")
    names = {"most": "connections", "offers": "offers", "rate": "rate"}
    return Wanted(
        versions=versions,
        seed=seed,
        software=given["software"] or "",
        sni=tuple(filter(None, given["sni"].split(","))),
        starttls=given["starttls"] or "",
        say=given["say"] or (NONE if given["starttls"] else HTTP),
        certificate=CERTIFICATE if given["cert"] else None,
        verify=bool(given["ca"]),
        session=session_files.checked(given),
        **{field: given[name] for field, name in names.items()},
    )


def _show(done: Probe, *, verbose: bool) -> None:
    # Imported last: nothing has to be printed before the connections are over.
    from harness.cli.console import console, encodable, text_width  # noqa: PLC0415
    from harness.report.text.probe_text import probe_text  # noqa: PLC0415

    out = console()
    out.print(encodable(probe_text(done, text_width(out), evidence=verbose), out))
