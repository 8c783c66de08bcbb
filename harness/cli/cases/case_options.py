"""The options of `connect` and `bisect` that describe a case."""

from __future__ import annotations

from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.core import ParameterSource
from click.shell_completion import CompletionItem
from msgspec.structs import replace

from harness.case.bisect import UntestableEndError
from harness.case.desk import MOST_THREADS, MOST_TIMES, Offering, desk
from harness.cli.messages import show_error
from harness.cli.paths import NamedPath
from harness.model.errors import BuildError, HarnessError, SetUpError, UsageError, is_lost
from harness.model.knobs import DEFAULT, ClientConfig, ServerConfig, knobs_of, parse_knob
from harness.model.session import EDITABLE
from harness.model.tls import Close, Outcome, Role, TLSVersion
from harness.report.expecting import Expectation
from harness.story.plan import Plan
from harness.story.reading import read_story
from harness.story.step import FARTHEST

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from harness.story.story import Story

F = TypeVar("F", bound="Callable[..., Any]")

UNTESTABLE = 125
"""Exit code if an OpenSSL is missing or does not run: `git bisect run` skips the revision. 1 would mean "bad"."""

UNSET = f"The value `{DEFAULT}` restores the default."
AGE = (
    "Let SECONDS pass at both ends before each further connection: their clocks are set forward, back if negative. "
    "Default: 0."
)
AGE_COPY = (
    "Make the client's copy of the session older by SECONDS, younger if negative, and leave the server's as it is. "
    "Default: 0."
)
EDIT_COPY = (
    "Change a field of the client's copy of the session before it is offered; may be repeated. Numbers are decimal or "
    "begin with 0x, bytes are hexadecimal digits, flip:N (a bit of byte N) or invert."
)
OFFER = (
    "What each further connection offers: a copy as data, the object in the client's memory, a duplicate of that "
    "(SSL_SESSION_dup), or the session that SSL_clear leaves in the SSL of the connection before (ssl). Default: copy."
)
THREADS = "In place of each further connection make N at once, each in a thread of the client."
SECONDS = click.IntRange(-FARTHEST, FARTHEST)
TLS = click.Choice([v.value for v in TLSVersion])
FILE = NamedPath(path_type=Path, dir_okay=False)
EXPECT = (
    "Exit 1 unless this holds: the last connection's outcome, such as resumed, or a comparison, such as "
    "'connection[2].hits == 1'; may be repeated."
)
STORY = "Run the story in FILE (docs/stories.md); --client and --server run it between other ends."


def case_options(command: F) -> F:
    """Add the options."""
    client = "The client: a stack, or stack@build."
    server = "The server: a stack, or stack@build."
    options = (
        click.option("--client", "client_name", metavar="STACK", help=client),
        click.option("--server", "server_name", metavar="STACK", help=server),
        click.option("--tls", type=TLS, help="The protocol version."),
        settings("--client-set", f"Set a knob of the client; may be repeated. {UNSET}"),
        settings("--server-set", f"Set a knob of the server; may be repeated. {UNSET}"),
        settings("--then-client-set", f"Reconnect from a new client with this knob changed; may be repeated. {UNSET}"),
        settings("--then-server-set", f"Restart the server with this knob changed; may be repeated. {UNSET}"),
        click.option(
            "--close",
            "close_",
            type=click.Choice([c.value for c in Close]),
            default=Close.BOTH.value,
            help="How each connection is closed: close_notify from both ends or from one, or TCP ends "
            "without it (eof) or is reset (rst). Default: both.",
        ),
        click.option(
            "--age",
            type=SECONDS,
            default=0,
            metavar="SECONDS",
            help=AGE,
        ),
        click.option(
            "--age-copy",
            type=SECONDS,
            default=0,
            metavar="SECONDS",
            help=AGE_COPY,
        ),
        click.option(
            "--edit-copy", multiple=True, metavar="FIELD=VALUE", help=EDIT_COPY, shell_complete=_fields_of_sessions
        ),
        click.option(
            "--offer",
            type=click.Choice([each.value for each in Offering]),
            default=Offering.COPY.value,
            help=OFFER,
        ),
        click.option("--threads", type=click.IntRange(1, MOST_THREADS), default=None, metavar="N", help=THREADS),
        click.option(
            "--times", type=click.IntRange(0, MOST_TIMES), default=1, help="Connections after the first. Default: 1."
        ),
        click.option("--expect", multiple=True, metavar="EXPECTATION", help=EXPECT, shell_complete=_outcomes),
        click.option("--story", "story_file", type=FILE, metavar="FILE", help=STORY),
    )
    for option in reversed(options):
        command = option(command)
    return command


