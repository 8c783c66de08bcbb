"""Writes the generated pages from the code that they describe, and the tables of docs/stories.md and PROTOCOL.md."""

import json
from pathlib import Path

from docs.api_page import api_page
from docs.protocol_page import protocol_page
from harness.agent import knob
from harness.model.tls import Role
from harness.report.json.documentation import case_schema, page, probe_schema
from harness.report.knobs_page import knobs_page
from harness.report.rules_page import rules_page
from harness.stacks import libssl, pyopenssl, ssl_
from harness.stacks.openssl.abilities import program_abilities
from harness.story.pages import with_tables
from harness.story.story import story_schema
from harness.tests.project import machinery, peers

HERE = Path(__file__).parent

SYSTEM = "3.0.19"
"""The version of Debian 12, for the stacks of the system."""
PYTHON = (3, 11)
"""Its Python, for ssl."""
CRYPTOGRAPHY = "4.0.3"
"""The version inside cryptography 50, for pyopenssl."""


def knobs() -> str:
    """The page of the knobs, for the versions above, with a clock that can be moved."""
    before, knob.PYTHON = knob.PYTHON, PYTHON
    try:
        return _knobs()
    finally:
        knob.PYTHON = before


def _knobs() -> str:
    modules = {"libssl": (libssl, SYSTEM), "pyopenssl": (pyopenssl, CRYPTOGRAPHY), "ssl": (ssl_, SYSTEM)}
    openssl = {role: program_abilities(role, SYSTEM, None) for role in Role}
    driven = {
        f"{name}@{version}": {role: module.abilities_of(role, version) for role in Role}
        for name, (module, version) in modules.items()
    }
    return knobs_page({f"openssl@{SYSTEM}": openssl, **driven})


PROTOCOL = HERE.parent / "harness" / "agent" / "PROTOCOL.md"


def protocol() -> str:
    """The page of the agent's protocol, with its tables again."""
    return protocol_page(PROTOCOL.read_text())


def stories() -> str:
    """The page of stories, with its tables again."""
    return with_tables((HERE / "stories.md").read_text())


def mutations() -> str:
    """The page of the mutations; it loads tlslite-ng, which only this page needs."""
    from harness.foreign.tlslite.page import mutations_page  # noqa: PLC0415

    return mutations_page()


if __name__ == "__main__":
    (HERE / "json.md").write_text(page())
    (HERE / "case.schema.json").write_text(json.dumps(case_schema(), indent=2) + "\n")
    (HERE / "probe.schema.json").write_text(json.dumps(probe_schema(), indent=2) + "\n")
    (HERE / "story.schema.json").write_text(json.dumps(story_schema(), indent=2) + "\n")
    (HERE / "stories.md").write_text(stories())
    (HERE / "mutations.md").write_text(mutations())
    (HERE / "machinery.md").write_text(machinery.page())
    (HERE / "peers.md").write_text(peers.page())
    (HERE / "rules.md").write_text(rules_page())
    (HERE / "knobs.md").write_text(knobs())
    PROTOCOL.write_text(protocol())
    (HERE / "reference.md").write_text(api_page())
