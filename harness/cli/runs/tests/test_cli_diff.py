"""`resumption diff` finds nothing between a build and itself, which proves what is masked; real builds, real runs."""

from __future__ import annotations

import contextlib
import json
import shlex
import signal
from typing import TYPE_CHECKING

import pytest

from harness.builds.store import BuildStore
from harness.builds.system import build_for
from harness.builds.versions import build_version, matching
from harness.cli import main
from harness.cli.runs.build_ends import is_build
from harness.cli.runs.elsewhere import here
from harness.model.build import Build

if TYPE_CHECKING:
    from pathlib import Path


def version(stack: str) -> str:
    build = build_for(stack)
    if not isinstance(build, Build):
        pytest.skip(build.reason)
    return build.version


def run(capfd: pytest.CaptureFixture[str], arguments: str) -> tuple[int, str, str]:
    code = main(shlex.split(arguments))
    out, err = capfd.readouterr()
    return code, out, err


CELLS = "scenarios/tls13_ticket.py scenarios/tls12_ticket.py scenarios/session_fields.py"


def test_a_build_does_not_differ_from_itself(capfd: pytest.CaptureFixture[str]) -> None:
    build = f"libssl@{version('libssl')}"

    code, out, err = run(capfd, f"diff {build} {build} {CELLS} --json")
    shown = json.loads(out)

    assert (code, shown["differences"], shown["one_sided"]) == (0, [], []), err
    assert shown["compared"] > 30
    assert shown["before"] == shown["after"] == [build]


@pytest.mark.parametrize("argument", ["3.5", "1.0.2k-fips", "libssl@3.0.19", "go@1.27.3", "openssl", "ssl", "go"])
def test_a_version_or_a_stack_is_a_build(argument: str, tmp_path: Path) -> None:
    (tmp_path / "ssl").mkdir()
    with contextlib.chdir(tmp_path):
        assert is_build(argument)


@pytest.mark.parametrize("argument", ["here", "test_slow.py", "tests/a.py::test_it", "-n2", "--fresh"])
def test_a_path_or_an_option_is_no_build(argument: str, tmp_path: Path) -> None:
    (tmp_path / "here").mkdir()
    with contextlib.chdir(tmp_path):
        assert not is_build(argument)


def test_a_program_does_not_differ_from_itself(capfd: pytest.CaptureFixture[str]) -> None:
    build = f"openssl@{version('openssl')}"

    code, out, err = run(capfd, f"diff {build} {build} scenarios/tls13_ticket.py")

    assert code == 0
    assert "no distinct differences" in out
    assert "client (rows)" not in err
    assert len((out + err).splitlines()) < 24


def test_a_build_differs_from_one_of_another_release_as_is_known(capfd: pytest.CaptureFixture[str]) -> None:
    older = matching("1.1.1", BuildStore().serving("libssl"))
    if not older:
        pytest.skip("no libssl of 1.1.1 is here; `resumption builds fetch 1.1.1w` fetches one")

    code, out, _ = run(capfd, f"diff libssl@{older[0]} libssl@{version('libssl')} scenarios/tls13_ticket.py --json")
    found = {d["observable"]: (d["before"], d["after"]) for d in json.loads(out)["differences"]}

    assert code == 1
    assert found["session.kex_group"] == ("0", "29")
    assert found["hellos.client.ClientHello.extensions.supported_groups.length"] == ("12", "22")


STORY = {
    "story": 1,
    "tls": "1.3",
    "client": {"stack": "libssl"},
    "server": {"stack": "libssl"},
    "steps": [{"do": "connect"}, {"do": "connect", "offer": {"connection": 1}}],
}


