from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from linenotes.evals.documents._printed import _PRINTED

if TYPE_CHECKING:
    from tests.cli.conftest import Cli

EVAL = ("eval", "app.py:build", "--dataset", "cases.jsonl", "--samples", "1", "--new", "--json")


def test_a_run_is_scored_again_when_its_agent_is_gone(project: Path, cli: Cli) -> None:
    run = cli(*EVAL).json
    (project / "app.py").unlink()
    ended = cli("score", str(run["run_id"])[:12], "--scorer", "scorers.py:length", "--json")
    assert ended.code == 0, ended.err
    _PRINTED["score"].validate_python(json.loads(ended.out))
    assert (ended.json["run_id"], ended.json["scored"]) == (run["run_id"], 6)
    assert list(ended.json["metrics"]) == ["length"]  # type: ignore[call-overload]
    assert ended.json["traces"] == {"expected": 6, "stored": 6}
    table = cli("score", "latest", "--scorer", "scorers.py:shouted", "--add")
    assert table.code == 0, table.err
    assert "length" in table.out
    assert "shouted" in table.out


def test_a_scorer_that_is_not_there_changes_nothing(project: Path, cli: Cli) -> None:
    run = cli(*EVAL).json
    ended = cli("score", "latest", "--scorer", "nonsense")
    assert (ended.code, ended.out) == (2, "")
    assert "There is no scorer 'nonsense'" in ended.err
    assert cli("publish", "latest", "--json").json["metrics"] == run["metrics"]


def test_nothing_can_be_added_without_a_name(project: Path, cli: Cli) -> None:
    ended = cli("score", "latest", "--add")
    assert ended.code == 2
    assert "--add needs a --scorer to add" in ended.err
