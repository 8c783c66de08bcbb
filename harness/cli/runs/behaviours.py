"""`resumption behaviours`: the map of behaviours by version, over the builds that are here."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.builds.store import BuildStore
from harness.builds.versions import newest_first
from harness.cli.help import example
from harness.cli.runs.build_ends import ends_of, is_build
from harness.cli.runs.declared import declared
from harness.cli.runs.inner_run import results_of
from harness.cli.runs.run import paths, scenarios
from harness.model.errors import UsageError
from harness.report.diff.behaviours import behaviours as differing
from harness.report.diff.behaviours import builds_apart
from harness.report.diff.options import explaining
from harness.report.run.behaviours_page import behaviours_html, behaviours_markdown
from harness.results.reader import kept_run

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.cli.runs.build_ends import BuildEnds
    from harness.report.diff.behaviours import Behaviour
    from harness.report.diff.causes import Cause
    from harness.report.json.shapes import ResultsObject

STACK = "libssl"
"""The reference: every build of the catalogue has it, and it shows every observable."""
MARKDOWN, PAGE = "behaviours.md", "behaviours.html"
MADE_BY = "`resumption behaviours --write docs` makes this page; `resumption builds fetch all` fetches every build."
SCHEMA = 1
SHOWING: Mapping[str, tuple[str, ...]] = {
    "close_modes.py": (
        "test_state_of_a_server_that_was_reset",
        "test_session_id_is_declined_after_the_end_of_tcp_alone",
        "test_stateful_ticket_is_declined_if_the_server_sent_no_close_notify",
        "test_only_the_last_stateful_ticket_is_lost",
        "test_server_counts_one_entry_fewer",
        "test_end_of_tcp_is_distinguished_from_a_close_notify",
        "test_ticket_that_the_client_keeps_resumes_however_it_was_closed",
    ),
    "expiry.py": (
        "test_server_declines_what_is_older_than_its_default",
        "test_ticket_loses_the_fraction_of_its_second",
    ),
    "external_cache.py": (
        "test_session_of_an_unclean_close_is_removed_outside",
        "test_session_that_is_not_resumable_is_ignored",
        "test_tls13_session_that_is_not_resumable_is_ignored",
    ),
    "hello_by_version.py": (),
    "key_types.py": ("test_session_resumes_where_the_server_has_a_key_of_rsa",),
    "many_tickets.py": ("test_earliest_stateful_one_is_declined_where_the_cache_is_smaller",),
    "renegotiation.py": ("test_client_is_refused_by_default_and_ends_the_connection",),
    "retry_counters.py": (),
    "server_name_acknowledged.py": (),
    "session_cache_size.py": (
        "test_cache_holds_so_many",
        "test_new_sessions_evict_the_oldest",
        "test_session_that_expires_first_goes_though_it_is_newer",
        "test_session_that_was_used_lately_goes_all_the_same",
    ),
    "session_id_context.py": (),
    "session_in_memory.py": ("test_object_in_memory_is_not_offered_without_a_client_close_notify",),
    "session_timeout.py": (
        "test_negative_timeout_expires_at_once",
        "test_negative_timeout_expires_at_once_in_the_cache_too",
    ),
    "ticket_of_the_future.py": (),
    "ticket_ring.py": ("test_callback_that_makes_no_tls13_ticket",),
    "unexpected_eof.py": (),
    "why_aborted.py": (
        "test_binder_is_made_with_another_secret_than_the_tickets",
        "test_maximum_fragment_length_differs",
        "test_maximum_fragment_length_is_no_longer_requested",
    ),
    "why_not_in_cache.py": (
        "test_session_of_a_connection_not_closed_by_the_server_is_not_cached",
        "test_session_that_was_evicted_is_not_in_the_cache",
    ),
    "why_not_offered.py": (
        "test_client_whose_clock_has_gone_back",
        "test_session_of_the_clients_future",
        "test_tls13_server_sends_no_ticket_after_it_declined_one_for_its_hash",
    ),
    "why_not_resumable.py": ("test_tls12_object_whose_use_was_not_shut_down",),
    "why_terms_differ.py": ("test_hash_of_the_cipher_suite_is_not_the_sessions",),
    "why_used_up.py": ("test_single_use_session_is_consumed_by_an_offer_with_a_wrong_binder",),
}
"""The scenarios of the map: the tests of each file, all if it names none. Each has cells in which builds differ."""


@click.command(
    context_settings={"ignore_unknown_options": True}, epilog=example("behaviours 1.1.1w 3.0 3.5 --write map")
)
@click.option(
    "--results",
    "folders",
    multiple=True,
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Take the results of a run that is over, and run nothing; may be repeated.",
)
@click.option(
    "--write",
    "folder",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    help=f"Also write {MARKDOWN} and {PAGE} to this folder.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object (docs/json.md) and nothing else.")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED, metavar="[BUILD]... [PYTEST ARGUMENTS]...")
def behaviours(folders: tuple[Path, ...], folder: Path | None, arguments: tuple[str, ...], *, as_json: bool) -> None:
    """Show what OpenSSL's resumption does differently from version to version, as Markdown: the map of behaviours.

    Each BUILD meets itself; without one, every cached libssl. A selection of scenarios runs, with one cell for each
    behaviour; PYTEST ARGUMENTS such as a file name others. With --results, the map is that of runs that are over, such
    as a run with `--matrix same`.
    """
    count = next((place for place, one in enumerate(arguments) if not is_build(one)), len(arguments))
    names, more = arguments[:count], arguments[count:]
    if folders and arguments:
        raise UsageError(f"--results takes runs that are over, and {arguments[0]} is for a new one; remove one of them")
    made, about = _map([kept_run(place).results for place in folders] if folders else [_run(names, more)])
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / MARKDOWN).write_text(behaviours_markdown(made, about, MADE_BY))
        (folder / PAGE).write_text(behaviours_html(made, about))
    if as_json:
        click.echo(json.dumps({"schema": SCHEMA, "builds": about, "behaviours": [one.to_json() for one in made]}))
    else:
        click.echo(behaviours_markdown(made, about), nl=False)


def page_of(found: Sequence[ResultsObject]) -> str:
    """Return the map of finished runs as a page of HTML; UsageError if they have fewer than two builds."""
    return behaviours_html(*_map(found))


def _map(found: Sequence[ResultsObject]) -> tuple[list[Behaviour], list[str]]:
    """Return what differs between the builds of runs, with what is known of it, and a line about each build."""
    runs = builds_apart(found)
    if len(runs) < 2:  # noqa: PLR2004 - a map is of several builds
        raise UsageError("a map needs the results of two builds or more, each with itself; name two builds")
    ends = {end.version: end for end in _known([version for version, _ in runs])}
    made = [one.explained(lambda older, newer, cause: _said(older, newer, cause, ends)) for one in differing(runs)]
    return made, [str(ends.get(version, f"{version}: not here")) for version, _ in runs]


def _run(names: Sequence[str], more: Sequence[str]) -> ResultsObject:
    """Run the scenarios of the map, or those that the user names, with each build at both ends."""
    wanted = names or newest_first(BuildStore().serving(STACK))
    ends = ends_of([name if "@" in name else f"{STACK}@{name}" for name in wanted])
    labels = [label for end in ends for label in end.labels]
    chosen = [] if paths(more) else _selection()
    return results_of(labels, labels, ["--resumption-matrix=same", *chosen, *more])


def _selection() -> list[str]:
    *options, folder = scenarios(Path.cwd())
    tests = [(file, test) for file, tests in SHOWING.items() for test in tests or ("",)]
    return [*options, *(f"{folder}/{file}::{test}".removesuffix("::") for file, test in tests)]


def _known(versions: Sequence[str]) -> list[BuildEnds]:
    """Where the builds come from, of those that are still here."""
    here = BuildStore().serving(STACK)
    named = [f"{STACK}@{version}" for version in versions if version in here]
    return ends_of(named) if named else []


def _said(older: str, newer: str, cause: Cause, ends: Mapping[str, BuildEnds]) -> str:
    """Where a change is declared, or which option of the builds it comes from; empty if neither is known."""
    both = [(version, ends[version].options if version in ends else None) for version in (older, newer)]
    option = explaining(cause.observable, *both)
    return declared(cause, [f"{STACK}@{older}"], [f"{STACK}@{newer}"]) or option
