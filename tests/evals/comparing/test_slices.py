from __future__ import annotations

from collections.abc import Callable

import pytest

from linenotes.evals import ComparisonReport, RunRecord
from linenotes.evals.comparing._slices import slicing_tags
from linenotes.evals.journal._tables import score_table
from linenotes.evals.statistics import benjamini_hochberg, compare_scores
from linenotes.project import RunError

MakeRun = Callable[..., RunRecord]
CASES = [f"c{i:02}" for i in range(40)]
TAGS = {
    case: {"team": "ab"[i % 2], "rare": "x" if i < 3 else "y", "own": case, "all": "same"}
    for i, case in enumerate(CASES)
}


@pytest.fixture
def two(make_run: MakeRun) -> tuple[RunRecord, RunRecord]:
    """A candidate that is worse on team a alone."""
    base = {case: [True, True, i % 3 > 0] for i, case in enumerate(CASES)}
    worse = {
        case: [False, False, i % 3 > 0] if i % 2 == 0 else [True, i % 3 > 0, True]
        for i, case in enumerate(CASES)
    }
    return (
        make_run({"m": base}, tags=TAGS),
        make_run({"m": worse}, tags=TAGS, run_id="b" * 32),
    )


def test_unasked_slices_are_of_tags_with_few_values_of_many_cases(
    two: tuple[RunRecord, RunRecord],
) -> None:
    assert slicing_tags(two[0].plan.cases, None) == ("team",)
    assert slicing_tags(two[0].plan.cases, ["rare", "team", "rare"]) == ("rare", "team")
    assert slicing_tags(two[0].plan.cases, []) == ()


def test_a_slice_is_a_comparison_of_its_cases_alone(two: tuple[RunRecord, RunRecord]) -> None:
    (one,) = ComparisonReport.of(two[0], [two[1]]).candidates
    assert [(part.tag, part.value, part.result.n_cases) for part in one.slices] == [
        ("team", "a", 20),
        ("team", "b", 20),
    ]
    tables = [score_table(run, "m") for run in two]
    own = [table[table["case"].isin(CASES[::2])] for table in tables]
    assert one.slices[0].result == compare_scores(*own, margin=0.0)


def test_slices_stand_out_by_benjamini_and_hochberg(two: tuple[RunRecord, RunRecord]) -> None:
    (one,) = ComparisonReport.of(two[0], [two[1]], slices=["team", "rare"]).candidates
    p_values = [part.result.p_no_difference or 0.0 for part in one.slices]
    assert [part.q for part in one.slices] == benjamini_hochberg(p_values)
    assert [part.value for part in one.slices if part.stands_out] == ["a", "y"]


def test_the_slices_of_all_candidates_are_one_family(two: tuple[RunRecord, RunRecord]) -> None:
    base, worse = two
    report = ComparisonReport.of(base, [worse, base])
    parts = [part for one in report.candidates for part in one.slices]
    p_values = [part.result.p_no_difference or 0.0 for part in parts]
    assert [part.q for part in parts] == benjamini_hochberg(p_values)


def test_slices_never_decide(two: tuple[RunRecord, RunRecord]) -> None:
    verdicts = {
        ComparisonReport.of(two[0], [two[1]], slices=slices).verdict
        for slices in ([], ["team"], ["own"])
    }
    assert len(verdicts) == 1


def test_a_tag_that_no_case_has_is_refused(two: tuple[RunRecord, RunRecord]) -> None:
    with pytest.raises(RunError, match=r"tag 'nope' to slice by. Its tags: all, own, rare, team."):
        ComparisonReport.of(two[0], [two[1]], slices=["nope"])
