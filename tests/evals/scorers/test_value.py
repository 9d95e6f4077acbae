from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

import pytest

from linenotes.evals import Failure, Sample, Score, Scorer, find_scorers, score_sample
from linenotes.evals.scorers import value
from linenotes.project import Project, ScorerError


def right(sample: Sample) -> bool:
    return sample.output == {"answer": 1}


def priced(sample: Sample, cost: float | None) -> Sample:
    messages = tuple(replace(message, cost=cost) for message in sample.trace.messages)
    return replace(sample, trace=replace(sample.trace, messages=messages))


@pytest.fixture
def worth(
    make_project: Callable[..., Project], make_sample: Callable[..., Sample]
) -> Callable[..., Score]:
    """Return what a sample is worth."""

    def run(scorer: Scorer, sample: Sample | None = None, *others: object) -> Score:
        found = find_scorers([scorer, *(others or [right])], make_project())
        scores = asyncio.run(score_sample(sample or make_sample(), found))
        return scores[0]

    return run


FORMULA = "8*right - 12*(not right) - cost"


def test_a_formula_is_worked_out_of_metrics_and_figures(
    worth: Callable[..., Score], make_sample: Callable[..., Sample]
) -> None:
    sample = priced(make_sample(), 0.5)
    score = worth(value(FORMULA, failed=-12), sample)
    assert (score.name, score.value) == ("value", 7.5)
    assert score.rationale == f"{FORMULA} with right=True, cost=0.5"
    wrong = replace(sample, output={"answer": 2})
    assert worth(value(FORMULA, failed=-12), wrong).value == -12.5
    figures = value("calls + tokens/10 + seconds", failed=0)
    assert worth(figures, sample).value == pytest.approx(1 + 0.7 + 0.25)


def test_a_cost_is_counted_in_the_currency(
    worth: Callable[..., Score], make_sample: Callable[..., Sample]
) -> None:
    scorer = value(FORMULA, failed="-cost", currency="EUR", dollar=0.5)
    assert scorer.unit == "EUR"
    assert worth(scorer, priced(make_sample(), 1.0)).value == 7.5
    with pytest.raises(ScorerError, match=r"US dollars and the value in EUR. Say .*dollar=0.92"):
        value(FORMULA, failed=0, currency="EUR")
    with pytest.raises(ScorerError, match=r"in EUR"):
        value("8*right", failed="-cost", currency="EUR")


def test_a_call_without_a_price_is_an_error_and_never_nothing(
    worth: Callable[..., Score], make_sample: Callable[..., Sample]
) -> None:
    score = worth(value(FORMULA, failed=-12), priced(make_sample(), None))
    assert score.value is None
    assert "the cost is not known, since #1 answer → user has no known price" in str(score.error)
    assert worth(value("8*right", failed=-12), priced(make_sample(), None)).value == 8


def test_the_seconds_of_a_replay_are_an_error_and_never_few(
    worth: Callable[..., Score], make_sample: Callable[..., Sample]
) -> None:
    replayed = replace(make_sample(), replayed=frozenset({"m1"}))
    score = worth(value("8*right - seconds", failed=0), replayed)
    assert score.value is None
    assert "recordings stood in for #1 answer → user" in str(score.error)


def test_a_failure_of_the_agent_has_the_worth_that_is_declared_for_it(
    worth: Callable[..., Score], make_sample: Callable[..., Sample]
) -> None:
    failed = priced(make_sample(error=Failure("agent", "ValueError", "bad")), 0.5)
    assert worth(value(FORMULA, failed="-12 - cost"), failed).value == -12.5
    with pytest.raises(ScorerError, match=r"has no 'right'. Let `failed` name nothing but cost"):
        value(FORMULA, failed="-12*right")


def test_what_the_infrastructure_failed_is_worth_nothing_known(
    make_project: Callable[..., Project], make_sample: Callable[..., Sample]
) -> None:
    lost = make_sample(error=Failure("infrastructure", "Timeout", "late"))
    found = find_scorers([value(FORMULA, failed=-12), right], make_project())
    assert asyncio.run(score_sample(lost, found)) == ()


def test_without_a_score_that_it_reads_there_is_no_value(worth: Callable[..., Score]) -> None:
    def broken(sample: Sample) -> bool:
        raise KeyError("team")

    score = worth(value("8*broken", failed=0), None, broken)
    assert score.value is None
    assert str(score.error) == "ScorerError: 'broken' has no score: KeyError: 'team'"


def test_a_label_decides_and_is_not_calculated_with(worth: Callable[..., Score]) -> None:
    def tone(sample: Sample) -> str:
        return "rude"

    formula = "-3 if tone == 'rude' else 1"
    assert worth(value(formula, failed=0), None, tone).value == -3
    assert "is the label 'rude'" in str(worth(value("2*tone", failed=0), None, tone).error)


def test_a_function_reads_the_metrics_that_it_declares(
    worth: Callable[..., Score], make_sample: Callable[..., Sample]
) -> None:
    def money(sample: Sample) -> float:
        return 8.0 if sample.scores["right"] else -12.0

    scorer = value(money, reads=["right"], failed=-12)
    assert worth(scorer).value == 8
    failed = make_sample(error=Failure("agent", "ValueError", "bad"))
    assert worth(scorer, failed).value == -12


def test_the_spec_makes_it_again(make_project: Callable[..., Project]) -> None:
    made = value(FORMULA, failed=-12, currency="EUR", dollar=0.92)
    assert made.spec == f'value("{FORMULA}", failed=-12, currency="EUR", dollar=0.92)'
    again = find_scorers([f"net={made.spec}", right], make_project())[0]
    assert (again.name, again.spec) == ("net", f"net={made.spec}")
    assert (again.reads, again.unit, again.scores_failures) == (("right",), "EUR", True)
