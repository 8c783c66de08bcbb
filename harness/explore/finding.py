"""Writes the folder of a finding: the story, the table of builds, reproducers, and the draft of a report."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from msgspec.structs import replace

from harness.case.case import case_object, run
from harness.explore.oracles import BUILDS, KEPT
from harness.explore.rendered import scenario_text
from harness.model.errors import HarnessError
from harness.report.expecting import Expectation, asked
from harness.reproduce.reproduction import SCRIPTS, reproduction
from harness.results.writer import keep
from harness.story.story import End

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from harness.explore.oracles import Suspicion
    from harness.runtime.runtime import Runtime
    from harness.stacks.base import Stack
    from harness.story.story import Story

UNFINISHED = "not made as small as it can be; `resumption connect --story ... --minimize` goes on"
STORY, TABLE, REPORT, SCENARIO = "story.json", "builds.txt", "report.md", "scenario.py"


@dataclass(frozen=True)
class Finding:
    """A suspicion that repeats, in the smallest story that shows it."""

    story: Story
    suspicion: Suspicion
    stacks: tuple[Stack, ...]
    """The builds that it was made smaller on: two that differ, or one that breaks a law."""
    why: str
    """Where it is known, or why it does not count."""
    whole: bool = True
    """Whether it was made as small as it can be; False if its time, or the number of tries, was over."""

    @property
    def bad(self) -> Stack:
        """The build that is reproduced: the later one of two."""
        return self.stacks[-1]

    def as_story(self) -> Story:
        """Return the story with what is expected, for the stack without a build, so that `bisect` can choose it."""
        end = self.bad.name
        return replace(
            self.story,
            about=f"resumption explore: {self.suspicion.oracle}, {self.suspicion.title}",
            client=End(stack=end, knobs=self.story.client.knobs),
            server=End(stack=end, knobs=self.story.server.knobs),
            expect=(self.suspicion.expect,) if self.suspicion.expect else (),
        )


def write(place: Path, finding: Finding, runtime: Runtime, *, scenario: bool = False) -> None:
    """Write everything into an empty folder; what cannot be made is named in the report."""
    story = finding.as_story()
    files: dict[str, str | bytes] = {STORY: story.text(), TABLE: table(finding)}
    notes = [] if finding.whole else [UNFINISHED]
    try:
        result = run(finding.story, finding.bad, finding.bad, runtime)
        seen = case_object(finding.story, (finding.bad.label, finding.bad.label), result)
        wrong = [why for text in story.expect if (why := Expectation.parse(text).failure(seen))]
        notes += [f"`resumption connect` says: {why}" for why in wrong]
        made = reproduction(
            result.connections,
            runtime.pki.pem_files,
            expected=story.expect,
            wrong="\n".join(wrong) or finding.suspicion.title,
            asked=asked(story.expect, len(result.connections)),
        )
        files = {**made.files, **files}
        notes += made.summary()
    except HarnessError as error:
        notes.append(f"no reproducer: {error}")
    if scenario:
        files[SCENARIO] = scenario_text(finding.story, finding.suspicion)
    files[REPORT] = report(finding, notes)
    keep(place, files, SCRIPTS)


def table(finding: Finding) -> str:
    """Return what each build shows, one a line."""
    suspicion = finding.suspicion
    rows = "".join(f"{label:<18} {value}\n" for label, value in suspicion.values)
    known = f"known: {finding.why}\n" if finding.why else ""
    more = "" if finding.whole else f" ({UNFINISHED})"
    return f"{suspicion.oracle}: {suspicion.title}{more}\n{known}{rows}"


def commands(finding: Finding, folder: str) -> list[str]:
    """Return the commands that show a finding again."""
    ends = f"--client {finding.bad.label} --server {finding.bad.label}"
    found = [f"resumption connect --story {folder}/{STORY} {ends}"]
    two = finding.suspicion.oracle == BUILDS and len(finding.stacks) == 2  # noqa: PLR2004 - a difference is between two
    other = f" --unlike {finding.stacks[0].label}" if two else ""
    found.append(f"{found[0]} --minimize{other} --story-out smaller.json")
    if two:
        good, bad = (stack.build.version for stack in finding.stacks)
        found.append(f"resumption bisect --good {good} --bad {bad} --story {folder}/{STORY}")
    return found


def report(finding: Finding, notes: Sequence[str]) -> str:
    """Return the draft of a report for upstream, with what is to be filled in."""
    suspicion = finding.suspicion
    bad = [label for label, value in suspicion.values if value != KEPT]
    what = (
        f"Builds differ in `{suspicion.what}` of connection {suspicion.connection}."
        if suspicion.oracle == BUILDS
        else f"`{suspicion.what}` is broken by {', '.join(bad)} (oracle: {suspicion.oracle})."
    )
    steps = "\n".join(f"{number}. {_said(step)}" for number, step in enumerate(finding.story.to_json()["steps"], 1))
    knobs = "\n".join(
        f"- {role}: " + (", ".join(f"`{name}={text}`" for name, text in end.knobs.items()) or "defaults")
        for role, end in (("client", finding.story.client), ("server", finding.story.server))
    )
    rows = "\n".join(f"| {label} | {value} |" for label, value in suspicion.values)
    known = f"\n**Known:** {finding.why}\n" if finding.why else ""
    expected = f"\nExpected: `{suspicion.expect}`\n" if suspicion.expect else ""
    shown = "\n".join(f"    {command}" for command in commands(finding, "."))
    said = "\n".join(f"- {note}" for note in notes)
    return f"""# {suspicion.what}: TODO say it in one line

{what}
{known}{expected}
## To reproduce

TLS {finding.story.tls}

{knobs}

{steps}

`reproduce.c` and `reproduce.sh` do this without the harness, where they are in this folder; with it:

{shown}

{said}

## Builds

| build | shows |
|---|---|
{rows}

## TODO

- [ ] the function of OpenSSL that does it
- [ ] whether a document promises otherwise
- [ ] whether an issue describes it already
"""


def _said(step: dict[str, object]) -> str:
    more = ", ".join(f"{name}: {value}" for name, value in step.items() if name != "do")
    return f"{step['do']}" + (f" ({more})" if more else "")
