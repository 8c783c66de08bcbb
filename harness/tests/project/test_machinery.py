"""The table of OpenSSL's session machinery names scenarios that exist, and five builds run them as it says."""

from __future__ import annotations

import importlib.util
import os
import re
from dataclasses import replace
from pathlib import Path

import pytest

from harness.builds.cache import Cache
from harness.builds.store import BuildStore
from harness.model.errors import BuildError
from harness.model.session import EDITABLE
from harness.tests.project import machinery
from harness.tests.project.peers import ROOT

ROWS = machinery.rows()
MAKES_ML_DSA = importlib.util.find_spec("cryptography.hazmat.primitives.asymmetric.mldsa") is not None
"""Whether the cryptography here, 47 or later, makes keys of ML-DSA; without them no cell shows that row."""
OFFLINE = ("cannot be fetched", "does not answer", "does not serve this machine")


def quiet(_text: str) -> None:
    """Say nothing."""


def test_each_row_names_scenarios_that_exist() -> None:
    assert [complaint for row in ROWS if (complaint := machinery.wrong(row))] == []


def test_no_row_is_there_twice() -> None:
    assert len({(row.area, row.said) for row in ROWS}) == len(ROWS)


def test_the_page_is_what_the_table_says() -> None:
    assert (ROOT / "docs/machinery.md").read_text() == machinery.page(), "run: python docs/generate.py"


ELSEWHERE = {"master_key": "why_aborted.py: with_other_secret"}
"""The fields of a session that another file edits."""


def test_every_field_of_a_session_is_edited_in_a_scenario() -> None:
    text = (ROOT / "scenarios/edited_session.py").read_text()

    assert [name for name in EDITABLE if name not in ELSEWHERE and not re.search(rf'"{name}"|\b{name}=', text)] == []
    for where in ELSEWHERE.values():
        file, word = where.split(": ")
        assert word in (ROOT / "scenarios" / file).read_text()


@pytest.mark.parametrize(
    ("shown", "twins"),
    [
        (("tls13_ticket::nobody_wrote_this",), ROWS[0].twins),
        (ROWS[0].shown, ("no_such_file::ticket_resumes",)),
        (("knob:tickets",), ROWS[0].twins),
        ((), ROWS[0].twins),
        (ROWS[0].shown, ()),
    ],
)
def test_a_row_without_its_scenarios_is_found(shown: tuple[str, ...], twins: tuple[str, ...]) -> None:
    assert machinery.wrong(replace(ROWS[0], shown=shown, twins=twins)).startswith(ROWS[0].said)


def all_pass(version: str) -> dict[str, list[str]]:
    """Verdicts as the table has them on a build."""
    lacks = {name for row in ROWS if not row.is_in(version) for name in row.shown}
    shown = {name for row in ROWS if row.is_in(version) for name in (*row.shown, *row.twins)}
    names = {name for row in ROWS for name in (*row.shown, *row.twins)}
    return {
        f"scenarios/{name.replace('::', '.py::test_')}": ["unsupported" if name in lacks - shown else "passed"]
        for name in names
    }


@pytest.mark.parametrize("verdict", ["failed", "error", "unsupported"])
def test_a_build_that_does_not_show_a_row_is_found(verdict: str) -> None:
    verdicts = all_pass("4.0.3")
    name = "scenarios/quic.py::test_ticket_resumes"
    row = next(each for each in ROWS if each.area == "QUIC")

    assert machinery.untrue("4.0.3", verdicts) == []
    found = machinery.untrue("4.0.3", verdicts | {name: [verdict]})
    assert found
    assert all(line.startswith(row.said) for line in found)


def test_a_build_that_has_what_it_is_said_to_lack_is_found() -> None:
    verdicts = all_pass("1.1.1w")
    name = "scenarios/quic.py::test_ticket_resumes"

    assert machinery.untrue("1.1.1w", verdicts) == []
    assert len(machinery.untrue("1.1.1w", verdicts | {name: ["passed"]})) == 1


@pytest.mark.network
@pytest.mark.parametrize("version", machinery.BUILDS)
def test_a_build_shows_each_row_that_it_has(version: str, tmp_path: Path) -> None:
    cache = Path(os.environ.get("RESUMPTION_CACHE") or tmp_path / "cache")
    store = BuildStore(Cache(cache))
    [known] = store.chosen([version], "debian")
    try:
        record = store.fetch(known, quiet)
    except BuildError as error:
        if any(sign in str(error) for sign in OFFLINE):
            pytest.skip(str(error))
        raise

    build = store.builds(record)["openssl"]

    found = machinery.untrue(build.version, machinery.run(build, tmp_path, cache))
    assert [line for line in found if MAKES_ML_DSA or not line.startswith("ML-DSA: ")] == []
