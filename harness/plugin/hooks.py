"""The pytest plugin: gives scenarios their pairs, and what becomes of them their verdicts; drives no TLS."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from harness.matrix.cells import Cell
from harness.matrix.citation import uncited
from harness.matrix.expectation import Expectation, unmatched
from harness.matrix.pairing import Matrix, Pairing
from harness.model.errors import BuildError, UnsupportedError, UsageError
from harness.model.tls import Outcome
from harness.model.verdict import Verdict
from harness.pair.pair import Pair
from harness.plugin.failure import beside_outcome, leave, leave_reproducers
from harness.plugin.recorder import Recorder
from harness.plugin.session import Run
from harness.plugin.verdict import CellState, disagreement, problem
from harness.results.retention import NEWEST
from harness.results.writer import Results, compact, default_folder, usable
from harness.stacks.machine import Machine

if TYPE_CHECKING:
    from collections.abc import Generator

    from harness.runtime.runtime import Runtime

RUN = pytest.StashKey[Run]()
FOLDER = pytest.StashKey[Path]()
RECORDER = pytest.StashKey[Recorder]()
STATE = pytest.StashKey[CellState]()
RUNNING = pytest.StashKey[CellState | None]()
DECLARED = pytest.StashKey[dict[int, Expectation[Any]]]()


class Hooks:
    """What a conftest.py can do beyond pytest's own hooks."""

    @pytest.hookspec(firstresult=True)
    def pytest_resumption_machine(self, runtime: Runtime, config: pytest.Config) -> Machine | None:
        """Give the stacks of the run, if they are to be others than those of this machine."""


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    """Declare the hook above."""
    pluginmanager.add_hookspecs(Hooks)


@pytest.hookimpl(trylast=True)
def pytest_resumption_machine(runtime: Runtime, config: pytest.Config) -> Machine:
    """All stacks that this machine has, and those of the prefixes that a user named."""
    return Machine(runtime, config.getoption("openssl"))


def pytest_addoption(parser: pytest.Parser) -> None:
    """Which stacks, and where the evidence goes."""
    group = parser.getgroup("resumption", "TLS session resumption")
    for role in ("client", "server"):
        group.addoption(
            f"--{role}",
            action="append",
            default=[],
            metavar="GLOB",
            help=f"only {role}s whose stack or stack@build matches, as openssl or 'libssl@3.*'; may be repeated",
        )
    group.addoption(
        "--matrix",
        default=Pairing.ALL.value,
        metavar="all|same|pairwise|versions|against=BUILD",
        help="which client meets which server: every one; that of the same version; few pairs that cover all; "
        "fewer that cover all versions; BUILD at one end and each other at the other",
    )
    group.addoption(
        "--openssl",
        action="append",
        default=[],
        type=Path,
        metavar="PREFIX",
        help="an OpenSSL of one's own; may be repeated",
    )
    group.addoption(
        "--results", type=Path, metavar="DIR", help="folder for results.json and the evidence (default: a dated one)"
    )
    group.addoption(
        "--reproduce",
        action="store_true",
        help="leave programs that show it without the harness for each cell, not for those alone that did not pass",
    )
    group.addoption(
        "--keep-results",
        type=int,
        default=NEWEST,
        metavar="N",
        help=f"how many runs stay where no --results is given, older ones are removed (default: {NEWEST}; 0: all)",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Set up what this process shares; nothing is started before it is needed."""
    config.addinivalue_line("markers", "scenario(situation): what a scenario declares; made by harness.plugin.scenario")
    hook = config.hook.pytest_resumption_machine
    try:
        pairs = Matrix.parse(config.getoption("matrix"))
    except UsageError as error:
        raise pytest.UsageError(str(error)) from error
    run = Run(
        lambda runtime: hook(runtime=runtime, config=config),
        config.getoption("client"),
        config.getoption("server"),
        pairs,
    )
    config.add_cleanup(run.close)
    config.stash[RUN] = run
    config.stash[DECLARED] = {}
    worker: dict[str, Any] | None = getattr(config, "workerinput", None)
    if worker is not None:
        config.stash[FOLDER] = Path(worker["resumption_results"])
        return
    try:
        config.stash[FOLDER] = usable(config.getoption("results") or default_folder())
    except UsageError as error:
        raise pytest.UsageError(str(error)) from error


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a worker of pytest-xdist where the evidence goes."""
    node.workerinput["resumption_results"] = str(node.config.stash[FOLDER])


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any, error: object) -> None:
    """Hear what a worker of pytest-xdist has to say at its end."""
    if error is None and (recorder := node.config.stash.get(RECORDER, None)):
        recorder.worker_ended(node)


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Refuse globs that match no stack before anything runs; begin the results."""
    run = session.config.stash[RUN]
    try:
        stacks = {"clients": [s.label for s in run.clients], "servers": [s.label for s in run.servers]}
    except (BuildError, UsageError) as error:
        raise pytest.UsageError(str(error)) from error
    if not hasattr(session.config, "workerinput"):
        dated = session.config.getoption("results") is None
        newest = session.config.getoption("keep_results") if dated else 0
        recorder = Recorder(Results(session.config.stash[FOLDER], stacks), newest)
        session.config.stash[RECORDER] = recorder
        session.config.pluginmanager.register(recorder, "resumption-recorder")


def pytest_report_header(config: pytest.Config) -> list[str]:
    """Every stack under test, where its parts lie, and where the results go."""
    return [*config.stash[RUN].header(), f"results: {config.stash[FOLDER]}"]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Make a test of each cell; a cell that a stack cannot do is skipped with the reason, and counted."""
    if "pair" not in metafunc.fixturenames:
        return
    mark = metafunc.definition.get_closest_marker("scenario")
    if mark is None and metafunc.definition.path.parent.name != "scenarios":
        return  # a test that has a `pair` of its own
    problem = uncited(metafunc.module.__doc__) if mark else "it uses `pair` but has no pytestmark = scenario(...)"
    if mark is None or problem:
        raise pytest.Collector.CollectError(f"{metafunc.module.__file__}: {problem}")
    metafunc.config.stash[DECLARED].update(
        {id(value): value for value in vars(metafunc.module).values() if isinstance(value, Expectation)}
    )
    run = metafunc.config.stash[RUN]
    metafunc.parametrize(
        "pair",
        [
            pytest.param(
                cell, id=cell.id, marks=[pytest.mark.skip(f"UNSUPPORTED: {cell.unsupported}")] * bool(cell.unsupported)
            )
            for cell in run.cells(mark.args[0], metafunc.definition.nodeid)
        ],
        indirect=True,
    )


