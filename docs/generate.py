"""Writes docs/json.md and docs/case.schema.json anew from harness/report/case_shape.py."""

import json
from pathlib import Path

from harness.report.schema import case_schema
from harness.report.schema_page import page

HERE = Path(__file__).parent

if __name__ == "__main__":
    (HERE / "json.md").write_text(page())
    (HERE / "case.schema.json").write_text(json.dumps(case_schema(), indent=2) + "\n")
