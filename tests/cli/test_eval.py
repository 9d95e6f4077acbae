from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from linenotes.evals.testing import Fault, Reply, ScriptedServer, faults_in_order
from linenotes.tracing import Tokens

if TYPE_CHECKING:
    from tests.cli.conftest import Cli

BROKEN = """
from typing import TypedDict
from langgraph.graph import END, START, StateGraph
from linenotes.agents import chat_model

class State(TypedDict, total=False):
    question: str
    answer: str

async def answer(state):
    reply = await chat_model("writer").ainvoke(state["question"])
    return {"answer": reply.content}

def build():
    graph = StateGraph(State)
    graph.add_node("answer", answer)
    graph.add_edge(START, "answer")
    graph.add_edge("answer", END)
    return graph
"""
CONTRACT = {
    "run_id", "agent", "version", "dataset", "n", "samples", "scored", "errors", "metrics",
    "calls", "tokens", "cost", "unpriced_calls", "wall_seconds", "traces",
}  # fmt: skip


def test_one_version_is_one_flat_document(project: Path, cli: Cli) -> None:
    ended = cli("eval", "app.py:build", "--dataset", "cases.jsonl", "--samples", "2", "--json")
    document = ended.json
    assert ended.code == 0
    assert document.keys() >= CONTRACT
    assert (document["n"], document["samples"], document["scored"]) == (6, 2, 12)
    assert document["errors"] == {"infrastructure": 0, "agent": 0, "scorer": 0}
    assert document["traces"] == {"expected": 12, "stored": 12}
    metrics = document["metrics"]
    assert isinstance(metrics, dict)
    assert metrics["matches_expectations"]["mean"] == 1.0
    assert metrics["matches_expectations"]["target"] == "population"
    assert document["version"] == "v2"


def test_several_versions_end_in_one_table_and_a_verdict(project: Path, cli: Cli) -> None:
    ended = cli("eval", "app.py:build", "--dataset", "cases.jsonl", "--prompt", "tone=1,2")
    assert ended.code == 0
    assert "n=6 cases" in ended.out
    assert "K=3" in ended.out
    assert "v2 against v1" in ended.out
    assert "80% power" in ended.out
    assert max(map(len, ended.out.splitlines())) <= 100
    one, two, way_on = ended.out.splitlines()[-3:]
    base, candidate = one.split()[1], two.split()[1]
    assert (one, two) == (f"run {base}  v1", f"run {candidate}  v2")
    assert way_on == f"linenotes compare {base} {candidate}   linenotes ui"
    assert cli("compare", base, candidate).code == 0


def test_several_versions_are_a_list_of_runs_with_comparisons(project: Path, cli: Cli) -> None:
    ended = cli("eval", "app.py:build", "--dataset", "cases.jsonl", "--prompt", "1,2", "--json")
    runs, comparisons = ended.json["runs"], ended.json["comparisons"]
    assert isinstance(runs, list)
    assert isinstance(comparisons, list)
    assert [run["version"] for run in runs] == ["v1", "v2"]
    assert comparisons[0]["delta"] == 1.0
    assert comparisons[0]["verdict"] == "pass"


def test_scorers_of_a_stranger_are_metrics_by_their_name(project: Path, cli: Cli) -> None:
    ended = cli(
        "eval", "app.py:build", "--dataset", "cases.jsonl", "--limit", "4",
        "--scorer", "scorers.py:shouted", "--scorer", "scorers.py:length", "--json",
    )  # fmt: skip
    metrics = ended.json["metrics"]
    assert isinstance(metrics, dict)
    assert list(metrics) == ["shouted", "length"]
    assert metrics["length"]["mean"] == 6.0
    assert ended.json["n"] == 4


def test_a_scorer_that_can_read_no_output_cannot_measure(project: Path, cli: Cli) -> None:
    ended = cli("eval", "app.py:build", "--dataset", "cases.jsonl", "--scorer", "scorers.py:picky")
    assert ended.code == 2
    assert "no such key" in ended.out + ended.err
    assert "18 samples could not be scored" in ended.out


