"""`resumption probe`: asks a running server how it resumes, and says why it does not."""

from __future__ import annotations

import secrets
from typing import Any

import click

from harness.cli.help import example
from harness.explain.probing.products import SETTINGS
from harness.model.errors import HarnessError, UnreachableError, UsageError, is_lost
from harness.model.tls import TLSVersion
from harness.probe import probing
from harness.probe.address import target
from harness.probe.limits import MOST, RATE
from harness.probe.probing import OFFERS, Wanted
from harness.runtime.runtime import Runtime
from harness.stacks.machine import Machine

UNREACHABLE = 125
"""Exit code if the server cannot be reached, or nothing is known about it."""
LARGEST_SEED = 999_999
TLS = click.Choice([version.value for version in TLSVersion])


@click.command("probe", epilog=example("probe 127.0.0.1:8443"))
@click.argument("addresses", nargs=-1, required=True, metavar="HOST:PORT...")
@click.option("--tls", multiple=True, type=TLS, help="Only this protocol version; may be repeated. Default: both.")
@click.option("--client", "client_name", default="libssl", metavar="STACK", help="The client. Default: libssl.")
@click.option("--sni", metavar="NAME", help="The server name to send. Default: HOST, unless it is an IP address.")
@click.option(
    "--offers", type=click.IntRange(min=1), default=OFFERS, help=f"Offers of each mechanism. Default: {OFFERS}."
)
@click.option("--seed", type=click.IntRange(0, LARGEST_SEED), help="Repeat the order of the offers of another probe.")
@click.option(
    "--say", default="http", metavar="http|none|FILE", help="What the client says. Default: http, a GET of /."
)
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
@click.option("--allow-public", is_flag=True, help="Also probe addresses that are neither loopback nor private.")
@click.option("--verbose", "-v", is_flag=True, help="Show the evidence of each answer.")
def probe(addresses: tuple[str, ...], **given: Any) -> None:
    """Ask a running server whether, how and how often it resumes; say why it does not, and what to change.

    Sessions and keys are never written. Exit code 0: probed. 2: bad usage, or an address that is not allowed. 125: a
    server cannot be reached, or does not do TLS.
    """
    wanted = _wanted(given)
    try:
        targets = [target(text, allow_public=given["allow_public"]) for text in addresses]
        with Runtime() as runtime:
            machine = Machine(runtime)
            try:
                client = machine.one(given["client_name"])
                for place, one in enumerate(targets):
                    done, _connections = probing.probe(runtime, client, one, wanted)
                    click.echo("", nl=place > 0)
                    _show(done, verbose=given["verbose"])
            finally:
                machine.close()
    except UsageError:
        raise
    except (HarnessError, OSError) as error:
        if not isinstance(error, UnreachableError) and not is_lost(error):
            raise
        click.echo(f"error: {error}", err=True)
        click.get_current_context().exit(UNREACHABLE)


def _wanted(given: dict[str, Any]) -> Wanted:
    versions = tuple(version for version in TLSVersion if not given["tls"] or version.value in given["tls"])
    seed = secrets.randbelow(LARGEST_SEED + 1) if given["seed"] is None else given["seed"]
    names = {"most": "connections", "sni": "sni", "say": "say", "offers": "offers", "rate": "rate"}
    return Wanted(
        versions=versions,
        seed=seed,
        software=given["software"] or "",
        **{field: given[name] for field, name in names.items()},
    )


def _show(done: Any, *, verbose: bool) -> None:
    # Imported last: nothing has to be printed before the connections are over.
    from harness.cli.console import console, encodable, text_width  # noqa: PLC0415
    from harness.report.text.probe_text import probe_text  # noqa: PLC0415

    out = console()
    out.print(encodable(probe_text(done, text_width(out), evidence=verbose), out))
