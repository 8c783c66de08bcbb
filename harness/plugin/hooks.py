"""The part of the pytest plugin that runs scenarios: opens the pair of a cell, judges it and keeps its evidence.

PYTEST_DONT_REWRITE: it asserts nothing.
"""

from __future__ import annotations

import re
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from harness.matrix.cells import Cell
from harness.matrix.citation import uncited
from harness.matrix.expectation import Expectation, unmatched
from harness.matrix.pairing import Matrix
from harness.model.errors import BuildError, UnsupportedError, UsageError, given_bytes, is_lost
from harness.model.tls import Outcome, Role
from harness.model.verdict import Verdict
from harness.plugin.asserting import read_by_assert
from harness.plugin.cell_verdict import CellState, disagreement, problem, undeclared
from harness.plugin.entry import results_folder
from harness.plugin.failure import beside_outcome, leave, leave_reproducers, shown, value_text
from harness.plugin.recorder import Recorder
from harness.plugin.shared import Run
from harness.plugin.waits import FOLDER, INPUT, writer
from harness.plugin.ways import Over, go_over_tcp, is_for_both, joins, pair_of
from harness.report.json.packed import compact
from harness.results.retention import Limits
from harness.results.run_options import RUN_OPTIONS
from harness.results.uncollected import settled, uncollected
from harness.results.writer import Results, usable
from harness.runtime.warden import end_with_parent
from harness.stacks.machine import Machine

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from contextlib import ExitStack

    from harness.matrix.cells import Situation
    from harness.pair.pair import Pair
    from harness.probe.program import Programs
    from harness.report.json.shapes import AssertionObject
    from harness.runtime.runtime import Runtime
    from harness.serve.visits import Visits

RUN = pytest.StashKey[Run]()
OVER = pytest.StashKey[Over]()
RECORDER = pytest.StashKey[Recorder]()
STATE = pytest.StashKey[CellState]()
RUNNING = pytest.StashKey[CellState | None]()
DECLARED = pytest.StashKey[dict[int, Expectation[Any]]]()
MOST_SHARDS = 100_000
"""More than a run has cells; pytest-split makes a list of all."""
MOST_NAMES = 256 << 20
"""Bytes of the names of all cells of a run."""
CELLS = "name a file of cells, one a line"
PLAYS = {"program": Role.SERVER, "client_program": Role.CLIENT}
"""The role of the program that each of these fixtures gives."""
HEADED = pytest.StashKey[bool]()
"""Whether pytest's header already lists the stacks."""


