"""`resumption builds`: lists, fetches, builds, verifies and removes OpenSSL builds."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource
from rich.table import Table

from harness.builds.catalogue import CatalogueEntry, Part
from harness.builds.providers.debian import Debian
from harness.builds.providers.source import Recipe, Source
from harness.builds.store import ALL, BuildStore
from harness.builds.system import Missing, system_builds
from harness.builds.versions import build_version, matching, means_all, nearest
from harness.cli.console import console
from harness.cli.fetching import Fetching, owned
from harness.cli.messages import example, show_error
from harness.cli.paths import NamedPath
from harness.model.errors import BuildError, UsageError
from harness.report.text.builds_text import HEADS, Row, builds_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.builds.record import Record

FAILED = 1
MOST_JOBS = 1000
MADE = frozenset({Part.PROGRAM, Part.LIBRARY, Part.HEADERS})
PROVIDER = click.option(
    "--provider",
    metavar="NAME",
    help="Only builds of this provider: debian, wheel, cryptography, source.",
)


@click.group(invoke_without_command=True, epilog=example("builds fetch 1.1.1w 3.5"))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")
@click.pass_context
def builds(context: click.Context, *, as_json: bool) -> None:
    """Show the OpenSSL builds that can be tested: which are fetched, which can be fetched, and what each contains.

    Write a version as 1.1.1w, 3.5 (the newest 3.5.x for each stack), '3.0.*' (every one), latest or all. Builds are
    kept in your cache folder; RESUMPTION_CACHE names another folder.
    """
    if context.invoked_subcommand is not None:
        if as_json:
            raise UsageError(f"--json only lists builds; remove it, or remove {context.invoked_subcommand}")
        return
    store = BuildStore()
    with owned():
        rows = rows_of(store)
    unserved = {name: why for name, provider in store.providers.items() if (why := provider.unserved())}
    if as_json:
        listing = builds_json(str(store.cache.folder), rows, unserved, store.damaged())
        click.echo(json.dumps(listing, indent=2))
        return
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for head in HEADS:
        table.add_column(head, overflow="fold")
    for row in rows:
        table.add_row(*row.cells())
    out = console()
    out.print(table)
    for name, why in unserved.items():
        out.print(f"the provider {name} does not serve this machine: {why}")
    for key, why in store.damaged().items():
        out.print(f"{key} is damaged: {why}; `resumption builds fetch --again VERSION` replaces it")
    out.print(f"the cache is {store.cache.folder}; `resumption builds fetch VERSION…` gets more")


def rows_of(store: BuildStore) -> list[Row]:
    """The machine's own builds, then all known or cached builds, newest first."""
    own = [
        Row(build.version, build.origin, (), (stack,), "this machine", folder=str(build.libssl or build.origin))
        for stack, build in system_builds().items()
        if not isinstance(build, Missing)
    ]
    here = {record.key: record for record in store.here()}
    known = [_known_row(store, known, here.pop(known.key, None)) for known in store.known]
    others = [_here_row(store, record) for record in here.values()]
    return own + sorted(known + others, key=lambda row: build_version(row.version), reverse=True)


def _known_row(store: BuildStore, known: CatalogueEntry, record: Record | None) -> Row:
    if record is not None:
        return _here_row(store, record)
    why = store.providers[known.provider].unserved()
    return Row(known.version, known.provider, _parts(known.has), known.stacks, known.source, unserved=why)


def _here_row(store: BuildStore, record: Record) -> Row:
    try:
        stacks = tuple(store.builds(record))
    except BuildError:
        stacks = ()
    return Row(
        record.version,
        record.provider,
        _parts(record.has),
        stacks,
        record.source,
        folder=str(store.cache.path(record.key)),
        bytes=record.bytes,
        seconds=record.seconds,
    )


def _parts(has: frozenset[Part]) -> tuple[str, ...]:
    return tuple(part.value for part in Part if part in has)


def say(text: str) -> None:
    """Print progress to stderr."""
    click.echo(text, err=True)


@builds.command(epilog=example("builds fetch 1.1.1w 3.5"))
@click.argument("versions", nargs=-1, required=True, metavar="VERSION…|all")
@PROVIDER
@click.option("--again", is_flag=True, help="Fetch cached builds again: a Debian suite may have a newer one.")
@click.option(
    "--mirror",
    envvar="RESUMPTION_MIRROR",
    metavar="URI",
    help="Fetch from this Debian archive (default: the machine's).",
)
def fetch(versions: tuple[str, ...], provider: str | None, mirror: str | None, *, again: bool) -> None:
    """Fetch builds into the cache; check each by SHA-256 or signature, and check its version.

    Exit code 1: a build cannot be fetched, or its Debian suite has another version now.
    """
    if mirror == "":
        raise UsageError("--mirror is empty; give the URI of a Debian archive, or leave it out")
    store = BuildStore(mirror=mirror)
    chosen = store.chosen(versions, provider)
    if mirror and click.get_current_context().get_parameter_source("mirror") is ParameterSource.COMMANDLINE:
        others = [known.key for known in chosen if known.provider != Debian.name]
        if len(others) == len(chosen):
            raise UsageError(f"--mirror is for Debian packages only, not for {', '.join(others)}; remove it")
    progress = Fetching(len(chosen))
    failed = 0
    for known in chosen:
        try:
            with owned(), progress.build(known.key):
                record = store.fetch(known, progress.say, again=again)
        except BuildError as error:
            show_error(error)
            failed += 1
            continue
        stacks = ", ".join(f"{stack}@{record.version}" for stack in store.builds(record))
        click.echo(f"{stacks}: {record.source}, {record.bytes / 1e6:.0f} MB, fetched in {record.seconds:.1f} s")
        if other := store.moved_on(versions, record):
            show_error(other)
            failed += 1
    if failed:
        click.get_current_context().exit(FAILED)


