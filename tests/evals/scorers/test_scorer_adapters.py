from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import JsonValue

from linenotes.evals import Sample, Score, find_scorers, score_sample
from linenotes.project import Project

MLFLOW = """
from mlflow.entities import Feedback
from mlflow.genai.scorers import RegexMatch, ResponseLength, scorer

@scorer
def right(outputs, expectations):
    return outputs["answer"] == expectations["answer"]

@scorer
def explained(inputs, outputs):
    return Feedback(value="yes", rationale=f"asked {inputs['question']}")

@scorer
def judged_bad(outputs):
    return Feedback(value="no")

@scorer
def broken(outputs):
    raise KeyError("team")

@scorer
def nothing(outputs):
    return None

short = ResponseLength(max_length=100, unit="chars")
"""
DEEPEVAL = """
from deepeval.metrics import ExactMatchMetric, PatternMatchMetric

exact = ExactMatchMetric()
pattern = PatternMatchMetric(pattern=r".*Rome.*")
"""


@pytest.fixture
def scores(
    make_project: Callable[..., Project], make_sample: Callable[..., Sample]
) -> Callable[..., dict[str, Score]]:
    """Score a sample with objects of a file, by name."""

    def run(
        source: str, *names: str, output: JsonValue = None, expected: object = 1
    ) -> dict[str, Score]:
        project = make_project({"own.py": source})
        sample = make_sample()
        case = sample.case.model_copy(update={"expectations": {"answer": expected}})
        sample = replace(sample, case=case, output=output or {"answer": 1})
        found = find_scorers([f"own.py:{name}" for name in names], project)
        return {score.name: score for score in asyncio.run(score_sample(sample, found))}

    return run


@pytest.mark.slow
def test_mlflow_scorers_score_a_sample(scores: Callable[..., dict[str, Score]]) -> None:
    given = scores(MLFLOW, "right", "explained", "judged_bad", "broken", "nothing", "short")
    assert given["right"].value is True
    assert (given["explained"].value, given["explained"].rationale) == (True, "asked c0")
    assert given["judged_bad"].value is False
    assert given["broken"].error is not None
    assert given["broken"].error.kind == "scorer"
    assert "team" in given["broken"].error.message
    assert "NoneType" in str(given["nothing"].error)
    assert given["short"].value is True


@pytest.mark.slow
def test_deepeval_metrics_score_a_sample_without_a_network(
    scores: Callable[..., dict[str, Score]],
) -> None:
    given = scores(DEEPEVAL, "exact", "pattern", output="to Rome", expected="to Rome")
    assert given["exact"].value == 1.0
    assert given["pattern"].value == 1.0
    other = scores(DEEPEVAL, "exact", "pattern", output="to Oslo", expected="to Rome")
    assert (other["exact"].value, other["pattern"].value) == (0.0, 0.0)


ONLY_LOAD = """
from linenotes.evals import find_scorers
from linenotes.project import Project
find_scorers(["own.py:exact"], Project.find())
"""


@pytest.mark.slow
def test_deepeval_leaves_nothing_in_the_working_directory_nor_at_home(
    make_project: Callable[..., Project], tmp_path: Path
) -> None:
    make_project({"own.py": DEEPEVAL})
    home = tmp_path / "home"
    home.mkdir()
    ours = {k: v for k, v in os.environ.items() if not k.startswith("DEEPEVAL")}
    subprocess.run(
        [sys.executable, "-c", ONLY_LOAD],
        cwd=tmp_path,
        env={**ours, "HOME": str(home), "LINENOTES_STATE": str(tmp_path / "state")},
        check=True,
        timeout=120,
    )
    assert not (tmp_path / ".deepeval").exists()
    assert not list(Path(home).iterdir())
