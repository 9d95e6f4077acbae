from __future__ import annotations

import pytest

from linenotes.evals._wording import counted, signed, sized


@pytest.mark.parametrize(
    ("value", "rate", "said"),
    [
        (0.025, True, "2.5 points"),
        (0.004, True, "0.4 points"),
        (0.05, True, "5 points"),
        (0.3137, True, "31 points"),
        (0.03, False, "0.03"),
    ],
)
def test_a_size_keeps_the_digits_that_a_margin_needs(value: float, rate: bool, said: str) -> None:
    assert sized(value, rate=rate) == said


def test_large_counts_have_separators_as_in_tables() -> None:
    told = [counted(number, "call") for number in (1, 2, 1800)]
    assert told == ["1 call", "2 calls", "1,800 calls"]


def test_a_drop_of_less_than_half_a_point_has_no_sign_of_a_drop() -> None:
    assert signed(-0.004, rate=True) == "+0"
    assert signed(-0.006, rate=True) == "-1"
