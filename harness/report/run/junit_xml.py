"""The cells of a run as JUnit XML, one suite per scenario file, with the reason in each failure."""

from __future__ import annotations

import re
from io import BytesIO
from typing import TYPE_CHECKING

from junitparser import Error, Failure, JUnitXml, Skipped, TestCase, TestSuite

from harness.report.run.plain_text import breach_lines, findings_text
from harness.report.run.run_summary import blamed, headline, why

if TYPE_CHECKING:
    from harness.report.json.shapes import CellObject, ResultsObject

FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 (2.2) forbids, even escaped."""


def junit_xml(results: ResultsObject) -> str:
    """The document: ``failure`` for failed, ``error`` for error, ``skipped`` for unsupported, each with the reason.

    ``system-out`` has the rules of the RFCs that the connections of a cell break.
    """
    suites: dict[str, list[TestCase]] = {}
    for cell in results["cells"]:
        suites.setdefault(cell["scenario"].partition("::")[0], []).append(_case(cell))
    document = JUnitXml("resumption")
    for name, cases in suites.items():
        suite = TestSuite(legal(name))
        suite.timestamp = legal(results["started"])
        suite.add_testcases(cases)
        document.append(suite)
    document.update_statistics()
    written = BytesIO()
    document.write(written)
    return written.getvalue().decode("utf-8") + "\n"


def legal(text: str) -> str:
    r"""The text with the characters that XML forbids as ``\x1b``."""
    return FORBIDDEN.sub(lambda found: ascii(found[0])[1:-1], text)


def _case(cell: CellObject) -> TestCase:
    file, _, test = cell["scenario"].partition("::")
    made = TestCase(
        legal(f"{test or file}[{cell['cell']}]"), legal(file.removesuffix(".py").replace("/", ".")), cell["seconds"]
    )
    if result := _result(cell):
        made.result = result
    if broken := breach_lines(cell):
        made.system_out = legal("\n".join(broken))
    return made


def _result(cell: CellObject) -> Failure | Error | Skipped | None:
    if cell["verdict"] == "passed":
        return None
    if cell["verdict"] == "unsupported":
        return Skipped(legal(headline(cell)), "unsupported")
    found = blamed(cell)
    result = (Failure if cell["verdict"] == "failed" else Error)(
        legal(why(cell)), legal(found["reason"]) if found else cell["verdict"]
    )
    result.text = legal("\n\n".join(filter(None, [findings_text(cell), cell["reason"]])))
    return result
