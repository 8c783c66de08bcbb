"""The site: the Markdown pages of the project as they stand, read by `sphinx-build -c docs . site`."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sphinx.application import Sphinx

PROJECT = tomllib.loads((Path(__file__).parent.parent / "pyproject.toml").read_text())["project"]

CONTENTS = {
    "Use it": [
        "docs/tutorial",
        "docs/probe",
        "docs/clients",
        "docs/reproduce",
        "docs/stories",
        "docs/callbacks",
        "docs/explore",
        "docs/results",
        "docs/builds",
        "docs/behaviours",
        "docs/ci",
    ],
    "Write scenarios": [
        "docs/scenarios",
        "docs/reference",
        "docs/knobs",
        "docs/rules",
        "docs/mutations",
        "docs/machinery",
        "docs/peers",
    ],
    "Formats": ["docs/json", "docs/agents", "harness/agent/PROTOCOL"],
    "Project": ["CHANGELOG", "CONTRIBUTING", "SECURITY", "benchmarks/README"],
}
"""The pages by chapter; a page that stands in none is an error of the build."""

project = PROJECT["name"]
release = PROJECT["version"]
extensions = ["myst_parser"]
root_doc = "README"
include_patterns = ["*.md", "docs/*.md", "harness/agent/PROTOCOL.md", "benchmarks/README.md"]
templates_path = ["_templates"]
html_theme = "furo"
html_title = f"{project} {release}"
html_additional_pages = {"index": "redirect.html"}
html_show_copyright = False
myst_heading_anchors = 3
myst_links_external_new_tab = True
myst_fence_as_directive: list[str] = []
suppress_warnings = ["misc.highlighting_failure"]  # an elision in Python is shown as it stands


def add_contents(_app: Sphinx, page: str, source: list[str]) -> None:
    """Give the front page the tree of contents that a forge would show as source."""
    if page == root_doc:
        for chapter, pages in CONTENTS.items():
            source[0] += f"\n```{{toctree}}\n:hidden:\n:caption: {chapter}\n\n" + "\n".join(pages) + "\n```\n"


def setup(app: Sphinx) -> None:
    """Connect to Sphinx."""
    app.connect("source-read", add_contents)
