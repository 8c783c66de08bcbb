"""`resumption probe`: asks a running server how it resumes, and says why it does not."""

from __future__ import annotations

import json
import secrets
import ssl
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from harness.cli import session_files
from harness.cli.messages import example, show_error
from harness.cli.paths import NamedPath
from harness.cli.session_files import session_options
from harness.explain.probing.expectations import EXPECTATIONS, unmet
from harness.explain.probing.holding import in_words, round_text
from harness.explain.probing.products import SETTINGS
from harness.model.errors import HarnessError, UnreachableError, UsageError, given_bytes, is_lost
from harness.model.tls import USUAL_VERSIONS
from harness.probe import probing
from harness.probe.between import OFFERS as BETWEEN_OFFERS
from harness.probe.between import between
from harness.probe.holding import hold
from harness.probe.keeping import Keeper, folder
from harness.probe.limits import MOST, RATE
from harness.probe.probing import OFFERS, Wanted, limits_of
from harness.probe.say import HTTP, NONE
from harness.probe.starttls import TURNS
from harness.probe.state import State, duration, opened
from harness.runtime.address import target
from harness.runtime.pki import Issued
from harness.runtime.runtime import Runtime
from harness.stacks.machine import Machine

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from harness.model.connection import Connection
    from harness.model.probe import Probe, Round
    from harness.probe.probing import Keep
    from harness.runtime.address import Target
    from harness.stacks.base import Stack

UNREACHABLE = 125
"""Exit code if the server cannot be reached, or nothing is known about it."""
LARGEST_SEED = 999_999
SAY = "What the client says. Default: http, a GET of /; none with --starttls."
FILE = NamedPath(exists=True, dir_okay=False, path_type=Path)
OTHER_KEY = {"KEY_VALUES_MISMATCH", "KEY_TYPE_MISMATCH", "NO_CERTIFICATE_ASSIGNED"}
"""What Python's ssl says of a private key whose certificate is another one."""
FAILED = 1
"""Exit code if an expectation does not hold."""
SNI = "The server name to send, then others under which its sessions are offered. Default: HOST, if it is a name."
FROM = "Whose sessions are offered to the addresses of --to."
CLIENTS = "The clients, such as libssl@*. Default: libssl."
STATE = NamedPath(dir_okay=False, path_type=Path)
FOLDER = NamedPath(file_okay=False, path_type=Path)
CERTIFICATE = "the client's"
"""Its name in the PKI of the run."""
TLS = click.Choice([version.value for version in USUAL_VERSIONS])