def test_everything_works_from_another_folder(
    project: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = project / "deep" / "er"
    folder.mkdir(parents=True)
    monkeypatch.chdir(folder)
    ended = cli(
        "eval", "../../app.py:build", "--dataset", "../../cases.jsonl",
        "--scorer", "scorers.py:shouted", "--samples", "1", "--json",
    )  # fmt: skip
    assert ended.code == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--prompt", "tone=9"], "no version '9'"),
        (["--prompt", "tune=1"], "Did you mean 'tone'"),
        (["--prompt", "tone=1,2", "--model", "a,b,c"], "side by side"),
        (["--scorer", "scorers.py:nobody"], "has no 'nobody'"),
        (["--dataset", "gone.jsonl"], "gone.jsonl"),
        (["--split", "nope"], "no split 'nope'"),
        (["--resume", "zzz"], "Name an AGENT, or --resume"),
    ],
)
def test_a_mistake_costs_no_sample(
    arguments: list[str], message: str, project: Path, state: Path, cli: Cli
) -> None:
    before = sorted((state / "runs").glob("*"))
    ended = cli("eval", "app.py:build", "--dataset", "cases.jsonl", *arguments)
    assert ended.code == 2
    assert message in ended.err
    assert sorted((state / "runs").glob("*")) == before


