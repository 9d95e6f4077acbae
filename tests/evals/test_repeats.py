from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from linenotes.evals import RunRecord
from linenotes.evals._repeats import repeats

MakeRecord = Callable[..., RunRecord]


def test_k_goes_from_one_to_the_fewest_samples_of_a_case(make_record: MakeRecord) -> None:
    found = repeats(make_record({"a": [True, True, False], "b": [True, True]}))["correct"]
    assert [estimate.mean for estimate in found.pass_hat] == pytest.approx([5 / 6, 2 / 3])
    assert [estimate.mean for estimate in found.pass_at] == pytest.approx([5 / 6, 1.0])


@pytest.mark.parametrize(
    "values",
    [{"a": [True], "b": [True, False]}, {"a": [0.5, 1.0]}, {"a": [None, None]}],
)
def test_a_single_sample_or_another_scale_repeats_nothing(
    make_record: MakeRecord, values: dict[str, list[float]]
) -> None:
    assert repeats(make_record(values)) == {}


def test_of_many_k_the_first_five_and_the_last_are_shown(make_record: MakeRecord) -> None:
    found = repeats(make_record({"a": [True] * 8, "b": [True] * 7 + [False]}))
    shown = [text.split()[0] for text in found["correct"].texts()]
    assert shown == ["pass^1", "pass^2", "pass^3", "pass^4", "pass^5", "pass^8"]


def test_each_rate_stands_with_its_interval(make_record: MakeRecord) -> None:
    found = repeats(make_record({"a": [True, False], "b": [True, True], "c": [True, True]}))
    first, second = found["correct"].texts()
    assert re.fullmatch(r"pass\^1 \.833 \(\.\d\d to 1?\.\d\d\)", first)
    assert re.fullmatch(r"pass\^2 \.667 \(\.\d\d to 1?\.\d\d\)", second)