@pytest.fixture
def pair(request: pytest.FixtureRequest) -> Generator[Pair]:
    """The cell's two endpoints with the tap between them, ready to connect."""
    cell: Cell = request.param
    runtime = request.config.stash[RUN].runtime
    try:
        made = Pair(
            (cell.client_stack, cell.server_stack),
            cell.tls,
            runtime,
            client=cell.client,
            server=cell.server,
            close=cell.close,
            seconds=cell.seconds,
        )
    except UnsupportedError as error:
        pytest.skip(f"UNSUPPORTED: {error}")
    if state := _state(request.node):
        state.pair = made
    try:
        yield made
    finally:
        made.close()


def _state(item: pytest.Item) -> CellState | None:
    """The state of an item that is a cell, None for any other test."""
    callspec = getattr(item, "callspec", None)
    cell = getattr(callspec, "params", {}).get("pair")
    if callspec is None or not isinstance(cell, Cell):
        return None
    if STATE not in item.stash:
        item.stash[STATE] = CellState(cell, callspec.id, item.nodeid.partition("[")[0])
    return item.stash[STATE]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """After the asserts: no connection without a look at it, none about which the witnesses differ."""
    __tracebackhide__ = True
    state = _state(item)
    item.config.stash[RUNNING] = state
    try:
        result = yield
    except UnsupportedError as error:
        pytest.skip(f"UNSUPPORTED: {error}")
    finally:
        item.config.stash[RUNNING] = None
    if state and (found := problem(state.connections, state.opened)):
        raise found
    return result


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Give the cell its verdict and its evidence; the last report of a cell carries the record of it."""
    report = yield
    state = _state(item)
    if state is None:
        return report
    state.seconds += call.duration
    if call.excinfo is not None:
        _judge(state, report, call.excinfo.value)
    if call.when == "call":
        state.describe()
    if state.verdict in {Verdict.FAILED, Verdict.ERROR} and call.excinfo is not None:
        report.sections += leave(state, item.config.stash[FOLDER], report.longreprtext)
    elif state.verdict is Verdict.PASSED and call.when == "call" and item.config.getoption("reproduce"):
        report.sections += leave_reproducers(state, item.config.stash[FOLDER])
    if call.when == "teardown":
        vars(report)["resumption"] = compact(state.record())
        del item.stash[STATE]  # pytest keeps every item to the end of the run, and with it every connection
    return report


def _judge(state: CellState, report: pytest.TestReport, error: BaseException) -> None:
    """The verdict of a phase that raised."""
    differing = disagreement(state.connections)
    if isinstance(error, pytest.skip.Exception):
        state.judge(Verdict.UNSUPPORTED, str(error.msg).removeprefix("UNSUPPORTED: "))
    elif report.when == "call" and isinstance(error, AssertionError | pytest.fail.Exception) and not differing:
        state.judge(Verdict.FAILED, str(error))
    else:
        state.judge(Verdict.ERROR, differing or f"{type(error).__name__}: {error}")
        if report.when == "call":
            # pytest, its JUnit XML too, counts as an ERROR only what fails outside of the call.
            report.when = "setup"


def pytest_assertrepr_compare(config: pytest.Config, op: str, left: object, right: object) -> list[str] | None:
    """Show why it is so, and what the witnesses saw, beside an outcome that is not the expected one."""
    state = config.stash.get(RUNNING, None)
    if state is None or not isinstance(left, Outcome):
        return None
    return [f"{left} {op} {right}", *beside_outcome(state)]


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Say which declared differences found no build to be about."""
    config = session.config
    run = config.stash[RUN]
    lines = unmatched(config.stash[DECLARED].values(), run.clients, run.servers) if config.stash[DECLARED] else []
    if hasattr(config, "workeroutput"):
        config.workeroutput["resumption_unmatched"] = lines
    elif recorder := config.stash.get(RECORDER, None):
        recorder.unmatched.update(lines)