@pytest.hookimpl(trylast=True)
def pytest_resumption_machine(runtime: Runtime, config: pytest.Config) -> Machine:
    """Return the stacks of this machine, of the prefixes and of the agents that the user named."""
    prefixes, files = (config.getoption(f"resumption_{name}") for name in ("openssl", "stack"))
    return Machine(runtime, [Path(prefix) for prefix in prefixes], files=[Path(file) for file in files])


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Let pytest print the sections of passed cells if the user asked for it; end a worker with its run."""
    if config.getoption("resumption_show"):
        config.option.reportchars = f"{config.option.reportchars or ''}P"
    if hasattr(config, "workerinput"):
        end_with_parent()


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Collect tests without looking for garbage among them: of 20,000 that takes a quarter of the time."""
    with uncollected():
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtestloop() -> Generator[None, object, object]:
    """Run the tests without looking for garbage among those that were collected, which stay to the end."""
    with settled():
        return (yield)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep only the cells that `--resumption-cell` names, and leave out those in the file of `--resumption-without`.

    pytest.UsageError if a cell does not exist, or the file cannot be read.
    """
    _leave_out(config, items)
    wanted: list[str] = config.getoption("resumption_cell")
    if not wanted:
        return
    chosen = [item for item in items if item.name in wanted or item.nodeid in wanted]
    names = {name for item in chosen for name in (item.name, item.nodeid)}
    if absent := [name for name in wanted if name not in names]:
        near = get_close_matches(absent[0], [item.name for item in items], 1, 0)
        hint = f"did you mean {near[0]!r}?" if near else "nothing was collected"
        raise pytest.UsageError(f"no cell {absent[0]!r} here; {hint}")
    config.hook.pytest_deselected(items=[item for item in items if item not in chosen])
    items[:] = chosen


def _leave_out(config: pytest.Config, items: list[pytest.Item]) -> None:
    path: str | None = config.getoption("resumption_without")
    if not path:
        return
    try:
        names = set(given_bytes(Path(path), f"--without {path}", CELLS, MOST_NAMES).decode().splitlines())
    except UsageError as error:
        raise pytest.UsageError(str(error)) from error
    except UnicodeDecodeError as error:
        raise pytest.UsageError(f"--without {path} is not text: {error.reason}; {CELLS}") from error
    config.hook.pytest_deselected(items=[item for item in items if item.nodeid in names])
    items[:] = [item for item in items if item.nodeid not in names]


def begin(config: pytest.Config) -> None:
    """Set up the run of this process and its results, once.

    pytest.UsageError if a glob matches no stack, or another option has an invalid value.
    """
    if RUN in config.stash:
        return
    hook = config.hook.pytest_resumption_machine
    for option in RUN_OPTIONS:
        value = config.getoption(option.dest)
        if value == "" or (option.many and "" in value):
            raise pytest.UsageError(f"{option.short} is empty; give {option.metavar}, or leave it out")
    try:
        run = Run(
            lambda runtime: hook(runtime=runtime, config=config),
            config.getoption("resumption_client"),
            config.getoption("resumption_server"),
            Matrix.parse(config.getoption("resumption_matrix")),
        )
        config.add_cleanup(run.close)
        config.stash[OVER] = Over.parse(config.getoption("resumption_over"))
        head: dict[str, object] = {
            "clients": [stack.label for stack in run.clients],
            "servers": [stack.label for stack in run.servers],
        }
        if splits := config.getoption("splits", None):
            head["shard"] = f"{config.getoption('group')}/{_counted(splits)}"
        worker: dict[str, str] = getattr(config, "workerinput", {})
        config.stash[FOLDER] = Path(worker.get(INPUT, run.runtime.folder))
        run.runtime.loop.on_long_wait = writer(config.stash[FOLDER], worker.get("workerid", "main"))
        if not worker:
            limits = Limits.parse(config.getoption("resumption_keep_results"))
            kept = Limits() if config.getoption("resumption_results") else limits
            recorder = Recorder(Results(usable(results_folder(config)), head), kept)
            config.stash[RECORDER] = recorder
            config.pluginmanager.register(recorder, "resumption-recorder")
    except (BuildError, UsageError) as error:
        raise pytest.UsageError(str(error)) from error
    config.stash[DECLARED] = {}
    config.stash[RUN] = run


def _counted(splits: int) -> int:
    """Return the number of shards; UsageError if no run has so many."""
    if splits > MOST_SHARDS:
        raise UsageError(f"--splits cannot be {splits}; a run has at most {MOST_SHARDS} shards")
    return splits


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Give a worker of pytest-xdist the folder in which it leaves what it waits for."""
    node.workerinput[INPUT] = str(node.config.stash[FOLDER])


def record(config: pytest.Config, report: pytest.TestReport) -> None:
    """Pass a report to the recorder of the run."""
    config.stash[RECORDER].take(report)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any, error: object) -> None:
    """Collect what a worker of pytest-xdist reports at its end."""
    if error is None and (recorder := node.config.stash.get(RECORDER, None)):
        recorder.worker_ended(node)


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Set up the run before anything is collected, if the plugin is loaded at the start."""
    begin(session.config)


def pytest_report_header(config: pytest.Config) -> list[str]:
    """Return the stacks under test, the paths of their parts, and the folder of the results."""
    config.stash[HEADED] = True
    return _header(config)


def pytest_report_collectionfinish(config: pytest.Config) -> list[str]:
    """Return the same lines if the first scenario was collected after pytest's header."""
    return [] if config.stash.get(HEADED, False) or RUN not in config.stash else _header(config)


def _header(config: pytest.Config) -> list[str]:
    return [*config.stash[RUN].header(), f"results: {results_folder(config)}"]