def untestable(command: Callable[..., None]) -> Callable[..., None]:
    """Exit with UNTESTABLE if ``expect`` is given, as in a bisection, and the case says nothing about the OpenSSL.

    It is missing, does not run, or the harness lost the case. An endpoint that crashes after the first connection is a
    failure: it may be the bug that the user bisects.
    """

    @wraps(command)
    def guarded(**given: Any) -> None:
        try:
            command(**given)
        except (HarnessError, OSError) as error:
            unknown = isinstance(error, BuildError | SetUpError | UntestableEndError) or is_lost(error)
            if not unknown or (not given["expect"] and command.__name__ != "bisect"):
                raise
            show_error(error)
            click.get_current_context().exit(UNTESTABLE)

    return guarded


def settings(name: str, text: str) -> Callable[[F], F]:
    """Add an option that sets knobs of the role that its name has."""
    complete = _completion(Role.CLIENT if "client" in name else Role.SERVER)
    return click.option(name, multiple=True, metavar="KNOB=VALUE", help=text, shell_complete=complete)


def _completion(role: Role) -> Callable[[click.Context, click.Parameter, str], list[CompletionItem]]:
    """Complete a setting: first the knobs of the role, then the values of the typed knob."""

    def complete(_context: click.Context, _parameter: click.Parameter, typed: str) -> list[CompletionItem]:
        rows = knobs_of(role)
        name, equals, text = typed.partition("=")
        if not equals:
            return [CompletionItem(f"{knob}=", help=row.meaning) for knob, row in rows.items() if knob.startswith(name)]
        words = (*rows[name].kind.words, DEFAULT) if name in rows else ()
        return [CompletionItem(f"{name}={word}") for word in words if word.startswith(text)]

    return complete


def _outcomes(_context: click.Context, _parameter: click.Parameter, typed: str) -> list[CompletionItem]:
    """Complete an outcome."""
    return [CompletionItem(outcome.value) for outcome in Outcome if outcome.value.startswith(typed)]


def _fields_of_sessions(_context: click.Context, _parameter: click.Parameter, typed: str) -> list[CompletionItem]:
    """Complete the name of a field."""
    return [CompletionItem(f"{name}=") for name in EDITABLE if name.startswith(typed)]


CASE_OPTIONS = {
    "client_name": "--client",
    "server_name": "--server",
    "tls": "--tls",
    "client_set": "--client-set",
    "server_set": "--server-set",
    "then_client_set": "--then-client-set",
    "then_server_set": "--then-server-set",
    "close_": "--close",
    "age": "--age",
    "age_copy": "--age-copy",
    "edit_copy": "--edit-copy",
    "offer": "--offer",
    "threads": "--threads",
    "times": "--times",
    "expect": "--expect",
}
"""The options of a case by parameter name."""
BESIDE_STORY = ("client_name", "server_name", "expect")
"""The parameters that go with --story."""


def given_on_command_line(names: Mapping[str, str]) -> list[str]:
    """Return the options with these parameter names that the user typed."""
    source = click.get_current_context().get_parameter_source
    return [option for name, option in names.items() if source(name) is ParameterSource.COMMANDLINE]


def exclusive(names: Mapping[str, str], why: str) -> None:
    """UsageError if more than one of these options is given."""
    given = given_on_command_line(names)
    if len(given) > 1:
        raise UsageError(f"{' and '.join(given)} cannot be combined: {why}; give one of them")


