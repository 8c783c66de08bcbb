"""What several test modules share, made once a run."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from filelock import FileLock

from harness.model.errors import VARIABLE
from harness.report.run.earlier import compare
from harness.report.run.page.page import page
from harness.results.folder import kept_of
from harness.results.reader import kept_run
from harness.runtime.runtime import Runtime
from harness.stacks.machine import Machine
from harness.tests import browser as chromium
from harness.tests import wrong_results
from harness.tests.live_sessions import Live
from harness.tests.tshark import found

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.stacks.libssl import LibsslStack
    from harness.tests.liars.lying import Liars
    from harness.tests.tshark import Tshark

TESTS = Path(__file__).parents[1]
PATIENCE = "120"
"""RESUMPTION_DEADLINE of these tests: twelve times the default, for thirty busy processes on two cores."""


PAGE = "test_each_block_of_a_page"
"""Begins the names of the tests that take longest: some take minutes, most of which they wait."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let each worker begin with its part of the pages, so that none is left alone with them at the end.

    ``--dist=worksteal`` gives each worker a run of tests to begin with, all equally long.
    """
    pages = [item for item in items if item.name.startswith(PAGE)]
    others = [item for item in items if not item.name.startswith(PAGE)]
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    each = -(-len(others) // workers)
    parts = ((*pages[n::workers], *others[n * each : (n + 1) * each]) for n in range(workers))
    items[:] = [item for part in parts for item in part]


def pytest_collection_finish(session: pytest.Session) -> None:
    """Give every wait of the project's own tests more time, so that none fails because the machine is busy.

    Scenarios keep the deadline that users have; a test about a deadline sets its own. A run that a test starts has one
    worker where it names no number: other tests run beside it, and each worker collects every scenario.
    """
    if any(TESTS in path.parents for path in {item.path for item in session.items}):
        os.environ.setdefault(VARIABLE, PATIENCE)
        os.environ.setdefault("PYTEST_XDIST_AUTO_NUM_WORKERS", "1")


@pytest.fixture(scope="session")
def live() -> Iterator[Live]:
    """Sessions of real OpenSSLs, each made when it is first asked for."""
    with Runtime() as runtime:
        yield Live(runtime)


@pytest.fixture(scope="module")
def runtime() -> Iterator[Runtime]:
    """A Runtime of a module's tests."""
    with Runtime() as opened:
        yield opened


@pytest.fixture(scope="module")
def honest(runtime: Runtime) -> Iterator[LibsslStack]:
    """This machine's libssl, which lies about nothing."""
    from harness.stacks.libssl import LibsslStack  # noqa: PLC0415 - a run of scenarios loads this plugin, too
    from harness.tests.raw_agent import libssl_build  # noqa: PLC0415 - as above

    stack = LibsslStack(libssl_build(), runtime)
    yield stack
    stack.close()


@pytest.fixture
def liars(runtime: Runtime) -> Iterator[Liars]:
    """What makes stacks that lie."""
    from harness.tests.liars.lying import Liars  # noqa: PLC0415 - as above

    made = Liars(runtime)
    yield made
    made.close()


@pytest.fixture(scope="module")
def machine() -> Iterator[tuple[Machine, Runtime]]:
    """All stacks of this machine, and the Runtime that they live in."""
    with Runtime() as runtime:
        made = Machine(runtime)
        yield made, runtime
        made.close()


@pytest.fixture(scope="session")
def tshark() -> Tshark:
    """The machine's tshark, or Debian's; skips with the reason where there is neither."""
    program = found()
    if isinstance(program, str):
        pytest.skip(program)
    return program


@pytest.fixture(scope="session")
def wrong(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a real run between openssl and libssl in which three of four tests do not pass."""
    return once(tmp_path_factory, "wrong", wrong_results.WRONG)


@pytest.fixture(scope="session")
def earlier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same, where one of those tests expects what is so."""
    return once(tmp_path_factory, "earlier", wrong_results.RIGHT)


def once(folders: pytest.TempPathFactory, name: str, source: str) -> Path:
    """The results of a run that is made once, whichever of several workers comes first."""
    base = folders.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    with FileLock(shared / f"{name}.lock"):
        if not (shared / name / "results" / "results.json").is_file():
            (shared / name).mkdir()
            wrong_results.run(shared / name, source)
    return shared / name / "results"


@pytest.fixture(scope="session")
def browser() -> Iterator[chromium.Browser]:
    """A headless Chromium; skips with the reason where there is none."""
    with chromium.started() as one:
        yield one


@pytest.fixture(scope="session")
def wrong_page(wrong: Path, earlier: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of the first of both runs, compared with the other one."""
    run, folder = kept_run(wrong), tmp_path_factory.mktemp("page")
    comparison = compare(kept_run(earlier).results, run.results)
    (folder / "index.html").write_text(page(run.results, kept_of(run, folder), version="1", comparison=comparison))
    return folder / "index.html"


@pytest.fixture
def opened(browser: chromium.Browser, wrong_page: Path) -> chromium.Browser:
    """That page as it opens on a desk."""
    browser.show()
    browser.open(wrong_page)
    browser.complaints()
    return browser