def test_a_story_runs_on_each_build(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file, build = tmp_path / "story.json", f"libssl@{version('libssl')}"
    file.write_text(json.dumps(STORY))

    code, out, _ = run(capfd, f"diff {build} {build} --story {file} --json")
    shown = json.loads(out)

    assert (code, shown["compared"], shown["differences"]) == (0, 1, [])


def test_a_story_differs_between_releases_and_its_command_repeats_it(
    capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    older = matching("1.1.1", BuildStore().serving("libssl"))
    if not older:
        pytest.skip("no libssl of 1.1.1 is here; `resumption builds fetch 1.1.1w` fetches one")
    file = tmp_path / "story.json"
    file.write_text(json.dumps(STORY))

    code, out, _ = run(capfd, f"diff libssl@{older[0]} libssl@{version('libssl')} --story {file} --json")
    causes = json.loads(out)["causes"]

    assert code == 1
    label = f"libssl@{version('libssl')}"
    assert causes[0]["command"] == f"resumption connect --story {file} --client {label} --server {label}"
    spans = [end for span in causes[0]["table"] for end in span["builds"].split("-")]
    versions = [one for one in here(["libssl"]) if build_version(one) >= build_version("1.1.1")]  # with TLS 1.3
    assert (spans[0], spans[-1]) == (versions[0], versions[-1])
    assert causes[0]["not_in"] in versions
    assert versions.index(causes[0]["since"]) == versions.index(causes[0]["not_in"]) + 1


def test_the_first_cell_of_a_cause_runs_on_each_build_that_is_here(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Of them all three are looked at, for speed. Nothing is kept of an earlier run."""
    versions = here(["libssl"])
    if len(versions) < 3:
        pytest.skip("fewer than three builds are here; `resumption builds fetch 1.1.1w 3.5 4.0` fetches three")
    oldest, middle, newest = versions[0], versions[len(versions) // 2], versions[-1]
    monkeypatch.setattr("harness.cli.runs.elsewhere.here", lambda _stacks: [oldest, middle, newest])
    monkeypatch.setattr("harness.cli.runs.build_ends.run_cache", lambda: tmp_path)
    test = "scenarios/tls12_ticket.py -k test_ticket_resumes"

    _, out, err = run(capfd, f"diff libssl@{oldest} libssl@{newest} {test} --json")
    _, alone, _ = run(capfd, f"diff libssl@{oldest} libssl@{newest} {test} --json --no-table")
    causes, others = json.loads(out)["causes"], json.loads(alone)["causes"]

    assert "cells on 1 more builds that are here" in err
    assert any(middle in str(cause["table"]) or f"{oldest}-{newest}" in str(cause["table"]) for cause in causes)
    assert not any(middle in str(cause["table"]) for cause in others)


def neighbours() -> str:
    """A libssl before 3.0, and this machine's own."""
    older = matching("1.1.1", BuildStore().serving("libssl"))
    if not older or build_version(version("libssl")) < build_version("3.0"):
        pytest.skip("no libssl of 1.1.1 is here beside one since 3.0; `resumption builds fetch 1.1.1w` fetches one")
    return f"libssl@{older[0]} libssl@{version('libssl')} --no-table -n0"


def test_what_is_so_only_where_two_builds_meet_is_shown_apart(capfd: pytest.CaptureFixture[str]) -> None:
    """A 1.1.1 cannot read the tickets of a 3.0 (`UNKNOWN_FIELD` in scenarios/fleet.py)."""
    test = "scenarios/fleet.py -k first_servers_ticket_still_resumes"

    code, out, err = run(capfd, f"diff {neighbours()} {test} --across --json")
    meeting = json.loads(out.splitlines()[-1])
    first = meeting["causes"][0]

    assert code == 1, err
    assert (meeting["meeting"], meeting["lost"], meeting["one_sided"]) == (True, [], [])
    assert (first["observable"], first["before"], first["after"]) == ("outcome", "resumed", "declined")
    assert first["declared"].startswith("declared in scenarios/fleet.py, server *@<3.0 after *@>=3.0")
    assert [span["value"] for span in first["table"]] == ["resumed", "resumed", "declined"]
    assert " then 1.1.1" in first["table"][-1]["builds"]
    assert "1.1.1" in first["command"].partition("then.server=")[2]


def test_what_one_of_two_builds_does_alone_is_not_shown_where_they_meet(capfd: pytest.CaptureFixture[str]) -> None:
    """The groups that a client names are its own, and since 3.0 its session has the group, whoever its server is."""
    test = "scenarios/session_timeout.py"

    _, out, err = run(capfd, f"diff {neighbours()} {test} --across --json")
    alone, meeting = (json.loads(line) for line in out.splitlines())

    assert "session.kex_group" in {one["observable"] for one in alone["differences"]}, err
    assert meeting["compared"] > 0
    assert meeting["differences"] == []


@pytest.mark.parametrize("beside", ["-k x", "--across", "scenarios/tls13_ticket.py"])
def test_a_story_and_scenarios_are_not_combined(capfd: pytest.CaptureFixture[str], tmp_path: Path, beside: str) -> None:
    (tmp_path / "story.json").write_text(json.dumps(STORY))
    label = f"libssl@{version('libssl')}"

    code, _, err = run(capfd, f"diff {label} {label} --story {tmp_path}/story.json {beside}")

    assert code == 2
    assert "--story runs one story" in err


DYING = '''"""A ticket resumes (RFC 8446, 2.2)."""

import os
from pathlib import Path

import psutil

from harness import FULL, RESUMED, TLSv1_3, scenario

pytestmark = scenario(versions=[TLSv1_3], same_stack=True)


def test_it_resumes(pair):
    first = pair.connect()
    assert first.outcome is FULL
    if {always} or not Path("again").exists():
        Path("again").touch()
        for child in psutil.Process().children():
            if "harness.agent" in child.cmdline():
                child.send_signal({number})
                os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert pair.connect(offer=first.session).outcome is RESUMED
'''


def diff_of_dying(
    capfd: pytest.CaptureFixture[str], folder: Path, number: signal.Signals, *, always: bool
) -> tuple[int, str, str]:
    """A diff of a build with itself whose agents a signal ends in the middle of a case, once or always."""
    (folder / "test_dying.py").write_text(DYING.format(number=int(number), always=always))
    build = f"libssl@{version('libssl')}"
    with contextlib.chdir(folder):
        return run(capfd, f"diff {build} {build} test_dying.py -n0")


def test_a_cell_that_the_harness_lost_is_run_again(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    code, out, err = diff_of_dying(capfd, tmp_path, signal.SIGKILL, always=False)

    assert code == 0, err
    assert out.splitlines()[-1] == "1 cells compared: no distinct differences"
    assert "running 1 cells again that are lost" in err


def test_a_cell_that_is_lost_again_is_set_aside(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    code, out, _ = diff_of_dying(capfd, tmp_path, signal.SIGKILL, always=True)

    assert (code, out.splitlines()[-1]) == (0, "0 cells compared, 1 lost and set aside: no distinct differences")
    assert "was killed by SIGKILL" in out


def test_a_crash_is_a_difference(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    code, out, _ = diff_of_dying(capfd, tmp_path, signal.SIGSEGV, always=False)

    assert code == 1
    assert out.splitlines()[-1].startswith("1 cells compared")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("0.9.8 0.9.8", "no stack matches 'libssl@0.9.8'"),
        ("ssl@{0} libssl@{1}", "no stack has both builds"),
        ("libssl@{1} libssl@{1} scenarios/tls13_ticket.py -k no_such_scenario", "found no scenario to run"),
        ("libssl@{1} libssl@{1} --no-such-option", "refused its arguments"),
        ("libssl@{1} libssl@{1} scenarios/tls13_ticket.py -k no_such_scenario --across", "found no scenario to run"),
        ("libssl@{1}", "Missing argument 'BUILD'"),
        ("libssl harness", "Missing argument 'BUILD'"),
        ("nonesuch libssl", "no stack matches 'nonesuch'"),
    ],
)
def test_bad_usage_is_exit_code_2_and_says_what_is_allowed(
    capfd: pytest.CaptureFixture[str], arguments: str, message: str
) -> None:
    code, out, err = run(capfd, f"diff {arguments.format(version('ssl'), version('libssl'))}")

    assert (code, out) == (2, "")
    assert message in err


@pytest.mark.parametrize(("on", "code"), [("nonsense", 2), ("session.nothing*", 2), ("session.timeout", 0)])
def test_a_glob_of_no_observable_is_bad_usage(
    capfd: pytest.CaptureFixture[str], tmp_path: Path, on: str, code: int
) -> None:
    file, build = tmp_path / "story.json", f"libssl@{version('libssl')}"
    run(capfd, f"connect --client libssl --server libssl --tls 1.2 --story-out {file}")

    ended, _, err = run(capfd, f"diff {build} {build} --story {file} --on session.t* --on {on}")

    assert ended == code, err
    assert (f"--on '{on}' matches no observable" in err) is bool(code)


@pytest.mark.parametrize("processes", ["-n0", "-n2"])
def test_nothing_stays_in_the_folder_for_temporary_files(
    capfd: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, processes: str
) -> None:
    build, temporary = f"libssl@{version('libssl')}", tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    monkeypatch.setattr("tempfile.tempdir", None)

    code, _, err = run(capfd, f"diff {build} {build} scenarios/psk_modes.py -k alone --fresh {processes}")

    assert code == 0, err
    assert [*temporary.iterdir()] == []
