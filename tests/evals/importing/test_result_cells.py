from __future__ import annotations

import math
from decimal import Decimal

import pytest

from linenotes.evals.importing._result_cells import (
    CellError,
    amount,
    number,
    sample_index,
    tag_values,
    text,
)


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("true", True),
        (" Yes ", True),
        ("FALSE", False),
        ("no", False),
        ("1", 1.0),
        ("0", 0.0),
        ("-2.5e3", -2500.0),
        (True, True),
        (3, 3.0),
        (Decimal("0.5"), 0.5),
    ],
)
def test_scores_are_numbers_or_true_and_false(cell: object, value: float) -> None:
    found = number(cell)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize("cell", ["", "  ", "NaN", "n/a", "null", "None", "-", None, math.nan])
def test_what_stands_for_nothing_is_no_score(cell: object) -> None:
    assert number(cell) is None
    assert amount(cell) is None


@pytest.mark.parametrize("cell", ["maybe", "1,5", "1_000", [1], {"a": 1}, "0x10", "5%"])
def test_other_cells_are_no_scores(cell: object) -> None:
    with pytest.raises(CellError, match=r"is no number, and neither true nor false\. .*--metric"):
        number(cell)


@pytest.mark.parametrize("cell", ["inf", math.inf, "-Infinity", "1e999"])
def test_scores_are_finite(cell: object) -> None:
    with pytest.raises(CellError, match="is not finite"):
        number(cell)


def test_a_long_cell_is_shown_by_its_beginning() -> None:
    with pytest.raises(CellError) as told:
        number("x" * 10_000)
    assert len(str(told.value)) < 200


@pytest.mark.parametrize("cell", ["-1", -0.5, True, "much"])
def test_amounts_are_not_negative(cell: object) -> None:
    with pytest.raises(CellError):
        amount(cell)


def test_samples_are_numbered_from_0_by_whole_numbers() -> None:
    assert [sample_index(cell) for cell in ("0", 7, 3.0, "2.0", None)] == [0, 7, 3, 2, None]
    for cell in ("first", -1, 0.5, 10**9):
        with pytest.raises(CellError, match=r"Number the samples of a case 0, 1, 2"):
            sample_index(cell)


def test_texts_are_trimmed_and_numbers_are_texts() -> None:
    assert [text(cell) for cell in (" a ", 7, True, "", None, math.nan)] == [
        "a",
        "7",
        "true",
        None,
        None,
        None,
    ]
    with pytest.raises(CellError, match="is no text"):
        text(["a"])


def test_tags_are_an_object_written_out_or_as_the_format_has_it() -> None:
    assert tag_values('{"topic": "billing", "n": 2, "gone": null}') == {
        "topic": "billing",
        "n": "2",
    }
    assert tag_values({"topic": "billing"}) == {"topic": "billing"}
    assert tag_values([("topic", "billing")]) == {"topic": "billing"}
    assert tag_values("") is None
    for cell in ("billing", "[1]", [1]):
        with pytest.raises(CellError, match="is no JSON object"):
            tag_values(cell)
