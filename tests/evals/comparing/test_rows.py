from __future__ import annotations

from collections.abc import Callable

import pytest

from linenotes.evals import ComparisonReport, RunRecord
from linenotes.evals.comparing._rows import Unit, change_rows, plain, signed

MakeRun = Callable[..., RunRecord]


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.724, "points", "72%"),
        (3.14159, "number", "3.14"),
        (31415.9, "number", "31,416"),
        (1.5, "dollars", "$1.50"),
        (0.00123, "dollars", "$0.0012"),
        (0.0000031, "dollars", "$0.0000031"),
        (0, "dollars", "$0"),
        (12.345, "seconds", "12.3 s"),
        (0, "seconds", "0 s"),
        (0.0537, "seconds", "53.7 ms"),
        (0.0000603, "seconds", "0.06 ms"),
        (3e-8, "seconds", "0 ms"),
        (None, "points", "–"),
    ],
)
def test_a_value_reads_in_its_unit(value: float | None, unit: Unit, text: str) -> None:
    assert plain(value, unit) == text


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.124, "points", "+12"),
        (-0.124, "points", "-12"),
        (-0.0003, "dollars", "-$0.0003"),
        (1.25, "seconds", "+1.25 s"),
        (-0.000343, "seconds", "-0.343 ms"),
        (-20, "number", "-20"),
    ],
)
def test_a_change_has_its_sign(value: float, unit: Unit, text: str) -> None:
    assert signed(value, unit) == text


def test_rows_say_what_decides_then_the_rest_then_what_is_used(make_run: MakeRun) -> None:
    cases = [f"c{i:02}" for i in range(40)]
    low, high = {case: [False, True] for case in cases}, {case: [True, True] for case in cases}
    base = make_run({"m": low, "g": high, "s": high}, amounts={"cost": 0.001})
    other = make_run({"m": high, "g": low, "s": low}, amounts={"cost": 0.002}, run_id="b" * 32)
    (one,) = ComparisonReport.of(base, [other], guardrails={"g": 0.02}).candidates
    told = [(row.name, row.role, row.said, row.tone, row.margin) for row in change_rows(one)]
    assert told == [
        ("m", "decides", "pass", "good", 0.05),
        ("g", "guardrail", "fail", "bad", 0.02),
        ("s", "secondary", "worse", "bad", None),
        ("cost a sample", "usage", "dearer", "bad", None),
        ("tokens a sample", "usage", "not shown", "open", None),
        ("seconds a sample", "usage", "not shown", "open", None),
    ]
    figures = change_rows(one)[0].figures
    assert figures is not None
    assert figures.change_text == "+50 points"