def test_a_missing_key_is_told_before_any_call(
    project: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    source = (
        (project / "app.py")
        .read_text(encoding="utf-8")
        .replace(
            'return {"draft": prompt("tone").text',
            'from linenotes.agents import chat_model\n    chat_model("w")\n    return {"draft": "',
        )
        .replace(' + " " + state["question"]}', ' "}', 1)
    )
    (project / "app.py").write_text(source, encoding="utf-8")
    ended = cli("eval", "app.py:build", "--dataset", "cases.jsonl", "--model", "gpt-4.1-mini")
    assert ended.code == 2
    assert "OPENAI_API_KEY" in ended.err
    assert "Traceback" not in ended.err


def test_a_store_of_another_mlflow_is_refused_and_left_alone(
    project: Path, tmp_path: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LINENOTES_STATE", str(tmp_path / "newer"))
    (tmp_path / "newer").mkdir()
    path = tmp_path / "newer" / "mlflow.db"
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)")
        database.execute("INSERT INTO alembic_version VALUES ('ffffffffffff')")
    database.close()
    before = path.read_bytes()
    ended = cli("eval", "app.py:build", "--dataset", "cases.jsonl")
    assert ended.code == 2
    assert "mlflow" in ended.err.lower()
    assert "Traceback" not in ended.err
    assert path.read_bytes() == before


PRICE = '[tool.linenotes.prices."m"]\ninput = 1000\noutput = 1000\n'


@pytest.fixture
def asking(asking_project: Callable[[str], Path]) -> Iterator[Path]:
    """The project, whose writer asks a model: a cent a call."""
    reply = Reply("ok", tokens=Tokens(input=8, output=2))
    with ScriptedServer(reply) as server, server.in_environment():
        yield asking_project(PRICE)


def test_a_budget_that_is_used_up_ends_calmly_and_is_continued(asking: Path, cli: Cli) -> None:
    arguments = ("app.py:build", "--dataset", "cases.jsonl", "--samples", "2", "-j", "1")
    ended = cli("eval", *arguments, "--budget-usd", "0.1")
    assert (ended.code, ended.out) == (2, "")
    assert "The budget of $0.1000 is used up" in ended.err
    assert "10 of 12 samples are kept" in ended.err
    assert "tokens  $0.1000 of $0.1000" in ended.err
    assert "Traceback" not in ended.err
    command = ended.err.partition("`linenotes ")[2].partition("`")[0]
    continued = cli(*command.split(), "--json")
    assert (continued.code, continued.json["scored"]) == (0, 12)
    assert continued.json["cost"] == pytest.approx(0.12)


def test_a_pilot_tells_what_all_would_take_and_so_does_its_run_later(
    asking: Path, cli: Cli
) -> None:
    arguments = ("app.py:build", "--dataset", "cases.jsonl", "--samples", "50")
    piloted = cli("eval", *arguments, "--pilot", "2", "--json").json
    assert (piloted["n"], piloted["samples"]) == (6, 300)
    total = piloted["total"]
    assert isinstance(total, dict)
    assert total["calls"] == {"mean": 300, "low": None, "high": None}
    assert total["cost"]["mean"] == pytest.approx(3.0)
    told = cli("eval", *arguments, "--dry-run", "--budget-usd", "1.5", "--json").json
    assert told["total"] == {**total, "seconds": told["total"]["seconds"]}  # type: ignore[index]
    assert told["short"] == {"usd": pytest.approx(0.5)}
    shown = cli("eval", *arguments, "--dry-run", "--budget-usd", "1.5")
    assert (shown.code, shown.err) == (0, "")
    assert "n=6 cases, K=50: 300 samples, 8 at a time" in shown.out
    assert "$3.00" in shown.out
    assert "of this version (2 cases, 2 samples)" in shown.out
    assert "The budget of $1.50 does for about 50% of the samples." in shown.out
    assert max(map(len, shown.out.splitlines())) <= 100


def test_a_dry_run_makes_nothing(project: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LINENOTES_STATE", str(project / "no-state"))
    ended = cli("eval", "app.py:build", "--dataset", "cases.jsonl", "--dry-run")
    assert ended.code == 0
    assert "there is no earlier run of app on cases to tell from" in ended.out
    assert not (project / "no-state").exists()
    assert cli("eval", "app.py:build", "--dry-run", "--pilot", "2").code == 2


def test_what_a_broken_endpoint_costs_is_counted_apart_with_its_cure(
    project: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / "broken.py").write_text(BROKEN, encoding="utf-8")
    broken = Fault.status(500, headers={"x-should-retry": "false"})
    with ScriptedServer("Hello.", faults=faults_in_order(broken, broken)) as server:
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        ended = cli(
            "eval", "broken.py:build", "--dataset", "cases.jsonl", "--samples", "1",
            "--model", "m", "--sample-retries", "0", "--sample-timeout", "60",
        )  # fmt: skip
    assert "2 samples lost to the infrastructure and not scored" in ended.out
    assert "Error code: 500" in ended.out
    assert "--resume" in ended.out


def test_money_is_the_primary_metric_with_its_currency_and_reads_the_others(
    project: Path, cli: Cli
) -> None:
    formula = 'net=value("8*shouted - length/100", failed=-12, currency="EUR")'
    scorers = ("--scorer", formula, "--scorer", "scorers.py:length")
    told = cli("eval", "app.py:build", "--dataset", "cases.jsonl", "--new", *scorers)
    assert told.code == 2
    assert "reads the metric 'shouted', and no scorer gives it" in told.err
    settings = project / "pyproject.toml"
    named = '[tool.linenotes.scorers]\nshouted = "scorers.py:shouted"\n'
    settings.write_text(settings.read_text() + named)
    ended = cli("eval", "app.py:build", "--dataset", "cases.jsonl", "--new", *scorers)
    assert ended.code == 0, ended.err
    assert "net (EUR)" in ended.out
    assert "net of 1,000 cases: 7,940 EUR (" in ended.out
    document = cli("publish", "latest", "--json").json
    assert list(document["metrics"]) == ["net", "length", "shouted"]  # type: ignore[call-overload]
    assert document["metrics"]["net"]["unit"] == "EUR"  # type: ignore[index]


def test_labels_can_be_the_primary_metric(project: Path, cli: Cli) -> None:
    (project / "scorers.py").write_text("def tone(sample): return 'calm'\n")
    ended = cli(
        *("eval", "app.py:build", "--dataset", "cases.jsonl", "--new"),
        *("--scorer", "scorers.py:tone", "--samples", "1"),
    )
    assert ended.code == 0, ended.err
    assert "calm 100%" in ended.out
    assert "(6 of 6)" in ended.out
