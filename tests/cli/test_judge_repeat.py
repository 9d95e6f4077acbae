from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import Cli

JUDGE = """

from linenotes.evals.scorers import scorer

ANSWERS = []


@scorer(judge="gpt-x", prompt="How loud?")
def loud(sample):
    ANSWERS.append(sample)
    return len(ANSWERS) % 5
"""


@pytest.fixture
def evaluated(project: Path, cli: Cli) -> Path:
    with (project / "scorers.py").open("a", encoding="utf-8") as file:
        file.write(JUDGE)
    ended = cli(
        "eval",
        "app.py:build",
        *("--dataset", "cases.jsonl", "--samples", "2", "--scorer", "scorers.py:loud"),
    )
    assert ended.code == 0, ended.err
    return project


@pytest.mark.usefixtures("evaluated")
def test_a_run_is_judged_again_without_its_agent(cli: Cli) -> None:
    ended = cli("judge", "repeat", "latest", "--times", "2")
    assert ended.code == 0, ended.err
    assert re.search(r"loud +12 +2 times +\d+", ended.out)
    assert "loud is judged by gpt-x " in ended.out
    document = cli("judge", "repeat", "latest", "--json").json
    metrics = document["metrics"]
    assert isinstance(metrics, list)
    assert metrics[0]["times"] == 3


@pytest.mark.usefixtures("evaluated")
def test_a_metric_that_is_not_there_is_exit_2(cli: Cli) -> None:
    ended = cli("judge", "repeat", "latest", "--metric", "tone")
    assert ended.code == 2
    assert "has no metric 'tone'" in ended.err
