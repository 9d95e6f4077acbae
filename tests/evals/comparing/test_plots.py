from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linenotes.evals.comparing._plots import (
    Scale,
    change_ticks,
    cost_plot,
    interval_plot,
    scale_of_changes,
)
from linenotes.evals.comparing._rows import ChangeRow, Figures

SCORE = Figures("points", 0.5, 0.7, 0.2, 0.1, 0.3, 40)
COST = Figures("dollars", 0.002, 0.004, 0.002, 0.001, 0.003, 40)


def row(figures: Figures, margin: float | None = None) -> ChangeRow:
    return ChangeRow("correct", "decides", figures, "pass", "good", margin)


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=6))
def test_a_scale_shows_all_of_its_values_in_their_order(values: list[float]) -> None:
    scale = Scale.over(values)
    places = [scale.at(value) for value in sorted(values)]
    assert places == sorted(places)
    assert all(0 < place < 100 for place in places)


@given(st.floats(-1e6, 1e6), st.floats(1e-6, 1e6))
def test_ticks_are_few_and_on_the_scale(low: float, width: float) -> None:
    scale = Scale.over([low, low + width])
    ticks = scale.ticks()
    assert 1 <= len(ticks) <= 8
    assert all(scale.low <= tick <= scale.high + 1e-9 * abs(scale.high) for tick in ticks)


def test_an_interval_stands_between_its_ends_and_right_of_no_change() -> None:
    rows = [row(SCORE, margin=0.05)]
    plot = interval_plot(rows[0], scale_of_changes(rows))
    assert plot is not None
    assert plot.margin is not None
    assert plot.margin < plot.zero < plot.low < plot.at < plot.high
    assert plot.said == "correct: change +20 points, 95% interval +10 to +30."


def test_a_change_without_an_interval_has_no_plot() -> None:
    alone = row(replace(SCORE, low=None, high=None))
    assert interval_plot(alone, scale_of_changes([alone])) is None


def test_ticks_of_changes_have_their_sign() -> None:
    labels = [text for _, text in change_ticks(Scale(-0.22, 0.12), "points")]
    assert labels == ["-20", "-10", "0", "+10"]


def test_score_against_cost_has_the_base_and_the_intervals_of_the_changes() -> None:
    plot = cost_plot(["v1", "v2"], [row(SCORE)], [row(COST)])
    assert plot is not None
    base, candidate = plot.points
    assert (base.across, base.up) == (None, None)
    assert candidate.x > base.x
    assert candidate.y < base.y
    assert candidate.across is not None
    assert candidate.up is not None
    assert candidate.across[0] < candidate.x < candidate.across[1]
    assert candidate.up[1] < candidate.y < candidate.up[0]
    assert candidate.said == "v2: 70% for $0.004 a sample"


@pytest.mark.parametrize("lacking", [replace(COST, after=None), replace(COST, change=None)])
def test_without_a_known_cost_there_is_no_such_plot(lacking: Figures) -> None:
    assert cost_plot(["v1", "v2"], [row(SCORE)], [row(lacking)]) is None
