from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from linenotes.project import Project

if TYPE_CHECKING:
    from tests.cli.conftest import Cli


@pytest.fixture
def two_runs(project: Path, cli: Cli) -> list[str]:
    ended = cli(
        "eval", "app.py:build", "--dataset", "cases.jsonl", "--prompt", "tone=1,2", "--json"
    )
    runs = ended.json["runs"]
    assert isinstance(runs, list)
    return [run["run_id"] for run in runs]


def test_the_document_has_the_keys_of_the_contract(two_runs: list[str], cli: Cli) -> None:
    document = cli("compare", *two_runs, "--json").json
    assert document.keys() >= {
        "metric", "base", "candidate", "n", "delta", "low", "high", "target", "margin",
        "verdict", "detectable_change",
    }  # fmt: skip
    assert [document["base"], document["candidate"]] == two_runs
    assert document["n"] == 6


def test_the_exit_code_is_the_verdict(two_runs: list[str], cli: Cli) -> None:
    base, candidate = two_runs
    assert cli("compare", base, candidate).code == 0
    assert cli("compare", candidate, base).code == 1


def test_a_run_against_itself_is_unchanged(two_runs: list[str], cli: Cli) -> None:
    ended = cli("compare", two_runs[0], two_runs[0], "--json", "--no-log")
    assert ended.code == 0
    assert ended.json["verdict"] == "unchanged"
    assert ended.json["delta"] == 0
    assert ended.json["differences"] == []


def test_versions_are_named_by_their_labels(two_runs: list[str], cli: Cli) -> None:
    document = cli("compare", "v1", "app@v2", "--json", "--no-log").json
    assert [document["base"], document["candidate"]] == two_runs


def test_several_candidates_have_the_shape_of_one(two_runs: list[str], cli: Cli) -> None:
    base, candidate = two_runs
    ended = cli("compare", base, candidate, base, "--json", "--no-log")
    others = ended.json["others"]
    assert isinstance(others, list)
    assert ended.json["candidate"] == candidate
    assert [other["candidate"] for other in others] == [base]
    assert ended.json.keys() - {"others"} == others[0].keys()
    assert cli("compare", base, candidate, "--json", "--no-log").json["others"] == []