@click.command("probe", epilog=example("probe 127.0.0.1:8443"))
@click.argument("addresses", nargs=-1, metavar="[HOST:PORT]...")
@click.option("--from", "sources", multiple=True, metavar="HOST:PORT,...", help=FROM)
@click.option("--to", "destinations", multiple=True, metavar="HOST:PORT,...", help="Where they are offered.")
@click.option("--every", metavar="TIME", help="Probe again and again, such as 1h: shows how long sessions hold.")
@click.option("--for", "lasts", metavar="TIME", help="How long --every goes on, such as 2d.")
@click.option("--state", type=STATE, help="Where --every keeps what it knows, to go on after a kill.")
@click.option("--keep", type=FOLDER, metavar="DIR", help="Write captures, key logs and sessions there, for you alone.")
@click.option("--tls", multiple=True, type=TLS, help="Only this protocol version; may be repeated. Default: both.")
@click.option("--client", "client_name", default="libssl", metavar="GLOB", help=CLIENTS)
@click.option("--sni", metavar="NAME,...", default="", help=SNI)
@click.option("--ca", type=FILE, help="Verify the server's certificate with this authority (PEM). Default: no check.")
@click.option("--cert", type=FILE, help="The client's certificate chain (PEM); needs --key.")
@click.option("--key", type=FILE, help="The private key of --cert (PEM, unencrypted).")
@click.option("--expect", metavar="WORD,...", help=f"Exit 1 unless all hold: {', '.join(EXPECTATIONS)}.")
@click.option("--offers", type=click.IntRange(min=1), help=f"Offers of each mechanism. Default: {OFFERS}.")
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
    _consistent(addresses, given)
    wanted, expected = _wanted(given), _expected(given["expect"])
    _usable(given["ca"], given["cert"], given["key"])
    try:
        found = _probed(addresses, given, wanted, expected)
    except UsageError:
        raise
    except (HarnessError, OSError) as error:
        if not isinstance(error, UnreachableError) and not is_lost(error):
            raise
        show_error(error)
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
    """Probe what is asked for and print it, unless as JSON; each with the expectations that do not hold."""
    targets, sources, destinations = (
        [target(text, allow_public=given["allow_public"]) for text in texts]
        for texts in (addresses, *(_split(given[name]) for name in ("sources", "destinations")))
    )
    root = folder(given["keep"]) if given["keep"] else None
    found: list[tuple[Probe, list[str]]] = []

    def done(probe: Probe) -> None:
        if not given["as_json"]:
            click.echo("", nl=bool(found))
            _show(probe, verbose=given["verbose"])
        found.append((probe, unmet(probe, expected)))

    with Runtime() as runtime:
        if given["ca"]:
            runtime.pki.trust(given["ca"])
        if given["cert"]:
            runtime.pki.provide(CERTIFICATE, Issued(given["cert"], given["key"]))
        machine = Machine(runtime)
        try:
            clients = machine.select(given["client_name"])
            if sources:
                limits = {one: limits_of(runtime, one, wanted) for one in (*sources, *destinations)}
                for client in clients:
                    kept = _kept(root, client.label)
                    done(between(runtime, client, sources, destinations, wanted, limits=limits, kept=kept))
            for one in targets:
                shared = limits_of(runtime, one, wanted)
                for client in clients:
                    if given["every"] is not None:
                        done(_held(runtime, client, one, wanted, given, root))
                    else:
                        seen = _Seen(_kept(root, client.label)(one))
                        done(probing.probe(runtime, client, one, wanted, limits=shared, kept=seen.keep))
                        seen.write(given)
        finally:
            machine.close()
    return found


class _Seen:
    """The connections of a probe, which are kept, and whose last session can be written."""

    def __init__(self, kept: Keep) -> None:
        self._kept = kept
        self._connections: list[Connection] = []

    def keep(self, connections: Sequence[Connection]) -> None:
        """Keep them."""
        self._connections += connections
        self._kept(connections)

    def write(self, given: dict[str, Any]) -> None:
        """Write the last session, if the user wants it."""
        if given["session_out"]:
            session_files.write(given["session_out"], self._connections, overwrite=given["overwrite"])


def _split(texts: tuple[str, ...]) -> list[str]:
    return [one for text in texts for one in text.split(",")]


def _kept(root: Path | None, client: str) -> Callable[[Target], Keep]:
    """What keeps the connections to an address."""
    return lambda one: Keeper(root, one.text, client).keep if root else probing.keep_nothing


def _held(
    runtime: Runtime, client: Stack, one: Target, wanted: Wanted, given: dict[str, Any], root: Path | None
) -> Probe:
    """Probe again and again, one line each."""
    every, lasts = duration(given["every"], "--every"), duration(given["lasts"], "--for")
    keeper = Keeper(root, one.text, client.label) if root else None
    file = given["state"] or (keeper.folder / "state.json" if keeper else None)
    state = opened(State(one.text, client.label, every, lasts, time.time(), file, keeper))

    def line(text: str) -> None:
        click.echo(text, err=given["as_json"])

    line(f"{one.text} by {client.label}, every {in_words(every)} for {in_words(lasts)}: {_resumable(state)}")

    def said(done: Round) -> None:
        line(round_text(done, state.rounds, state.holding.rounds[:-1]))

    def kept(number: int) -> Keep:
        return (lambda c: keeper.keep(c, f"round-{number:04}-")) if keeper else probing.keep_nothing

    return hold(runtime, client, one, wanted, state, said=said, kept=kept)


