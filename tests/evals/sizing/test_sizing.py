from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import pytest

from linenotes.evals import RunRecord, Wish, size_suite, sizing_document
from linenotes.evals.documents._sizing_documents import SizingDocument
from linenotes.evals.journal._plans import ImportInPlan
from linenotes.evals.statistics import PairedSpread
from linenotes.project import RunError

MakeRecord = Callable[..., RunRecord]
PILOT = {f"c{i}": [i % 3 > 0, i % 3 > 0, i % 3 > 0, i % 4 > 0] for i in range(40)}


def priced(record: RunRecord, cost: float | None) -> RunRecord:
    return replace(
        record, outcomes={key: replace(o, cost=cost) for key, o in record.outcomes.items()}
    )


def opposite(pilot: Mapping[str, Sequence[bool]]) -> dict[str, list[bool]]:
    return {case: [not value for value in row] for case, row in pilot.items()}


def test_the_numbers_are_those_of_the_formula(make_record: MakeRecord) -> None:
    found = size_suite(make_record(PILOT), wish=Wish((0.05, 0.1)))
    spread = found.pilot.spread
    for depth in found.depths:
        variance = spread.between + (spread.base + spread.candidate) / depth.samples
        assert depth.detectable == pytest.approx(2.801585 * math.sqrt(variance / 40), rel=1e-5)
        for need in depth.needs:
            wanted = (2.801585 / need.change) ** 2 * variance
            assert need.cases == pytest.approx(wanted, abs=1)
            assert need.samples == 2 * need.cases * depth.samples
    assert [depth.samples for depth in found.depths] == [1, 2, 3, 5, 10]


def test_cost_and_time_are_those_of_the_pilots_samples(make_record: MakeRecord) -> None:
    found = size_suite(priced(make_record(PILOT), 0.01))
    need = found.depths[2].needs[0]
    assert need.cost == pytest.approx(need.samples * 0.01)
    assert need.seconds == pytest.approx(need.samples * 0.25)


def test_a_pilot_without_prices_has_no_cost_until_one_is_given(make_record: MakeRecord) -> None:
    pilot = priced(make_record(PILOT), None)
    assert size_suite(pilot).depths[0].needs[0].cost is None
    need = size_suite(pilot, wish=Wish(sample_cost=0.5)).depths[0].needs[0]
    assert need.cost == pytest.approx(need.samples * 0.5)


def test_times_are_unknown_where_a_file_does_not_tell_or_recordings_stood_in(
    make_record: MakeRecord,
) -> None:
    imported = ImportInPlan(file="r.csv", identity="i", samples=160, timed=False)
    untimed = make_record(PILOT, imported=imported)
    assert size_suite(untimed).depths[0].needs[0].seconds is None
    pilot = make_record(PILOT)
    replayed = {key: replace(o, replayed=1) for key, o in pilot.outcomes.items()}
    assert size_suite(replace(pilot, outcomes=replayed)).depths[0].needs[0].seconds is None


def test_the_best_k_needs_the_cost_of_a_case_and_new_cases_are_paid_for(
    make_record: MakeRecord,
) -> None:
    pilot = priced(make_record(PILOT), 0.01)
    assert size_suite(pilot).best_samples is None
    found = size_suite(pilot, wish=Wish(case_cost=2))
    spread = found.pilot.spread
    assert found.best_samples == pytest.approx(
        math.sqrt(2 / 0.02 * (spread.base + spread.candidate) / spread.between)
    )
    need = found.depths[0].needs[0]
    assert need.cost == pytest.approx(need.samples * 0.01 + 2 * (need.cases - 40))


def test_one_run_says_what_other_assumptions_would_come_to(make_record: MakeRecord) -> None:
    found = size_suite(make_record(PILOT))
    assert found.otherwise.keys() == {0.0, 0.9}
    middle = size_suite(make_record(PILOT)).pilot.spread
    assert found.otherwise[0.9] < found.otherwise[0.0]
    assert middle.between > 0


def test_two_runs_assume_nothing(make_record: MakeRecord) -> None:
    base = make_record(PILOT)
    found = size_suite(base, make_record(opposite(PILOT), version="v2"))
    assert found.otherwise == {}
    assert sizing_document(found)["correlation"] is None
    assert [plan.version for plan in found.runs] == ["v1", "v2"]


def test_more_samples_do_not_help_where_cases_truly_differ(make_record: MakeRecord) -> None:
    base = {f"c{i}": [True] * 3 for i in range(30)}
    other = {f"c{i}": [i % 2 == 0] * 3 for i in range(30)}
    found = size_suite(make_record(base), make_record(other))
    assert found.pilot.spread == PairedSpread(found.pilot.spread.between, 0, 0)
    assert found.pilot.spread.between == pytest.approx(0.2586, abs=1e-4)
    assert not found.samples_help
    assert found.floor == pytest.approx(found.depths[0].detectable)


