"""The project's set-up holds together; nothing about TLS here."""

from __future__ import annotations

import re
import runpy
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

ROOT = Path(__file__).parents[3]
ROOMS = sorted({file.parent for file in (ROOT / "harness").rglob("*.py")})
MOST_MODULES = 15


def modules(room: Path) -> list[str]:
    return sorted(file.stem for file in room.glob("*.py") if not file.stem.startswith("__"))


def lower_bounds() -> dict[str, Version]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    requirements = [Requirement(line) for line in project["dependencies"]]
    return {r.name: Version(next(s.version for s in r.specifier if s.operator == ">=")) for r in requirements}


def oldest_pins() -> dict[str, Version]:
    lines = (ROOT / ".ci/oldest.txt").read_text().split()
    return {name: Version(version) for name, _, version in (line.partition("==") for line in lines)}


def test_ci_finds_the_one_test_command_of_the_readme() -> None:
    [pattern] = re.findall(r"grep '(.*)' README.md", (ROOT / ".ci/run").read_text())

    [found] = [line for line in (ROOT / "README.md").read_text().splitlines() if re.search(pattern, line)]
    assert found.startswith("python3 -m venv .venv && ")
    assert found.endswith(".venv/bin/tox")


def test_oldest_pins_are_the_lower_bounds_of_the_project() -> None:
    assert oldest_pins() == lower_bounds()


@pytest.mark.parametrize("room", [str(room.relative_to(ROOT)) for room in ROOMS])
def test_a_room_holds_at_most_fifteen_modules(room: str) -> None:
    assert len(modules(ROOT / room)) <= MOST_MODULES, modules(ROOT / room)


def test_a_release_has_the_urls_of_its_repository(tmp_path: Path) -> None:
    (tmp_path / ".ci").mkdir()
    shutil.copy(ROOT / ".ci/project-urls", tmp_path / ".ci")
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    where = {"GITHUB_SERVER_URL": "https://forge.example", "GITHUB_REPOSITORY": "owner/name"}

    subprocess.run([tmp_path / ".ci/project-urls"], env={"PATH": "/usr/bin:/bin", **where}, check=True)

    urls = tomllib.loads((tmp_path / "pyproject.toml").read_text())["project"]["urls"]
    assert urls == {
        "Source": "https://forge.example/owner/name",
        "Issues": "https://forge.example/owner/name/issues",
        "Changelog": "https://forge.example/owner/name/blob/main/CHANGELOG.md",
    }
    assert "run: .ci/project-urls" in (ROOT / ".github/workflows/release.yml").read_text()


def test_the_driver_loads_the_declarations_that_it_has() -> None:
    driver = ROOT / "harness/agent/drivers/libssl"
    made = runpy.run_path(str(driver / "cdef.py"))["declared"]()

    assert (driver / "declared.py").read_text() == made, "run: python harness/agent/drivers/libssl/cdef.py"