def _resumable(state: State) -> str:
    if state.file is None:
        return "a kill ends it (--keep DIR or --state FILE lets it go on)"
    text = f"goes on after a kill, from {state.file}"
    if state.lost:
        return f"{text}; the earlier sessions are lost, since sessions are kept only with --keep"
    return text if state.keeper else f"{text}, without its sessions (--keep DIR keeps them)"


def _consistent(addresses: tuple[str, ...], given: dict[str, Any]) -> None:
    """UsageError if the options do not fit together."""
    if bool(given["sources"]) != bool(given["destinations"]):
        raise UsageError("--from and --to go together; give both, or HOST:PORT alone")
    if bool(addresses) == bool(given["sources"]):
        raise UsageError("give HOST:PORT, or --from HOST:PORT and --to HOST:PORT")
    if (given["every"] is None) != (given["lasts"] is None):
        raise UsageError("--every and --for go together; give both, such as --every 1h --for 2d")
    if given["state"] and given["every"] is None:
        raise UsageError("--state needs --every and --for, whose state it is")
    if given["every"] is not None and given["sources"]:
        raise UsageError("--every needs HOST:PORT, and goes without --from and --to")
    if given["every"] is not None and len(addresses) > 1:
        raise UsageError("--every goes with one HOST:PORT; start a probe for each")
    if given["every"] is not None and duration(given["every"], "--every") > duration(given["lasts"], "--for"):
        raise UsageError(f"--every {given['every']} is longer than --for {given['lasts']}; give more, or less")


def _usable(authority: Path | None, certificate: Path | None, key: Path | None) -> None:
    """UsageError if a file does not hold what its option says."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    for option, file in (("--ca", authority), ("--cert", certificate)):
        if file is None:
            continue
        given_bytes(file, f"{option} {file}", "give certificates in PEM")
        try:
            context.load_verify_locations(file)
        except ssl.SSLError as error:
            raise UsageError(f"{option} {file} holds no certificate in PEM that can be read; give one") from error
    if not certificate or not key:
        return
    text = given_bytes(key, f"--key {key}", f"give that of --cert {certificate}")
    if b"PRIVATE KEY-----" not in text or b"ENCRYPTED" in text:
        raise UsageError(f"--key {key} holds no unencrypted private key in PEM; give that of --cert {certificate}")
    try:
        context.load_cert_chain(certificate, key)
    except ssl.SSLError as error:
        # What else Python's OpenSSL does not like, another one may take.
        if error.reason in OTHER_KEY:
            raise UsageError(f"--key {key} is not the key of --cert {certificate}; give its own") from error


def _expected(text: str | None) -> list[str]:
    words = [] if text is None else [word.strip() for word in text.split(",")]
    if unknown := [word for word in words if word not in EXPECTATIONS]:
        raise UsageError(f"--expect has no {unknown[0]!r}; it takes: {', '.join(EXPECTATIONS)}")
    return words


def _wanted(given: dict[str, Any]) -> Wanted:
    versions = tuple(version for version in USUAL_VERSIONS if not given["tls"] or version.value in given["tls"])
    seed = secrets.randbelow(LARGEST_SEED + 1) if given["seed"] is None else given["seed"]
    if bool(given["cert"]) != bool(given["key"]):
        raise UsageError("--cert and --key go together; give both, or neither")
    names = {"most": "connections", "rate": "rate"}
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
        offers=given["offers"] or (BETWEEN_OFFERS if given["sources"] else OFFERS),
        **{field: given[name] for field, name in names.items()},
    )


def _show(done: Probe, *, verbose: bool) -> None:
    # Imported last: nothing has to be printed before the connections are over.
    from harness.cli.console import console, encodable, text_width  # noqa: PLC0415
    from harness.report.text.probe_text import probe_text  # noqa: PLC0415

    out = console()
    out.print(encodable(probe_text(done, text_width(out), evidence=verbose), out))
