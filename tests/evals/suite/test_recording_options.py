"""--linenotes-record, --linenotes-replay and --linenotes-live."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tests.evals.suite.conftest import ASKING_TEST, Run

from linenotes.evals.testing import ScriptedServer

Write = Callable[..., None]


@pytest.fixture(autouse=True)
def _asks(write: Write) -> None:
    write(text=ASKING_TEST)


def test_what_was_recorded_is_replayed_without_a_call(run: Run, server: ScriptedServer) -> None:
    result = run("--linenotes-record", "auto")
    result.stdout.fnmatch_lines(["6 calls recorded in *recordings*asking.jsonl.gz."])
    result = run("--linenotes-replay")
    result.assert_outcomes(passed=4)
    result.stdout.fnmatch_lines(["*6 of 6 model calls replayed from recordings."])
    assert len(server.requests) == 6


def test_a_replay_needs_no_provider(run: Run, server: ScriptedServer) -> None:
    run("--linenotes-record", "all")
    with pytest.MonkeyPatch.context() as patch:
        for name in server.environment:
            patch.delenv(name)
        run("--linenotes-replay").assert_outcomes(passed=4)


def test_what_is_not_recorded_is_an_error_of_a_replay(run: Run, server: ScriptedServer) -> None:
    result = run("--linenotes-replay")
    result.assert_outcomes(errors=1, skipped=3)
    assert not server.requests


def test_an_agent_may_be_called_for_real(run: Run, server: ScriptedServer) -> None:
    run("--linenotes-record", "auto")
    run("--linenotes-live", "answer").assert_outcomes(passed=4)
    assert len(server.requests) == 12


def test_settings_may_ask_for_a_replay(
    run: Run, server: ScriptedServer, pytester: pytest.Pytester
) -> None:
    run("--linenotes-record", "auto")
    with (pytester.path / "pyproject.toml").open("a", encoding="utf-8") as file:
        file.write("\n[tool.linenotes.pytest]\nreplay = true\n")
    run().assert_outcomes(passed=4)
    assert len(server.requests) == 6


def test_the_command_of_a_failing_item_replays_it(
    run: Run, write: Write, server: ScriptedServer
) -> None:
    write(text=ASKING_TEST.replace('== "ok"', '== "no"'))
    result = run("--linenotes-record", "auto", "-k", "c0")
    result.stdout.fnmatch_lines(
        ["again  pytest 'test_desk.py::test_says_ok[[]c0[]]' --linenotes-replay"]
    )
    run("test_desk.py::test_says_ok[c0]", "--linenotes-replay").assert_outcomes(failed=1)
    assert len(server.requests) == 2
