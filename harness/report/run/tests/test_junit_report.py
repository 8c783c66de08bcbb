"""JUnit XML from results: read back by another parser, with each reason where a CI server shows it."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest

from harness.report.run.junit_xml import junit_xml, legal
from harness.tests.hostile import poisoned
from harness.tests.wrong_results import read

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def document(wrong: Path) -> ET.Element:
    return parsed(junit_xml(read(wrong)))


def parsed(text: str) -> ET.Element:
    return ET.fromstring(text.encode("utf-8", "backslashreplace"))  # noqa: S314 - as above


def test_it_counts_as_the_run_does(document: ET.Element) -> None:
    counts = {name: int(document.attrib[name]) for name in ("tests", "failures", "errors", "skipped")}

    assert counts == {"tests": 32, "failures": 12, "errors": 8, "skipped": 4}
    assert [suite.attrib["name"] for suite in document.iter("testsuite")] == ["scenarios/wrong.py"]


def test_a_case_is_named_as_pytest_names_it(document: ET.Element) -> None:
    case = next(document.iter("testcase"))

    assert case.attrib["classname"] == "scenarios.wrong"
    assert case.attrib["name"].startswith("test_ticket_resumes[")
    assert float(case.attrib["time"]) > 0


def test_a_failure_begins_with_its_reason_and_has_the_evidence(document: ET.Element) -> None:
    failure = next(case for case in document.iter("failure") if case.attrib["type"] == "ticket_key_unknown")

    assert failure.attrib["message"] == "the client offered a ticket that this server has no key for"
    assert "wire: the tickets that this server issues begin with" in (failure.text or "")
    assert "assert declined is resumed" in (failure.text or "")


def test_what_is_unsupported_is_skipped_with_its_reason(document: ET.Element) -> None:
    skipped = next(document.iter("skipped"))

    assert "lacks server knob session_id_context" in skipped.attrib["message"]


def test_hostile_text_is_text(wrong: Path, document: ET.Element) -> None:
    hostile = parsed(junit_xml(poisoned(read(wrong))))

    assert [element.tag for element in hostile.iter()] == [element.tag for element in document.iter()]
    assert "<script>window.hit=1" in next(hostile.iter("testcase")).attrib["name"]


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("a\x00b", "a\\x00b"),
        ("\x1b[31m", "\\x1b[31m"),
        ("\ud800", "\\ud800"),
        ("\ufffe", "\\ufffe"),
        ("é\t\n<", "é\t\n<"),
    ],
)
def test_what_xml_has_no_place_for_is_made_visible(text: str, made: str) -> None:
    assert legal(text) == made
