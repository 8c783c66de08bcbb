"""Writes the generated pages from the code that they describe: four in docs/, and the verbs of PROTOCOL.md."""

import json
from pathlib import Path

from docs.api_page import api_page
from harness.model.tls import Role
from harness.report.json.schema import case_schema
from harness.report.json.schema_page import page
from harness.report.knobs_page import knobs_page
from harness.report.verbs_page import with_verbs
from harness.stacks import libssl, pyopenssl, ssl_
from harness.stacks.openssl.abilities import client_abilities, server_abilities

HERE = Path(__file__).parent
PROTOCOL = HERE.parent / "harness/agent/PROTOCOL.md"

SYSTEM = "3.0.19"
"""The version of Debian 12, for the stacks of the system."""
CRYPTOGRAPHY = "4.0.3"
"""The version inside cryptography 50, for pyopenssl."""


def knobs() -> str:
    """The page of the knobs, for the versions above, with a clock that can be moved."""
    modules = {"libssl": (libssl, SYSTEM), "pyopenssl": (pyopenssl, CRYPTOGRAPHY), "ssl": (ssl_, SYSTEM)}
    openssl = {Role.CLIENT: client_abilities(SYSTEM, None), Role.SERVER: server_abilities(SYSTEM, None)}
    driven = {
        f"{name}@{version}": {role: module.abilities_of(role, version) for role in Role}
        for name, (module, version) in modules.items()
    }
    return knobs_page({f"openssl@{SYSTEM}": openssl, **driven})


if __name__ == "__main__":
    (HERE / "json.md").write_text(page())
    (HERE / "case.schema.json").write_text(json.dumps(case_schema(), indent=2) + "\n")
    (HERE / "knobs.md").write_text(knobs())
    (HERE / "reference.md").write_text(api_page())
    PROTOCOL.write_text(with_verbs(PROTOCOL.read_text()))
