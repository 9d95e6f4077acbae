# ruff: noqa: INP001  the namespace has no __init__
"""The pytest plugin: golden tests become items, and their agents run before the first of them.

Nothing of linenotes is imported until a test uses `@golden`. What the hooks do stands in
`linenotes.evals.suite`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest

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

_ASKED: dict[str, tuple[str, Callable[[str], object], dict[str, object]]] = {
    "samples": ("--samples", int, {"metavar": "N", "help": "Of each case of a golden test."}),
    "concurrency": (
        "--linenotes-concurrency",
        int,
        {"metavar": "N", "help": "Samples in flight; 8 by default."},
    ),
    "record": (
        "--linenotes-record",
        str,
        {
            "choices": ("none", "auto", "all"),
            "help": "auto: replay what is recorded, record the rest. all: record everything anew.",
        },
    ),
    "replay": (
        "--linenotes-replay",
        bool,
        {"help": "Call nothing: what is not recorded is an error."},
    ),
    "live": (
        "--linenotes-live",
        str,
        {"metavar": "AGENT[,AGENT]", "help": "Call these agents for real, replay the others."},
    ),
    "baseline": (
        "--baseline",
        str,
        {"metavar": "NAME|RUN", "help": "What gates compare with, in place of their own."},
    ),
    "update_baseline": (
        "--update-baseline",
        bool,
        {"help": "Save what runs as the baseline of its gates, and compare with nothing."},
    ),
    "budget_usd": (
        "--budget-usd",
        float,
        {"metavar": "USD", "help": "Stop before calls cost more than that, all tests together."},
    ),
    "budget_tokens": (
        "--budget-tokens",
        int,
        {"metavar": "N", "help": "As --budget-usd, in tokens in and out."},
    ),
    "budget_calls": ("--budget-calls", int, {"metavar": "N", "help": "As that, in model calls."}),
    "budget_seconds": (
        "--budget-seconds",
        float,
        {"metavar": "S", "help": "As that, in seconds that agents run."},
    ),
    "target": (
        "--target",
        str,
        {
            "choices": ("population", "dataset"),
            "help": "What intervals speak of: cases like these, or exactly these cases.",
        },
    ),
    "prompt": (
        "--linenotes-prompt",
        str.split,
        {"metavar": "NAME=VERSION", "help": "A prompt's version to try; without NAME=, of all."},
    ),
    "model": (
        "--linenotes-model",
        str.split,
        {"metavar": "ROLE=MODEL", "help": "A role's model to try; without ROLE=, of all."},
    ),
    "summary": (
        "--linenotes-summary",
        str,
        {"metavar": "FILE", "help": "Write Markdown; GitHub's own summary is written anyway."},
    ),
    "json": ("--linenotes-json", str, {"metavar": "FILE", "help": "Write one JSON document."}),
    "html": (
        "--linenotes-html",
        str,
        {"metavar": "FOLDER", "help": "Write a page for each comparison with a baseline."},
    ),
}
"""What can be asked for: option, what reads its text, and how argparse takes it.

Each also has an environment variable, such as LINENOTES_BUDGET_USD.
"""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options."""
    group = parser.getgroup("linenotes", "golden tests (linenotes)")
    for name, (option, kind, how) in _ASKED.items():
        told: dict[str, object] = {"dest": f"linenotes_{name}", **how}
        told["help"] = f"{how['help']} Environment: {_variable(name)}."
        if kind is bool:
            told |= {"action": "store_true", "default": None}
        elif kind is str.split:
            told |= {"action": "append"}
        else:
            told |= {"type": kind}
        group.addoption(option, **told)


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
        raise pytest.Collector.CollectError(str(error)) from None
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
    for line in terminal_lines(suite):
        terminalreporter.write_line(line)
    asked = _asked(config)
    for file in filter(None, (asked["summary"], os.environ.get("GITHUB_STEP_SUMMARY"))):
        _write(str(file), "a", markdown(suite), terminalreporter, config)
    if asked["json"]:
        text = suite.model_dump_json(indent=2) + "\n"
        _write(str(asked["json"]), "w", text, terminalreporter, config)


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
            cast("Asked", _asked(config)),
            session=session,
            today=datetime.now().astimezone().date(),
        )
    return config.stash[_SUITE]


def _asked(config: pytest.Config) -> dict[str, object]:
    """Return what the options say, else the environment; None where neither does."""
    found = {name: config.getoption(f"linenotes_{name}") for name in _ASKED}
    return {
        name: _from_environment(name) if value is None else value for name, value in found.items()
    }


def _from_environment(name: str) -> object:
    text = os.environ.get(_variable(name))
    if not text:
        return None
    _, kind, how = _ASKED[name]
    if kind is bool:
        return text.lower() not in ("0", "false", "no", "off")
    known = cast("tuple[str, ...]", how.get("choices", (text,)))
    try:
        value = kind(text)
    except ValueError:
        value = None
    if value is None or text not in known:
        raise pytest.UsageError(f"{_variable(name)}={text!r} is not what it takes: {how['help']}")
    return value


def _variable(name: str) -> str:
    return f"LINENOTES_{name.upper()}"
