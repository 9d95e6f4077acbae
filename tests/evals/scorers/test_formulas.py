from __future__ import annotations

import pytest

from linenotes.evals.scorers._formulas import Formula
from linenotes.project import ScorerError

KNOWN: dict[str, bool | float | str] = {
    "right": True,
    "wrong": False,
    "cost": 0.25,
    "tone": "rude",
    "overlap.recall": 0.5,
}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("8*right - 12*(1 - right) - cost", 7.75),
        ("8*right if tone == 'polite' else -3", -3.0),
        ("-cost + +2 / 4", 0.25),
        ("5 * (not wrong) + (right and overlap.recall > .4)", 6.0),
        ("5 * (wrong or cost >= 1)", 0.0),
        ("max(cost, overlap.recall) - min(1, 2, 3)", -0.5),
        ("0 < cost < 1 and 1 or 0", None),
        ("7 if 0 < cost <= .25 != 1 else 8", 7.0),
        ("\n  1 +\n  1\n", 2.0),
    ],
)
def test_a_formula_is_arithmetic_and_conditions(text: str, value: float | None) -> None:
    formula = Formula.parse(text)
    if value is None:
        with pytest.raises(TypeError, match="comes to True, which is no number"):
            formula.value(KNOWN)
        return
    assert formula.value(KNOWN) == value


def test_names_come_in_order_and_once_and_a_dot_belongs_to_them() -> None:
    formula = Formula.parse("b * overlap.recall - max(a, b) + (1 if a.b.c else 2)")
    assert formula.names == ("b", "overlap.recall", "a", "a.b.c")


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('x')",
        "open('x')",
        "(lambda: 1)()",
        "[1][0]",
        "a[0]",
        "f'{a}'",
        "2 ** 9",
        "9 // 2",
        "1 << 9",
        "~1",
        "a in b",
        "a is b",
        "(a := 1)",
        "max()",
        "max(*a)",
        "max(a, key=1)",
        "a.b()",
        "1j",
        "None",
        "b'x'",
        "1 +",
        "",
        "a; b",
        "(1).real",
    ],
)
def test_a_formula_holds_nothing_else(text: str) -> None:
    with pytest.raises(ScorerError, match=r"The formula .* cannot be read.*It may hold numbers"):
        Formula.parse(text)


def test_a_label_is_compared_and_not_calculated_with() -> None:
    with pytest.raises(TypeError, match="tone is the label 'rude', and no number"):
        Formula.parse("2 * tone").value(KNOWN)
    with pytest.raises(ZeroDivisionError):
        Formula.parse("1 / wrong").value(KNOWN)
