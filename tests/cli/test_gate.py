from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import Cli, Ended

AGENT = ("app.py:build", "--dataset", "cases.jsonl")


@pytest.fixture
def saved(project: Path, cli: Cli) -> Ended:
    """The good version, saved as the baseline `champion`."""
    return cli("gate", *AGENT, "--prompt", "2", "--samples", "3", "--save-baseline", "champion")


def test_a_baseline_is_measured_and_saved_where_it_can_be_committed(
    saved: Ended, project: Path
) -> None:
    assert saved.code == 0
    assert "Saved as a baseline, to be committed:" in saved.out
    assert (project / "baselines/cases/app/champion.jsonl.gz").stat().st_size < 5000


def test_the_verdict_is_the_first_word_and_the_exit_code(saved: Ended, cli: Cli) -> None:
    failed = cli("gate", *AGENT, "--prompt", "1")
    assert failed.code == 1
    assert failed.out.startswith("FAIL          matches_expectations 100% → 0%: -100 points (95% ")
    assert "Stopped early at K=2 of 10: 12 of 60 samples" in failed.out
    assert "Differs: prompt tone: v2 → v1." in failed.out
    same = cli("gate", *AGENT, "--prompt", "2")
    assert same.code == 0
    assert same.out.startswith("UNCHANGED     same prompts, models, graph, data and scorers as ")
    assert all(len(line) <= 100 for line in (failed.out + same.out).splitlines())


def test_a_baseline_that_is_there_is_replaced_only_by_what_passes(
    saved: Ended, project: Path, cli: Cli
) -> None:
    path = project / "baselines/cases/app/champion.jsonl.gz"
    before = path.read_bytes()
    ended = cli("gate", *AGENT, "--prompt", "1", "--save-baseline", "champion")
    assert ended.code == 1
    assert "Saved" not in ended.out
    assert path.read_bytes() == before


def test_an_inconclusive_gate_exits_as_it_is_told(saved: Ended, cli: Cli) -> None:
    fresh = ("gate", *AGENT, "--prompt", "2", "--fresh", "--target", "population", "--samples", "2")
    ended = cli(*fresh)
    assert ended.code == 3
    assert ended.out.startswith("INCONCLUSIVE  ")
    assert "With 6 cases stopping early saves next to nothing" in ended.out
    assert cli(*fresh, "--inconclusive", "0").code == 0


def test_a_pass_promotes_and_saves(saved: Ended, cli: Cli) -> None:
    arguments = ("--prompt", "2", "--baseline", "@v1", "--superiority")
    ended = cli("gate", *AGENT, *arguments, "--promote", "--save-baseline", "next", "--json")
    assert ended.code == 0
    document: dict[str, Any] = ended.json
    assert (document["verdict"], document["stopped_early"]) == ("pass", True)
    assert document["margin"] == 0
    assert document["promoted"][0].startswith("prompt tone v2 (registry:")
    assert document["saved"].endswith("next.jsonl.gz")
    # What it did not need to decide is measured for the baseline, and decides nothing.
    assert (document["samples"], document["filled_samples"]) == (2, 48)
    looks = document["metrics"]["matches_expectations"]["looks"]
    assert [look["samples"] for look in looks] == [1, 2]
    assert document["stored_baseline"] is False


def test_a_saved_baseline_is_a_document_too(project: Path, cli: Cli) -> None:
    arguments = ("--samples", "2", "--save-baseline", "champion", "--json")
    document = cli("gate", *AGENT, *arguments).json
    assert (document["verdict"], document["samples"]) == (None, 2)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "has no saved baseline 'champion' on 'cases' (saved: none)"),
        (("--baseline", "@v7"), "has a version or an alias 'v7'"),
        (("--guardrail", "polite"), "'polite' is not METRIC=MARGIN"),
        (("--guardrail", "polite=-1"), "'polite=-1' is not METRIC=MARGIN"),
        (("--prompt", "1,2"), "2 versions are named"),
        (("--baseline", "@v1", "--samples", "1"), "One sample a case cannot show the noise"),
        (("--baseline", "@v1", "--metric", "speed"), "has no metric 'speed'"),
    ],
)
def test_what_cannot_be_gated_is_exit_2(
    arguments: tuple[str, ...], message: str, project: Path, cli: Cli
) -> None:
    ended = cli("gate", *AGENT, *arguments)
    assert ended.code == 2
    assert message in ended.err
    assert ended.out == ""
