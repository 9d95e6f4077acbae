from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import Cli


@pytest.fixture
def ran(project: Path, cli: Cli) -> str:
    ended = cli(
        "eval", "app.py:build", "--dataset", "cases.jsonl", "--prompt", "tone=2",
        "--samples", "4", "--json",
    )  # fmt: skip
    assert ended.code == 0, ended.err
    return str(ended.json["run_id"])


def test_a_run_is_split_and_its_gate_checked(ran: str, cli: Cli) -> None:
    ended = cli("aa", ran)
    assert ended.code == 0, ended.err
    assert "AS DESIGNED" in ended.out
    assert "exactly these cases" in ended.out
    assert max(map(len, ended.out.splitlines())) <= 100


def test_the_document_has_rate_interval_and_power(ran: str, cli: Cli) -> None:
    document = cli("aa", ran, "--target", "population", "--json").json
    assert document["runs"] == [ran]
    assert document["target"] == "population"
    assert document.keys() >= {"false_alarms", "low", "high", "nominal", "detects", "finding"}


def test_an_agent_stands_for_its_newest_version(ran: str, cli: Cli) -> None:
    agent = str(cli("aa", ran, "--json").json["agent"])
    runs = cli("aa", agent, "--json").json["runs"]
    assert isinstance(runs, list)
    assert runs[-1] == ran


def test_too_few_samples_cannot_be_measured(ran: str, cli: Cli) -> None:
    ended = cli("aa", ran, "--samples", "1")
    assert ended.code == 2
    assert "Halves of 1 samples" in ended.err