def test_guardrails_and_slices_are_in_the_document(project: Path, cli: Cli) -> None:
    rows = [
        {"id": f"c{i}", "inputs": {"question": f"w {i}"}, "expectations": {"answer": f"W {i}"},
         "tags": {"half": "ab"[i % 2]}}
        for i in range(10)
    ]  # fmt: skip
    Path("cases.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    scorers = ("--scorer", "scorers.py:shouted", "--scorer", "scorers.py:length")
    cli("eval", "app.py:build", "--dataset", "cases.jsonl", "--prompt", "tone=1,2", *scorers)
    asked = ("--guardrail", "length=0.5", "--slice", "half", "--json", "--no-log")
    ended = cli("compare", "latest~1", "latest", *asked)
    document: Any = ended.json
    assert [one["metric"] for one in document["guardrails"]] == ["length"]
    assert [(one["tag"], one["value"], one["n"]) for one in document["slices"]] == [
        ("half", "a", 5),
        ("half", "b", 5),
    ]
    assert document["primary"]["metric"] == "shouted"
    assert [prompt["name"] for prompt in document["prompts"]] == ["tone"]
    assert len(document["flipped"]) == 10


def test_an_example_can_be_read(two_runs: list[str], cli: Cli) -> None:
    document: Any = cli("compare", *two_runs, "--json", "--no-log").json
    trace_id = document["flipped"][0]["low"]["trace_id"]
    assert cli("trace", "show", trace_id[:11]).code == 0


def test_markdown_starts_with_the_verdict(two_runs: list[str], cli: Cli) -> None:
    out = cli("compare", *two_runs, "--markdown", "--no-log").out
    assert out.startswith("### PASS: app v2\n")


def test_a_page_is_written_beside_what_is_printed(two_runs: list[str], cli: Cli) -> None:
    ended = cli("compare", *two_runs, "--html", "found.html", "--no-log")
    assert ended.out.startswith("PASS  v2 against v1")
    assert "found.html" in ended.err
    assert "PASS" in Path("found.html").read_text(encoding="utf-8")
    on_stdout = cli("compare", *two_runs, "--html", "-", "--no-log")
    assert on_stdout.out == Path("found.html").read_text(encoding="utf-8")
    assert cli("compare", *two_runs, "--html", "no/such/folder.html", "--no-log").code == 2


def test_the_comparison_is_logged_unless_told_otherwise(two_runs: list[str], cli: Cli) -> None:
    from mlflow import MlflowClient

    client = MlflowClient(Project.find().tracking_uri)
    tag = f"linenotes.compared.candidate.{two_runs[1][:12]}"
    cli("compare", *two_runs, "--no-log")
    assert tag not in client.get_run(two_runs[0]).data.tags
    cli("compare", *two_runs)
    assert client.get_run(two_runs[0]).data.tags[tag].startswith("pass: ")


def test_a_store_that_is_down_is_a_warning(
    two_runs: list[str], cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    ended = cli("compare", *two_runs)
    assert ended.code == 0
    assert ended.out.startswith("PASS")
    assert "The comparison is not in MLflow: " in ended.err


def test_what_the_prompts_say_cannot_act_on_the_terminal(project: Path, cli: Cli) -> None:
    Path("prompts/tone/v2.md").write_text("Loudly:\x1b[2J\x07\u202e", encoding="utf-8")
    cli("eval", "app.py:build", "--dataset", "cases.jsonl", "--prompt", "tone=1,2")
    out = cli("compare", "latest~1", "latest", "--full", "--no-log").out
    assert "+ Loudly:" in out
    assert not any(c in out for c in "\x1b\x07\u202e")


def test_runs_are_named_by_prefix_or_counted_back(two_runs: list[str], cli: Cli) -> None:
    by_age = cli("compare", "latest~1", "latest", "--json").json
    by_prefix = cli("compare", two_runs[0][:10], two_runs[1][:10], "--json").json
    assert by_age == by_prefix


def test_the_text_says_what_differs_and_what_could_be_seen(two_runs: list[str], cli: Cli) -> None:
    out = cli("compare", *two_runs).out
    assert "prompt tone: v1 → v2" in out
    assert "80% power" in out
    assert "n=6" in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("zzz", "latest"), "There is no run 'zzz'"),
        (("latest~99999", "latest"), "There is no run 'latest~99999'"),
        (("latest", "latest", "--metric", "nope"), "has no metric 'nope'"),
        (("latest",), "Name two runs or more"),
        (("latest", "latest", "--guardrail", "correct"), "'correct' is not METRIC=MARGIN"),
        (("latest", "latest", "--guardrail", "correct=-1"), "is not METRIC=MARGIN"),
        (("latest", "latest", "--guardrail", "nope=0.1"), "has no metric 'nope'"),
        (("latest", "latest", "--slice", "nope"), "tag 'nope' to slice by"),
        (("latest", "latest", "--json", "--markdown"), "Choose one of"),
    ],
)
def test_what_cannot_be_compared_is_exit_2(
    arguments: tuple[str, ...], message: str, two_runs: list[str], cli: Cli
) -> None:
    ended = cli("compare", *arguments)
    assert ended.code == 2
    assert message in ended.err


def test_quarantined_cases_do_not_decide_and_expired_ones_are_named(
    two_runs: list[str], project: Path, cli: Cli
) -> None:
    entry = "- case: {}\n  dataset: cases\n  owner: ana\n  expires: {}\n  reason: slow\n"
    held = entry.format("c0", "2999-01-31") + entry.format("c1", "2020-01-31")
    (project / "quarantine.yaml").write_text(held, encoding="utf-8")
    document = cli("compare", *two_runs, "--json", "--no-log").json
    assert document["n"] == 5
    notes = document["notes"]
    assert isinstance(notes, list)
    assert notes[0] == "1 quarantined case run and not counted: c0."
    assert "'c1' (cases) expired on 2020-01-31" in str(notes[1])


def test_what_is_identical_is_not_shown_to_be_better(two_runs: list[str], cli: Cli) -> None:
    same = cli("compare", two_runs[0], two_runs[0], "--no-log")
    assert (same.code, "UNCHANGED" in same.out) == (0, True)
    assert cli("compare", two_runs[0], two_runs[0], "--no-log", "--margin", "0").code == 3
