"""`resumption diff` finds nothing between a build and itself, which proves what is masked; real builds, real runs."""

from __future__ import annotations

import json
import shlex

import pytest

from harness.builds.store import BuildStore
from harness.builds.system import build_for
from harness.builds.versions import matching
from harness.cli import main
from harness.model.build import Build


def version(stack: str) -> str:
    build = build_for(stack)
    if not isinstance(build, Build):
        pytest.skip(build.reason)
    return build.version


def run(capfd: pytest.CaptureFixture[str], arguments: str) -> tuple[int, str, str]:
    code = main(shlex.split(arguments))
    out, err = capfd.readouterr()
    return code, out, err


CELLS = "'tls13_ticket.py or tls12_ticket.py or session_fields.py'"


def test_a_build_does_not_differ_from_itself(capfd: pytest.CaptureFixture[str]) -> None:
    build = f"libssl@{version('libssl')}"

    code, out, err = run(capfd, f"diff {build} {build} -k {CELLS} --json")
    told = json.loads(out)

    assert (code, told["differences"], told["one_sided"]) == (0, [], []), err
    assert told["compared"] > 30
    assert told["before"] == told["after"] == [build]


def test_a_program_does_not_differ_from_itself(capfd: pytest.CaptureFixture[str]) -> None:
    build = f"openssl@{version('openssl')}"

    code, out, _ = run(capfd, f"diff {build} {build} -k tls13_ticket.py")

    assert code == 0
    assert "no distinct differences" in out


def test_a_build_differs_from_one_of_another_release_as_is_known(capfd: pytest.CaptureFixture[str]) -> None:
    older = matching("1.1.1", BuildStore().serving("libssl"))
    if not older:
        pytest.skip("no libssl of 1.1.1 is here; `resumption builds fetch 1.1.1w` fetches one")

    code, out, _ = run(capfd, f"diff libssl@{older[0]} libssl@{version('libssl')} -k tls13_ticket.py --json")
    found = {d["observable"]: (d["before"], d["after"]) for d in json.loads(out)["differences"]}

    assert code == 1
    assert found["session.kex_group"] == ("0", "29")
    assert found["hellos.client.ClientHello.extensions.supported_groups.length"] == ("12", "22")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("0.9.8 0.9.8", "no stack matches 'libssl@0.9.8'"),
        ("ssl@{0} libssl@{1}", "no stack has both builds"),
        ("libssl@{1} libssl@{1} -k no_such_scenario", "found no scenario to run"),
        ("libssl@{1} libssl@{1} --no-such-option", "refused its arguments"),
        ("libssl@{1}", "Missing argument 'BUILD'"),
    ],
)
def test_bad_usage_is_exit_code_2_and_says_what_is_allowed(
    capfd: pytest.CaptureFixture[str], arguments: str, message: str
) -> None:
    code, out, err = run(capfd, f"diff {arguments.format(version('ssl'), version('libssl'))}")

    assert (code, out) == (2, "")
    assert message in err
