from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.cli.conftest import Cli


def test_a_run_is_published_from_its_journal_alone(project: Path, cli: Cli) -> None:
    run = cli("eval", "app.py:build", "--dataset", "cases.jsonl", "--samples", "1", "--json").json
    (project / "app.py").unlink()
    ended = cli("publish", str(run["run_id"])[:12])
    assert ended.code == 0, ended.err
    assert "6 of 6 traces are stored" in ended.out
    assert cli("publish", str(run["run_id"])[:12], "--json").json.items() <= run.items()


def test_a_run_that_is_not_there_is_exit_2(project: Path, cli: Cli) -> None:
    ended = cli("publish", "nowhere")
    assert (ended.code, ended.out) == (2, "")
    assert "There is no run 'nowhere'" in ended.err
