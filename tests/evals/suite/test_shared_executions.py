from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from linenotes.evals import RunStore
from linenotes.evals.testing import ScriptedServer
from linenotes.project import Project

if TYPE_CHECKING:
    from tests.evals.suite.conftest import Run

Write = Callable[..., None]

TWO = """
from linenotes.evals import golden

@golden("asked.jsonl", agent="asking.py:build", samples=2)
def test_says_ok(sample):
    assert sample.output["answer"] == "ok"

@golden("asked.jsonl", agent="asking.py:build", samples=3)
def test_is_short(sample):
    assert len(sample.output["answer"]) < 3

@golden("asked.jsonl", agent="asking.py:build", limit=1, samples=1)
def test_one_case(sample):
    pass

@golden("cases.jsonl", agent="desk.py:build", samples=1)
def test_other_agent(sample):
    pass
"""


def test_tests_of_one_agent_on_the_same_cases_share_one_run(
    run: Run, write: Write, server: ScriptedServer
) -> None:
    write(text=TWO)
    before = RunStore.of(Project.find()).next_sequence()
    result = run()
    result.assert_outcomes(passed=4 + 4 + 2 + 5)
    assert len(server.requests) == 3 * 3 + 1
    runs = RunStore.of(Project.find())
    plans = [plan for plan in runs.plans() if plan.sequence >= before]
    assert len({plan.group for plan in plans}) == 1
    assert [(plan.agent, len(plan.cases), plan.samples) for plan in plans] == [
        ("asking.py:build", 3, 3),
        ("asking.py:build", 1, 1),
        ("desk.py:build", 4, 1),
    ] or [plan.agent for plan in plans] == ["asking", "asking", "desk"]
    shared = runs.read(plans[0].run_id)
    assert set(shared.plan.metrics) == {"says_ok", "is_short"}
    assert all(len(scores) == 2 for scores in shared.scores.values())
    assert len(shared.scores) == 9


def test_two_tests_of_one_name_would_share_a_metric_and_are_refused(
    run: Run, write: Write, pytester: pytest.Pytester
) -> None:
    write()
    (pytester.path / "more").mkdir()
    source = (pytester.path / "test_desk.py").read_text(encoding="utf-8")
    (pytester.path / "more" / "test_more.py").write_text(source, encoding="utf-8")
    run().stdout.fnmatch_lines(
        ["*test_*.py::test_answers and *test_*.py::test_answers would both score 'answers' in*"]
    )


def test_a_session_that_was_stopped_is_continued(
    run: Run, write: Write, server: ScriptedServer
) -> None:
    write(text=TWO)
    arguments = ("-k", "says_ok", "--linenotes-concurrency", "1")
    stopped = run(*arguments, "--budget-calls", "4")
    assert stopped.ret == pytest.ExitCode.TESTS_FAILED
    stopped.stdout.fnmatch_lines(["CANNOT MEASURE. Only 4 of 6 samples were executed."])
    stopped.stdout.fnmatch_lines(["*The budget of 4 calls is used up*4 of 6 samples are kept*"])
    asked = len(server.requests)
    result = run(*arguments)
    result.assert_outcomes(passed=4, deselected=11)
    result.stdout.fnmatch_lines(["Continued run *, which was stopped with 4 of 6 samples."])
    assert len(server.requests) == asked + 2
