from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from linenotes.evals import Gate, GateOrder, RunRecord, gate_report, run_gate
from linenotes.project import Project

Orders = Callable[..., GateOrder]


def project_of(order: GateOrder) -> Project:
    return order.candidate.agent.project


def test_what_is_identical_is_not_better(champion: RunRecord, order: Orders) -> None:
    for gate, code in (
        (Gate(superiority=True), 3),
        (Gate(margin=0), 3),
        (Gate(superiority=True, inconclusive=1), 1),
        (Gate(), 0),
    ):
        found = run_gate(asked := order("v1", champion, gate=gate), project_of(asked))
        assert (found.decision.verdict, found.decision.exit_code) == ("unchanged", code)
        told = f"What is identical is not better: exit code {code}." in gate_report.headline(found)
        assert told == (gate.allowed == 0)


def test_the_samples_of_both_sides_are_told_where_the_base_is_stored(
    champion: RunRecord, order: Orders
) -> None:
    outcomes = {key: one for key, one in champion.outcomes.items() if key != ("c3", 3)}
    scores = {key: champion.scores[key] for key in outcomes}
    thinner = replace(champion, outcomes=outcomes, scores=scores)
    told = []
    for base in (champion, thinner, "v1"):
        found = run_gate(asked := order("v2", base), project_of(asked))
        told.append(" ".join(gate_report.headline(found).split()))
    assert "n=30, K=1 against 4, exactly these cases" in told[0]
    assert "n=30, K=1 against 3 to 4, exactly these cases" in told[1]
    assert "against" not in told[2]


def test_that_more_samples_cannot_help_is_said_once(champion: RunRecord, order: Orders) -> None:
    key, (score,) = next(item for item in champion.scores.items() if item[1][0].value)
    base = replace(champion, scores={**champion.scores, key: (replace(score, value=False),)})
    asked = order("v1", base, gate=Gate(superiority=True), fresh=True)
    text = " ".join(" ".join(gate_report.lines(run_gate(asked, project_of(asked)))).split())
    assert text.startswith("INCONCLUSIVE")
    assert text.count("More samples ") == 1
