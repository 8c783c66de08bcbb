"""The options of a run, which pytest and `resumption run` both offer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.results.retention import ALL, DEFAULT

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, slots=True)
class RunOption:
    """One option: `--resumption-NAME` for pytest in any project, `--NAME` for `resumption run`."""

    name: str
    help: str
    metavar: str = ""
    """The kind of its value; empty for a flag."""
    many: bool = False
    """Whether it may be repeated."""
    default: str | None = None

    @property
    def long(self) -> str:
        """Its name for pytest in any project."""
        return f"--resumption-{self.name}"

    @property
    def short(self) -> str:
        """Its name for `resumption run`."""
        return f"--{self.name}"

    @property
    def dest(self) -> str:
        """Its name among pytest's parsed options."""
        return f"resumption_{self.name.replace('-', '_')}"


RUN_OPTIONS = (
    RunOption(
        "client", "Only clients whose stack or stack@build matches, such as openssl or 'libssl@3.*'.", "GLOB", many=True
    ),
    RunOption(
        "server", "Only servers whose stack or stack@build matches, such as openssl or 'libssl@3.*'.", "GLOB", many=True
    ),
    RunOption(
        "matrix",
        "Which client meets which server: every one; those of the same version; few pairs that cover all; fewer that "
        "cover all versions; BUILD at one end and each other build at the other.",
        "all|same|pairwise|versions|against=BUILD",
        default="all",
    ),
    RunOption(
        "over",
        "How the two ends of libssl of one build meet: in the memory of one process, and one cell in 20 over TCP as "
        "well, which must show the same; or all over TCP. All other ends meet over TCP.",
        "memory|tcp",
        default="memory",
    ),
    RunOption("openssl", "Also test the OpenSSL installed in this prefix.", "PREFIX", many=True),
    RunOption("stack", "Also test the stack of an agent, whose command is in this file.", "FILE", many=True),
    RunOption("results", "Write results.json and the evidence to this folder (default: a dated one).", "DIR"),
    RunOption("reproduce", "Write reproducers for each cell, not only for each one that did not pass."),
    RunOption(
        "whole",
        "Keep every connection whole in results.json: evidence, times, commands and random values too, which else are "
        "kept of cells that did not pass.",
    ),
    RunOption("show", "Show the evidence of each cell, not only of each one that did not pass."),
    RunOption(
        "keep-results",
        "Remove runs of the default folder that are older, or beyond a total size. The newest run and the newest one "
        f"that did not pass always stay; `{ALL}` keeps all (default: {DEFAULT}).",
        "AGEd,SIZEGB|all",
        default=DEFAULT,
    ),
    RunOption(
        "cell", "Run only the cell with this test and id, such as 'test_x[openssl@3.5.0--…]'.", "TEST[ID]", many=True
    ),
    RunOption("without", "Do not run the cells whose names, FILE::TEST[ID], are the lines of this file.", "FILE"),
)


def long_names(arguments: Iterable[str]) -> list[str]:
    """Return the arguments with each `--NAME` of a run as `--resumption-NAME`."""
    names = {option.short: option.long for option in RUN_OPTIONS}
    split = [(argument, *argument.partition("=")) for argument in arguments]
    return [names[name] + sign + value if name in names else argument for argument, name, sign, value in split]