@builds.command(epilog=example("builds make openssl-3.5.7.tar.gz --sha256 HEX -- no-dtls"))
@click.argument("source", type=NamedPath(path_type=Path))
@click.argument("options", nargs=-1, metavar="[CONFIGURE OPTIONS]...")
@click.option("--label", default="", metavar="WORD", help="Add +WORD to the version: fips makes it openssl@3.5.7+fips.")
@click.option("--sha256", metavar="HEX", help="Refuse a tarball that does not have this SHA-256.")
@click.option("--signature", type=NamedPath(path_type=Path), help="The tarball's detached signature, checked by gpgv.")
@click.option("--keyring", type=NamedPath(path_type=Path), help="The keys trusted to sign the tarball.")
@click.option(
    "--jobs", type=click.IntRange(1, MOST_JOBS), metavar="N", help="Compile N files at once (default: one per CPU)."
)
@click.option("--again", is_flag=True, help="Build it even if it is cached.")
def make(source: Path, options: tuple[str, ...], label: str, *, again: bool, **vouching: Any) -> None:
    """Build OpenSSL from a tarball or a checkout into the cache; give Configure's options after `--`."""
    store = BuildStore()
    if not re.fullmatch(r"[a-z0-9]{,20}", label):
        raise UsageError(f"invalid label {label!r}: use at most 20 lowercase letters and digits, such as fips")
    if vouching["keyring"] and not vouching["signature"]:
        raise UsageError("--keyring needs --signature FILE")
    if source.is_dir() and (vouched := [f"--{name}" for name in ("sha256", "signature") if vouching[name] is not None]):
        raise UsageError(f"{vouched[0]} is for tarballs, but {source} is a folder; remove it")
    if (digits := vouching["sha256"]) is not None and not re.fullmatch(r"[0-9a-fA-F]{64}", digits):
        raise UsageError(f"--sha256 cannot be {digits!r}: give the 64 hexadecimal digits that `sha256sum FILE` prints")
    known = CatalogueEntry("-".join(filter(None, [source.absolute().name, label])), "source", MADE)
    with owned():
        record = store.make(known, Source(Recipe(source, options, **vouching)), say, label, again=again)
    click.echo(f"openssl@{record.version}, libssl@{record.version}: built in {record.seconds:.0f} s")


def present(store: BuildStore, versions: Sequence[str], provider: str | None = None) -> list[Record]:
    """Return the cached builds that the versions select; UsageError names the nearest ones if there is no match.

    Also UsageError for an unknown provider.
    """
    if provider not in {None, *store.providers}:
        raise UsageError(f"no provider {provider!r}; the providers are: {', '.join(store.providers)}")
    records = [record for record in store.here() if provider in {None, record.provider}]
    found: dict[str, Record] = {}
    for wanted in versions:
        matched = [r.version for r in records] if wanted == ALL else matching(wanted, [r.version for r in records])
        if not matched and wanted != ALL:
            near = ", ".join(nearest(wanted, [r.version for r in records])) or "none"
            raise UsageError(f"no build {wanted!r} is in the cache; the nearest are: {near}")
        chosen = matched if wanted == ALL or means_all(wanted) else matched[:1]
        found |= {record.key: record for record in records if record.version in chosen}
    return list(found.values())


@builds.command(epilog=example("builds remove '3.0.*'"))
@click.argument("versions", nargs=-1, required=True, metavar="VERSION…|all")
@PROVIDER
def remove(versions: tuple[str, ...], provider: str | None) -> None:
    """Remove builds from the cache; `all` includes damaged builds."""
    store = BuildStore()
    keys = [record.key for record in present(store, versions, provider)]
    keys += [key for key in store.cache.names() if ALL in versions and provider is None and key not in keys]
    for key in keys:
        store.cache.remove(key, say)
        click.echo(f"removed {key}")


@builds.command(epilog=example("builds verify"))
@click.argument("versions", nargs=-1, metavar="[VERSION…]")
def verify(versions: tuple[str, ...]) -> None:
    """Verify the cached builds: check every file's SHA-256 and each build's version."""
    store = BuildStore()
    keys = [record.key for record in present(store, versions)] if versions else store.cache.names()
    with owned():
        wrong = {key: damage for key in keys if (damage := store.damage(key))}
    if not keys:
        click.echo(f"no build is in the cache, {store.cache.folder}")
    for key in keys:
        click.echo(f"{key}: {'good' if key not in wrong else '; '.join(wrong[key])}")
    if wrong:
        click.echo("`resumption builds fetch --again VERSION` replaces a damaged build", err=True)
        click.get_current_context().exit(FAILED)


@builds.command(epilog=example("builds path 3.5 --command"))
@click.argument("version")
@PROVIDER
@click.option("--command", is_flag=True, help="Print the command that starts its `openssl`, with its environment.")
def path(version: str, provider: str | None, *, command: bool) -> None:
    """Print the folder of a build in the cache, or how to start its `openssl`."""
    store = BuildStore()
    for record in present(store, [version], provider):
        if not command:
            click.echo(store.cache.path(record.key))
            continue
        build = store.builds(record).get("openssl")
        if build is None or build.openssl is None:
            has = ", ".join(part.value for part in record.has)
            raise UsageError(
                f"{record.key} has no `openssl` program, only its {has}; name a version of debian or source"
            )
        around = [f"{name}={value}" for name, value in build.environment.items()]
        click.echo(shlex.join(["env", *around, *build.openssl]))
