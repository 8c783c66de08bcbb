"""The pytest plugin of the installed package: light, it loads the rest when it meets the first scenario.

PYTEST_DONT_REWRITE: pytest imports it in every project, and it asserts nothing.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest

from harness.results.run_options import RUN_OPTIONS

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from harness.pair.pair import Pair
    from harness.probe.probed import Probed
    from harness.probe.program import Programs
    from harness.runtime.runtime import Runtime
    from harness.serve.serving import Serving
    from harness.serve.visits import Visits
    from harness.stacks.machine import Machine

HOOKS = "harness.plugin.hooks"
"""The rest of the plugin; `-p` or a conftest.py that names it loads it at the start."""
ENDS = {"pair", "program", "client_program"}
"""The fixtures that a scenario has a cell for."""
CELL = re.compile(r"\[\S+--\S+-D?TLSv1")
"""How the node id of a cell goes on after the name of its test."""


class Hooks:
    """What a conftest.py can do beyond pytest's own hooks."""

    @pytest.hookspec(firstresult=True)
    def pytest_resumption_machine(self, runtime: Runtime, config: pytest.Config) -> Machine | None:
        """Give the stacks of the run, if they are to be others than those of this machine."""


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    """Declare the hook above."""
    pluginmanager.add_hookspecs(Hooks)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--resumption-NAME` for each option of a run."""
    add_options(parser)


def add_options(parser: pytest.Parser, *, short: bool = False) -> None:
    """Add each option of a run under its long or its short name; both set the same value."""
    group = parser.getgroup("resumption", "TLS session resumption")
    for option in RUN_OPTIONS:
        name, text = (option.short, f"Short for {option.long}.") if short else (option.long, option.help)
        if not option.metavar:
            group.addoption(name, dest=option.dest, action="store_true", help=text)
        elif option.many:
            group.addoption(name, dest=option.dest, action="append", default=[], metavar=option.metavar, help=text)
        else:
            group.addoption(name, dest=option.dest, default=option.default, metavar=option.metavar, help=text)


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker, and gather cells in the process that the user started."""
    config.addinivalue_line("markers", "scenario(situation): what a scenario declares; made by harness.scenario")
    config.addinivalue_line("markers", "openssl_chooses(role, capability, what): what OpenSSL alone does")
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(Gathering(config), "resumption-gathering")


class Gathering:
    """Hands the record of each cell to the recorder, in the process that is not a worker of pytest-xdist."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Record a cell that is over, or whose worker died."""
        if "resumption" in vars(report) or (str(report.when) == "???" and CELL.search(report.nodeid)):
            loaded(self._config).record(self._config, report)

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Give a worker of pytest-xdist the folder for the evidence."""
        node.workerinput["resumption_results"] = str(results_folder(self._config))


RESULTS = pytest.StashKey[Path]()


def results_folder(config: pytest.Config) -> Path:
    """The folder of this run's results, the same in each worker; nothing is made there yet."""
    if RESULTS not in config.stash:
        worker: dict[str, str] | None = getattr(config, "workerinput", None)
        if worker is not None:
            config.stash[RESULTS] = Path(worker["resumption_results"])
        else:
            from harness.results.writer import default_folder  # noqa: PLC0415 - not before a run has cells or workers

            config.stash[RESULTS] = Path(config.getoption("resumption_results") or default_folder()).absolute()
    return config.stash[RESULTS]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Make a test of each cell of a scenario."""
    for fixture in ENDS & {*metafunc.fixturenames}:
        mark = metafunc.definition.get_closest_marker("scenario")
        if mark and mark.args and type(mark.args[0]).__module__ == "harness.matrix.cells":
            situation = mark.args[0]
            for chosen in metafunc.definition.iter_markers("openssl_chooses"):
                situation = situation.needing(*chosen.args[:2])
            loaded(metafunc.config).generate(metafunc, situation, fixture)


def loaded(config: pytest.Config) -> Any:
    """The rest of the plugin, `harness.plugin.hooks`, at work; pytest.UsageError if an option has a wrong value."""
    if not config.pluginmanager.has_plugin(HOOKS):
        config.pluginmanager.import_plugin(HOOKS)
    hooks = cast("Any", config.pluginmanager.get_plugin(HOOKS))
    hooks.begin(config)
    return hooks


@pytest.fixture
def pair(request: pytest.FixtureRequest) -> Generator[Pair]:
    """The cell's two endpoints with the tap between them, ready to connect."""
    if not hasattr(request, "param"):
        pytest.fail("`pair` needs `pytestmark = scenario(...)` in this file; see docs/scenarios.md", pytrace=False)
    yield from cast("Any", request.config.pluginmanager.get_plugin(HOOKS)).open_pair(request)


@pytest.fixture
def probe() -> Generator[Callable[..., Probed]]:
    """Reaches servers of your own: ``probe("127.0.0.1", port, versions=(TLSv1_3,))``, and knobs of the client."""
    from contextlib import ExitStack  # noqa: PLC0415 - the plugin stays light

    from harness.probe.probed import Probed  # noqa: PLC0415

    with ExitStack() as opened:
        yield lambda host, port, **given: opened.enter_context(Probed(host, port, **given))


@pytest.fixture
def program(request: pytest.FixtureRequest) -> Generator[Callable[..., Programs]]:
    """Starts server programs: ``program("nginx", tickets=False)``; skips, as UNSUPPORTED, what is not installed.

    In a scenario with ``programs`` it starts that of the cell: ``program(tickets=False)``.
    """
    from contextlib import ExitStack  # noqa: PLC0415 - the plugin stays light

    from harness.model.errors import UnsupportedError  # noqa: PLC0415
    from harness.probe.program import Programs  # noqa: PLC0415

    def start(product: str, **given: Any) -> Programs:
        try:
            return opened.enter_context(Programs(product, **given))
        except UnsupportedError as error:
            pytest.skip(f"UNSUPPORTED: {error}")

    with ExitStack() as opened:
        if hasattr(request, "param"):
            yield cast("Any", request.config.pluginmanager.get_plugin(HOOKS)).start_program(request, opened)
        else:
            yield start


@pytest.fixture
def client_program(request: pytest.FixtureRequest) -> Generator[Visits]:
    """The client program of the cell, with its server: ``client_program.run(num_tickets=0)``."""
    if not hasattr(request, "param"):
        text = "`client_program` needs `pytestmark = scenario(programs=[...])` in this file; see docs/clients.md"
        pytest.fail(text, pytrace=False)
    with cast("Any", request.config.pluginmanager.get_plugin(HOOKS)).client_visits(request) as visits:
        yield visits


@pytest.fixture
def served() -> Generator[Callable[..., Serving]]:
    """Opens servers for a client of your own: ``served("libssl", num_tickets=1)``, a stack and knobs of a server."""
    from contextlib import ExitStack  # noqa: PLC0415 - the plugin stays light

    from harness.serve.serving import Serving  # noqa: PLC0415

    with ExitStack() as opened:
        yield lambda stack="libssl", **knobs: opened.enter_context(Serving(stack, **knobs))
