from __future__ import annotations

from typing import cast

import numpy as np
import pytest

from linenotes.evals import Failure, Score
from linenotes.evals.scorers._score_values import checked


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (True, True),
        (False, False),
        (1, 1.0),
        (0.25, 0.25),
        ("polite", "polite"),
        (np.bool_(True), True),
        (np.float64(0.5), 0.5),
        (np.int64(3), 3.0),
        (np.float32(0.5), 0.5),
    ],
)
def test_truths_numbers_and_labels_are_scores(given: object, kept: object) -> None:
    score = checked("m", given)
    assert score == Score("m", value=cast("float", kept))
    assert type(score.value) is type(kept)


@pytest.mark.parametrize(
    ("given", "why"),
    [
        (None, "returned NoneType, not a bool, a number or a label"),
        ({"score": 1}, "returned dict, not a bool, a number or a label"),
        ([1], "returned list"),
        (np.array([1, 2]), "returned ndarray"),
        (float("nan"), "returned nan, which is no score"),
        (float("-inf"), "returned -inf"),
        (np.float64("nan"), "returned nan"),
        (10**400, "int too large"),
        (1j, "returned complex"),
    ],
)
def test_anything_else_is_an_error_of_the_scorer(given: object, why: str) -> None:
    for one in (given, Score("m", value=cast("float", given))):
        error = checked("m", one).error
        assert error is not None
        assert error.kind == "scorer"
        assert why in error.message


def test_a_score_keeps_its_rationale_and_gets_the_name_of_its_scorer() -> None:
    given = Score("its own name", value=True, rationale="because \ud83d")
    assert checked("m", given) == Score("m", value=True, rationale="because ?")


def test_a_score_with_an_error_has_no_value() -> None:
    why = Failure("scorer", "Timeout", "no answer")
    assert checked("m", Score("m", value=0.0, error=why)) == Score("m", error=why)
