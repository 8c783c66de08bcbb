"""The folder of reproducers: what is in it, who can read it, its README, the exit codes for `git bisect run`."""

from __future__ import annotations

import re
import shlex
import stat
import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from harness.cli import main
from harness.model.errors import UsageError, stretched
from harness.model.tls import TLSVersion
from harness.pair.pair import Pair
from harness.reproduce.readme import About, readme
from harness.reproduce.rendering import rendered
from harness.reproduce.reproduction import reproduction
from harness.reproduce.tests.reproducer_folders import DEADLINE
from harness.reproduce.tests.reproducer_folders import run as run_bare
from harness.reproduce.tests.situations import SITUATIONS
from harness.results.writer import unused
from harness.wire.session.codec import load

if TYPE_CHECKING:
    from pathlib import Path

    from harness.reproduce.story import Story
    from harness.runtime.runtime import Runtime
    from harness.stacks.machine import Machine

BY_NAME = {situation.name: situation for situation in SITUATIONS}
CASE = "connect --client openssl --server openssl --tls 1.3 --server-set num_tickets=1 --then-server-set num_tickets=3"
RESET = "connect --client libssl --server libssl --tls 1.2 --server-set tickets=off --close rst"
HOSTILE = "a|b` <script>alert(1)</script> [x](javascript:1) \n# head\n```\n*/"


def connect(capsys: pytest.CaptureFixture[str], arguments: str, folder: Path) -> tuple[int, str, str]:
    code = main([*shlex.split(arguments), "--reproduce", str(folder)])
    out, err = capsys.readouterr()
    return code, out, err


