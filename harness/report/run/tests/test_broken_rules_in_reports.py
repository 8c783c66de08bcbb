"""A rule of an RFC that a real client breaks is in the page, the Markdown and the JUnit XML, with its evidence.

The client is OpenSSL's: it sends early_data without pre_shared_key once its session has expired.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import pytest

from harness.report.run.junit_xml import junit_xml
from harness.report.run.markdown import markdown
from harness.report.run.page.page import page
from harness.report.run.tests.page_reader import details
from harness.tests.fixtures import once
from harness.tests.wrong_results import read

if TYPE_CHECKING:
    from pathlib import Path

SOURCE = '''"""An expired client breaks a rule (RFC 8446, 4.2.10)."""

from datetime import date

from harness import FULL, Reason, Role, TLSv1_3, broken_by, reasons, scenario

KNOBS = {"client": {"max_early_data": 100, "clock": 0}, "server": {"max_early_data": 1024}}
SEEN = broken_by(Role.CLIENT, "*", date(2026, 11, 29), "tls_construct_ctos_early_data does not ask for the age")


def expire(pair, seconds):
    first = pair.connect()
    pair.client.move_clock(seconds)
    return first, pair.connect(offer=first.session)


@scenario(versions=[TLSv1_3], **KNOBS, breaks={"early_data_with_psk": SEEN})
def test_declared(pair):
    first, second = expire(pair, 10800)

    assert first.outcome is FULL
    assert second.outcome is FULL
    assert reasons(pair, second) == (Reason.EXPIRED_AT_CLIENT,)


@scenario(versions=[TLSv1_3], **KNOBS)
def test_undeclared(pair):
    first, second = expire(pair, 10800)

    assert first.outcome is FULL
    assert second.outcome is FULL


@scenario(versions=[TLSv1_3], **KNOBS)
def test_kept(pair):
    first, second = expire(pair, 60)

    assert first.outcome is FULL
    assert second.mechanism is not None
'''
RULE = "early_data_with_psk"


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the run."""
    return once(tmp_path_factory, "broken", SOURCE)


def ran(broken: Path, test: str) -> list[Any]:
    """The cells of a test that ran."""
    cells = read(broken)["cells"]
    return [cell for cell in cells if cell["scenario"].endswith(test) and cell["verdict"] != "unsupported"]


@pytest.mark.parametrize(
    ("test", "verdict", "rules"),
    [("test_declared", "passed", 1), ("test_undeclared", "failed", 1), ("test_kept", "passed", 0)],
)
def test_the_run_has_a_cell_of_each_kind(broken: Path, test: str, verdict: str, rules: int) -> None:
    cells = ran(broken, test)

    assert cells
    assert {cell["verdict"] for cell in cells} == {verdict}
    assert {len(cell["case"]["connections"][1]["breaches"]) for cell in cells} == {rules}


def test_markdown_has_a_table_of_the_broken_rules(broken: Path) -> None:
    count = len(ran(broken, "test_declared"))
    table = markdown(read(broken)).partition("## Rules of the RFCs that are broken")[2].replace("\\_", "_")
    row = next(line for line in table.splitlines() if RULE in line)

    assert row.startswith(f"| {2 * count} | {count} | `{RULE}`: A client sends early_data only together with ")
    assert " | RFC 8446, 4.2.10 (MUST) | " in row
    assert "libssl@" in row


def test_markdown_says_the_breach_of_a_cell_that_failed(broken: Path) -> None:
    text = markdown(read(broken))

    assert "client breaks RFC 8446, 4.2.10 (MUST): " in text
    assert f"[{RULE}]" in text


def test_junit_has_the_breach_of_each_cell_that_breaks_it(broken: Path) -> None:
    document = ET.fromstring(junit_xml(read(broken)))  # noqa: S314 - the harness wrote it
    ran_cases = [case for case in document.iter("testcase") if case.find("skipped") is None]
    said = {case.attrib["name"].partition("[")[0]: case.findtext("system-out") or "" for case in ran_cases}

    assert said["test_declared"].startswith("client breaks RFC 8446, 4.2.10 (MUST): ")
    assert f"[{RULE}]\n    - wire: " in said["test_declared"]
    assert said["test_undeclared"] == said["test_declared"]
    assert said["test_kept"] == ""


def test_junit_has_it_in_the_failure_too(broken: Path) -> None:
    document = ET.fromstring(junit_xml(read(broken)))  # noqa: S314 - the harness wrote it
    failures = [failure.text or "" for failure in document.iter("failure")]

    assert len(failures) == len(ran(broken, "test_undeclared"))
    assert all(f"[{RULE}]" in text for text in failures)
    assert all(f"breaks the rule {RULE}, and the scenario does not declare it" in text for text in failures)


def test_the_page_has_the_rule_in_its_overview_and_the_breach_in_its_cells(broken: Path) -> None:
    document = page(read(broken), {}, version="1")
    cells = details(document)
    connections = [connection for cell in cells for connection in cell["connections"]]
    breaches = [breach for connection in connections for breach in connection.get("breaches", ())]

    assert f"rule={RULE}" in document
    assert len(breaches) == len(ran(broken, "test_declared")) + len(ran(broken, "test_undeclared"))
    assert {breach["rule"] for breach in breaches} == {RULE}
    assert all(breach["evidence"] for breach in breaches)
