from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from linenotes.evals import (
    ComparisonReport,
    Decision,
    Failure,
    Gate,
    RunRecord,
    compare_all,
    decide,
    decide_in_looks,
)

TONES = {f"c{i:02}": [0.5 + i % 4 / 10 + k / 50 for k in range(4)] for i in range(60)}
Make = Callable[..., RunRecord]


def failures(kind: str, *, one_in: int) -> Mapping[tuple[str, int], Failure]:
    """Return every so manieth sample as a failure."""
    keys = [(case, k) for case in TONES for k in range(4)]
    return {key: Failure(kind, "ValueError", "no") for key in keys[::one_in]}  # type: ignore[arg-type]


@pytest.fixture
def both(make_record: Make) -> tuple[RunRecord, RunRecord]:
    """A version, and one that is as good on the samples that it does not crash on."""
    crashes = failures("agent", one_in=5)
    return make_record(TONES), make_record(TONES, failed=crashes, version="v2", run_id="b" * 32)


def decisions(base: RunRecord, candidate: RunRecord) -> list[Decision]:
    looks = decide_in_looks(Gate(), base, candidate, planned=4, reached=4, base_run="interleaved")
    return [decide(Gate(), base, candidate), looks]


def test_a_candidate_that_crashes_fails_however_good_the_rest_is(
    both: tuple[RunRecord, RunRecord],
) -> None:
    for found in decisions(*both):
        tone, completed = found.comparisons
        assert (found.verdict, tone.result.verdict) == ("fail", "pass")
        assert (completed.metric, completed.result.margin) == ("agent completed", 0.05)
        assert completed.is_rate
        assert completed.result.candidate_mean is not None
        assert completed.result.candidate_mean <= 0.8
    (one,) = ComparisonReport.of(both[0], [both[1]], target="dataset").candidates
    assert one.verdict == "fail"
    assert [guard.metric for guard in one.guardrails] == ["agent completed"]
    assert [found.result.verdict for found in compare_all(both, target="dataset")] == [
        "pass",
        "fail",
    ]


def test_a_base_that_crashed_is_no_harm_to_a_candidate_that_does_not(
    both: tuple[RunRecord, RunRecord],
) -> None:
    for found in decisions(both[1], both[0]):
        assert [one.result.verdict for one in found.comparisons] == ["pass", "pass"]


@pytest.mark.parametrize("kind", [None, "infrastructure"])
def test_without_failures_of_the_agent_nothing_more_is_asked(
    make_record: Make, kind: str | None
) -> None:
    lost = failures(kind, one_in=5) if kind else {}
    base, same = make_record(TONES), make_record(TONES, failed=lost, version="v2")
    for found in decisions(base, same):
        assert [one.metric for one in found.comparisons] == ["correct"]


def test_what_infrastructure_lost_is_in_no_share_of_completed_samples(make_record: Make) -> None:
    mixed = {**failures("infrastructure", one_in=2), ("c00", 1): Failure("agent", "E", "no")}
    base, other = make_record(TONES), make_record(TONES, failed=mixed, version="v2")
    completed = decide(Gate(), base, other).comparisons[1].result
    assert completed.candidate_mean == pytest.approx(1 - 0.5 / 60)


def test_a_pass_rate_counts_failures_itself(make_record: Make) -> None:
    rates = {case: [True] * 4 for case in TONES}
    crashes = failures("agent", one_in=5)
    base, other = make_record(rates), make_record(rates, failed=crashes, version="v2")
    found = decide(Gate(), base, other)
    assert (found.verdict, len(found.comparisons)) == ("fail", 1)


def test_of_several_candidates_those_that_crash_have_the_guardrail(
    make_record: Make, both: tuple[RunRecord, RunRecord]
) -> None:
    base, crashing = both
    same = make_record(TONES, version="v3", run_id="c" * 32)
    found = ComparisonReport.of(base, [crashing, same], target="dataset").candidates
    assert [one.verdict for one in found] == ["fail", "unchanged"]
    assert [len(one.guardrails) for one in found] == [1, 0]
