from __future__ import annotations

import pytest

from linenotes.tracing import spell_money, spell_seconds


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.0004, "0 ms"), (0.82, "820 ms"), (3.416, "3.42 s"), (125, "2 min 05 s")],
)
def test_durations_have_the_unit_that_fits(seconds: float, text: str) -> None:
    assert spell_seconds(seconds) == text


@pytest.mark.parametrize(
    ("dollars", "text"), [(0, "$0.00"), (0.00123, "$0.0012"), (1_234.5, "$1,234.50")]
)
def test_small_sums_have_more_digits(dollars: float, text: str) -> None:
    assert spell_money(dollars) == text
