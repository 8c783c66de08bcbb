"""The plugin makes verdicts of what scenarios see, counts every cell, and lets nothing pass unseen."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from harness.matrix.expectation import broken_by
from harness.model.tls import Role
from harness.pair.pair import Pair
from harness.results.reader import kept_run
from harness.results.writer import default_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Run = Callable[..., pytest.RunResult]

pytest_plugins = ["pytester"]

ROOT = Path(__file__).parents[3]

CONFTEST = """
from harness.model.view import Saw
from harness.tests.fakes import EARLY_WITHOUT_PSK, FakeMachine, FakePair, fake_stack

pytest_plugins = ["harness.plugin.entry", "harness.plugin.short_options", "harness.plugin.hooks"]
FakePair.sees = {sees}
FakePair.hello = {hello}

def pytest_configure(config):
    import harness.plugin.ways

    harness.plugin.ways.Pair = FakePair

def pytest_resumption_machine(runtime):
    return FakeMachine(fake_stack("openssl", "3.0.19", "counters"), fake_stack("libssl", "1.1.1w"))
"""

SCENARIO = '''
"""A ticket resumes (RFC 8446, 2.2)."""

from datetime import date
from harness import *

pytestmark = scenario({arguments})

def test_it(pair):
    first = pair.connect()
    {after_first}
    second = pair.connect(offer=first.session)
    {asserts}
'''

RIGHT = "assert (first.outcome, second.outcome) == (FULL, RESUMED)"


@pytest.fixture
def run(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run one scenario file with fake stacks, in this process unless it is to be several or to die."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.delenv("PYTEST_XDIST_WORKER", raising=False)
    monkeypatch.setattr("harness.plugin.ways.Pair", Pair)

    def run(
        *options: str,
        arguments: str = "versions=[TLSv1_3]",
        asserts: str = RIGHT,
        after_first: str = "",
        sees: str = "()",
        hello: str = "None",
        source: str = SCENARIO,
        where: Sequence[str] = ("--results=out",),
    ) -> pytest.RunResult:
        pytester.makeini("[pytest]\npython_files = scenarios/*.py\naddopts = --import-mode=importlib\n")
        pytester.makeconftest(CONFTEST.format(sees=sees, hello=hello))
        path = pytester.mkdir("scenarios") / "ticket.py"
        path.write_text(source.format(arguments=arguments, asserts=asserts, after_first=after_first).lstrip())
        apart = "-n2" in options or "os.kill" in after_first
        start = pytester.runpytest_subprocess if apart else pytester.runpytest_inprocess
        return start("-v", "-p", "no:cacheprovider", *where, *options)

    return run


@pytest.fixture
def results(pytester: pytest.Pytester) -> Callable[[], Any]:
    """What results.json says."""
    return lambda: kept_run(pytester.path / "out").results


def test_a_cell_id_names_client_server_version_and_the_knobs_that_vary(run: Run) -> None:
    ran = run(arguments='versions=[TLSv1_3], client={"middlebox_compat": BOTH, "tickets": True}')

    ran.stdout.fnmatch_lines_random(
        ["*::test_it[[]openssl@3.0.19--libssl@1.1.1w-TLSv1.3-client.middlebox_compat=off] PASSED*"]
    )


def test_every_client_meets_every_server_in_every_version(run: Run) -> None:
    run(arguments="").assert_outcomes(passed=8)


def test_only_cells_of_one_stack_remain_if_the_scenario_is_about_one(run: Run) -> None:
    run(arguments="versions=[TLSv1_3], same_stack=True").assert_outcomes(passed=2)


def test_globs_choose_the_stacks_of_a_role(run: Run) -> None:
    run("--client=openssl*", "--server=*@1.1.1w").assert_outcomes(passed=1)


def test_a_glob_that_matches_nothing_says_what_there_is(run: Run) -> None:
    ran = run("--client=nss*")

    assert ran.ret == pytest.ExitCode.USAGE_ERROR
    ran.stderr.fnmatch_lines(["*no stack matches 'nss*'; this machine has: openssl@3.0.19, libssl@1.1.1w*"])


@pytest.mark.parametrize(
    ("matrix", "passed"),
    [("all", 4), ("same", 2), ("against=1.1.1w", 2), ("against=libssl@*", 2), ("pairwise", 2), ("versions", 2)],
)
def test_the_matrix_chooses_the_pairs(run: Run, matrix: str, passed: int) -> None:
    run(f"--matrix={matrix}").assert_outcomes(passed=passed)


def test_a_build_that_all_are_to_meet_joins_those_that_were_chosen(run: Run) -> None:
    run("--matrix=against=1.1.1w", "--client=openssl", "--server=openssl").assert_outcomes(passed=2)


@pytest.mark.parametrize(
    ("expression", "passed"),
    [
        ("TICKET.py", 8),
        ("tlsv1.2 and 1.1.1w--", 2),
        ("not TLSv1.2", 4),
        ("test_it and (TLSv1.3 or nothing)", 4),
        ("test_it[libssl", 4),
        ("nothing", 0),
    ],
)
def test_an_expression_selects_what_it_selects_in_pytest(run: Run, expression: str, passed: int) -> None:
    result = run("-k", expression, arguments="")

    assert result.parseoutcomes().get("passed", 0) == passed


def test_an_expression_makes_no_cell_that_it_does_not_want(run: Run) -> None:
    result = run("-k", "TLSv1.3 and 1.1.1w--libssl", arguments="")

    assert result.parseoutcomes() == {"passed": 1, "deselected": 4}


def test_a_matrix_that_is_none_is_bad_usage(run: Run) -> None:
    ran = run("--matrix=some")

    assert ran.ret == pytest.ExitCode.USAGE_ERROR
    ran.stderr.fnmatch_lines(
        ["*--matrix cannot be 'some'; it is all, same, across, pairwise, versions, or against=BUILD*"]
    )


def test_more_shards_than_cells_can_have_are_refused(run: Run) -> None:
    ran = run("--splits=99999999999999999999", "--group=1")

    assert ran.ret == pytest.ExitCode.USAGE_ERROR
    ran.stderr.fnmatch_lines(["ERROR: --splits cannot be 99999999999999999999; a run has at most 100000 shards"])


def test_a_build_that_is_not_here_is_bad_usage(run: Run) -> None:
    ran = run("--matrix=against=2.0")

    assert ran.ret == pytest.ExitCode.USAGE_ERROR
    ran.stderr.fnmatch_lines(["*no stack matches '[*]@2.0'; this machine has: openssl@3.0.19, libssl@1.1.1w*"])


def test_an_unknown_knob_fails_at_import_and_lists_the_knobs(run: Run) -> None:
    ran = run(arguments='client={"middlebox": BOTH}')

    assert ran.ret == pytest.ExitCode.INTERRUPTED
    ran.stdout.fnmatch_lines(
        ["*UsageError: no client knob 'middlebox' (did you mean 'middlebox_compat'?); the knobs of a client are: *"]
    )


def test_a_value_that_a_knob_cannot_have_fails_at_import(run: Run) -> None:
    ran = run(arguments='server={"cache_size": "many"}')

    ran.stdout.fnmatch_lines(["*UsageError: server knob cache_size cannot be 'many'; allowed: entries*"])


def test_needs_of_an_unknown_role_fail_at_import(run: Run) -> None:
    ran = run(arguments='needs={"peer": [Capability.FLUSH]}')

    ran.stdout.fnmatch_lines(["*UsageError: needs=*'peer'*the roles are: client, server"])


def test_a_docstring_that_cites_nothing_is_an_error(run: Run) -> None:
    ran = run(source=SCENARIO.replace(" (RFC 8446, 2.2)", ""))

    assert ran.ret == pytest.ExitCode.INTERRUPTED
    ran.stdout.fnmatch_lines(["*the docstring 'A ticket resumes.' cites neither an RFC nor a man page*"])


def test_a_pair_without_a_situation_is_an_error(run: Run) -> None:
    ran = run(source=SCENARIO.replace("pytestmark = ", "ignored = "))

    ran.assert_outcomes(errors=1)
    ran.stdout.fnmatch_lines(["`pair` needs `pytestmark = scenario(...)` in this file; see docs/scenarios.md"])


def test_an_unsupported_knob_makes_the_cell_unsupported_with_the_reason(run: Run) -> None:
    ran = run("-rs", arguments='versions=[TLSv1_3], server={"cache_size": 3}')

    ran.assert_outcomes(skipped=4)
    ran.stdout.fnmatch_lines(
        ["*UNSUPPORTED: libssl@1.1.1w lacks server knob cache_size=3: it is fixed (possible: 128)"]
    )


def test_a_capability_that_a_stack_lacks_makes_the_cell_unsupported(run: Run) -> None:
    ran = run("-rs", arguments='versions=[TLSv1_3], needs={"server": [Capability.COUNTERS]}')

    ran.assert_outcomes(passed=2, skipped=2)
    ran.stdout.fnmatch_lines(["*UNSUPPORTED: openssl@3.0.19 lacks counters as server: it is a fake"])


def test_unsupported_cells_are_counted_by_reason_in_the_summary(run: Run) -> None:
    ran = run(arguments='versions=[TLSv1_3], needs={"server": [Capability.COUNTERS]}')

    ran.stdout.re_match_lines([r".*2.*openssl@3\.0\.19 lacks counters as server: it is a fake.*"])


def test_a_connection_that_no_assert_looked_at_is_an_error(run: Run) -> None:
    ran = run("--client=libssl", "--server=libssl", asserts="assert second.outcome is RESUMED")

    ran.assert_outcomes(errors=1)
    ran.stdout.fnmatch_lines(["*no assert checked connection 1 of 2*"])


@pytest.mark.parametrize(
    "read", ["str(first.outcome)", "print(first.outcome)", "_ = first.outcome", "assert True or first.outcome"]
)
def test_a_connection_that_was_read_and_not_asserted_is_an_error(run: Run, read: str) -> None:
    ran = run("--client=libssl", "--server=libssl", asserts=f"{read}; assert second.outcome is RESUMED")

    ran.assert_outcomes(errors=1)
    ran.stdout.fnmatch_lines(["*no assert checked connection 1 of 2*"])


def test_a_variable_that_an_assert_uses_is_asserted(run: Run) -> None:
    asserts = "outcome = first.outcome; assert second.outcome is RESUMED; assert outcome is FULL"

    run("--client=libssl", "--server=libssl", asserts=asserts).assert_outcomes(passed=1)


def test_a_test_that_makes_no_connection_is_an_error(run: Run) -> None:
    source = SCENARIO.partition("    first = ")[0] + "    assert pair.tls is TLSv1_3\n"

    ran = run("--client=libssl", "--server=libssl", source=source)

    ran.assert_outcomes(errors=1)
    ran.stdout.fnmatch_lines(["*the test made no connection, so it shows nothing of its endpoints*"])


def test_a_connection_that_is_never_closed_is_an_error(run: Run) -> None:
    ran = run("--client=libssl", "--server=libssl", asserts=f"{RIGHT}; pair.open()")

    ran.assert_outcomes(errors=1)
    ran.stdout.fnmatch_lines(["*1 of 3 connections were never closed, so they have no outcome*"])


def test_an_unexpected_outcome_fails_and_shows_the_views(run: Run) -> None:
    ran = run("--client=libssl", "--server=openssl", sees="[[Saw.FULL] * 3, [Saw.FULL] * 3]", asserts=RIGHT)

    ran.assert_outcomes(failed=1)


def test_a_failed_comparison_of_outcomes_shows_the_views(run: Run) -> None:
    ran = run(
        "--client=libssl",
        "--server=openssl",
        sees="[[Saw.FULL] * 3, [Saw.FULL] * 3]",
        asserts="assert first.outcome is FULL; assert second.outcome is RESUMED",
    )

    ran.stdout.fnmatch_lines(
        [
            "*assert declined is resumed",
            "E *Connection 2 was declined: *",
            "E *The witnesses agree about connection 2*",
            "E *client  libssl@1.1.1w *full *client evidence",
            "E *server  openssl@3.0.19 *full *server evidence",
            "*- explanation of connection 2 -*",
            "Connection 2 was declined: *",
            "*- messages of connections 1 and 2 -*",
            "Connection 1 of 2: full * │ Connection 2 of 2: declined",
            "*ClientHello (200) * │ *ClientHello (200)",
            "*- sessions of connections 1 and 2 -*",
            "*- witnesses -*",
            "*- commands of connections 1 and 2 -*",
            "*true client",
            "*server output",
            "*evidence is kept in*",
        ]
    )


LIES = "[[Saw.FULL] * 3, [Saw.RESUMED, Saw.FULL, Saw.RESUMED]]"


def test_a_witness_that_differs_is_an_error_with_the_three_views(run: Run) -> None:
    ran = run("--client=libssl", "--server=openssl", sees=LIES)

    ran.assert_outcomes(errors=1)
    ran.stdout.fnmatch_lines(["*Disagreement about connection 2*", "*client *resumed *", "*server *full *", "*wire *"])


def test_a_disagreement_is_an_error_even_if_no_assert_reads_the_outcome(run: Run) -> None:
    ran = run("--client=libssl", "--server=openssl", sees=LIES, asserts="first.outcome; second.messages")

    ran.assert_outcomes(errors=1)


def test_a_witness_that_differs_is_an_error_even_if_another_assert_failed(run: Run) -> None:
    ran = run("--client=libssl", "--server=openssl", sees=LIES, asserts="assert first.outcome is RESUMED")

    ran.assert_outcomes(errors=1)


def test_a_first_handshake_that_is_not_full_is_an_error_and_not_a_failure(run: Run, results: Any) -> None:
    ran = run("--client=libssl", "--server=openssl", "--junitxml=junit.xml", sees="[[Saw.ABORTED] * 3]")

    assert ran.ret == pytest.ExitCode.TESTS_FAILED
    ran.assert_outcomes(errors=1)
    assert [cell["verdict"] for cell in results()["cells"]] == ["error"]


def test_the_junit_file_separates_errors_from_failures(run: Run, pytester: pytest.Pytester) -> None:
    run("--client=libssl", "--server=openssl", "--junitxml=junit.xml", sees="[[Saw.ABORTED] * 3]")

    assert 'errors="1" failures="0" skipped="0" tests="1"' in (pytester.path / "junit.xml").read_text()


def test_results_hold_every_cell_with_its_verdict(run: Run, results: Any) -> None:
    run(arguments='versions=[TLSv1_3], needs={"server": [Capability.COUNTERS]}')

    assert sorted(cell["verdict"] for cell in results()["cells"]) == ["passed", "passed", "unsupported", "unsupported"]
    assert results()["schema"] == 2


def test_workers_of_xdist_give_the_same_cells_as_one_process(run: Run, results: Any) -> None:
    ran = run("-n2", arguments='client={"middlebox_compat": BOTH}')

    ran.assert_outcomes(passed=16)
    assert len({cell["cell"] for cell in results()["cells"]}) == 16


def test_workers_of_xdist_choose_the_same_pairs(run: Run) -> None:
    run("-n2", "--matrix=pairwise", arguments='client={"middlebox_compat": BOTH}').assert_outcomes(passed=8)


def test_a_worker_that_dies_leaves_an_error_in_the_results(run: Run, results: Any) -> None:
    run("-n2", "--client=libssl", "--server=libssl", after_first="import os; os._exit(3)")

    assert [(cell["verdict"], cell["client"]) for cell in results()["cells"]] == [("error", "libssl@1.1.1w")]


def test_a_failed_cell_leaves_a_folder_of_evidence(run: Run, pytester: pytest.Pytester) -> None:
    run("--client=libssl", "--server=openssl", sees=LIES)
    folder = pytester.path / "out/cells/ticket.py_test_it/libssl@1.1.1w--openssl@3.0.19-TLSv1.3"

    assert {path.name for path in folder.iterdir()} >= {
        "capture.pcapng",
        "client-output.txt",
        "commands.sh",
        "evidence.txt",
        "keylog.txt",
        "server-output.txt",
    }


def test_the_evidence_of_a_failed_cell_begins_with_the_reason(run: Run, pytester: pytest.Pytester) -> None:
    run("--client=libssl", "--server=openssl", sees="[[Saw.FULL] * 3, [Saw.FULL] * 3]")
    (evidence,) = (pytester.path / "out/cells").rglob("evidence.txt")

    assert evidence.read_text().startswith("Connection 2 was declined: ")


def test_the_results_of_an_earlier_run_are_never_overwritten(run: Run, pytester: pytest.Pytester) -> None:
    pytester.mkdir("out").joinpath("results.json").write_text("{}")

    ran = run()

    assert ran.ret == pytest.ExitCode.USAGE_ERROR
    ran.stderr.fnmatch_lines(["*holds the results of an earlier run; name another folder, or remove it"])


def test_old_runs_in_the_default_folder_are_removed(
    run: Run, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(pytester.path / "state"))
    old = default_folder(datetime(2020, 1, 1, tzinfo=UTC))
    old.mkdir(parents=True)
    ran = run(where=())

    ran.stdout.fnmatch_lines(["removed: 1 run older than 30 days or beyond 5 GB in all (--keep-results)"])
    assert not old.exists()
    assert len(list(old.parent.glob("*/results.json"))) == 1


SIGNAL_IN_THE_SECOND_CELL = (
    "import os, signal; signal.signal(signal.SIGINT, signal.default_int_handler); "  # a background job ignores it
    'pair.server_stack.name == "libssl" and os.kill(os.getpid(), {})'
)


def test_an_interrupted_run_ends_with_the_results_so_far(run: Run, results: Any) -> None:
    ran = run("--client=libssl", after_first=SIGNAL_IN_THE_SECOND_CELL.format("2"))

    assert ran.ret == pytest.ExitCode.INTERRUPTED
    assert [cell["server"] for cell in results()["cells"]] == ["openssl@3.0.19"]
    assert results()["exit_status"] == 2
    ran.stdout.fnmatch_lines(["*1 cell: 1 passed*"])


def test_a_run_that_is_killed_leaves_a_line_for_each_cell_that_was_over(run: Run, pytester: pytest.Pytester) -> None:
    run("--client=libssl", after_first=SIGNAL_IN_THE_SECOND_CELL.format("9"))

    head, *rest = [json.loads(line) for line in (pytester.path / "out/results.jsonl").read_text().splitlines()]
    cells = [one for one in rest if "part" not in one]

    assert head["servers"] == ["openssl@3.0.19", "libssl@1.1.1w"]
    assert [(cell["server"], cell["verdict"]) for cell in cells] == [("openssl@3.0.19", "passed")]


RAISE_FOR_ONE_CLIENT = """from harness.model.errors import TimedOutError
    if pair.client_stack.name == "openssl":
        raise TimedOutError("a ticket", 1)
