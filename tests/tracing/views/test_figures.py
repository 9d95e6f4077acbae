from __future__ import annotations

import pytest

from linenotes.tracing import spell_seconds


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, ""),
        (0.0004, ""),
        (0.0006, "1 ms"),
        (0.82, "820 ms"),
        (3.416, "3.42 s"),
        (125, "2 min 05 s"),
    ],
)
def test_durations_have_the_unit_that_fits(seconds: float | None, text: str) -> None:
    assert spell_seconds(seconds) == text
