from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import Cli

EXCERPT = Path(__file__).parents[1] / "tracing/files/data/tau_bench_airline_excerpt.json"


def test_a_file_becomes_a_run_with_pass_hat(project: Path, cli: Cli) -> None:
    ended = cli("trace", "import", str(EXCERPT), "--agent", "airline", "--name", "gpt-4o")
    assert ended.code == 0, ended.err
    assert "n=3 cases, K=4 samples" in ended.out
    assert "reward   pass^1 .333 (" in ended.out
    assert "   pass^2 .056 (" in ended.out
    assert "12 conversations imported." in ended.out
    again = cli("trace", "import", str(EXCERPT), "--agent", "airline", "--name", "gpt-4o")
    assert "12 conversations imported before, so nothing was added." in again.out


def test_the_document_has_run_cases_samples_and_metrics(project: Path, cli: Cli) -> None:
    document = cli("trace", "import", str(EXCERPT), "--metric", "solved", "--json").json
    assert document.keys() >= {"run_id", "cases", "samples", "metrics", "conversations", "again"}
    assert (document["cases"], document["samples"], document["conversations"]) == (3, 4, 12)
    metrics = document["metrics"]
    assert isinstance(metrics, dict)
    assert metrics["solved"]["pass_hat"]["pass^1"]["mean"] == pytest.approx(1 / 3)


def test_an_imported_conversation_is_shown_like_a_recorded_one(project: Path, cli: Cli) -> None:
    out = cli("trace", "import", str(EXCERPT), "--agent", "airline", "--name", "gpt-4o").out
    trace_id = out.split("trace show ")[1].split()[0]
    shown = cli("trace", "show", trace_id).out
    assert "user → airline" in shown
    assert "airline → user" in shown
    assert " ms" not in shown, "the file gives no times"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('[{"traj": [', "is not JSON"),
        ('{"foo": 1}', "has the keys 'foo', and no list of messages"),
        ("", "is empty"),
    ],
)
def test_a_file_that_is_not_read_is_exit_2(
    content: str, message: str, project: Path, cli: Cli
) -> None:
    (project / "bad.json").write_text(content)
    ended = cli("trace", "import", "bad.json")
    assert (ended.code, ended.out) == (2, "")
    assert message in ended.err
