from __future__ import annotations

from collections.abc import Callable

import pytest

from linenotes.evals import Failure, Sample
from linenotes.evals.suite._judging import Judgement, judge_case

MakeSample = Callable[..., Sample]


@pytest.fixture
def samples(make_sample: MakeSample) -> list[Sample]:
    failures = [
        None,
        None,
        Failure("agent", "ValueError", "no"),
        Failure("infrastructure", "E", ""),
    ]
    return [make_sample(index=i, error=error) for i, error in enumerate(failures)]


def first_only(sample: Sample) -> None:
    assert sample.index == 0, "not the first\nin detail"


def test_samples_are_counted_by_what_became_of_them(samples: list[Sample]) -> None:
    found = judge_case("c0", samples, first_only)
    assert [one.kind for one in found.of_samples] == ["passed", "failed", "agent failed", "lost"]
    assert (found.fraction, found.lost, found.status) == ("1/3", 1, "unstable")
    assert found.example == found.of_samples[1]
    assert found.example.why == "not the first"


def test_a_body_that_changes_a_case_changes_no_other_judgement(make_sample: MakeSample) -> None:
    sample = make_sample()
    expected = dict(sample.expectations)

    def meddle(sample: Sample) -> None:
        assert sample.expectations == expected
        sample.expectations["team"] = "changed"

    judge_case("c0", [sample, sample], meddle)
    assert judge_case("c0", [sample, sample], meddle).fraction == "2/2"


@pytest.mark.parametrize(
    ("picked", "status"),
    [([0], "passing"), ([1, 2], "failing"), ([0, 1], "unstable"), ([3], "lost"), ([], "lost")],
)
def test_a_case_has_a_status(samples: list[Sample], picked: list[int], status: str) -> None:
    assert judge_case("c0", [samples[i] for i in picked], first_only).status == status


def test_only_measured_samples_have_a_score(samples: list[Sample]) -> None:
    scores = [one.score("right") for one in judge_case("c0", samples, first_only).of_samples]
    assert [score.value if score else None for score in scores] == [True, False, None, None]


def test_what_is_settled_holds_on_to_no_frames(samples: list[Sample]) -> None:
    found = judge_case("c0", samples, first_only)
    assert found.of_samples[1].error is not None
    assert all(one.error is None for one in found.settled().of_samples)


def test_another_exception_is_a_score_error_and_no_failure(samples: list[Sample]) -> None:
    def breaks(sample: Sample) -> None:
        raise LookupError("team")

    (one,) = judge_case("c0", samples[:1], breaks).of_samples
    assert isinstance(one, Judgement)
    assert not one.is_failure
    score = one.score("right")
    assert score is not None
    assert (score.value, str(score.error)) == (None, "LookupError: team")


def test_a_skip_goes_through(samples: list[Sample]) -> None:
    with pytest.raises(pytest.skip.Exception):
        judge_case("c0", samples[:1], lambda _: pytest.skip("no"))
