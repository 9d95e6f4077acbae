# ruff: noqa: INP001  the namespace has no __init__
"""The pytest plugin: golden tests become items, and their agents run before the first of them.

Of linenotes nothing but the options is imported until a test uses `@golden`. What the hooks do
stands in `linenotes.evals.suite`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest

from linenotes._pytest_options import arguments, asked

if TYPE_CHECKING:
    from linenotes.evals.suite._suite import Suite
    from linenotes.evals.suite._wishes import Asked

_SUITE = pytest.StashKey["Suite"]()
_NOTES = pytest.StashKey[list[str]]()
_LACKS = pytest.StashKey[bool]()
"""Whether something was asked for, such as a baseline or a file, and did not come about."""
_SHARED = pytest.StashKey[set[Path]]()
"""What workers have written for one another, and nobody needs when all have ended."""
_DECLARED = "linenotes_golden"
_TOLD = "linenotes"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options."""
    group = parser.getgroup("linenotes", "golden tests (linenotes)")
    for option, how in arguments():
        group.addoption(option, **how)


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marker that selects golden tests: `-m golden`."""
    config.addinivalue_line("markers", "golden: each sample of each case of a dataset is judged")
    config.stash[_NOTES] = []
    config.stash[_SHARED] = set()
    config.stash[_LACKS] = False


@pytest.hookimpl(trylast=True)
def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Make an item of each case, and one of the verdict."""
    declared = getattr(metafunc.function, _DECLARED, None)
    if declared is None:
        return
    from linenotes.evals.suite._golden_tests import ARGUMENT, cells
    from linenotes.project import LinenotesError

    try:
        found = cells(metafunc.function, _suite(metafunc.config).dataset(declared))
    except LinenotesError as error:
        told = "\n".join([str(error), *getattr(error, "problems", ())])
        raise pytest.Collector.CollectError(told) from None
    metafunc.parametrize(ARGUMENT, found, ids=[cell.id for cell in found])


def pytest_itemcollected(item: pytest.Item) -> None:
    """Mark the items of golden tests."""
    if hasattr(getattr(item, "function", None), _DECLARED):
        item.add_marker("golden")


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> Iterator[None]:
    """Put verdicts behind their cases, whatever has reordered the items."""
    yield
    if _SUITE in config.stash:
        from linenotes.evals.suite._golden_tests import verdicts_last

        verdicts_last(items)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> Iterator[None]:
    """Execute the samples of all selected items, side by side."""
    config = session.config
    stops = session.testsfailed and not config.getoption("continue_on_collection_errors")
    if _SUITE in config.stash and not config.getoption("collectonly") and not stops:
        terminal = config.pluginmanager.get_plugin("terminalreporter")
        config.stash[_SUITE].execute(
            session.items,
            verdicts_whole=bool(config.getoption("lf", default=False)),
            tell=terminal.write_line if terminal else lambda _: None,
        )
    return (yield)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Fail an item that has nothing to judge, after marks have skipped it and before fixtures."""
    suite = _holding(item)
    if suite is not None:
        suite.setup(item)


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Judge the samples of a case, or reach the verdict on all of them."""
    suite = _holding(pyfuncitem)
    if suite is None:
        return None
    suite.call(pyfuncitem)
    return True


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Add to a report what was judged."""
    report = yield
    suite = _holding(item)
    if suite is not None:
        suite.report(item, cast("pytest.TestReport", report))
    return report


@pytest.hookimpl(tryfirst=True)
def pytest_report_teststatus(
    report: pytest.CollectReport | pytest.TestReport,
) -> tuple[str, str, str] | None:
    """Tell unstable and failing cases from those that pass."""
    told = getattr(report, _TOLD, None)
    if told is None or report.when != "call" or not report.passed or hasattr(report, "wasxfail"):
        return None
    from linenotes.evals.suite._suite_report import status_word

    return status_word(told)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> Iterator[None]:
    """Keep what was judged; fail the session where something that was asked for is missing."""
    config = session.config
    for shared in config.stash[_SHARED]:
        shared.unlink(missing_ok=True)
    if _SUITE in config.stash:
        _finish(config.stash[_SUITE], config)
    yield  # the terminal's summary is written meanwhile
    if config.stash[_LACKS] and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def _finish(suite: Suite, config: pytest.Config) -> None:
    """Keep what was judged; a worker sends what is to be told to its controller."""
    suite.finish()
    output = getattr(config, "workeroutput", None)
    if output is None:
        config.stash[_NOTES] += suite.notes
        config.stash[_LACKS] |= suite.lacks_something
    else:
        shared = [str(file) for file in suite.shared]
        lacks = suite.lacks_something
        output[_TOLD] = {"notes": suite.notes, "shared": shared, "lacks": lacks}


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: object) -> None:
    """Take what a worker has to tell, and what it has shared with others."""
    config: pytest.Config = node.config  # type: ignore[attr-defined]
    told = getattr(node, "workeroutput", {}).get(_TOLD, {"notes": [], "shared": [], "lacks": False})
    config.stash[_LACKS] |= told["lacks"]
    config.stash[_NOTES] += told["notes"]
    config.stash[_SHARED] |= {Path(file) for file in told["shared"]}


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Show one table for all golden tests, and write the files that are asked for."""
    reports = [one for reports in terminalreporter.stats.values() for one in reports]
    told = [getattr(report, _TOLD) for report in reports if hasattr(report, _TOLD)]
    if not told:
        return
    from linenotes.evals.suite._suite_report import markdown, suite_document, terminal_lines

    notes = config.stash[_NOTES]
    suite = suite_document(told, notes)
    terminalreporter.section("linenotes")
    width = config.get_terminal_writer().fullwidth if terminalreporter.isatty else None
    for line in terminal_lines(suite, width):
        terminalreporter.write_line(line)
    asked_for = asked(config.getoption)
    for file in filter(None, (asked_for["summary"], os.environ.get("GITHUB_STEP_SUMMARY"))):
        _write(str(file), "a", markdown(suite), terminalreporter, config)
    if asked_for["json"]:
        text = suite.model_dump_json(indent=2) + "\n"
        _write(str(asked_for["json"]), "w", text, terminalreporter, config)


def _write(
    file: str,
    mode: str,
    text: str,
    terminal: pytest.TerminalReporter,
    config: pytest.Config,
) -> None:
    try:
        with Path(file).open(mode, encoding="utf-8") as written:
            written.write(text)
    except OSError as error:
        config.stash[_LACKS] = True
        why = f"{file!r} cannot be written: {error.strerror}. Name a file in a folder that is there"
        terminal.write_line(f"{why}, or make room or rights.", red=True)


def _holding(item: pytest.Item) -> Suite | None:
    """Return the suite that an item belongs to, if it does to one."""
    suite = item.config.stash.get(_SUITE, None)
    return suite if suite is not None and suite.holds(item) else None


def _suite(config: pytest.Config) -> Suite:
    if _SUITE not in config.stash:
        from linenotes.evals.suite._suite import Suite

        session = getattr(config, "workerinput", {}).get("testrunuid")
        config.stash[_SUITE] = Suite(
            config.rootpath,
            cast("Asked", asked(config.getoption)),
            session=session,
            today=datetime.now().astimezone().date(),
        )
    return config.stash[_SUITE]
