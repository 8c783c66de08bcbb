"""Each agent that comes with the harness keeps the rules of its protocol, where its library is ready."""

from __future__ import annotations

import json
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from harness.builds.libraries import foreign_libraries
from harness.case.conformance import check_agent
from harness.cli import main
from harness.model.tls import USUAL_VERSIONS, Mechanism, Outcome, Role, TLSVersion
from harness.pair.pair import Pair
from harness.runtime.runtime import Runtime
from harness.stacks.machine import Machine

if TYPE_CHECKING:
    from pathlib import Path

    from harness.builds.libraries import ForeignLibrary

OPAQUE = ("gnutls", "go", "wolfssl")
"""The libraries whose sessions are bytes in a format of their own."""


def ready(name: str) -> ForeignLibrary:
    library = foreign_libraries()[name]
    if (why := library.why_not()) is not None:
        pytest.skip(f"{name}: {why}")
    return library


@pytest.mark.parametrize("name", foreign_libraries())
def test_an_agent_keeps_every_rule_of_the_protocol(name: str) -> None:
    library = ready(name)
    with Runtime() as runtime, closing(Machine(runtime)) as machine:
        checked = list(check_agent(library.argv(), runtime, machine))

    assert {one.rule: one.breach for one in checked if one.breach is not None} == {}
    assert len(checked) > 10


@pytest.mark.parametrize("tls", USUAL_VERSIONS)
@pytest.mark.parametrize("name", OPAQUE)
def test_an_opaque_session_resumes_in_another_process_of_its_library(name: str, tls: TLSVersion) -> None:
    ready(name)
    with Runtime() as runtime, closing(Machine(runtime)) as one, closing(Machine(runtime)) as other:
        ends = one.one(name), one.one("libssl")
        with closing(Pair(ends, tls, runtime, seconds={Role.CLIENT: other.one(name)})) as pair:
            session = pair.connect().session
            pair.use_second_client()
            there = pair.connect(offer=session)

        assert session.der is None
        assert there.observed_outcome() is Outcome.RESUMED
        assert there.mechanism is (Mechanism.PSK if tls is TLSVersion.TLSv1_3 else Mechanism.SESSION_TICKET)


COUNTED = '''"""A ticket resumes (RFC 8446, 2.2)."""

from datetime import date
from harness import DECLINED, FULL, RESUMED, Differs, Expectation, Role, TLSv1_3, scenario

OTHER = Expectation(FULL, Differs(RESUMED, Role.CLIENT, "gnutls", date(2026, 1, 1), "it resumes"))

@scenario(versions=[TLSv1_3])
def test_as_all(pair):
    first, second = _both(pair)
    assert (first.outcome, second.outcome) == (FULL, RESUMED)

@scenario(versions=[TLSv1_3])
def test_as_declared(pair):
    first, second = _both(pair)
    assert first.outcome is FULL
    assert second.outcome is OTHER.of(pair)

@scenario(versions=[TLSv1_3])
def test_that_fails(pair):
    first, second = _both(pair)
    assert (first.outcome, second.outcome) == (FULL, DECLINED)

def _both(pair):
    first = pair.connect()
    return first, pair.connect(offer=first.session)
'''


def test_the_table_counts_what_passes_what_is_declared_and_what_fails(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    ready("gnutls")
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    file = tmp_path / "test_counted.py"
    file.write_text(COUNTED)
    ends = ["--client", "gnutls", "--server", "libssl", "--against", "libssl"]

    code = main(["libraries", "table", *ends, "--scenarios", str(file), "--json"])

    (fare,) = json.loads(capfd.readouterr().out)["scenarios"]
    assert code == 1
    assert (fare["role"], fare["passed"], fare["classified"], fare["unsupported"]) == ("client", 1, 1, 0)
    assert [name.partition("[")[0].rpartition("::")[2] for name in fare["failed"]] == ["test_that_fails"]
