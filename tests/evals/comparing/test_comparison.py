from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from linenotes.evals import RunPlan, RunRecord, compare_all, compare_runs, differences
from linenotes.project import RunError

RIGHT, WRONG = [True] * 3, [False] * 3


def composition(**changes: object) -> dict[str, object]:
    return {
        "agent": "app",
        "code": "c",
        "graph": "g",
        "prompts": {},
        "models": {"default": {"model": "m1", "temperature": 1.0, "max_tokens": 256}},
        "tools": [],
        **changes,
    }


def prompt(version: str, text: str) -> dict[str, Any]:
    return {"version": version, "text": text, "registry_version": 1}


def test_a_candidate_is_paired_with_the_base_by_case(make_record: Callable[..., RunRecord]) -> None:
    base = make_record({f"c{i}": WRONG if i < 20 else RIGHT for i in range(40)})
    candidate = make_record({f"c{i}": RIGHT for i in range(40)}, run_id="b" * 32)
    found = compare_runs(base, candidate)
    assert found.result.delta == 0.5
    assert (found.result.improved, found.result.worsened, found.result.unchanged) == (20, 0, 20)
    assert found.result.verdict == "pass"
    assert found.is_rate
    assert (found.base.run_id, found.candidate.run_id) == ("a" * 32, "b" * 32)


def test_versions_with_equal_fingerprints_do_not_differ(
    make_record: Callable[..., RunRecord],
) -> None:
    record = make_record({"a": RIGHT, "b": WRONG})
    found = compare_runs(record, record)
    assert found.differences == ()
    assert found.result.delta == 0


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        (
            {"prompts": {"triage": prompt("v1", "a")}},
            {"prompts": {"triage": prompt("v2", "b")}},
            ["prompt triage: v1 → v2"],
        ),
        (
            {"prompts": {"triage": prompt("v1", "a")}},
            {"prompts": {"triage": prompt("@best", "a")}},
            [],
        ),
        ({}, {"prompts": {"new": prompt("v1", "a")}}, ["prompt new: only in the candidate"]),
        (
            {"composition": composition()},
            {
                "composition": composition(
                    models={"default": {"model": "m2", "temperature": 0.0, "max_tokens": 64}}
                )
            },
            [
                "model of default: m1 → m2",
                "temperature of default: 1.0 → 0.0",
                "max_tokens of default: 256 → 64",
            ],
        ),
        (
            {"composition": composition(models={})},
            {"composition": composition()},
            ["model of default: only in the candidate"],
        ),
        (
            {"composition": composition()},
            {"composition": composition(code="d", graph="h", tools=["search"])},
            ["graph changed", "the agent's code changed", "tools changed"],
        ),
        (
            {"commit": {"sha": "1" * 40, "dirty": False}},
            {"commit": {"sha": "2" * 40, "dirty": True}},
            ["commit: 11111111 → 22222222 with changes"],
        ),
        (
            {},
            {"dataset": {"name": "numbers", "digest": "e" * 64}},
            ["dataset: cases have changed"],
        ),
        (
            {},
            {"dataset": {"name": "numbers", "digest": "e" * 64}, "cases": ()},
            ["dataset: other cases were selected"],
        ),
        (
            {},
            {"scorers": ("own.py:correct",)},
            ["scorer correct: matches_expectations → own.py:correct"],
        ),
        ({}, {"agent": "other"}, ["agent: app → other"]),
    ],
)
def test_what_sets_two_versions_apart_is_told(
    make_plan: Callable[..., RunPlan],
    before: dict[str, Any],
    after: dict[str, Any],
    told: list[str],
) -> None:
    assert list(differences(make_plan(**before), make_plan(**after))) == told


def test_cases_that_changed_between_the_runs_are_refused_unless_allowed(
    make_record: Callable[..., RunRecord],
) -> None:
    base = make_record({"a": RIGHT, "b": WRONG})
    changed = tuple(
        case.model_copy(update={"expectations": {"answer": 2}}) if case.id == "b" else case
        for case in base.plan.cases
    )
    candidate = make_record({"a": RIGHT, "b": RIGHT}, cases=changed)
    with pytest.raises(RunError, match=r"1 cases have changed between the runs, the first is 'b'"):
        compare_runs(base, candidate)
    assert compare_runs(base, candidate, allow_changed_cases=True).result.n_cases == 2


def test_cases_of_only_one_run_are_left_out_and_named(
    make_record: Callable[..., RunRecord],
) -> None:
    base = make_record({"a": RIGHT, "b": WRONG, "old": RIGHT})
    candidate = make_record({"a": RIGHT, "b": RIGHT, "new": RIGHT})
    found = compare_runs(base, candidate)
    assert found.result.n_cases == 2
    document = found.document()
    assert (document["only_in_base"], document["only_in_candidate"]) == (["old"], ["new"])


def test_a_metric_that_a_run_lacks_is_told_with_those_it_has(
    make_record: Callable[..., RunRecord],
) -> None:
    base = make_record({"a": RIGHT}, metrics=("correct", "speed"))
    candidate = make_record({"a": RIGHT}, run_id="b" * 32)
    with pytest.raises(RunError, match=r"Run bbbbbbbbbbbb has no metric 'speed'. It has correct"):
        compare_runs(base, candidate, metric="speed")


def test_nothing_scored_cannot_be_measured(make_record: Callable[..., RunRecord]) -> None:
    found = compare_runs(make_record({"a": [None]}), make_record({"a": RIGHT}))
    assert found.result.verdict == "cannot measure"
    assert found.document()["delta"] is None


def test_an_evaluation_compares_versions_with_the_first_and_all_with_the_baseline(
    make_record: Callable[..., RunRecord],
) -> None:
    baseline = make_record({"a": [True], "b": [False]}, version="nn", baseline=True)
    first = make_record({"a": RIGHT, "b": WRONG}, version="v1", run_id="1" * 32)
    second = make_record({"a": RIGHT, "b": RIGHT}, version="v2", run_id="2" * 32)
    found = compare_all([baseline, first, second], target="population")
    assert [(c.base.version, c.candidate.version) for c in found] == [
        ("v1", "v2"),
        ("nn", "v1"),
        ("nn", "v2"),
    ]
    assert [c.result.compared_with_base for c in found] == [1, 2, 2]


def test_one_version_alone_is_compared_with_nothing(make_record: Callable[..., RunRecord]) -> None:
    assert compare_all([make_record({"a": RIGHT})], target="population") == []
