"""Every code block of every page works as it is typed, in order, in an empty home."""

from __future__ import annotations

import os
import re
import runpy
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from harness.tests.project.documented import Block, Shell, blocks, do, mismatch

ROOT = Path(__file__).parents[3]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *(ROOT / "benchmarks").glob("*.md")])
BLOCKS = {str(page.relative_to(ROOT)): blocks(page.read_text()) for page in PAGES}
OFFLINE = [name for name, found in BLOCKS.items() if any(not block.network for block in found)]
ONLINE = [name for name, found in BLOCKS.items() if any(block.network for block in found)]

GENERATED = {"json.md", "knobs.md", "reference.md"}
HAND_WRITTEN = [name for name in BLOCKS if name.removeprefix("docs/") not in GENERATED | {"CHANGELOG.md"}]
NAMED_PATH = re.compile(r"`((?:harness|scenarios|certs|docs|benchmarks|\.github|\.ci)/[a-z0-9_./]+)`")
"""A path within the project; one with a placeholder in capitals, as in `scenarios/NAME.py`, is none."""

PASSED_ON = (
    "PIP_*",
    "RESUMPTION_MIRROR",
    "RESUMPTION_DEADLINE",
    "*_proxy",
    "*_PROXY",
    "LANG",
    "LC_ALL",
    "SSL_CERT_*",
    "PYTEST_XDIST_AUTO_NUM_WORKERS",
)
PATH = f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin"
UNREACHABLE = ("cannot be fetched", "does not answer", "does not serve this machine", "No matching distribution found")


def reader(page: str, tmp_path: Path) -> Shell:
    """A shell in an empty home: in a bare clone for a page at the root, in an empty folder for any other."""
    home, folder, state = (tmp_path / name for name in ("home", "folder", "state"))
    home.mkdir()
    state.mkdir()
    if "/" in page:
        folder.mkdir()
    else:
        ignored = shutil.ignore_patterns(
            ".git", *(line.rstrip("/") for line in (ROOT / ".gitignore").read_text().split())
        )
        shutil.copytree(ROOT, folder, ignore=ignored)
    environment = {name: value for name, value in os.environ.items() if any(map(Path(name).match, PASSED_ON))}
    hosts = reached_by_ssh(state, tmp_path / "remote") if wants_hosts(page) else {}
    return Shell(folder, state, {**environment, **hosts, "HOME": str(home), "PATH": PATH, "TERM": "dumb"})


def wants_hosts(page: str) -> bool:
    """Whether a page reaches hosts, and this machine can be one."""
    return shutil.which("sshd", path=PATH) is not None and any("sshd" in block.needs for block in BLOCKS[page])


def reached_by_ssh(state: Path, remote: Path) -> dict[str, str]:
    """The environment in which GNU parallel reaches host-a and host-b: an sshd for each connection, without a port."""
    remote.mkdir()
    for name in ("host", "user"):
        keygen = [shutil.which("ssh-keygen", path=PATH) or "ssh-keygen", "-q", "-t", "ed25519", "-N", ""]
        subprocess.run([*keygen, "-f", state / name], check=True)
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # Debian makes it when the service of sshd starts
    (state / "login").write_text(
        f'cd {remote} && export HOME={remote} PATH={PATH} && exec bash -c "$SSH_ORIGINAL_COMMAND"\n'
    )
    (state / "sshd_config").write_text(
        f"HostKey {state / 'host'}\nAuthorizedKeysFile {state / 'user.pub'}\nStrictModes no\nUsePAM no\nPidFile none\n"
        f"AcceptEnv PYTEST_ADDOPTS\nForceCommand bash {state / 'login'}\n"
    )
    (state / "known_hosts").write_text(f"host-a,host-b {(state / 'host.pub').read_text()}")
    (state / "ssh_config").write_text(
        f"Host host-a host-b\n  IdentityFile {state / 'user'}\n  IdentitiesOnly yes\n  SendEnv PYTEST_ADDOPTS\n"
        f"  UserKnownHostsFile {state / 'known_hosts'}\n"
        f"  ProxyCommand {shutil.which('sshd', path=PATH)} -i -f {state / 'sshd_config'}\n"
    )
    return {"PARALLEL_SSH": f"ssh -F {state / 'ssh_config'}"}


def follow(page: str, shell: Shell, *, network: bool) -> None:
    """Do what the page says, but for blocks whose program is missing; skips, with the reason, if there was one.

    A block that needs a network that is not there ends the page.
    """
    try:
        _follow(page, shell, network=network)
    finally:
        try:
            shell.interrupt()
        finally:
            left = shell.end()
    assert left == [], "the page leaves processes"


