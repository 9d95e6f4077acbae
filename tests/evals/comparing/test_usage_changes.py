from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from linenotes.evals import ComparisonReport, Failure, RunRecord
from linenotes.evals.comparing._usage_changes import UsageChange, usage_changes

MakeRun = Callable[..., RunRecord]
SCORES = {"m": {f"c{i}": [True, False] for i in range(8)}}
START = 1_790_000_000_000_000_000


def changes(base: RunRecord, candidate: RunRecord) -> dict[str, UsageChange]:
    return {one.name: one for one in usage_changes(base, candidate, target="population")}


def test_cost_tokens_and_time_of_a_sample_are_compared_by_case(make_run: MakeRun) -> None:
    base = make_run(SCORES, amounts={"cost": 0.002, "tokens": 100, "end_ns": START + 10**9})
    other = make_run(
        SCORES,
        amounts={"cost": 0.003, "tokens": 80, "end_ns": START + 2 * 10**9},
        run_id="b" * 32,
    )
    found = changes(base, other)
    deltas = {name: one.result.delta for name, one in found.items() if one.result}
    assert deltas == pytest.approx({"cost": 0.001, "tokens": -20, "seconds": 1})
    assert all(one.result and one.result.n_cases == 8 for one in found.values())


def test_what_has_no_price_stays_unpriced(make_run: MakeRun) -> None:
    base = make_run(SCORES, amounts={"cost": 0.002})
    other = make_run(SCORES, amounts={"cost": None, "unpriced": 1}, run_id="b" * 32)
    found = changes(base, other)
    assert found["cost"] == UsageChange(
        "cost", None, "16 calls without a known price (`linenotes prices`)"
    )
    assert found["tokens"].result is not None
    assert changes(other, other)["cost"].note.startswith("32 calls without a known price")


def test_calls_that_cost_nothing_are_told_as_such(make_run: MakeRun) -> None:
    run = make_run(SCORES, amounts={"cost": 0.0})
    assert changes(run, run)["cost"].note == "none in either run"


def test_times_of_replayed_calls_are_not_compared(make_run: MakeRun) -> None:
    base = make_run(SCORES)
    replayed = make_run(SCORES, amounts={"replayed": 1}, run_id="b" * 32)
    found = changes(base, replayed)["seconds"]
    assert found.result is None
    assert found.note.startswith("16 calls came from recordings")


def test_a_file_that_tells_no_times_and_tokens_has_none(make_run: MakeRun) -> None:
    imported = {"file": "f.json", "identity": "i", "samples": 16, "timed": False}
    run = make_run(SCORES, amounts={"tokens": 0}, imported=imported)
    found = changes(run, run)
    assert [found[name].result for name in ("tokens", "seconds")] == [None, None]


def test_the_cost_that_imported_files_tell_is_compared(make_run: MakeRun) -> None:
    imported = {"file": "f.csv", "identity": "i", "samples": 16, "timed": False}
    nothing = {"calls": 0, "tokens": 0}
    base, other, silent = (
        make_run(SCORES, amounts={**nothing, "cost": cost}, imported=imported, run_id=run_id * 32)
        for run_id, cost in (("a", 0.02), ("b", 0.03), ("c", None))
    )
    found = changes(base, other)["cost"]
    assert found.result is not None
    assert found.result.delta == pytest.approx(0.01)
    assert changes(base, silent)["cost"].note == "an imported file does not tell its cost"


def test_an_agent_that_calls_no_model_has_only_its_time(make_run: MakeRun) -> None:
    run = make_run(SCORES, amounts={"calls": 0, "tokens": 0, "cost": None})
    assert list(changes(run, run)) == ["seconds"]


def test_what_the_infrastructure_failed_is_left_out(make_run: MakeRun) -> None:
    base = make_run(SCORES, amounts={"tokens": 100})
    lost = replace(
        base.outcomes["c0", 0], tokens=0, error=Failure("infrastructure", "Timeout", "60 s")
    )
    other = replace(base, outcomes={**base.outcomes, ("c0", 0): lost})
    result = changes(base, other)["tokens"].result
    assert result is not None
    assert result.delta == 0


def test_what_a_report_says_of_use_is_that(make_run: MakeRun) -> None:
    run = make_run(SCORES)
    (one,) = ComparisonReport.of(run, [run]).candidates
    assert one.usage == usage_changes(run, run, target="population")
