from __future__ import annotations

import pytest
from pydantic import JsonValue

from linenotes.tracing import Tokens
from linenotes.tracing._usage import token_count, usage_attributes


@pytest.mark.parametrize(
    ("written", "count"),
    [
        ([None, 7], 7),
        ([7.0, 8], 7),
        ([-1, 3], 3),
        ([2**53, 3], 3),
        ([True, "12"], 0),
        ([], 0),
    ],
)
def test_the_first_number_that_can_be_a_count_is_one(written: list[JsonValue], count: int) -> None:
    assert token_count(written) == count


def test_a_model_call_tells_what_it_used() -> None:
    attributes = usage_attributes(Tokens(input=5, output=3, cached=2, reasoning=1))
    assert attributes["gen_ai.usage.input_tokens"] == 5
    assert attributes["gen_ai.usage.output_tokens"] == 3
    assert attributes["gen_ai.usage.cache_read.input_tokens"] == 2
    assert attributes["gen_ai.usage.reasoning.output_tokens"] == 1
    assert attributes["mlflow.chat.tokenUsage"] == {
        "input_tokens": 5,
        "output_tokens": 3,
        "total_tokens": 8,
    }


def test_tokens_that_nobody_counted_are_not_told_as_zero() -> None:
    assert usage_attributes(Tokens()) == {}