def generate(metafunc: pytest.Metafunc, situation: Situation, fixture: str) -> None:
    """Make a test of each cell, which goes to this fixture; skip and count an unsupported cell, with the reason."""
    if problem := uncited(metafunc.module.__doc__):
        raise pytest.Collector.CollectError(f"{metafunc.module.__file__}: {problem}")
    metafunc.config.stash[DECLARED].update(
        {id(value): value for value in vars(metafunc.module).values() if isinstance(value, Expectation)}
    )
    metafunc.config.stash[DECLARED].update({id(value): value for value in situation.breaks.values()})
    run = metafunc.config.stash[RUN]
    if fixture == "pair":
        found = run.cells(situation, metafunc.definition.nodeid)
    else:
        found = run.program_cells(situation, PLAYS[fixture])
    metafunc.parametrize(
        fixture,
        [
            pytest.param(
                cell, id=cell.id, marks=[pytest.mark.skip(f"UNSUPPORTED: {cell.unsupported}")] * bool(cell.unsupported)
            )
            for cell in selectable(metafunc, found)
        ],
        indirect=True,
    )


def selectable(metafunc: pytest.Metafunc, found: list[Cell]) -> list[Cell]:
    """Leave out the cells that ``-k`` deselects for sure, since pytest takes most of its time to make an item of each.

    pytest deselects for itself, and gets at least one cell of each test. Without ``not``, an expression needs one of
    its words in the test's name, the cell's id or another keyword of the test.
    """
    words = re.findall(r"[^\s()]+", metafunc.config.getoption("keyword").lower())
    test = metafunc.definition
    if not words or "not" in words or any(test.iter_markers("parametrize")):
        return found
    sought = set(words) - {"and", "or"}
    keywords = [keyword.lower() for keyword in (*test.keywords, "skip", "parametrize")]
    if any(word in keyword for keyword in keywords for word in sought):
        return found
    named = ((cell, f"{test.name}[{cell.id}]".lower()) for cell in found)
    return [cell for cell, name in named if any(word in name for word in sought)] or found[:1]


def open_pair(request: pytest.FixtureRequest) -> Generator[Pair]:
    """Yield the pair of a cell, open until its test is over."""
    cell: Cell = request.param
    in_memory = joins(cell, request.config.stash[OVER])
    try:
        made = pair_of(cell, request.config.stash[RUN], in_memory=in_memory)
    except UnsupportedError as error:
        pytest.skip(f"UNSUPPORTED: {error}")
    if state := _state(request.node):
        state.pair, state.over = made, "memory" if in_memory else None
    try:
        yield made
    finally:
        made.close()


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Generator[None, object, object]:
    """Run the test; one of some cells whose ends met in memory runs once more, over TCP, and must show the same."""
    __tracebackhide__ = True
    result = yield
    state = _state(pyfuncitem)
    if state and is_for_both(pyfuncitem, state.cell, pyfuncitem.config.stash[OVER], state.connections):
        state.over = "both"
        go_over_tcp(pyfuncitem, state.cell, pyfuncitem.config.stash[RUN], state.connections)
    return result


def start_program(request: pytest.FixtureRequest, opened: ExitStack) -> Callable[..., Programs]:
    """Return what starts the server program of a cell, once: its test says how."""
    from harness.probe.program import Programs  # noqa: PLC0415 - few scenarios have programs

    cell: Cell = request.param
    state, runtime = _state(request.node), request.config.stash[RUN].runtime

    def start(**given: Any) -> Programs:
        if state and state.pair:
            raise UsageError("a cell has one server program; let it restart() or reload()")
        made = Programs(cell.program, client=cell.client_stack, runtime=runtime, versions=(cell.tls,), **given)
        opened.callback(made.close)
        made.pair.read_by_assert = read_by_assert
        if state:
            state.pair = made.pair
        return made

    return start


def client_visits(request: pytest.FixtureRequest) -> Visits:
    """Return what runs the client program of a cell."""
    from harness.serve.visits import Visits  # noqa: PLC0415 - few scenarios have programs
    from harness.stacks.programs.clients import CLIENTS  # noqa: PLC0415 - as above

    cell: Cell = request.param
    stacks = cell.client_stack, cell.server_stack
    made = Visits(CLIENTS[cell.program], stacks, cell.tls, request.config.stash[RUN].runtime)
    made.read_by_assert = read_by_assert
    if state := _state(request.node):
        state.pair = made
    return made


