from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from linenotes.evals import Failure, Sample, Score, find_scorers, score_sample
from linenotes.project import Project


@pytest.fixture
def score(
    make_project: Callable[..., Project], make_sample: Callable[..., Sample]
) -> Callable[..., Score]:
    """Score a sample with one scorer, as an evaluation does."""

    def run(scorer: object, sample: Sample | None = None) -> Score:
        found = find_scorers([scorer], make_project())
        (given,) = asyncio.run(score_sample(sample or make_sample(), found))
        return given

    return run


def test_a_scorer_sees_inputs_output_expectations_and_ledger(score: Callable[..., Score]) -> None:
    def looks(sample: Sample) -> int:
        assert sample.inputs == {"question": "c0"}
        assert sample.output == {"answer": 1}
        assert sample.expectations == {"answer": 1}
        assert [message.sender for message in sample.ledger] == ["answer"]
        return sample.ledger.tokens.total

    assert score(looks).value == 7


def test_a_scorer_that_changes_the_case_changes_it_for_nobody_else(
    score: Callable[..., Score], make_sample: Callable[..., Sample]
) -> None:
    def meddles(sample: Sample) -> bool:
        sample.expectations.clear()
        return True

    sample = make_sample()
    assert score(meddles, sample).value is True
    assert sample.expectations == {"answer": 1}


def test_an_async_scorer_is_awaited(score: Callable[..., Score]) -> None:
    async def judged(sample: Sample) -> bool:
        await asyncio.sleep(0)
        return True

    assert score(judged).value is True


def test_a_scorer_may_return_something_to_wait_for(score: Callable[..., Score]) -> None:
    async def later() -> str:
        return "polite"

    def tone(sample: Sample) -> Awaitable[str]:
        return later()

    assert score(tone).value == "polite"


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_an_object_that_can_be_called_is_a_scorer(score: Callable[..., Score], kind: str) -> None:
    class Sync:
        def __call__(self, sample: Sample) -> float:
            return 0.5

    class Async:
        async def __call__(self, sample: Sample) -> float:
            return 0.5

    given = score(Sync() if kind == "sync" else Async())
    assert (given.name, given.value) == (kind.title(), 0.5)


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (KeyError("team"), "KeyError: 'team'"),
        (AssertionError(), "AssertionError"),
        (StopIteration(), "RuntimeError: the scorer raised StopIteration"),
        (ValueError("two\nlines"), "ValueError: two lines"),
    ],
)
def test_a_scorer_that_raises_is_an_error_and_no_score(
    score: Callable[..., Score], error: BaseException, told: str
) -> None:
    def broken(sample: Sample) -> bool:
        raise error

    given = score(broken)
    assert given.error is not None
    assert given.value is None
    assert given.error.kind == "scorer"
    assert str(given.error) == told


def test_scorers_that_wait_do_not_wait_for_one_another(
    make_project: Callable[..., Project], make_sample: Callable[..., Sample]
) -> None:
    everyone = threading.Barrier(5)

    def judge(sample: Sample) -> bool:
        everyone.wait(60)  # it breaks, and fails all of them, where one waits for another
        return True

    found = find_scorers([judge], make_project())

    async def five() -> list[tuple[Score, ...]]:
        return await asyncio.gather(*(score_sample(make_sample(), found) for _ in range(5)))

    assert [score.value for scores in asyncio.run(five()) for score in scores] == [True] * 5


def test_a_sample_that_failed_is_not_scored(
    make_project: Callable[..., Project], make_sample: Callable[..., Sample]
) -> None:
    failed = make_sample(error=Failure("agent", "ValueError", "bad"))
    found = find_scorers([], make_project())
    assert asyncio.run(score_sample(failed, found)) == ()


def test_without_a_scorer_the_output_must_match_what_is_expected(
    score: Callable[..., Score], make_sample: Callable[..., Sample]
) -> None:
    sample = make_sample()
    assert score("matches_expectations", sample).value is True
    assert score("matches_expectations", replace(sample, output={"answer": 2})).value is False
    missing = score("matches_expectations", replace(sample, output={"reply": 1}))
    assert str(missing.error) == "KeyError: 'answer'"
    text = score("matches_expectations", replace(sample, output="one"))
    assert "the output is str, not an object with keys" in str(text.error)


def test_a_case_that_expects_nothing_is_not_matched_by_everything(
    score: Callable[..., Score], make_sample: Callable[..., Sample]
) -> None:
    sample = make_sample()
    nothing = replace(sample, case=sample.case.model_copy(update={"expectations": {}}))
    assert "no expectations to match" in str(score("matches_expectations", nothing).error)
