from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Literal

import pytest

from linenotes.evals import ComparisonReport, Gate, RunRecord, Score, decide, decide_in_looks
from linenotes.project import RunError


def scored(
    make_record: Callable[..., RunRecord], metrics: Mapping[str, Mapping[str, list[bool]]]
) -> RunRecord:
    """Return a run with several metrics."""
    record = make_record(next(iter(metrics.values())))
    named = ("matches_expectations",) * len(metrics)
    plan = record.plan.model_copy(update={"metrics": (*metrics,), "scorers": named})
    scores = {
        (case, i): tuple(Score(name, value=values[case][i]) for name, values in metrics.items())
        for case, i in record.outcomes
    }
    return replace(record, plan=plan, scores=scores)


def _cases(*, passed: int) -> dict[str, list[bool]]:
    return {f"c{i:02}": [i < passed] * 2 + [True, False] for i in range(40)}


def test_a_clear_drop_fails_and_an_equal_run_passes(make_record: Callable[..., RunRecord]) -> None:
    base = make_record(_cases(passed=30))
    worse = make_record(_cases(passed=5), version="v2")
    same = make_record({f"c{i:02}": [True] * 4 for i in range(40)}, version="v2")
    assert decide(Gate(), base, worse).verdict == "fail"
    assert decide(Gate(), base, worse).exit_code == 1
    assert decide(Gate(), base, same).exit_code == 0


@pytest.mark.parametrize("code", [0, 1, 3])
def test_an_inconclusive_decision_exits_as_the_gate_says(
    make_record: Callable[..., RunRecord], code: Literal[0, 1, 3]
) -> None:
    base = make_record({"a": [True, False], "b": [False, True]})
    other = make_record({"a": [False, True], "b": [True, True]}, version="v2")
    found = decide(Gate(inconclusive=code), base, other)
    assert (found.verdict, found.exit_code) == ("inconclusive", code)


def test_superiority_asks_for_more_than_no_drop(make_record: Callable[..., RunRecord]) -> None:
    base = make_record({f"c{i:02}": [True] * 4 for i in range(40)})
    same = make_record({f"c{i:02}": [True] * 4 for i in range(40)}, version="v2")
    assert decide(Gate(), base, same).verdict == "pass"
    assert decide(Gate(superiority=True), base, same).verdict == "inconclusive"


def test_what_a_look_has_decided_stands_whatever_came_later(
    make_record: Callable[..., RunRecord],
) -> None:
    cases = [f"c{i:03}" for i in range(120)]
    base = make_record({case: [i % 10 > 0] * 6 for i, case in enumerate(cases)})
    dropped = make_record(
        {case: [i % 10 > 3, i % 10 > 3] + [i % 10 > 0] * 4 for i, case in enumerate(cases)},
        version="v2",
    )
    found = decide_in_looks(Gate(), base, dropped, planned=6, reached=6, base_run="stored")
    assert (found.verdict, found.looks[0].samples) == ("fail", 1)
    assert found.comparisons[0].result == found.looks[0].result
    assert decide(Gate(), base, dropped).comparisons[0].result != found.looks[0].result


def test_every_metric_is_decided_at_its_own_look(make_record: Callable[..., RunRecord]) -> None:
    cases = {f"c{i:03}": [i % 9 > 0, i % 7 > 0, i % 8 > 0, i % 6 > 0] for i in range(200)}
    base, same = (scored(make_record, {"correct": cases, "polite": cases}) for _ in "ab")
    gate = Gate(guardrails={"polite": 0.5}, target="population")
    found = decide_in_looks(gate, base, same, planned=4, reached=4, base_run="interleaved")
    primary, guardrail = found.looks
    assert found.verdict == "pass"
    assert guardrail.samples <= primary.samples
    assert [look.level < 0.05 for look in primary.looks] == [True] * len(primary.looks)


def test_one_drop_of_several_needs_as_much_evidence_as_in_a_comparison(
    make_record: Callable[..., RunRecord],
) -> None:
    steady = {f"c{i:03}": [i % 10 > 0] * 4 for i in range(120)}
    lower = steady | {f"c{i:03}": [i % 20 > 13] * 4 for i in range(1, 21, 2)}
    names = ("correct", *(f"g{i}" for i in range(7)))
    base = scored(make_record, dict.fromkeys(names, steady))
    other = scored(make_record, dict.fromkeys(names, steady) | {"correct": lower})
    alone = Gate(target="population", margin=0.01)
    among = replace(alone, guardrails=dict.fromkeys(names[1:], 0.05))
    for gate, verdict in ((alone, "fail"), (among, "inconclusive")):
        report = ComparisonReport.of(
            base, [other], margin=0.01, guardrails=gate.guardrails, target=gate.target
        )
        looks = decide_in_looks(gate, base, other, planned=4, reached=4, base_run="stored")
        assert decide(gate, base, other).comparisons[0].result.verdict == verdict
        assert report.candidates[0].primary.result.verdict == verdict
        assert looks.comparisons[0].result.verdict == verdict


def test_the_metric_that_decides_is_no_guardrail(make_record: Callable[..., RunRecord]) -> None:
    run = make_record(_cases(passed=30))
    gate = Gate(guardrails={"correct": 0.5})
    with pytest.raises(RunError, match="decides already"):
        decide(gate, run, run)
    with pytest.raises(RunError, match="decides already"):
        decide_in_looks(gate, run, run, planned=4, reached=4, base_run="stored")


@pytest.mark.parametrize("margins", [{"margin": -0.1}, {"guardrails": {"polite": float("nan")}}])
def test_a_margin_is_no_rise(margins: dict[str, Any]) -> None:
    with pytest.raises(RunError, match="A margin is a drop, so it is 0 or more"):
        Gate(**margins)


def test_gates_of_one_family_share_the_level_of_a_drop(
    make_record: Callable[..., RunRecord],
) -> None:
    base = make_record({f"c{i:02}": [True] * 2 for i in range(40)})
    worse = make_record({f"c{i:02}": [i > 4] * 2 for i in range(40)}, version="v2")
    words = {n: decide(Gate(target="population", family=n), base, worse).verdict for n in (1, 2)}
    assert words == {1: "fail", 2: "inconclusive"}


def test_a_family_shares_the_level_of_every_look(make_record: Callable[..., RunRecord]) -> None:
    base = make_record({f"c{i:03}": [i % 10 > 0] * 4 for i in range(120)})
    worse = make_record({f"c{i:03}": [i % 10 > 0 and i > 9] * 4 for i in range(120)}, version="v2")
    alone, shared = (
        decide_in_looks(
            Gate(family=n, target="population"),
            base,
            worse,
            planned=4,
            reached=4,
            base_run="stored",
        )
        for n in (1, 40)
    )
    assert alone.looks[0].looks[0].p_not_worse < shared.looks[0].looks[0].p_not_worse
    assert alone.verdict == "fail"
    assert alone.looks[0].looks[0].p_worse_by_margin == shared.looks[0].looks[0].p_worse_by_margin


def test_a_family_without_a_gate_is_refused() -> None:
    with pytest.raises(RunError, match="1 gate or more, not 0"):
        Gate(family=0)