"""


def test_cells_without_a_verdict_are_among_those_that_last_failed(run: Run, pytester: pytest.Pytester) -> None:
    run("-p", "cacheprovider", "--server=libssl", after_first=RAISE_FOR_ONE_CLIENT).assert_outcomes(passed=1, errors=1)

    again = pytester.runpytest_inprocess("--lf", "-p", "cacheprovider", "--results=again", "--server=libssl")

    again.assert_outcomes(errors=1)
    again.stdout.fnmatch_lines(["*TimedOutError: waited 1 s for a ticket"])


DIFFERS = """
HINT = Expectation(RESUMED, Differs(DECLINED, Role.SERVER, {builds!r}, date(2026, 1, 1), "seen"))
"""


@pytest.mark.parametrize(
    ("builds", "passed"), [("libssl@<=1.1.1w", 1), ("*@<3", 1), ("libssl@<1.1.1w", 2), ("openssl@<3", 2)]
)
def test_a_declared_difference_holds_for_its_builds_alone(
    run: Run, builds: str, passed: int, results: Callable[[], dict[str, Any]]
) -> None:
    declared = DIFFERS.format(builds=builds) + "\ndef test_it"

    ran = run(
        "--client=openssl",
        source=SCENARIO.replace("\ndef test_it", declared),
        asserts="assert first.outcome is FULL; assert second.outcome is HINT.of(pair)",
    )

    ran.assert_outcomes(passed=passed, failed=2 - passed)
    named = [cell["declared"] for cell in results()["cells"] if "declared" in cell]
    declares = [{"role": "server", "builds": builds, "seen": "2026-01-01", "evidence": "seen"}]
    assert named == [declares] * (2 - passed)


@pytest.mark.parametrize("workers", ["-n0", "-n2"])
def test_a_declared_difference_that_no_build_is_in_is_reported(run: Run, workers: str) -> None:
    declared = DIFFERS.format(builds="libssl@>=9") + "\ndef test_it"

    ran = run(workers, source=SCENARIO.replace("\ndef test_it", declared))

    ran.stdout.fnmatch_lines(["*matched nothing in this run: server libssl@>=9*"])


def test_results_that_can_no_longer_be_written_are_said_and_do_not_pass(run: Run, pytester: pytest.Pytester) -> None:
    blocked = f"import pathlib; pathlib.Path({str(pytester.path / 'out')!r}).touch()"

    ran = run("--client=openssl", "--server=openssl", after_first=blocked)

    assert ran.ret == 1
    ran.assert_outcomes(passed=1)
    ran.stdout.fnmatch_lines(["ERROR: the results are incomplete, they could not be written: *File exists*"])


BREAKS = """versions=[TLSv1_3], breaks={
    "early_data_with_psk": broken_by(Role.CLIENT, "%s", date(2026, 11, 29), "seen")}"""


def test_a_cell_that_breaks_a_rule_undeclared_fails(run: Run, results: Callable[[], dict[str, Any]]) -> None:
    ran = run("--matrix=same", hello="EARLY_WITHOUT_PSK")

    ran.assert_outcomes(failed=2)
    ran.stdout.fnmatch_lines(["*connection 2 breaks the rule early_data_with_psk, and the scenario does not*"])
    assert {cell["verdict"] for cell in results()["cells"]} == {"failed"}
    assert [b["rule"] for b in results()["cells"][0]["case"]["connections"][1]["breaches"]] == ["early_data_with_psk"]


def test_a_cell_that_breaks_a_declared_rule_passes_and_shows_it(run: Run) -> None:
    ran = run("--matrix=same", hello="EARLY_WITHOUT_PSK", arguments=BREAKS % "*")

    ran.assert_outcomes(passed=2)
    ran.stdout.fnmatch_lines(["Rules of the RFCs that are broken, by cells", "*2  MUST early_data_with_psk*"])


def test_a_rule_is_declared_for_some_builds_alone(run: Run) -> None:
    run("--matrix=same", hello="EARLY_WITHOUT_PSK", arguments=BREAKS % "*@<3.0").assert_outcomes(passed=1, failed=1)


@pytest.mark.parametrize(("builds", "failed"), [("*", 0), ("*@<3.0", 1)])
def test_a_breach_that_builds_are_known_for_fails_no_cell(
    run: Run, monkeypatch: pytest.MonkeyPatch, builds: str, failed: int
) -> None:
    known = broken_by(Role.CLIENT, builds, date(2026, 11, 29), "seen")
    monkeypatch.setattr("harness.matrix.known_breaches.KNOWN_BREACHES", {"early_data_with_psk": known})

    ran = run("--matrix=same", hello="EARLY_WITHOUT_PSK")

    ran.assert_outcomes(passed=2 - failed, failed=failed)
    ran.stdout.fnmatch_lines(["Rules of the RFCs that are broken, by cells", "*2  MUST early_data_with_psk*"])


def test_a_declared_breach_that_does_not_happen_fails(run: Run) -> None:
    ran = run("--matrix=same", arguments=BREAKS % "*@<3.0")

    ran.assert_outcomes(passed=1, failed=1)
    ran.stdout.fnmatch_lines(
        ["*no connection breaks the rule early_data_with_psk, and the scenario declares that one does*"]
    )


def test_a_declared_rule_that_does_not_exist_is_an_error(run: Run) -> None:
    ran = run(arguments='breaks={"early": broken_by(Role.CLIENT, "*", date(2026, 11, 29), "seen")}')

    ran.assert_outcomes(errors=1)
    ran.stdout.fnmatch_lines(["*there is no rule 'early'; the rules are: *"])


def test_a_declared_breach_about_no_build_of_the_run_is_named(run: Run) -> None:
    ran = run("--matrix=same", arguments=BREAKS % "*@<1.0")

    ran.stdout.fnmatch_lines(["matched nothing in this run: client [*]@<1.0 gives True (seen 2026-11-29)"])


PROGRAMS = '''
"""A ticket resumes (RFC 8446, 2.2)."""

from harness import *

pytestmark = scenario(programs=["nginx", "curl"], versions=[TLSv1_3])

def test_server(program):
    assert program().connect().outcome is FULL

def test_client(client_program):
    assert client_program.run()[0].outcome is FULL
'''


def test_a_program_that_is_not_installed_is_an_unsupported_cell(
    run: Run, results: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.which", lambda *_names, **_more: None)
    run(source=PROGRAMS).assert_outcomes(skipped=2)

    nginx = "nginx lacks a program here: install it: apt install nginx"
    curl = "curl lacks a program here: install it: apt install curl"
    assert [(cell["cell"], cell["verdict"], cell["reason"]) for cell in results()["cells"]] == [
        ("libssl@1.1.1w--nginx-TLSv1.3", "unsupported", nginx),
        ("curl--libssl@1.1.1w-TLSv1.3", "unsupported", curl),
    ]


def test_globs_choose_programs_as_they_choose_stacks(run: Run, results: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda *_names, **_more: None)
    run("--server=nginx", "--client=openssl", source=PROGRAMS).assert_outcomes(skipped=2)

    assert [cell["cell"] for cell in results()["cells"]] == ["openssl@3.0.19--nginx-TLSv1.3"]


def test_a_program_that_does_not_exist_fails_at_import(run: Run) -> None:
    done = run(arguments='programs=["caddy"]')

    done.stdout.fnmatch_lines(["*no program 'caddy'; there are: *curl*nginx*"])
