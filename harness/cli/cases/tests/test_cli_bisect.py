"""`resumption bisect` finds the first build that behaves differently, verifies both ends, and explains bad usage."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING, cast

import pytest

from harness.builds.store import BuildStore
from harness.builds.system import build_for
from harness.builds.versions import matching
from harness.case.bisect import EndError
from harness.case.bisect import bisect as search
from harness.case.desk import desk
from harness.case.desk_case import DeskCase, Ends
from harness.cli import main
from harness.cli.cases.bisect import Looks
from harness.cli.cases.subject import ScenarioCell
from harness.model.build import Build
from harness.model.errors import SetUpError, UsageError
from harness.model.tls import Close, TLSVersion
from harness.report.diff.observed import last_outcome
from harness.report.diff.tests.test_difference import FIRST, cell
from harness.report.expecting import Expectation

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.case.case import CaseResult
    from harness.cli.cases.range_of_builds import BuildRange
    from harness.report.json.shapes import CellObject

CELL = "scenarios/tls13_ticket.py::test_ticket_resumes"


class Scripted:
    """A subject and a range of builds that are what the test says; no peer is involved."""

    ends = Ends("libssl", "libssl")

    def __init__(self, **seen: dict[str, object]) -> None:
        self._seen = {name.lstrip("v").replace("_", "."): made for name, made in seen.items()}
        self.versions = list(self._seen)
        self.looks: list[str] = []

    def obtain(self, version: str, _say: Callable[[str], None]) -> str:
        """Version 9 cannot be had."""
        return "not fetched: there is no network" if version == "9" else ""

    def see(self, version: str) -> CellObject:
        """What the test says."""
        self.looks.append(version)
        return cast("CellObject", cell(**self._seen[version]))


def looks(shown: Scripted, expect: str | None = None, *on: str) -> Looks:
    wanted = [Expectation.parse(expect)] if expect else []
    return Looks(shown, cast("BuildRange", shown), wanted, on)


HINT = f"{FIRST}session__lifetime_hint"
TICKETS = f"{FIRST}tickets"


def test_the_first_build_in_which_anything_differs_is_found() -> None:
    shown = Scripted(v1={}, v2={}, v3={TICKETS: 2}, v4={TICKETS: 2})

    assert search(shown.versions, looks(shown)).first_bad == "3"


def test_a_difference_that_the_bad_build_lacks_does_not_count() -> None:
    shown = Scripted(v1={}, v2={HINT: 5}, v3={TICKETS: 2}, v4={TICKETS: 2})

    assert search(shown.versions, looks(shown)).first_bad == "3"


def test_an_observable_can_be_chosen() -> None:
    shown = Scripted(v1={}, v2={HINT: 5}, v3={TICKETS: 2, HINT: 5}, v4={TICKETS: 2, HINT: 5})

    assert search(shown.versions, looks(shown, None, "tickets")).first_bad == "3"
    assert search(shown.versions, looks(shown, None, "session.*")).first_bad == "2"


def test_an_expected_outcome_decides_alone() -> None:
    declined = {f"{FIRST}outcome": "declined", TICKETS: 2}
    shown = Scripted(v1={}, v2={TICKETS: 2}, v3=declined, v4=declined)

    assert search(shown.versions, looks(shown, "resumed")).first_bad == "3"


def test_a_build_that_fails_is_bad() -> None:
    failing: dict[str, object] = {"verdict": "error", "reason": "it died in connection 2", "case": None}
    shown = Scripted(v1={}, v2=failing, v3=failing)

    assert search(shown.versions, looks(shown)).first_bad == "2"


ABORTED: dict[str, object] = {f"{FIRST}outcome": "aborted"}
DECLINED: dict[str, object] = {f"{FIRST}outcome": "declined"}


@pytest.mark.parametrize(("expect", "on"), [("declined", ()), (None, ()), (None, ("outcome",))])
def test_a_third_outcome_is_reported_and_the_search_goes_on(
    capsys: pytest.CaptureFixture[str], expect: str | None, on: tuple[str, ...]
) -> None:
    shown = Scripted(v1=DECLINED, v2=DECLINED, v3=ABORTED, v4={}, v5={})
    found = search(shown.versions, looks(shown, expect, *on))

    assert (found.last_good, found.first_other, found.last_other, found.first_bad) == ("2", "3", "3", "4")
    assert "3          other" in capsys.readouterr().err


def test_an_observable_with_a_third_value_decides_only_with_on() -> None:
    shown = Scripted(v1={}, v2={HINT: 5}, v3={HINT: 6}, v4={HINT: 6})

    assert search(shown.versions, looks(shown)).first_bad == "2"
    assert search(shown.versions, looks(shown, None, "session.*")).first_bad == "3"


class LosesOnce(Scripted):
    """A subject that the harness loses at the first look on each version, or at every look on version 2."""

    def see(self, version: str) -> CellObject:
        """As the test says, from the second look on."""
        seen = super().see(version)
        if self.looks.count(version) == 1 or version == "2":
            return {
                **seen,
                "verdict": "error",
                "reason": "waited 10 s for a reply\nto hello",
                "lost": True,
                "case": None,
            }
        return seen


def test_what_the_harness_lost_is_run_again_then_passed_over(capsys: pytest.CaptureFixture[str]) -> None:
    shown = LosesOnce(v1={}, v2={TICKETS: 2}, v3={TICKETS: 2})
    found = search(shown.versions, looks(shown))

    assert (found.last_good, found.first_bad, found.between) == ("1", "3", ("2",))
    assert shown.looks == ["1", "1", "3", "3", "2", "2"]
    assert "2          unsupported  lost twice: waited 10 s for a reply" in capsys.readouterr().err


def test_git_bisect_skips_what_the_harness_lost(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """No endpoint answers in so short a time."""
    own = f"libssl@{own_version()}"
    monkeypatch.setattr("harness.runtime.loop.DEADLINE", 0.0001)

    assert main(["connect", "--client", own, "--server", own, "--tls", "1.3", "--expect", "resumed"]) == 125
    assert "did not answer hello within" in capsys.readouterr().err


def test_an_end_that_the_harness_lost_is_neither_good_nor_bad(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    older = matching("1.1.1", BuildStore().serving("libssl"))
    if not older:
        pytest.skip("no libssl of 1.1.1 is here; `resumption builds fetch 1.1.1w` fetches one")
    monkeypatch.setenv("RESUMPTION_DEADLINE", "0.0001")

    options = f"--here --good {older[0]} --bad {own_version()} --expect resumed"
    code = main(shlex.split(f"bisect {options} --client libssl --server libssl --tls 1.3"))

    assert code == 125
    assert f"{older[0]} was said to be good and is unsupported" in capsys.readouterr().err


@pytest.mark.network
def test_a_third_behaviour_of_real_builds_does_not_end_a_bisection(capsys: pytest.CaptureFixture[str]) -> None:
    """A negative timeout: 3.0 declines at once, 3.1 aborts its first handshake, later ones never expire."""
    fetched(capsys, "3.0.20", "3.1.5", "3.5.9")

    case = "--client libssl --server libssl --tls 1.3 --server-set timeout=-1 --expect declined"
    code = main(shlex.split(f"bisect --here --good 3.0.20 --bad 3.5.9 {case}"))
    out, err = capsys.readouterr()

    assert code == 0
    assert "3.1.5      other        aborted" in err
    assert "other      3.1." in out
    assert "connection 2: outcome declined -> aborted" in out
    assert "connection 2: outcome aborted -> resumed" in out


def fetched(capsys: pytest.CaptureFixture[str], *versions: str) -> None:
    """See to it that these builds of libssl are in the cache; skips with the reason where one cannot be had."""
    lacking = [version for version in versions if version not in BuildStore().serving("libssl")]
    if lacking and main(["builds", "fetch", *lacking]):
        pytest.skip(capsys.readouterr().err)
    if gone := sorted(set(lacking) - set(BuildStore().serving("libssl"))):
        pytest.skip(f"{', '.join(gone)}: the package that had it has another version now")


def test_a_build_whose_set_up_fails_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_arguments: object) -> CaseResult:
        raise SetUpError("libssl@3.0.19: the agent was killed by SIGSEGV; unanswered: hello")

    monkeypatch.setattr("harness.case.desk_case.run", broken)
    seen = DeskCase(Ends("libssl", "libssl"), desk(tls=TLSVersion.TLSv1_3)).see(own_version())

    assert (seen["verdict"], seen["reason"].partition(";")[0]) == (
        "unsupported",
        "libssl@3.0.19: the agent was killed by SIGSEGV",
    )


def test_what_differs_is_named_where_no_glob_matches(capsys: pytest.CaptureFixture[str]) -> None:
    shown = Scripted(v1={}, v2={TICKETS: 2, HINT: 5})

    with pytest.raises(EndError, match="2 was said to be bad and is good"):
        search(shown.versions, looks(shown, None, "session.t*"))
    assert "no observable that differs matches --on; these differ: session.lifetime_hint, tickets" in (
        capsys.readouterr().err
    )


def test_each_look_says_how_many_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    shown = Scripted(v1={}, v2={}, v3={}, v4={TICKETS: 2})
    search(shown.versions, looks(shown))

    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("build")]
    assert lines[0] == "build 1 of about 4: running libssl@1"
    assert lines[-1] == "build 4 of about 4: running libssl@3"


def test_a_build_that_lacks_what_the_case_needs_is_passed_over(capsys: pytest.CaptureFixture[str]) -> None:
    shown = Scripted(v1={}, v2={"verdict": "unsupported", "reason": "it lacks x", "case": None}, v3={TICKETS: 2})

    assert search(shown.versions, looks(shown)).between == ("2",)
    assert "2          unsupported  it lacks x" in capsys.readouterr().err


def test_a_build_that_cannot_be_fetched_is_passed_over(capsys: pytest.CaptureFixture[str]) -> None:
    shown = Scripted(v1={}, v9={}, v10={TICKETS: 2})

    assert search(shown.versions, looks(shown)).between == ("9",)
    assert "not fetched: there is no network" in capsys.readouterr().err


def test_an_end_that_cannot_do_the_case_is_an_error() -> None:
    shown = Scripted(v1={}, v2={"verdict": "unsupported", "reason": "it lacks x", "case": None})

    with pytest.raises(EndError, match="2 was said to be bad and is unsupported"):
        search(shown.versions, looks(shown))


def test_ends_that_do_not_differ_are_an_error() -> None:
    shown = Scripted(v1={}, v2={})

    with pytest.raises(EndError, match="2 was said to be bad and is good"):
        search(shown.versions, looks(shown))


def test_each_build_is_looked_at_once() -> None:
    shown = Scripted(v1={}, v2={}, v3={TICKETS: 2}, v4={TICKETS: 2})
    made = looks(shown)
    made.between(search(shown.versions, made).last_good, "3")

    assert sorted(shown.looks) == sorted(set(shown.looks))


@pytest.mark.parametrize(
    ("cell_id", "client", "server"),
    [
        (f"{CELL}[libssl--libssl-TLSv1.3]", "libssl", "libssl"),
        (f"{CELL}[libssl--openssl@3.0.19-TLSv1.3]", "libssl", "openssl@3.0.19"),
        (f"{CELL}[libssl@1.1.1w--libssl@1.1.1w-TLSv1.3-client.groups=x]", "libssl", "libssl"),
        (f"{CELL}[openssl@3.5.7--libssl@4.0.3-TLSv1.3]", "openssl@3.5.7", "libssl"),
    ],
)
def test_an_end_moves_that_names_no_build_or_one_of_those_given(cell_id: str, client: str, server: str) -> None:
    assert ScenarioCell.parse(cell_id, ("1.1.1w", "4.0.3")).ends == Ends(client, server)


def test_a_cell_whose_ends_name_other_builds_is_refused() -> None:
    with pytest.raises(UsageError, match=r"libssl@3\.1 and libssl@3\.2 each name a build"):
        ScenarioCell.parse(f"{CELL}[libssl@3.1--libssl@3.2-TLSv1.3]", ("1.1.1w", "4.0.3"))


def own_version() -> str:
    build = build_for("libssl")
    if not isinstance(build, Build):
        pytest.skip(build.reason)
    return build.version


def test_a_case_is_seen_on_a_real_build() -> None:
    seen = DeskCase(Ends("libssl", "libssl"), desk(tls=TLSVersion.TLSv1_3)).see(own_version())

    assert (seen["verdict"], last_outcome(seen)) == ("passed", "resumed")


def test_the_first_real_build_that_behaves_otherwise_is_found(capsys: pytest.CaptureFixture[str]) -> None:
    older = matching("1.1.1", BuildStore().serving("libssl"))
    if not older:
        pytest.skip("no libssl of 1.1.1 is here; `resumption builds fetch 1.1.1w` fetches one")

    options = f"--here --good {older[0]} --bad {own_version()} --on alert"
    code = main(shlex.split(f"bisect {options} --client libssl --server libssl --tls 1.3 --close eof"))
    out, _ = capsys.readouterr()

    assert code == 0
    assert f"last good  {older[0]}" in out
    assert "connection 1: alert none -> decode_error (50) by client" in out


def test_a_real_build_that_is_not_good_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    older = matching("1.1.1", BuildStore().serving("libssl"))
    if not older:
        pytest.skip("no libssl of 1.1.1 is here; `resumption builds fetch 1.1.1w` fetches one")

    options = f"--here --good {older[0]} --bad {own_version()} --expect declined"
    code = main(shlex.split(f"bisect {options} --client libssl --server libssl --tls 1.3"))

    assert code == 1
    assert f"{older[0]} was said to be good and is bad" in capsys.readouterr().err


def test_a_case_that_a_real_stack_cannot_do_is_unsupported() -> None:
    ends = Ends("libssl", f"openssl@{own_version()}")
    seen = DeskCase(ends, desk(tls=TLSVersion.TLSv1_3, close=Close.SERVER_ONLY)).see(own_version())

    assert seen["verdict"] == "unsupported"
    assert "lacks close server-only" in seen["reason"]


def test_a_cell_is_seen_on_a_real_build() -> None:
    seen = ScenarioCell.parse(f"{CELL}[libssl--libssl-TLSv1.3]", ()).see(own_version())

    assert (seen["verdict"], last_outcome(seen)) == ("passed", "resumed")


TRAVELS = "scenarios/session_file.py::test_session_resumes_in_another_process_that_can_read_it"
SECOND = "-TLSv1.3-then=openssl-server.tickets=on"


@pytest.mark.parametrize(
    ("cell_id", "ends", "rest"),
    [
        ("libssl--libssl-TLSv1.3-then=ssl@3.0.19", Ends("libssl", "libssl", "ssl@3.0.19"), ""),
        (
            f"libssl@3.0.19--libssl@3.0.19{SECOND}",
            Ends("libssl@3.0.19", "libssl@3.0.19", "openssl"),
            "-server.tickets=on",
        ),
        ("a@1.0.2k-fips--a@4.0.3-TLSv1.2-then.server=b@1.0.2k-fips-7-x", Ends("a", "a", "", "b"), "-7-x"),
    ],
)
def test_second_ends_move_as_the_others_do(cell_id: str, ends: Ends, rest: str) -> None:
    parsed = ScenarioCell.parse(f"{CELL}[{cell_id}]", ("1.0.2k-fips", "4.0.3"))

    assert (parsed.ends, parsed.rest) == (ends, rest)


def test_a_cell_with_a_second_client_is_seen_on_a_real_build() -> None:
    seen = ScenarioCell.parse(f"{TRAVELS}[libssl--libssl{SECOND}]", ()).see(own_version())

    assert (seen["verdict"], last_outcome(seen)) == ("passed", "resumed")


def test_a_cell_that_is_none_is_bad_usage() -> None:
    with pytest.raises(UsageError, match="there is no cell"):
        ScenarioCell.parse(f"{CELL}_not[libssl--libssl-TLSv1.3]", ()).see(own_version())


USAGE = [
    ("", "Missing option '--good'"),
    ("--good 1.1.1w --bad 3.5", "give --client, --server and --tls, --story FILE, or a cell's id"),
    ("--good 1.1.1w --bad 3.5 --client libssl --tls 1.3", "give --client, --server and --tls"),
    ("--good 1.1.1w --bad 1.1.1w --client libssl --server libssl --tls 1.3", "are both 1.1.1w; give two builds"),
    ("--good 0.9.8 --bad 3.5 --client libssl --server libssl --tls 1.3", "no build '0.9.8' serves libssl; the nearest"),
    ("--good 1.1.1w --bad 3.5 --client a@1 --server b@2 --tls 1.3", "a@1 and b@2 each name a build"),
    ("--good 1.1.1w --bad 3.5 tls13_ticket.py", "is not a cell id; it should look like scenarios/"),
    (f"--good 1.1.1w --bad 3.5 --tls 1.3 '{CELL}[libssl--libssl-TLSv1.3]'", "give only one of them"),
    (
        f"--good 1.1.1w --bad 3.5 --age 5 '{CELL}[libssl--libssl-TLSv1.3]'",
        "and --age both say what to run; give only one",
    ),
]


@pytest.mark.parametrize(("arguments", "message"), USAGE)
def test_bad_usage_is_exit_code_2_and_says_what_is_allowed(
    capsys: pytest.CaptureFixture[str], arguments: str, message: str
) -> None:
    code = main(["bisect", *shlex.split(arguments)])
    out, err = capsys.readouterr()

    assert (code, out) == (2, "")
    assert message in err


@pytest.mark.parametrize("on", ["nonsense", "", "session.nothing*"])
def test_a_glob_of_no_observable_is_bad_usage(on: str) -> None:
    shown = Scripted(v1={}, v2={TICKETS: 2})

    with pytest.raises(UsageError, match=rf"--on '{re.escape(on)}' matches no observable; those that differ are: tick"):
        search(shown.versions, looks(shown, None, "tickets", on))


def test_an_observable_that_does_not_differ_is_no_bad_usage() -> None:
    shown = Scripted(v1={}, v2={TICKETS: 2})

    with pytest.raises(EndError, match="2 was said to be bad and is good"):
        search(shown.versions, looks(shown, None, "session.lifetime_hint"))


@pytest.mark.parametrize("times", ["-1", "10001", "9" * 25])
def test_a_story_has_an_end(times: str, capsys: pytest.CaptureFixture[str]) -> None:
    ends = ["--client=libssl", "--server=libssl", "--tls=1.2"]
    code = main(["bisect", "--good=1.1.1w", "--bad=3.5", *ends, f"--times={times}"])

    assert code == 2
    assert "is not in the range 0<=x<=10000" in capsys.readouterr().err


def test_an_empty_id_of_a_cell_is_bad_usage(capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["bisect", "--good=1.1.1w", "--bad=3.5", ""])

    assert code == 2
    assert capsys.readouterr().err.startswith("error: '' is not a cell id; it should look like scenarios/")
