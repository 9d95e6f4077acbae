from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from linenotes.evals import (
    GateOrder,
    Quarantine,
    QuarantinedCase,
    RunRecord,
    RunStore,
    conclude,
    gate_report,
    run_gate,
)
from linenotes.project import Project

Orders = Callable[..., GateOrder]


def project_of(order: GateOrder) -> Project:
    return order.candidate.agent.project


def test_quarantined_cases_are_run_and_do_not_decide(order: Orders) -> None:
    asked = order("v2", "v1", cases=20, quarantine=quarantine(date(2026, 6, 2)))
    found = run_gate(asked, project_of(asked))
    assert found.decision.comparisons[0].result.n_cases == 19
    assert len(found.records[-1].plan.cases) == 20
    text = " ".join(" ".join(gate_report.lines(found)).split())
    assert "1 quarantined case run and not counted: c1." in text


@pytest.mark.parametrize("candidate", ["v3", "v1"])
def test_an_expired_quarantine_fails_the_gate_before_anything_is_run(
    champion: RunRecord, order: Orders, candidate: str
) -> None:
    asked = order(candidate, champion, quarantine=quarantine(date(2026, 6, 3)))
    before = len(RunStore.of(project_of(asked)).plans())
    found = run_gate(asked, project_of(asked))
    assert (found.decision.verdict, found.decision.exit_code) == ("fail", 1)
    assert len(RunStore.of(project_of(asked)).plans()) == before
    text = " ".join(" ".join(gate_report.lines(found)).split())
    assert text.startswith(
        "FAIL The quarantine of case 'c1' (numbers) expired on 2026-06-02: ann has to"
    )
    assert "quarantine.yaml" in text
    document = conclude(project_of(asked), found, save_as="new", promote_to="never").document()
    assert (document["ended_by"], document["calls"], document["metrics"]) == (
        *("expired quarantine", 0),
        {},
    )


def quarantine(today: date) -> Quarantine:
    held = QuarantinedCase(
        case="c1", dataset="numbers", owner="ann", expires=date(2026, 6, 2), reason="flaky"
    )
    return Quarantine(Path("quarantine.yaml"), today, (held,))