def _follow(page: str, shell: Shell, *, network: bool) -> None:
    skipped = []
    for block in BLOCKS[page]:
        if block.network and not network:
            continue
        if missing := [program for program in block.needs if shutil.which(program, path=PATH) is None]:
            skipped.append(f"line {block.line}: this machine has no {missing[0]}")
            continue
        try:
            do(block, shell)
        except AssertionError as error:
            if block.network and any(sign in str(error) for sign in UNREACHABLE):
                pytest.skip(str(error))
            raise
    if skipped:
        pytest.skip(f"{page}: all blocks passed but some, {'; '.join(skipped)}")


@pytest.mark.parametrize("page", OFFLINE)
def test_each_block_of_a_page_works_as_typed(page: str, tmp_path: Path) -> None:
    follow(page, reader(page, tmp_path), network=False)


@pytest.mark.network
@pytest.mark.parametrize("page", ONLINE)
def test_each_block_of_a_page_works_with_a_network(page: str, tmp_path: Path) -> None:
    follow(page, reader(page, tmp_path), network=True)


def test_the_page_of_the_protocol_is_what_the_code_says() -> None:
    made = runpy.run_path(str(ROOT / "docs/generate.py"))["protocol"]()

    assert (ROOT / "harness/agent/PROTOCOL.md").read_text() == made, "run: python docs/generate.py"


def test_the_reference_is_what_the_docstrings_say() -> None:
    made = runpy.run_path(str(ROOT / "docs/generate.py"))["api_page"]()

    assert (ROOT / "docs/reference.md").read_text() == made, "run: python docs/generate.py"


@pytest.mark.parametrize("page", HAND_WRITTEN)
def test_every_path_that_a_page_names_exists(page: str) -> None:
    named = NAMED_PATH.findall((ROOT / page).read_text())

    assert [name for name in named if not (ROOT / name).exists()] == []


def test_the_readme_has_at_most_130_lines() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) <= 130


@pytest.mark.parametrize(
    ("shown", "printed"),
    [
        ("", "anything"),
        ("a\nb", "a\nb\n"),
        ("a\n…", "a\nb\nc\n"),
        ("…\nc", "a\nb\nc\n"),
        ("a\n…\nc\n…\ne", "a\nb\nc\nd\ne\n"),
        ("a … c", "a b c\n"),
        ("  0.2 → x ab12…cd34(32)", "12.9 → x 0000…ffff(32)"),
        ("libssl@3.0.19   1 passed", "libssl@4.0.3 1 passed"),
    ],
)
def test_output_may_differ_where_the_page_elides_or_a_value_is_masked(shown: str, printed: str) -> None:
    assert mismatch(shown, printed) == ""


@pytest.mark.parametrize(
    ("shown", "printed"),
    [
        ("a\nb", "a\nb\nc\n"),
        ("a\nb", "a\n"),
        ("a\n…\nc", "a\nb\n"),
        ("a\n…\nc", "a\nc\nd\n"),
        ("b\n…", "a\nb\n"),
        ("a … c", "a b d\n"),
        ("2 passed", "3 passed\n"),
        ("session_id ab12…cd34(32)", "session_id empty\n"),
    ],
)
def test_output_that_differs_otherwise_is_refused(shown: str, printed: str) -> None:
    assert mismatch(shown, printed) != ""


def test_a_marker_and_a_file_name_belong_to_the_block_that_follows() -> None:
    typed = "<!-- test: network exit=1 A=b -->\n```sh\nx\n```\n"
    page = typed + "Save `a.py`:\n\n```python\n1\n```\n\n```console\n$ y\nz\n```\n"

    assert blocks(page) == [
        Block(2, "sh", "x\n", network=True, exit_code=1, settings={"A": "b"}),
        Block(7, "python", "1\n", file="a.py"),
        Block(11, "console", "$ y\nz\n"),
    ]


def test_a_command_in_the_background_is_compared_once_it_is_interrupted(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    shell = Shell(tmp_path, tmp_path / "state", {"PATH": PATH})
    serves = "trap 'echo bye; exit 0' INT; echo https://localhost:12/; while :; do sleep 0.1; done"
    page = f'<!-- test: background -->\n```console\n$ bash -c "{serves}"\nhttps://localhost:34/\nBYE\n```\n'
    page += "```console\n$ echo $PORT\n12\n```\n"
    for block in blocks(page):
        do(block, shell)

    with pytest.raises(AssertionError, match="the page shows these lines"):
        shell.interrupt()


def test_a_block_that_no_test_can_run_is_refused() -> None:
    with pytest.raises(ValueError, match="line 1: no test can run 'python'"):
        blocks("```python\n1\n```\n")
