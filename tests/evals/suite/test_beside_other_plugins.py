"""pytest-xdist, pytest-randomly and pytest-timeout, each where it is installed."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from tests.evals.suite.conftest import ASKING_TEST, Run, words

from linenotes.evals import RunStore
from linenotes.evals.testing import ScriptedServer
from linenotes.project import Project

Write = Callable[..., None]


@pytest.mark.slow
def test_workers_share_one_execution(
    run: Run, write: Write, server: ScriptedServer, pytester: pytest.Pytester
) -> None:
    pytest.importorskip("xdist")
    write(text=ASKING_TEST)
    before = RunStore.of(Project.find()).next_sequence()
    result = run("-n", "2", "--linenotes-json", "out.json", subprocess=True)
    result.assert_outcomes(passed=4)
    assert len(server.requests) == 6
    runs = RunStore.of(Project.find())
    (plan,) = (plan for plan in runs.plans() if plan.sequence >= before)
    assert runs.read(plan.run_id).plan.metrics == ("says_ok",)
    told = json.loads((pytester.path / "out.json").read_text(encoding="utf-8"))
    assert (len(told["tests"]), len(told["cases"])) == (1, 3)
    assert [path.name for path in (Project.find().state / "pytest").iterdir()] == ["scores.lock"]


def test_verdicts_stay_behind_their_cases_in_a_random_order(run: Run, write: Write) -> None:
    pytest.importorskip("pytest_randomly")
    write()
    for seed in ("1", "2"):
        result = run("-v", "-p", "randomly", f"--randomly-seed={seed}")
        assert [*words(result)][-1] == "test_answers[verdict]"


def test_executing_is_not_charged_to_the_timeout_of_an_item(
    run: Run, write: Write, pytester: pytest.Pytester
) -> None:
    pytest.importorskip("pytest_timeout")
    write(text=ASKING_TEST)
    with ScriptedServer("ok", latency=1.5) as slow, slow.in_environment():
        run("--timeout", "1").assert_outcomes(passed=4)
