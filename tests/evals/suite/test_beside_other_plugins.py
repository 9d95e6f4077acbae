"""pytest-xdist, pytest-randomly, pytest-timeout and pytest-rerunfailures."""

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


@pytest.mark.slow
def test_a_worker_that_is_killed_in_the_middle_loses_its_item_and_no_execution(
    run: Run, write: Write, pytester: pytest.Pytester
) -> None:
    write()
    desk = pytester.path / "desk.py"
    source = desk.read_text(encoding="utf-8")
    dies = """    import os, pathlib, signal
    once = pathlib.Path(__file__).parent / "killed"
    if state["question"] == 3 and current_sample().sample == 3 and not once.exists():
        once.touch()
        os.kill(os.getpid(), signal.SIGKILL)
"""
    desk.write_text(
        source.replace('    return {"plan"', dies + '    return {"plan"'), encoding="utf-8"
    )
    arguments = ("-n", "2", "-v", "--linenotes-concurrency", "1", "--linenotes-json", "out.json")
    result = run(*arguments, subprocess=True)
    result.stdout.fnmatch_lines(["*worker 'gw*' crashed while running *"])
    result.stdout.fnmatch_lines(["Continued run *, which was stopped with * of 16 samples."])
    told = json.loads((pytester.path / "out.json").read_text(encoding="utf-8"))
    (test,) = told["tests"]
    assert (test["measured"], test["passed"]) == (16, 10)
    assert [path.name for path in (Project.find().state / "pytest").iterdir()] == ["scores.lock"]


PARAMETERS = """
import random

import pytest
from linenotes.evals import golden

@pytest.mark.parametrize("offset", [0, 1])
@golden("cases.jsonl", agent="desk.py:build", samples=4)
def test_knows(sample, offset):
    assert sample.inputs["question"] + offset in (0, 1, 2)

@golden("cases.jsonl", agent="desk.py:build", samples=4)
def test_draws(sample):
    assert random.random() >= 0
"""


def test_verdicts_stay_behind_their_cases_in_a_random_order(run: Run, write: Write) -> None:
    write(text=PARAMETERS)
    orders = []
    for seed in ("1", "2"):
        result = run("-v", "-p", "randomly", f"--randomly-seed={seed}")
        order = [*words(result)]
        for test in ("test_knows[0-{}]", "test_knows[1-{}]", "test_draws[{}]"):
            places = [order.index(test.format(case)) for case in ("c0", "c1", "c2", "c3")]
            assert order.index(test.format("verdict")) == max(places) + 1
        result.stdout.fnmatch_lines(["knows 0 * 75% *", "knows 1 * 50% *"])
        orders.append(order)
    assert orders[0] != orders[1]


def test_executing_is_not_charged_to_the_timeout_of_an_item(
    run: Run, write: Write, pytester: pytest.Pytester
) -> None:
    write(text=ASKING_TEST)
    with ScriptedServer("ok", latency=1.5) as slow, slow.in_environment():
        run("--timeout", "1").assert_outcomes(passed=4)


HANGS = """
import asyncio
import time

from linenotes.evals import golden

async def pause():
    await asyncio.sleep(30)

@golden("cases.jsonl", agent="desk.py:build", samples=4)
HOW
    if sample.case.id == "c1" and sample.index == 1:
        WAIT
"""


@pytest.mark.parametrize(
    ("how", "wait"),
    [
        ("def test_waits(sample):", "time.sleep(30)"),
        ("async def test_waits(sample):", "await pause()"),
        ("async def test_waits(sample):", "time.sleep(30)"),
    ],
)
def test_a_body_that_runs_out_of_time_says_nothing_of_its_samples(
    run: Run, write: Write, how: str, wait: str
) -> None:
    write(text=HANGS.replace("HOW", how).replace("WAIT", wait))
    result = run("--timeout", "1", "-k", "not verdict")
    result.assert_outcomes(passed=3, failed=1)
    result.stdout.fnmatch_lines(
        [
            "*: no verdict. 12 of 12 samples of 3 cases passed.",
            "FAILED test_desk.py::test_waits[[]c1[]]*Timeout*",
        ]
    )
    result.stdout.no_fnmatch_line("*0/* passed*")
    result.stdout.no_fnmatch_line("*was destroyed but it is pending*")


def test_an_item_that_is_run_again_tells_its_figures_once(
    run: Run, write: Write, pytester: pytest.Pytester
) -> None:
    write()
    run("-k", "c3", "-p", "rerunfailures", "--reruns", "1", "--junit-xml", "out.xml")
    assert "linenotes.K" in (text := (pytester.path / "out.xml").read_text(encoding="utf-8"))
    assert text.count("linenotes.K") == text.count("<testcase")
