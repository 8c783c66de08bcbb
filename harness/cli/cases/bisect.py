"""`resumption bisect`: finds the first build whose behaviour changed."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import click

from harness.case.bisect import Behaviour
from harness.case.bisect import bisect as search
from harness.case.desk_case import DeskCase, Ends
from harness.cli.cases.case_options import CASE_OPTIONS, case_options, given_on_command_line, story_of, untestable
from harness.cli.cases.range_of_builds import BuildRange
from harness.cli.cases.subject import ScenarioCell
from harness.cli.messages import example
from harness.model.errors import UsageError
from harness.report.diff.difference import differences
from harness.report.diff.observed import difference_line, last_outcome, matching, refuse_unknown
from harness.report.expecting import Expectation
from harness.report.json.shapes import CellObject

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.cli.cases.subject import Subject
    from harness.report.diff.difference import Difference


OUTCOME = "outcome"
"""The observable of a connection that makes a behaviour another one."""
ON = "Compare only observables that match, such as 'session.*'; may be repeated."


@click.command(epilog=example("bisect --good 1.1.1w --bad 3.5 --client libssl --server libssl --tls 1.3"))
@click.option("--good", required=True, metavar="BUILD", help="A version that behaves as expected.")
@click.option("--bad", required=True, metavar="BUILD", help="A version that behaves differently, newer or older.")
@click.option(
    "--on",
    multiple=True,
    metavar="GLOB",
    help=ON,
)
@click.option("--here", is_flag=True, help="Use cached builds only.")
@case_options
@click.argument("cell", required=False, metavar="[CELL-ID]")
@untestable
def bisect(**given: Any) -> None:
    """Find the first build whose behaviour changed, between a good and a bad one, fetching builds as needed.

    Give the case as for `resumption connect`, also as --story FILE, or the id of a scenario's cell. An endpoint without
    @BUILD uses the build under test. With --expect, a build is good if that holds. Without --expect, a build is good if
    it matches the good build in every observable in which the bad build differs. A build whose outcome (or observable
    of --on) is neither the good build's nor the bad build's is `other`: the search goes on to the first build that
    behaves like the bad one. Builds that do not support the case are skipped, and so are builds that the harness could
    not run.

    Exit code 0: found. 1: the good build is not good, or the bad build is not bad. 2: bad usage. 125: the good or the
    bad build does not support the case, or its OpenSSL is missing or broken.
    """
    subject = subject_of(given)
    builds = BuildRange(subject.ends.moving, given["good"], given["bad"], here=given["here"])
    expect = [Expectation.parse(text) for text in expected(subject, given)]
    looks = Looks(subject, builds, expect, given["on"])
    found = search(builds.versions, looks)
    click.echo(f"first bad  {found.first_bad}\nlast good  {found.last_good}")
    if found.first_other:
        others = " to ".join(dict.fromkeys((found.first_other, found.last_other)))
        click.echo(f"other      {others} behave like neither; this is where it changed first")
    if found.between:
        click.echo(f"between    {', '.join(found.between)} cannot run the case: the first bad build may be one of them")
    steps = list(dict.fromkeys(filter(None, (found.last_good, found.first_other, found.last_other, found.first_bad))))
    for one, other in pairwise(steps):
        changes = looks.between(one, other)
        if found.first_other and changes:
            click.echo(f"from {one} to {other}")
        for difference in changes:
            click.echo(f"  {difference_line(difference)}")


def expected(subject: Subject, given: dict[str, Any]) -> tuple[str, ...]:
    """Return what is expected of the subject: a story says it itself."""
    return subject.story.expect if isinstance(subject, DeskCase) else given["expect"]


def say(line: str) -> None:
    """Print progress to stderr."""
    click.echo(line, err=True)


def subject_of(given: dict[str, Any]) -> Subject:
    """Return the subject of the options or the cell id; UsageError if both, neither, or an incomplete case is given."""
    if given["cell"] is not None:
        if typed := given_on_command_line({**CASE_OPTIONS, "story_file": "--story"}):
            raise UsageError(f"a cell's id and {typed[0]} both say what to run; give only one of them")
        return ScenarioCell.parse(given["cell"], (given["good"], given["bad"]))
    if not given["story_file"] and not all(given[name] for name in ("client_name", "server_name", "tls")):
        raise UsageError("give --client, --server and --tls, --story FILE, or a cell's id")
    story = story_of(given)
    return DeskCase(Ends(story.client.stack, story.server.stack), story)


class Looks:
    """Runs the subject on versions, once each, and prints the behaviour of each."""

    def __init__(
        self, subject: Subject, builds: BuildRange, expect: Sequence[Expectation], on: tuple[str, ...]
    ) -> None:
        self._subject = subject
        self._builds = builds
        self._ends = (builds.versions[0], builds.versions[-1])
        self._expect = expect
        self._on = on
        self._seen: dict[str, CellObject] = {}
        self._begun = 0

    def __call__(self, version: str) -> Behaviour:
        """Run the subject on a version and print what was observed."""
        self._begun += 1
        about = max(self._begun, 2 + max(len(self._builds.versions) - 2, 0).bit_length())
        ends = " with ".join(dict.fromkeys(self._subject.ends.at(version)))
        say(f"build {self._begun} of about {about}: running {ends}")
        if missing := self._builds.obtain(version, say):
            return self._report(version, Behaviour.UNSUPPORTED, missing)
        seen = self._see(version)
        if seen.get("lost"):
            behaviour, why = Behaviour.UNSUPPORTED, f"lost twice: {seen['reason']}"
        elif seen["verdict"] == "unsupported":
            behaviour, why = Behaviour.UNSUPPORTED, seen["reason"]
        elif self._expect:
            why = self._observed(seen)
            good = bool(seen["case"]) and all(each.holds(seen["case"]) for each in self._expect if seen["case"])
            behaviour = Behaviour.GOOD if good else self._unlike_good(version, why)
        else:
            found = self._relevant(version)
            why = (
                f"{len(found)} differences from {self._ends[0]}, as {difference_line(found[0])}"
                if found
                else last_outcome(seen)
            )
            behaviour = self._changed(version) if found else Behaviour.GOOD
        return self._report(version, behaviour, why)

    def _observed(self, seen: CellObject) -> str:
        """What the expectations are about: the last outcome, or the values of their observables."""
        if not seen["case"] or not seen["case"]["connections"] or all(each.outcome for each in self._expect):
            return last_outcome(seen)
        return ", ".join(each.observed(seen["case"]) for each in self._expect)

    def _unlike_good(self, version: str, observed: str) -> Behaviour:
        """BAD if what is expected is as in the bad build, else OTHER."""
        bad = self._ends[1]
        alike = version in self._ends or observed == self._observed(self._see(bad))
        return Behaviour.BAD if alike else Behaviour.OTHER

    def _changed(self, version: str) -> Behaviour:
        """OTHER if an outcome, or an observable of --on, is neither as in the good build nor as in the bad one."""
        good, bad = self._ends
        if version in self._ends:
            return Behaviour.BAD
        third = self._decisive(good, version) & self._decisive(bad, version) & self._decisive(good, bad)
        return Behaviour.OTHER if third else Behaviour.BAD

    def _decisive(self, one: str, other: str) -> set[tuple[int | None, str]]:
        """Return where both differ in what makes a third behaviour: observables that --on names, else outcomes."""
        found = self.between(one, other)
        return {(d.connection, d.observable) for d in found if self._on or d.observable == OUTCOME}

    @staticmethod
    def _report(version: str, behaviour: Behaviour, why: str) -> Behaviour:
        say(f"{version:<10} {behaviour:<12} {why.splitlines()[0]}")
        return behaviour

    def between(self, one: str, other: str) -> list[Difference]:
        """Return the selected observables that differ between two versions."""
        return matching(differences(CellObject, self._see(one), self._see(other)), self._on)

    def _relevant(self, version: str) -> list[Difference]:
        """Return the differences from the good build among the observables in which the bad build differs."""
        good, bad = self._ends
        found = self.between(good, version)
        if version == bad and self._on:
            others = self._differing(good, version)
            refuse_unknown(self._on, [self._see(good), self._see(bad)], others)
            if others and not found:
                say(f"note: no observable that differs matches --on; these differ: {', '.join(others)}")
        if version in {good, bad} or self._see(bad)["verdict"] == "unsupported":
            return found
        observables = {difference.observable for difference in self.between(good, bad)}
        return [difference for difference in found if difference.observable in observables]

    def _differing(self, one: str, other: str) -> list[str]:
        return sorted({d.observable for d in differences(CellObject, self._see(one), self._see(other))})

    def _see(self, version: str) -> CellObject:
        if version not in self._seen:
            seen = self._subject.see(version)
            if seen.get("lost"):
                say(f"{version:<10} lost         {seen['reason'].splitlines()[0]}; running it again")
                seen = self._subject.see(version)
            self._seen[version] = seen
        return self._seen[version]