def story_of(given: Mapping[str, Any]) -> Story:
    """Return the story that the options describe, or that the file of --story holds.

    UsageError for an invalid ``KNOB=VALUE``, an unknown knob, a value out of range, an option without effect, a story
    that cannot be read, or an incomplete case.
    """
    story = _from_file(given) if given["story_file"] else _from_options(given)
    made = Plan.of(story).count
    for expectation in expectations(story):
        if expectation.highest > made:
            raise UsageError(
                f"--expect {expectation.text!r} is about connection {expectation.highest}, and the story makes {made}"
            )
    return story


def expectations(story: Story) -> list[Expectation]:
    """Return what is expected of a story; UsageError for what cannot be read."""
    return [Expectation.parse(text) for text in story.expect]


def _from_file(given: Mapping[str, Any]) -> Story:
    both = {name: option for name, option in CASE_OPTIONS.items() if name not in BESIDE_STORY}
    if typed := given_on_command_line(both):
        raise UsageError(
            f"--story and {typed[0]} both say what to run; give one of them (--client, --server and --expect go with "
            "--story)"
        )
    story = read_story(given["story_file"])
    for role in Role:
        named = given[f"{role}_name"] or story.end(role).stack
        if not named:
            raise UsageError(f"{given['story_file']} names no {role}; give --{role}")
        story = replace(story, **{str(role): replace(story.end(role), stack=named)})
    return replace(story, expect=(*story.expect, *given["expect"]))


def _from_options(given: Mapping[str, Any]) -> Story:
    ends = {"client_name": "--client", "server_name": "--server", "tls": "--tls"}
    if missing := [option for name, option in ends.items() if not given[name]]:
        raise UsageError(f"give {' and '.join(missing)}, or --story FILE")
    if given["times"] == 0:
        second = ("then_client_set", "then_server_set", "age", "age_copy", "edit_copy", "offer", "threads")
        if idle := given_on_command_line({name: CASE_OPTIONS[name] for name in second}):
            raise UsageError(
                f"{' and '.join(idle)} has no effect with --times 0, which makes no second connection; remove one"
            )
    if given["offer"] != Offering.COPY and given["edit_copy"]:
        raise UsageError(f"--edit-copy changes a copy, and --offer {given['offer']} offers none; give one of them")
    story = desk(
        TLSVersion(given["tls"]),
        client=ClientConfig(**knobs(Role.CLIENT, "client-set", given["client_set"])),
        server=ServerConfig(**knobs(Role.SERVER, "server-set", given["server_set"])),
        then_client=knobs(Role.CLIENT, "then-client-set", given["then_client_set"]),
        then_server=knobs(Role.SERVER, "then-server-set", given["then_server_set"]),
        close=Close(given["close_"]),
        age=given["age"],
        age_copy=given["age_copy"],
        edit_copy=edits(given["edit_copy"]),
        offering=Offering(given["offer"]),
        threads=given["threads"],
        times=given["times"],
        stacks=(given["client_name"], given["server_name"]),
    )
    return replace(story, expect=tuple(given["expect"]))


def edits(settings: tuple[str, ...]) -> dict[str, str]:
    """Parse ``FIELD=VALUE`` settings of a session; UsageError for one that is malformed or repeated."""
    found: dict[str, str] = {}
    for setting in settings:
        name, equals, text = setting.partition("=")
        if not equals:
            raise UsageError(f"--edit-copy: invalid FIELD=VALUE: {setting!r}; the fields are: {', '.join(EDITABLE)}")
        if name in found:
            raise UsageError(f"--edit-copy changes {name} twice; give each field one value")
        found[name] = text
    return found


def knobs(role: Role, option: str, settings: tuple[str, ...]) -> dict[str, Any]:
    """Parse ``KNOB=VALUE`` settings; UsageError for one that is malformed, repeated, unknown or out of range."""
    found: dict[str, Any] = {}
    for setting in settings:
        name, equals, text = setting.partition("=")
        if not equals:
            raise UsageError(f"--{option}: invalid KNOB=VALUE: {setting!r}; `resumption stacks` lists the knobs")
        if name in found:
            raise UsageError(f"--{option} sets {name} twice; give each knob one value")
        found[name] = parse_knob(role, name, text)
    return found
