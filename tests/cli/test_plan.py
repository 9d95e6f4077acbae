from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import Cli


@pytest.fixture
def pilot(project: Path, cli: Cli) -> None:
    for name, rate in (("old", 3), ("new", 2)):
        rows = [f"c{c},{s},{int((c * 7 + s * 3) % 5 >= rate)}" for c in range(40) for s in range(3)]
        text = "\n".join(["case,sample,solved", *rows])
        (project / f"{name}.csv").write_text(text, encoding="utf-8")
        assert cli("import", f"{name}.csv").code == 0


@pytest.mark.usefixtures("pilot")
def test_a_plan_from_one_run_and_from_two(cli: Cli) -> None:
    ended = cli("plan", "latest", "--sample-cost", "0.01", "--case-cost", "3")
    assert ended.code == 0, ended.err
    assert "cases for 5 points" in ended.out
    assert "assumed " in ended.out
    both = cli("plan", "latest~1", "latest", "--change", "0.1")
    assert "cases for 10 points" in both.out
    assert "assumed " not in both.out


@pytest.mark.usefixtures("pilot")
def test_the_document_has_a_need_for_each_change(cli: Cli) -> None:
    document = cli("plan", "latest", "--change", "0.1", "--change", "0.02", "--json").json
    depths = document["depths"]
    assert isinstance(depths, list)
    assert [need["change"] for need in depths[0]["needs"]] == [0.1, 0.02]


@pytest.mark.usefixtures("pilot")
def test_exactly_these_cases_are_planned_with_samples(cli: Cli) -> None:
    ended = cli("plan", "latest", "--target", "dataset", "--change", "0.2")
    assert ended.code == 0, ended.err
    assert "exactly these cases" in ended.out
    assert "power for 20 points" in ended.out
    assert max(map(len, ended.out.splitlines())) <= 100


def test_a_run_that_is_not_there_is_exit_2(project: Path, cli: Cli) -> None:
    ended = cli("plan", "nope")
    assert ended.code == 2
    assert "There is no run 'nope'" in ended.err
