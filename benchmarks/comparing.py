"""What it takes to open two stored runs and to compare them, imports not counted.

Run `python benchmarks/comparing.py [--json] [--rounds N] [--cases N]`. Two small evaluations of one
agent are carried out; each of their journals is then repeated under other cases until it holds
five samples of every case. A round opens both runs by their ids and compares them.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from linenotes.datasets import Case, Dataset
from linenotes.evals import (
    ComparisonReport,
    RunRecord,
    RunStore,
    Sample,
    comparison_lines,
    evaluate,
)
from linenotes.evals.journal._journal import Journal
from linenotes.project import Project

SAMPLES = 5
AGENT = """
from langgraph.graph import StateGraph

def node(state: dict) -> dict:
    return {"answer": state["question"] % 7}

def build():
    graph = StateGraph(dict)
    for before, name in zip(("__start__", "plan", "work"), ("plan", "work", "review")):
        graph.add_node(name, node)
        graph.add_edge(before, name)
    return graph.compile()
"""


def is_low(sample: Sample) -> bool:
    """Score an output."""
    assert isinstance(sample.output, dict)
    return bool(hash((sample.case.id, sample.index)) % 3)


def evaluated(project: Project) -> RunRecord:
    """Return a small run."""
    cases = (Case(id=f"case-{number}", inputs={"question": number}) for number in range(10))
    dataset = Dataset("numbers", tuple(cases))
    return evaluate("app.py:build", dataset, [is_low], samples=SAMPLES, project=project).record


def enlarged(record: RunRecord, run_id: str, cases: int, project: Project) -> None:
    """Write a journal of `cases` cases that repeat those of `record`."""
    kept = record.plan.cases
    made = tuple(
        kept[number % len(kept)].model_copy(update={"id": f"case-{number}"})
        for number in range(cases)
    )
    plan = record.plan.model_copy(update={"run_id": run_id, "cases": made})
    with Journal.create(RunStore.of(project).path(run_id), plan) as journal:
        for number, case in enumerate(made):
            for index in range(SAMPLES):
                key = (kept[number % len(kept)].id, index)
                sample = replace(record.samples[key], case=case)
                journal.started(case.id, index)
                journal.finished(sample)
                journal.scored(sample, record.scores[key])


def measure(cases: int, rounds: int) -> dict[str, float]:
    """Return the seconds that a round took."""
    project = Project.find()
    ids = ("a" * 32, "b" * 32)
    for run_id in ids:
        enlarged(evaluated(project), run_id, cases, project)
    seconds = []
    for _ in range(rounds):
        began = time.perf_counter()
        runs = RunStore.of(project)
        base, candidate = (runs.read(run_id) for run_id in ids)
        assert comparison_lines(ComparisonReport.of(base, [candidate]))
        seconds.append(time.perf_counter() - began)
    return {
        "samples": 2 * cases * SAMPLES,
        "seconds": round(statistics.median(seconds), 3),
        "lowest": round(min(seconds), 3),
        "highest": round(max(seconds), 3),
        "rounds": rounds,
    }


def main() -> None:
    """Print how long it takes."""
    parser = argparse.ArgumentParser(description="Time opening and comparing two stored runs.")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--cases", type=int, default=1_000, help="cases of each run")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        Path("pyproject.toml").touch()
        Path("app.py").write_text(AGENT, encoding="utf-8")
        figures = measure(chosen.cases, chosen.rounds)
    if chosen.json:
        print(json.dumps(figures))
        return
    for name, value in figures.items():
        print(f"{name:>10}  {value}")


if __name__ == "__main__":
    main()
