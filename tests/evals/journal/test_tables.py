from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from linenotes.evals import Failure, RunPlan, RunRecord
from linenotes.evals.journal._tables import is_rate, score_table

AGENT = Failure("agent", "ValueError", "bad")
LOST = Failure("infrastructure", "APITimeoutError", "Request timed out.")


def values(record: RunRecord, *, beside: Sequence[RunRecord] = ()) -> dict[tuple[str, int], float]:
    table = score_table(record, "correct", beside=beside)
    return {(row["case"], row["sample"]): row["value"] for row in table.to_dict("records")}


def test_each_scored_sample_is_a_row(make_record: Callable[..., RunRecord]) -> None:
    record = make_record({"a": [True, False], "b": [True, True]})
    assert values(record) == {("a", 0): 1, ("a", 1): 0, ("b", 0): 1, ("b", 1): 1}
    assert is_rate(record, "correct")


@pytest.mark.parametrize("yes", [True, 1.0])
def test_an_agent_that_fails_has_failed_where_a_sample_passes_or_fails(
    make_record: Callable[..., RunRecord], yes: bool | float
) -> None:
    record = make_record({"a": [yes, yes], "b": [yes, yes]}, failed={("b", 1): AGENT})
    assert values(record)["b", 1] == 0


def test_an_agent_that_fails_is_left_out_where_there_is_no_worst_value(
    make_record: Callable[..., RunRecord],
) -> None:
    record = make_record({"a": [0.5, 0.7], "b": [3.0, 2.0]}, failed={("b", 1): AGENT})
    assert values(record) == {("a", 0): 0.5, ("a", 1): 0.7, ("b", 0): 3.0}
    assert not is_rate(record, "correct")


def test_infrastructure_and_scorers_never_count(make_record: Callable[..., RunRecord]) -> None:
    record = make_record({"a": [True, None], "b": [True, True]}, failed={("b", 1): LOST})
    assert values(record) == {("a", 0): 1, ("b", 0): 1}


def test_a_label_is_no_number(make_record: Callable[..., RunRecord]) -> None:
    assert values(make_record({"a": ["polite"], "b": [True]})) == {("b", 0): 1}


def test_a_metric_has_one_scale_in_all_runs_that_are_compared(
    make_record: Callable[..., RunRecord],
) -> None:
    graded = make_record({"a": [0.5], "b": [1.0]})
    by_chance = make_record({"a": [1.0], "b": [0.0]}, failed={("b", 0): AGENT})
    assert values(by_chance) == {("a", 0): 1, ("b", 0): 0}
    assert values(by_chance, beside=[graded]) == {("a", 0): 1}


def test_a_run_in_which_every_sample_failed_in_the_agent_has_failed(
    make_record: Callable[..., RunRecord],
) -> None:
    record = make_record({"a": [True], "b": [True]}, failed={("a", 0): AGENT, ("b", 0): AGENT})
    assert values(record) == {("a", 0): 0, ("b", 0): 0}


def test_a_scorer_that_never_worked_has_measured_nothing_even_if_an_agent_failed(
    make_record: Callable[..., RunRecord],
) -> None:
    record = make_record({"a": [None], "b": [None]}, failed={("b", 0): AGENT})
    assert values(record) == {}


def test_clusters_are_there_when_cases_have_them(
    make_record: Callable[..., RunRecord], make_plan: Callable[..., RunPlan]
) -> None:
    record = make_record({"a": [True], "b": [True]})
    assert "cluster" not in score_table(record, "correct")
    in_clusters = tuple(c.model_copy(update={"cluster": "x"}) for c in record.plan.cases)
    clustered = make_record({"a": [True], "b": [True]}, cases=in_clusters)
    assert set(score_table(clustered, "correct")["cluster"]) == {"x"}


def test_weights_are_those_of_the_cases(make_record: Callable[..., RunRecord]) -> None:
    record = make_record({"a": [True], "b": [True]})
    heavy = tuple(c.model_copy(update={"weight": 2.5}) for c in record.plan.cases)
    weighed = make_record({"a": [True], "b": [True]}, cases=heavy)
    assert set(score_table(weighed, "correct")["weight"]) == {2.5}
