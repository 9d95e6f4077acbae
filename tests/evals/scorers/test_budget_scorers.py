from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from linenotes.evals import Sample, Score
from linenotes.evals.scorers import cost_below, faster_than


@pytest.fixture
def sample(conversation: Callable[..., Sample]) -> Sample:
    made = conversation("input user → desk: hello", "desk → critic: hi", "critic → user: hi")
    first, second, third = made.trace.messages
    second = replace(second, sampled=True, cost=0.002, end_ns=second.start_ns + 3_000_000_000)
    third = replace(third, sampled=True, cost=0.001)
    return replace(made, trace=replace(made.trace, messages=(first, second, third)))


def test_a_cost_is_held_against_its_limit(sample: Sample, judged: Callable[..., Score]) -> None:
    assert judged(cost_below(0.0031), sample).value is True
    score = judged(cost_below(0.003), sample)
    assert score.value is False
    assert score.rationale == (
        "0.003 US dollars in 2 calls, the dearest #2 desk → critic with 0.002; the limit is 0.003."
    )


def test_no_calls_cost_nothing(
    conversation: Callable[..., Sample], judged: Callable[..., Score]
) -> None:
    assert judged(cost_below(0.01), conversation("desk → user: hi")).value is True


def test_a_call_without_a_price_is_an_error(sample: Sample, judged: Callable[..., Score]) -> None:
    *rest, last = sample.trace.messages
    messages = (*rest, replace(last, cost=None))
    unpriced = replace(sample, trace=replace(sample.trace, messages=messages))
    score = judged(cost_below(1.0), unpriced)
    assert score.value is None
    assert "since #3 critic → user has no known price" in str(score.error)


def test_a_duration_is_held_against_its_limit(sample: Sample, judged: Callable[..., Score]) -> None:
    assert judged(faster_than(0.3), sample).value is True
    score = judged(faster_than(0.25), sample)
    assert score.value is False
    assert score.rationale == (
        "0.25 seconds, the longest #2 desk → critic with 3; the limit is 0.25."
    )


def test_how_long_a_replay_took_says_nothing(sample: Sample, judged: Callable[..., Score]) -> None:
    score = judged(faster_than(9.0), replace(sample, replayed=frozenset({"m2"})))
    assert score.value is None
    assert "recordings stood in for #3 critic → user" in str(score.error)