@pytest.fixture(scope="module")
def restarted(machine: tuple[Machine, Runtime]) -> Story:
    """A session is declined by another server."""
    return BY_NAME["tls13-restarted-server"].story(machine[0].one("libssl"), machine[1])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `resumption connect --reproduce` left, of a case that every form can say."""
    made: Path = tmp_path_factory.mktemp("made") / "folder"
    assert main([*shlex.split(CASE), "--reproduce", str(made), "--expect", "resumed"]) == 1
    return made


def test_every_file_is_there(folder: Path) -> None:
    assert {path.name for path in folder.iterdir()} == {
        "README.md",
        "reproduce.sh",
        "reproduce.c",
        "reproduce.py",
        "bisect.sh",
        "authority.pem",
        "server.crt",
        "server.key",
        "session-before.pem",
        "session-before.txt",
        "session-offered.pem",
        "session-offered.txt",
        "session-after.pem",
        "session-after.txt",
        "capture.pcapng",
        "story.json",
    }


def test_nothing_is_readable_to_others(folder: Path) -> None:
    assert {stat.S_IMODE(path.stat().st_mode) & 0o077 for path in folder.iterdir()} == {0}


def test_only_scripts_can_be_run(folder: Path) -> None:
    runnable = {path.name for path in folder.iterdir() if path.stat().st_mode & stat.S_IXUSR}

    assert runnable == {"reproduce.sh", "reproduce.py", "bisect.sh"}


def test_the_sessions_are_those_that_were_seen(folder: Path) -> None:
    before, offered, after = (
        load((folder / f"session-{name}.pem").read_bytes()) for name in ("before", "offered", "after")
    )

    assert before.ticket == offered.ticket
    assert before.ticket != after.ticket
    assert f"ticket_length             {before.ticket_length} bytes" in (folder / "session-before.txt").read_text()


def test_the_script_works_when_the_folder_is_elsewhere(folder: Path, tmp_path: Path) -> None:
    moved = folder.rename(tmp_path / "moved here")
    done = run_bare([moved / "reproduce.sh"], {}, tmp_path)
    moved.rename(folder)

    assert done.stdout.splitlines()[-1] == "as observed"
    assert done.returncode == 0


def test_no_path_of_this_machine_is_in_it(folder: Path) -> None:
    texts = [path.read_text() for path in folder.iterdir() if path.suffix in {".md", ".sh", ".c", ".py"}]

    assert not any(str(folder.parent) in text for text in texts)


def test_the_readme_says_what_was_seen_and_why(folder: Path) -> None:
    text = (folder / "README.md").read_text()

    assert "connection 2 of 2 is declined" in text.splitlines()[0]
    assert "**Expected:** connection 2 is resumed" in text
    assert "| 2 | client 1 to server 2, TLSv1.3, offers the session of connection 1; close both | full | full |" in text
    assert re.search(r"declined; 3 tickets, the session's of [0-9]+ bytes", text)
    assert "Connection 2 was declined: " in text
    assert "git bisect run" in text
    assert "are throwaways of one run" in text


def test_what_is_missing_is_said_in_the_readme_and_on_stdout(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    code, out, _ = connect(capsys, RESET, tmp_path / "x")
    text = (tmp_path / "x" / "README.md").read_text()

    assert code == 0
    assert "reproducers: reproduce.c, reproduce.py\n" in out
    assert "no reproduce.sh: connections 1, 2: close rst: s_server calls SSL_shutdown after every end" in out
    assert not (tmp_path / "x" / "reproduce.sh").exists()
    assert "`reproduce.sh` cannot reproduce this:" in text
    assert "./reproduce.sh" not in text


def test_json_stays_one_object(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    _, out, err = connect(capsys, f"{CASE} --json", tmp_path / "x")

    assert out.startswith("{")
    assert out.endswith("}\n")
    assert "reproducers: reproduce.sh, reproduce.c, reproduce.py" in err


def test_a_folder_that_holds_something_is_refused(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    code, out, err = connect(capsys, CASE, tmp_path)

    assert code == 2
    assert "is not empty; name a new folder, or an empty one" in err
    assert out == ""
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(UsageError, match="is not empty"):
        unused(tmp_path / "file")


def test_what_the_result_does_not_depend_on_is_left_out(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    code, out, _ = connect(capsys, f"{RESET} --server-set groups=P-256 --times 3 --minimize", tmp_path / "x")
    text = (tmp_path / "x" / "README.md").read_text()

    assert code == 0
    dropped = "step 4 (connect), step 3 (connect), server knob groups=P-256, close rst of step 2 (connect)"
    assert f"left out: {dropped}" in out
    assert f"Dropped, because the result did not depend on it: {dropped}." in text
    assert "tickets=off" in text
    assert "P-256" not in (tmp_path / "x" / "reproduce.c").read_text()


def test_hostile_text_is_text_in_the_readme(restarted: Story) -> None:
    contexts = {
        c.name: replace(c, given={**c.given, "server_name": HOSTILE}, version=HOSTILE) for c in restarted.contexts
    }
    attempts = tuple(
        replace(a, client=contexts[a.client.name], server=contexts[a.server.name]) for a in restarted.attempts
    )
    story = replace(restarted, attempts=attempts, wrong=HOSTILE, expected=(HOSTILE,))
    text = readme(story, ["README.md"], {"reproduce.c": [HOSTILE]}, About(HOSTILE, None))
    inside = False
    outside = []
    for line in text.splitlines():
        inside ^= line.startswith("```")
        outside += [] if inside else [line]

    assert not inside
    assert not any(line.startswith("# head") for line in outside)
    assert not any("<script" in line.replace("\\<", "") for line in outside)
    assert not any(re.search(r"(?<!\\)\]\(", line) for line in outside)


def test_a_session_of_another_run_leaves_no_form(machine: tuple[Machine, Runtime]) -> None:

    libssl = machine[0].one("libssl")
    pair = Pair((libssl, libssl), TLSVersion.TLSv1_3, machine[1])
    foreign = pair.connect().session
    pair.close()
    pair = Pair((libssl, libssl), TLSVersion.TLSv1_3, machine[1])
    pair.connect(foreign)
    made = reproduction(pair.connections, machine[1].pki.pem_files)
    pair.close()

    assert made.summary()[0] == "no form can express this case"
    assert not any(name.startswith("reproduce.") for name in made.files)
    assert "offered a session that no earlier connection yielded so" in str(made.files["README.md"])


CELLS = '''"""A ticket resumes at the server that made it (RFC 8446, 2.2)."""

from harness import FULL, RESUMED, TLSv1_3, scenario

pytestmark = scenario(versions=[TLSv1_3])


def test_same_server(pair):
    first = pair.connect()
    assert first.outcome is FULL
    assert pair.connect(offer=first.session).outcome is RESUMED


def test_other_server(pair):
    first = pair.connect()
    pair.new_server()
    assert first.outcome is FULL
    assert pair.connect(offer=first.session).outcome is RESUMED
'''


@pytest.mark.parametrize(("option", "left"), [([], 1), (["--reproduce"], 2)])
def test_a_run_leaves_reproducers_of_failed_cells_or_of_all(option: list[str], left: int, tmp_path: Path) -> None:
    cells, results = tmp_path / "cells.py", tmp_path / "results"
    cells.write_text(CELLS)
    chosen = ["--resumption-client=libssl", "--resumption-server=libssl", f"--resumption-results={results}", *option]
    argv = [sys.executable, "-m", "harness.cli", "run", *chosen, str(cells), "-n", "0"]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=stretched(DEADLINE), check=False)
    readmes = list(results.glob("cells/**/reproduce/README.md"))

    assert "1 failed, 1 passed" in done.stdout
    assert "reproducers: reproduce.sh, reproduce.c, reproduce.py" in done.stdout
    assert len(readmes) == left
    assert any("## Failed assertion" in readme.read_text() for readme in readmes)


@pytest.mark.parametrize(
    ("seen", "argument", "code"),
    [(0, "", 1), (1, "", 0), (125, "", 125), (0, "--lost", 0), (1, "--lost", 1), (125, "--lost", 125), (139, "", 125)],
)
def test_git_bisect_learns_which_commit_is_bad(seen: int, argument: str, code: int, tmp_path: Path) -> None:
    done = bisected(tmp_path, argument, seen=seen)

    assert done.returncode == code


def test_a_commit_that_does_not_build_is_skipped(tmp_path: Path) -> None:
    assert bisected(tmp_path, "", seen=0, make=2).returncode == 125


def bisected(folder: Path, argument: str, *, seen: int, make: int = 0) -> subprocess.CompletedProcess[str]:
    """bisect.sh in a clone whose build ends so, beside a reproducer that ends so."""
    clone, beside, tools = folder / "clone", folder / "beside", folder / "tools"
    scripts = {
        clone / "config": "exit 0",
        tools / "make": f"exit {make}",
        beside / "bisect.sh": rendered("bisect.sh.j2", program="reproduce.sh", apart=False),
        beside / "reproduce.sh": f"case $OPENSSL in */clone/apps/openssl) exit {seen};; esac; exit 77",
    }
    for path, text in scripts.items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text if text.startswith("#!") else f"#!/bin/sh\n{text}\n")
        path.chmod(0o700)
    path_with_tools = f"{tools}:/usr/bin:/bin"
    return run_bare([beside / "bisect.sh", *([argument] if argument else [])], {"PATH": path_with_tools}, clone)