def test_single_samples_of_two_runs_plan_single_samples_only(make_record: MakeRecord) -> None:
    base = {f"c{i}": [i % 3 > 0] for i in range(30)}
    found = size_suite(make_record(base), make_record(opposite(base)))
    assert [depth.samples for depth in found.depths] == [1]
    assert not found.samples_help


def test_single_samples_of_one_run_are_no_pilot(make_record: MakeRecord) -> None:
    pilot = make_record({"a": [True], "b": [False]})
    with pytest.raises(RunError, match=r"One sample a case .*take 2 or more\. .*--samples K"):
        size_suite(pilot)


def test_single_samples_that_were_imported_cannot_be_resumed(make_record: MakeRecord) -> None:
    imported = ImportInPlan(file="r.csv", identity="i", samples=2, timed=False, results_only=True)
    pilot = make_record({"a": [True], "b": [False]}, imported=imported)
    with pytest.raises(RunError, match=r"linenotes import FILE, with more samples .* 'r\.csv'"):
        size_suite(pilot)


def test_exactly_these_cases_are_answered_with_samples(make_record: MakeRecord) -> None:
    wish = Wish((0.02, 0.1), target="dataset")
    found = size_suite(priced(make_record(PILOT), 0.01), wish=wish)
    noise = found.pilot.spread.noise(1)
    large, small = found.answers[1], found.answers[0]
    assert large.cases == 40
    assert large.samples == math.ceil(2.801585**2 * noise / 40 / 0.1**2)
    assert (small.samples, small.cases) == (
        20,
        math.ceil(2.801585**2 * noise / 20 / 0.02**2),
    )
    for depth in found.depths:
        assert depth.detectable == pytest.approx(2.801585 * (noise / depth.samples / 40) ** 0.5)
        assert all(need.cases == 40 for need in depth.needs)
        assert depth.needs[1].samples == 80 * depth.samples
        assert depth.needs[1].cost == pytest.approx(0.8 * depth.samples)
    assert [depth.samples for depth in found.depths] == sorted({2, 3, 5, 10, 20, large.samples})
    powers = {depth.samples: depth.needs[1].power for depth in found.depths}
    assert powers[large.samples] >= 0.8
    assert powers[2] < powers[3] < powers[10]
    assert (found.floor, found.best_samples, found.otherwise) == (0, None, {})


def test_how_versions_correlate_does_not_matter_over_exactly_these_cases(
    make_record: MakeRecord,
) -> None:
    pilot = make_record(PILOT)
    found = [
        size_suite(pilot, wish=Wish(correlation=rho, target="dataset")).answers for rho in (0, 0.9)
    ]
    assert found[0] == found[1]


def test_noise_that_no_case_showed_is_no_pilot_for_exactly_these_cases(
    make_record: MakeRecord,
) -> None:
    steady = make_record({f"c{i}": [i % 2 == 0] * 3 for i in range(30)})
    with pytest.raises(RunError, match="Nothing varied within any case"):
        size_suite(steady, wish=Wish(target="dataset"))
    base = {f"c{i}": [i % 3 > 0] for i in range(30)}
    with pytest.raises(RunError, match="does not show the noise within cases"):
        size_suite(make_record(base), make_record(opposite(base)), wish=Wish(target="dataset"))


def test_few_cases_detect_less_than_the_normal_formula_says(make_record: MakeRecord) -> None:
    few = {case: row for case, row in PILOT.items() if len(case) == 2}
    found = size_suite(make_record(few))
    spread = found.pilot.spread
    for depth in found.depths:
        assert depth.detectable > 1.05 * 2.801585 * spread.se(10, depth.samples)


def test_a_metric_that_is_not_there_is_said(make_record: MakeRecord) -> None:
    with pytest.raises(RunError, match=r"has no metric 'tone'\. It has correct\."):
        size_suite(make_record(PILOT), metric="tone")


def test_the_document_is_as_the_schema_says(make_record: MakeRecord) -> None:
    document = sizing_document(size_suite(make_record(PILOT), wish=Wish(case_cost=1)))
    SizingDocument.model_validate(document)
    assert document["target"] == "population"
    assert document["answers"] is None
    these = sizing_document(size_suite(make_record(PILOT), wish=Wish(target="dataset")))
    SizingDocument.model_validate(these)
    assert (these["target"], these["correlation"]) == ("dataset", None)
    assert these["answers"] == [{"change": 0.05, "samples": 16, "cases": 40}]
