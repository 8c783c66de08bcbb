"""The installed package: a third party's scenario passes mypy and runs, with nothing but the package there."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from filelock import FileLock

from harness.model.errors import stretched

ROOT = Path(__file__).parents[3]
pytestmark = pytest.mark.network  # pip fetches what the package and its build depend on
UNREACHABLE = ("No matching distribution found", "Could not fetch URL", "Connection", "Temporary failure")

SCENARIO = '''"""A TLS 1.3 ticket resumes, in either compatibility mode (RFC 8446, 2.2 and D.4)."""

from harness import BOTH, DECLINED, FULL, RESUMED, Capability, Connection, Pair, Session, TLSv1_3, cases, scenario

pytestmark = scenario(
    versions=[TLSv1_3],
    client={"middlebox_compat": BOTH},
    server={"num_tickets": 1},
    needs={"server": [Capability.COUNTERS]},
    same_stack=True,
)


@cases("restart", True, False)
def test_ticket_resumes_until_the_server_is_restarted(pair: Pair, restart: bool) -> None:
    first: Connection = pair.connect()
    session: Session = first.session
    if restart:
        pair.new_server()
    second = pair.connect(offer=session)

    assert first.outcome is FULL
    assert second.outcome is (DECLINED if restart else RESUMED)
    assert session.timeout > 0
'''


def run(*argv: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    """A command in an environment that knows nothing of this checkout."""
    environment = {
        name: os.environ[name] for name in os.environ if not name.startswith(("PYTHON", "PYTEST", "VIRTUAL"))
    }
    environment |= {"HOME": str(cwd), "XDG_STATE_HOME": str(cwd / "state")}
    return subprocess.run(
        [*map(str, argv)],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=stretched(300),
    )


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of a fresh environment with the wheel, and with mypy; made once, whichever worker comes first."""
    base = tmp_path_factory.getbasetemp()
    shared = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "installed"
    with FileLock(f"{shared}.lock"):
        if not shared.exists():
            shared.mkdir()
            pip = (sys.executable, "-m", "pip", "--disable-pip-version-check")
            steps: list[tuple[str | Path, ...]] = [
                (*pip, "wheel", "-q", "--no-deps", "-w", "dist", ROOT),
                (sys.executable, "-m", "venv", "venv"),
            ]
            for step in steps:
                checked(run(*step, cwd=shared))
            (wheel,) = shared.glob("dist/*.whl")
            checked(run("venv/bin/pip", "install", "-q", wheel, "mypy", cwd=shared))
    return shared / "venv" / "bin"


def checked(done: subprocess.CompletedProcess[str]) -> None:
    """Fail if it failed; skip where nothing can be fetched."""
    if done.returncode and any(sign in done.stderr for sign in UNREACHABLE):
        pytest.skip(f"the package index does not answer: {done.stderr.strip().splitlines()[-1]}")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with one scenario and nothing else."""
    (tmp_path / "test_ticket.py").write_text(SCENARIO)
    return tmp_path


def test_mypy_accepts_a_scenario_and_knows_its_types(installed: Path, project: Path) -> None:
    done = run(installed / "mypy", "--strict", "test_ticket.py", cwd=project)

    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("first.outcome is FULL", "first.outcom is FULL"),
        ("offer=session", "offer=1"),
        ("versions=[TLSv1_3]", "versions=['TLSv1.3']"),
        ("session: Session = first.session", "session: str = first.session"),
    ],
)
def test_mypy_refuses_a_scenario_with_a_wrong_type(installed: Path, project: Path, right: str, wrong: str) -> None:
    (project / "test_ticket.py").write_text(SCENARIO.replace(right, wrong))

    done = run(installed / "mypy", "--strict", "test_ticket.py", cwd=project)

    assert done.returncode == 1
    assert "test_ticket.py:" in done.stdout


@pytest.mark.parametrize("program", [("pytest",), ("resumption", "run")])
def test_a_scenario_runs_in_a_project_with_nothing_else(
    installed: Path, project: Path, program: tuple[str, ...]
) -> None:
    name, *words = program
    argv = [*words, "--resumption-client=libssl", "--resumption-results=out", "."]
    done = run(installed / name, *argv, cwd=project)

    assert done.returncode == 0, done.stdout + done.stderr
    cells = json.loads((project / "out" / "results.json").read_text())["cells"]
    assert [cell["verdict"] for cell in cells] == ["passed"] * 4


STRICT = """[tool.pytest.ini_options]
python_files = ["case_*.py"]
addopts = ["--strict-markers", "--strict-config"]
markers = ["slow: of this project"]
filterwarnings = ["error"]
"""


@pytest.mark.parametrize("command", ["pytest", "pytest -n2", "resumption run", "resumption run -n0"])
def test_a_project_with_a_strict_configuration_keeps_it(installed: Path, project: Path, command: str) -> None:
    (project / "pyproject.toml").write_text(STRICT)
    (project / "cases").mkdir()
    marked = SCENARIO.replace("@cases", "@mark.slow\n@cases")
    marked = marked.replace("from harness", "from pytest import mark\nfrom harness")
    (project / "cases" / "case_ticket.py").write_text(marked)
    name, *words = command.split()
    argv = [*words, "--resumption-client=libssl", "--resumption-server=libssl", "--resumption-results=out", "cases"]
    done = run(installed / name, *argv, cwd=project)

    assert done.returncode == 0, done.stdout + done.stderr
    cells = json.loads((project / "out" / "results.json").read_text())["cells"]
    assert [cell["verdict"] for cell in cells] == ["passed"] * 4


def test_the_scenarios_of_the_harness_run_from_the_package(installed: Path, tmp_path: Path) -> None:
    argv = ["run", "-k", "middlebox_compat", "--client=libssl", "--server=libssl", "--results=out"]
    done = run(installed / "resumption", *argv, cwd=tmp_path)

    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads((tmp_path / "out" / "results.json").read_text())["cells"]
