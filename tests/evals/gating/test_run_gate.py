"""Gates on runs that are there already: all of their samples decide, once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from linenotes.evals import (
    Gate,
    GateOrder,
    Quarantine,
    QuarantinedCase,
    RunOrder,
    RunRecord,
    StoredBase,
    conclude,
    decide,
    decide_run,
    find_baseline,
    gate_report,
    run_gate,
)
from linenotes.project import Project, RunError

PASSING = {f"c{i:02}": [i % 10 > 0] * 4 for i in range(60)}
FAILING = {f"c{i:02}": [i % 10 > 4, i % 10 > 3, i % 10 > 5] for i in range(60)}


@pytest.fixture
def project(make_project: Callable[..., Project]) -> Project:
    return make_project()


@pytest.fixture
def run_order(make_record: Callable[..., RunRecord]) -> Callable[..., RunOrder]:
    """Return a gate on a run of {case: values}, against one that mostly passes."""

    def make(values: dict[str, list[bool]], gate: Gate | None = None, **more: object) -> RunOrder:
        changed = {"run_id": "b" * 32, "fingerprint": "e" * 64, "version": "v2"}
        record, base = make_record(values, **changed), make_record(PASSING)
        asked = gate or Gate()
        return RunOrder(asked, StoredBase("champion", base), record, **more)  # type: ignore[arg-type]

    return make


def told(order: RunOrder, project: Project) -> str:
    return " ".join(" ".join(gate_report.lines(decide_run(order, project))).split())


def test_all_samples_decide_at_the_level_of_a_single_look(
    run_order: Callable[..., RunOrder], project: Project
) -> None:
    asked = run_order(FAILING)
    found = decide_run(asked, project)
    alone = decide(Gate(), asked.stored_base, asked.record)
    assert (found.decision.verdict, found.decision.exit_code) == ("fail", 1)
    assert found.decision.comparisons == alone.comparisons
    text = told(asked, project)
    assert text.startswith("FAIL correct 90% \u2192 50%: -40 points (95% ")
    assert "n=60, K=3 against 4, exactly these cases" in text
    assert "Decided once, by all samples that there are; nothing was executed." in text
    for word in ("look", "early", "sequential", "K=3 of"):
        assert word not in text


def test_the_document_is_that_of_a_gate_without_looks(
    run_order: Callable[..., RunOrder], project: Project
) -> None:
    document = conclude(project, decide_run(run_order(FAILING), project)).document()
    assert (document["verdict"], document["ended_by"], document["calls"]) == ("fail", "samples", 0)
    assert (document["samples"], document["run_id"], document["version"]) == (3, "b" * 32, "v2")
    metric = document["metrics"]["correct"]  # type: ignore[index,call-overload]
    assert metric["looks"] == []  # type: ignore[index,call-overload]
    assert metric["base_samples"] == {"low": 4, "high": 4}  # type: ignore[index,call-overload]


def test_what_is_not_decided_says_what_both_runs_would_need(
    run_order: Callable[..., RunOrder], project: Project
) -> None:
    few = dict(list(FAILING.items())[6:10])
    assert "samples a case in both runs" in told(run_order(few), project)


def test_the_same_run_or_equal_scores_of_one_version_have_nothing_to_decide(
    make_record: Callable[..., RunRecord], project: Project
) -> None:
    base = make_record(PASSING)
    again = make_record(PASSING, run_id="b" * 32)
    other = make_record({**PASSING, "c00": [True] * 4}, run_id="c" * 32)
    for record, word, why in (
        (base, "unchanged", "the same run as champion: nothing to decide."),
        (again, "unchanged", "an equal version with equal scores in every sample as champion"),
        (other, "pass", "It is better."),
    ):
        asked = RunOrder(Gate(), StoredBase("champion", base), record)
        assert decide_run(asked, project).decision.verdict == word
        assert why in told(asked, project)


def test_cases_in_quarantine_do_not_decide_and_an_expired_one_fails(
    run_order: Callable[..., RunOrder], project: Project
) -> None:
    held = tuple(
        QuarantinedCase(
            case=case, dataset="numbers", owner="ann", expires=date(2026, 6, 2), reason="flaky"
        )
        for case in FAILING
        if int(case[1:]) % 10 < 6
    )
    asked = run_order(FAILING)
    for today, verdict in ((date(2026, 6, 2), "pass"), (date(2026, 6, 3), "fail")):
        quarantine = Quarantine(Path("quarantine.yaml"), today, held)
        found = decide_run(replace(asked, quarantine=quarantine), project)
        assert (found.decision.verdict, len(found.records)) == (verdict, verdict == "pass")


def test_single_samples_are_refused_for_exactly_these_cases(
    run_order: Callable[..., RunOrder], project: Project
) -> None:
    once = {case: values[:1] for case, values in FAILING.items()}
    with pytest.raises(RunError, match=r"Run bbbbbbbbbbbb has one sample.*--target population"):
        decide_run(run_order(once), project)
    found = decide_run(run_order(once, Gate(target="population")), project)
    assert found.decision.verdict == "fail"


def test_a_pass_is_saved_with_all_that_the_run_has(
    run_order: Callable[..., RunOrder], project: Project
) -> None:
    asked = run_order({case: [True] * 4 for case in PASSING})
    found = conclude(project, decide_run(asked, project), save_as="champion")
    saved = find_baseline(project, "champion", agent="app", dataset="numbers")
    assert found.saved is not None
    assert saved is not None
    assert (saved.plan.version, len(saved.outcomes)) == ("v2", 240)


def test_a_run_that_a_gate_has_stopped_by_what_it_saw_is_told(
    champion: RunRecord, order: Callable[..., GateOrder]
) -> None:
    gate = order("v2", champion)
    project = gate.candidate.agent.project
    record = run_gate(gate, project).candidate
    assert record is not None
    asked = RunOrder(Gate(target="population"), StoredBase("champion", champion), record)
    assert "A gate has stopped this run at K=1 of 4, by what it saw (FAIL)" in told(asked, project)
