from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

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


def test_a_run_against_itself_is_no_difference(two_runs: list[str], cli: Cli) -> None:
    ended = cli("compare", two_runs[0], two_runs[0], "--json")
    assert ended.json["delta"] == 0
    assert ended.json["differences"] == []


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
    ],
)
def test_what_cannot_be_compared_is_exit_2(
    arguments: tuple[str, ...], message: str, two_runs: list[str], cli: Cli
) -> None:
    ended = cli("compare", *arguments)
    assert ended.code == 2
    assert message in ended.err
