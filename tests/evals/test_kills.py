"""Runs that are killed again and again, in the middle of a write and at any other moment."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import orjson
import pytest

from linenotes.agents import AgentVersion
from linenotes.datasets import Dataset
from linenotes.evals import Evaluation, RunRecord, RunStore, evaluate
from linenotes.evals.journal._records import FILE_NAME
from linenotes.tracing import open_store

KILLS = 20
CASES, SAMPLES = 16, 4
ANSWER = """
import asyncio
from linenotes.agents import current_sample

async def answer(state):
    await asyncio.sleep(0.01)
    return {"answer": state["question"] + current_sample().call_seed("a", "same") % 2}
"""
NURSERY = """
import os, random, signal, sys, time

import mlflow.tracing.client, mlflow.store.tracking.sqlalchemy_store
from linenotes.datasets import Case, Dataset
from linenotes.evals import Conduct, Evaluation, Interrupted, RunStore, evaluate
from linenotes.evals.journal import _appending
from linenotes.project import Project

cases, samples, kills, group = (int(text) for text in sys.argv[1:])
chance = random.Random(group)


class DeadlyFile(_appending.FileIO):
    left = None

    def write(self, data):
        if DeadlyFile.left is not None:
            DeadlyFile.left -= 1
            if DeadlyFile.left == 0:
                super().write(data[: chance.randrange(len(data) + 1)])
                os.kill(os.getpid(), signal.SIGKILL)
        return super().write(data)


_appending.FileIO = DeadlyFile


def work(known):
    conduct = Conduct(concurrency=4)
    started = [p.run_id for p in RunStore.of(Project.find()).plans() if p.run_id not in known]
    if started:
        Evaluation(Project.find(), conduct).resume(started[0])
        return
    every = [Case(id=f"c{i}", inputs={"question": i}, expectations={"answer": i})
             for i in range(cases)]
    evaluate("app.py:build", Dataset("numbers", tuple(every)), samples=samples, concurrency=4)


def journalled():
    paths = RunStore.of(Project.find()).folder.glob("*/journal.jsonl")
    return sum(path.stat().st_size for path in paths)


known = {plan.run_id for plan in RunStore.of(Project.find()).plans()}
killed = 0
while killed < kills:
    within = killed % 2 == 0
    seed, writes = chance.random(), chance.randrange(1, 12)
    size, growth = journalled(), chance.randrange(1200)
    child = os.fork()
    if child == 0:
        chance.seed(seed)
        DeadlyFile.left = writes if within else None
        work(known)
        os._exit(0)
    if not within:
        until = time.monotonic() + 60
        while journalled() - size < growth and time.monotonic() < until:
            time.sleep(0.001)
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    if not os.WIFSIGNALED(status):
        break  # it had come to its end
    killed += 1
print(killed)
"""


def lines_of(run_id: str) -> list[dict[str, object]]:
    path = Path(os.environ["LINENOTES_STATE"]) / "runs" / run_id / FILE_NAME
    return [orjson.loads(line) for line in path.read_bytes().splitlines()]


def outputs(record: RunRecord) -> dict[tuple[str, int], object]:
    return {key: sample.output for key, sample in record.samples.items()}


@pytest.mark.slow
def test_a_run_that_is_killed_twenty_times_has_every_sample_once_and_the_same_result(
    one_node: Callable[..., AgentVersion], numbers: Callable[..., Dataset], tmp_path: Path
) -> None:
    version = one_node(ANSWER)
    project = version.agent.project
    whole = evaluate(version, numbers(CASES), samples=SAMPLES)
    before = {plan.run_id for plan in RunStore.of(project).plans()}
    nursery = subprocess.run(
        [sys.executable, "-c", NURSERY, str(CASES), str(SAMPLES), str(KILLS), "1"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=1200,
        check=False,
    )
    assert nursery.returncode == 0, nursery.stderr
    assert int(nursery.stdout.split()[-1]) == KILLS, "it came to its end too early"
    (run_id,) = {plan.run_id for plan in RunStore.of(project).plans()} - before

    (result,) = Evaluation(project).resume(run_id)
    finished = Counter(
        (line["case"], line["sample"]) for line in lines_of(run_id) if line["event"] == "finished"
    )
    assert len(finished) == CASES * SAMPLES
    assert set(finished.values()) == {1}
    assert orjson.dumps(result.estimates) == orjson.dumps(whole.estimates)
    assert outputs(result.record) == outputs(whole.record)
    with open_store(project) as store:
        ids = [outcome.trace_id for outcome in result.record.outcomes.values()]
        assert set(store.runs_of(ids).values()) == {run_id}
        assert store.count_traces(run_id) == len(set(ids)) == CASES * SAMPLES
