from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from linenotes.evals import Sample, Score, Scorer, find_scorers, score_sample
from linenotes.evals.scorers import scorer
from linenotes.project import Project, ScorerError


@scorer(values=["precision", "recall"])
def overlap(sample: Sample) -> dict[str, float | Score]:
    return {"precision": 0.5, "recall": Score("", value=1.0, rationale="all found")}


@pytest.fixture
def said(
    make_project: Callable[..., Project], make_sample: Callable[..., Sample]
) -> Callable[..., dict[str, Score]]:
    """Score a sample, and return the scores by name."""

    def run(*scorers: object) -> dict[str, Score]:
        found = find_scorers(scorers, make_project())
        return {score.name: score for score in asyncio.run(score_sample(make_sample(), found))}

    return run


def test_several_values_are_metrics_of_their_own(said: Callable[..., dict[str, Score]]) -> None:
    assert overlap.metrics == ("overlap.precision", "overlap.recall")
    assert said(overlap) == {
        "overlap.precision": Score("overlap.precision", value=0.5),
        "overlap.recall": Score("overlap.recall", value=1.0, rationale="all found"),
    }


def test_what_is_declared_is_still_a_function(make_sample: Callable[..., Sample]) -> None:
    given = overlap(make_sample())
    assert isinstance(given, dict)
    assert given["precision"] == 0.5


def test_a_class_declares_its_values_and_an_object_of_it_scores(
    said: Callable[..., dict[str, Score]],
) -> None:
    class Overlap:
        values = ("precision", "recall")

        def __init__(self, precision: float) -> None:
            self._precision = precision

        async def score(self, sample: Sample) -> list[Score]:
            return [Score("recall", value=True), Score("precision", value=self._precision)]

    given = said(Overlap(0.25))
    assert [(score.name, score.value) for score in given.values()] == [
        ("Overlap.precision", 0.25),
        ("Overlap.recall", True),
    ]


def test_a_scorer_that_raises_is_an_error_of_all_its_metrics(
    said: Callable[..., dict[str, Score]],
) -> None:
    @scorer(values=["a", "b"])
    def broken(sample: Sample) -> dict[str, float]:
        raise KeyError("team")

    given = said(broken)
    assert [(name, str(score.error)) for name, score in given.items()] == [
        ("broken.a", "KeyError: 'team'"),
        ("broken.b", "KeyError: 'team'"),
    ]


def test_a_value_that_is_missing_or_useless_is_an_error_of_its_own(
    said: Callable[..., dict[str, Score]],
) -> None:
    @scorer(values=["a", "b", "c"])
    def partly(sample: Sample) -> dict[str, object]:
        return {"a": 1, "b": None}

    given = said(partly)
    assert given["partly.a"].value == 1.0
    assert "returned NoneType" in str(given["partly.b"].error)
    assert str(given["partly.c"].error) == "KeyError: returned only 'a', 'b'"


def test_what_was_not_declared_is_an_error_that_says_the_cure(
    said: Callable[..., dict[str, Score]],
) -> None:
    @scorer(values=["a"])
    def more(sample: Sample) -> dict[str, float]:
        return {"a": 1, "f1": 2}

    def several(sample: Sample) -> dict[str, float]:
        return {"a": 1, "f1": 2}

    assert str(said(more)["more.a"].error) == (
        "TypeError: returned 'f1', which it does not declare. "
        "Declare all: @scorer(values=['a', 'f1'])."
    )
    assert str(said(several)["several"].error) == (
        "TypeError: returned dict, not a bool, a number or a label. "
        "Several values are declared: @scorer(values=['a', 'f1'])"
    )


def test_a_scorer_reads_what_others_say_and_comes_after_them(
    said: Callable[..., dict[str, Score]],
) -> None:
    @scorer(reads=["overlap.recall", "tone"])
    def both(sample: Sample) -> bool:
        return sample.scores == {"overlap.recall": 1.0, "tone": "polite"}

    def tone(sample: Sample) -> str:
        assert not sample.scores
        return "polite"

    given = said(both, tone, overlap)
    assert list(given) == ["both", "tone", "overlap.precision", "overlap.recall"]
    assert given["both"].value is True


def test_without_what_it_reads_a_scorer_has_no_score(said: Callable[..., dict[str, Score]]) -> None:
    @scorer(reads=["tone"])
    def both(sample: Sample) -> bool:
        return True

    def tone(sample: Sample) -> str:
        raise ValueError("no answer")

    error = said(both, tone)["both"].error
    assert str(error) == "ScorerError: 'tone' has no score: ValueError: no answer"


def test_what_a_scorer_reads_must_be_there_and_read_nothing_itself(
    make_project: Callable[..., Project],
) -> None:
    def reading(name: str, *reads: str) -> Scorer:
        def judge(sample: Sample) -> bool:
            return True

        judge.__name__ = name
        return scorer(reads=reads)(judge)

    project = make_project()
    with pytest.raises(ScorerError, match=r"'a' reads the metric 'tone', and no scorer gives it"):
        find_scorers([reading("a", "tone")], project)
    with pytest.raises(ScorerError, match=r"'a' reads 'b', which itself reads others"):
        find_scorers([reading("a", "b"), reading("b", "overlap.recall"), overlap], project)
    assert find_scorers([reading("a", "tone")], project, beside=["tone"])


def test_what_is_read_is_added_where_a_scorer_has_that_name(
    make_project: Callable[..., Project],
) -> None:
    files = {
        "own.py": (
            "from linenotes.evals.scorers import scorer\n"
            "@scorer(values=['p', 'r'])\n"
            "def both(sample): return {'p': 1, 'r': 0}\n"
        ),
        "pyproject.toml": "[tool.linenotes.scorers]\noverlap = 'own.py:both'\n",
    }
    spec = 'value("overlap.p + matches_expectations", failed=0)'
    found = find_scorers([spec], make_project(files))
    assert [one.metrics for one in found] == [
        ("value",),
        ("overlap.p", "overlap.r"),
        ("matches_expectations",),
    ]


@pytest.mark.parametrize("given", [3, "polite", Sample])
def test_what_is_no_scorer_cannot_be_declared_one(given: object) -> None:
    with pytest.raises(ScorerError, match=r"which is no scorer. Give it a function"):
        scorer()(given)


def test_a_single_name_is_not_taken_for_its_letters() -> None:
    with pytest.raises(ScorerError, match=r"takes names, not 'recall'. Write \['recall'\]"):
        scorer(values="recall")