def _state(item: pytest.Item) -> CellState | None:
    """Return the state of a cell; None for any other test."""
    callspec = getattr(item, "callspec", None)
    cell = next((one for one in getattr(callspec, "params", {}).values() if isinstance(one, Cell)), None)
    if callspec is None or cell is None:
        return None
    if STATE not in item.stash:
        item.stash[STATE] = CellState(cell, callspec.id, item.nodeid.partition("[")[0])
    return item.stash[STATE]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Run the test; then fail it for connections that were not asserted, disagreements and undeclared breaches."""
    __tracebackhide__ = True
    state = _state(item)
    item.config.stash[RUNNING] = state
    broken = ""
    try:
        result = yield
        item.config.stash[RUNNING] = None
        if state and (found := problem(state.connections, state.opened)):
            raise found
        broken = undeclared(state) if state else ""
    except UnsupportedError as error:
        pytest.skip(f"UNSUPPORTED: {error}")
    finally:
        item.config.stash[RUNNING] = None
    if broken:
        pytest.fail(broken, pytrace=False)
    return result


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Judge the cell and keep its evidence; the last report of a cell carries its record."""
    report = yield
    state = _state(item)
    if state is None:
        return report
    state.seconds += call.duration
    if call.excinfo is not None:
        _judge(state, report, call.excinfo.value)
        if state.verdict is Verdict.FAILED and state.assertion is None:
            state.assertion = _assertion(state, call.excinfo.traceback[-1], item.config.rootpath)
    if call.when == "call":
        state.describe()
    if state.verdict in {Verdict.FAILED, Verdict.ERROR} and call.excinfo is not None:
        report.sections += leave(state, results_folder(item.config), report.longreprtext)
    elif state.verdict is Verdict.PASSED and call.when == "call":
        if item.config.getoption("resumption_show"):
            report.sections += shown(state)
        if item.config.getoption("resumption_reproduce"):
            report.sections += leave_reproducers(state, results_folder(item.config))
    if call.when == "teardown":
        vars(report)["resumption"] = compact(state.record(whole=item.config.getoption("resumption_whole")))
        del item.stash[STATE]  # pytest keeps every item to the end of the run, and with it every connection
    return report


def _judge(state: CellState, report: pytest.TestReport, error: BaseException) -> None:
    """Set the verdict after a phase that raised an exception."""
    differing = disagreement(state.connections)
    if isinstance(error, pytest.skip.Exception):
        state.judge(Verdict.UNSUPPORTED, str(error.msg).removeprefix("UNSUPPORTED: "))
    elif report.when == "call" and isinstance(error, AssertionError | pytest.fail.Exception) and not differing:
        state.judge(Verdict.FAILED, str(error))
    else:
        lost = not differing and is_lost(error)
        state.judge(Verdict.ERROR, differing or f"{type(error).__name__}: {error}", lost=lost)
        if report.when == "call":
            # pytest, its JUnit XML too, counts as an ERROR only what fails outside of the call.
            report.when = "setup"


def _assertion(state: CellState, entry: Any, root: Path) -> AssertionObject:
    """Return where a test failed, with both values if it compared two."""
    path = Path(entry.path)
    left, right = state.compared or (None, None)
    return {
        "file": str(path.relative_to(root) if path.is_relative_to(root) else path),
        "line": entry.lineno + 1,
        "source": str(entry.statement).strip(),
        "left": left,
        "right": right,
    }


def pytest_assertrepr_compare(config: pytest.Config, op: str, left: object, right: object) -> list[str] | None:
    """Explain an unexpected outcome, and show what the witnesses saw."""
    state = config.stash.get(RUNNING, None)
    if state is None:
        return None
    state.compared = (value_text(left), value_text(right))
    if not isinstance(left, Outcome):
        return None
    return [f"{left} {op} {right}", *beside_outcome(state)]


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Report the declared differences that match no build."""
    config = session.config
    if RUN not in config.stash:
        return
    run = config.stash[RUN]
    clients, servers = (
        [*stacks, *run.programs(role)] for role, stacks in ((Role.CLIENT, run.clients), (Role.SERVER, run.servers))
    )
    lines = unmatched(config.stash[DECLARED].values(), clients, servers) if config.stash[DECLARED] else []
    if hasattr(config, "workeroutput"):
        config.workeroutput["resumption_unmatched"] = lines
    elif recorder := config.stash.get(RECORDER, None):
        recorder.unmatched.update(lines)
