from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import orjson
import pytest

from linenotes.agents import AgentVersion
from linenotes.datasets import Dataset
from linenotes.evals import (
    Gate,
    GateOrder,
    Interrupted,
    RunRecord,
    RunStore,
    Sample,
    Stop,
    evaluate,
    gate_report,
    run_gate,
)
from linenotes.evals.engine._progress import Silent
from linenotes.evals.gating._kept_gates import GATE_FILE
from linenotes.evals.journal._records import FILE_NAME
from linenotes.evals.scorers import scorer
from linenotes.project import Project, RunError

Orders = Callable[..., GateOrder]


def project_of(order: GateOrder) -> Project:
    return order.candidate.agent.project


def runs_of(order: GateOrder) -> RunStore:
    return RunStore.of(project_of(order))


def test_a_bad_version_fails_after_the_first_look_and_its_run_is_whole(
    champion: RunRecord, order: Orders
) -> None:
    asked = order("v2", champion)
    before = len(runs_of(asked).plans())
    found = run_gate(asked, project_of(asked))
    assert (found.decision.verdict, found.decision.exit_code) == ("fail", 1)
    assert found.candidate is not None
    assert (found.samples, found.stopped_early, found.ended_by) == (1, True, "decision")
    assert "next to nothing" not in " ".join(gate_report.lines(found))
    assert found.candidate.is_whole
    assert found.candidate.plan.samples == 1
    # Only the candidate was run.
    assert len(runs_of(asked).plans()) == before + 1


def test_a_good_version_passes(champion: RunRecord, order: Orders) -> None:
    asked = order("v3", champion, samples=6)
    found = run_gate(asked, project_of(asked))
    assert (found.decision.verdict, found.decision.exit_code) == ("pass", 0)
    folder = runs_of(asked).path(found.records[-1].plan.run_id)
    kept = orjson.loads((folder / GATE_FILE).read_bytes())
    assert (kept["verdict"], kept["samples"]) == ("pass", found.samples)


def test_an_undecided_gate_takes_all_samples_and_says_what_would_decide(
    order: Orders,
) -> None:
    asked = order("v3", "v1", cases=8, samples=2)
    found = run_gate(asked, project_of(asked))
    assert (found.decision.verdict, found.decision.exit_code) == ("inconclusive", 3)
    assert (found.samples, found.ended_by, found.stopped_early) == (2, "samples", False)
    text = " ".join(" ".join(gate_report.lines(found)).split())
    assert text.startswith("INCONCLUSIVE matches_expectations ")
    assert "a drop of 5 points is not ruled out." in text
    assert "n=8, K=2, exactly these cases" in text
    assert "To decide: about" in text or "add cases" in text
    assert "With 8 cases stopping early saves next to nothing" in text


def test_a_version_as_the_baseline_runs_interleaved_with_the_candidate(order: Orders) -> None:
    asked = order("v2", "v1", gate=Gate(target="population"))
    found = run_gate(asked, project_of(asked))
    assert found.decision.verdict == "fail"
    base, candidate = found.records
    assert base.plan.group == candidate.plan.group
    assert base.plan.samples == candidate.plan.samples == found.samples
    assert [plan.version for plan in (base.plan, candidate.plan)] == ["v1", "v2"]
    assert found.decision.comparisons[0].base.run_id == base.plan.run_id


def test_nothing_is_run_where_nothing_differs_unless_it_is_to_be_fresh(
    champion: RunRecord, order: Orders
) -> None:
    asked = order("v1", champion)
    before = len(runs_of(asked).plans())
    found = run_gate(asked, project_of(asked))
    assert (found.decision.verdict, found.decision.exit_code) == ("unchanged", 0)
    assert len(runs_of(asked).plans()) == before
    assert gate_report.lines(found)[0].startswith("UNCHANGED     same prompts")
    fresh = run_gate(order("v1", champion, fresh=True), project_of(asked))
    assert fresh.decision.verdict in ("pass", "inconclusive")
    assert len(runs_of(asked).plans()) == before + 1


def test_other_cases_or_other_scorers_are_a_change(champion: RunRecord, order: Orders) -> None:
    def always(sample: Sample) -> bool:
        return True

    assert order("v1", champion).is_unchanged
    assert not order("v1", champion, cases=20).is_unchanged
    assert not order("v1", champion, scorers=(always,)).is_unchanged


def test_an_edited_scorer_is_a_change_and_so_is_one_whose_code_nobody_knows(
    rated: Callable[[str], AgentVersion], numbers: Callable[..., Dataset], order: Orders
) -> None:
    own = rated("v1").agent.project.root / "own.py"
    own.write_text("def right(sample):\n    return sample.output is not None\n", encoding="utf-8")
    scorers = ("own.py:right",)
    base = evaluate(rated("v1"), numbers(4), scorers, samples=2).record
    assert order("v1", base, cases=4, scorers=scorers).is_unchanged
    own.write_text(f"# what is right\n{own.read_text()}", encoding="utf-8")
    assert order("v1", base, cases=4, scorers=scorers).is_unchanged
    unknown = replace(base, plan=base.plan.model_copy(update={"codes": {}}))
    assert not order("v1", unknown, cases=4, scorers=scorers).is_unchanged
    own.write_text("def right(sample):\n    return True\n", encoding="utf-8")
    edited = order("v1", base, cases=4, scorers=scorers)
    assert not edited.is_unchanged
    said = " ".join(gate_report.lines(run_gate(edited, project_of(edited))))
    assert "Differs: scorer right: its code." in " ".join(said.split())


def test_a_gate_that_was_stopped_goes_on_with_what_is_there(
    champion: RunRecord, order: Orders
) -> None:
    asked, stop = order("v3", champion), Stop()

    class AfterFive(Silent):
        seen = 0

        def advance(self, sample: Sample | None = None) -> None:
            self.seen += sample is not None
            stop.asked = self.seen >= 5

    with pytest.raises(Interrupted, match="The same `linenotes gate` goes on"):
        run_gate(asked, project_of(asked), progress=AfterFive(), stop=stop)
    stopped = runs_of(asked).plans()[-1]
    found = run_gate(asked, project_of(asked))
    assert found.records[-1].plan.run_id == stopped.run_id
    lines = (runs_of(asked).path(stopped.run_id) / FILE_NAME).read_bytes().splitlines()
    events = [orjson.loads(line) for line in lines]
    times = Counter((e["case"], e["sample"]) for e in events if e["event"] == "finished")
    assert set(times.values()) == {1}
    assert len(times) == 30 * found.samples


def test_a_gate_that_has_decided_is_never_gone_on_with(champion: RunRecord, order: Orders) -> None:
    asked = order("v2", champion)
    first, second = (run_gate(asked, project_of(asked)) for _ in range(2))
    assert first.records[-1].plan.run_id != second.records[-1].plan.run_id
    assert first.decision.verdict == second.decision.verdict == "fail"


def test_a_stopped_gate_is_left_alone_by_a_fresh_one(champion: RunRecord, order: Orders) -> None:
    asked, stop = order("v2", champion), Stop()

    class AtOnce(Silent):
        def advance(self, sample: Sample | None = None) -> None:
            stop.asked = True

    with pytest.raises(Interrupted):
        run_gate(asked, project_of(asked), progress=AtOnce(), stop=stop)
    stopped = runs_of(asked).plans()[-1]
    found = run_gate(order("v2", champion, fresh=True), project_of(asked))
    assert found.records[-1].plan.run_id != stopped.run_id


def test_a_guardrail_that_drops_fails_the_gate(order: Orders) -> None:
    def always(sample: Sample) -> bool:
        return True

    def right(sample: Sample) -> bool:
        return bool(sample.output["answer"] == sample.inputs["question"])  # type: ignore[index,call-overload]

    scorers = (always, right)
    gate = Gate(guardrails={"right": 0.05}, target="population", margin=0.2)
    asked = order("v2", "v1", scorers=scorers, gate=gate)
    found = run_gate(asked, project_of(asked))
    assert [one.result.verdict for one in found.decision.comparisons] == ["pass", "fail"]
    assert found.decision.verdict == "fail"
    told = gate_report.lines(found)
    assert told[0].startswith("FAIL          guardrail fail: right ")
    assert any("primary pass: always" in line for line in told)
    assert gate_report.headline(found).startswith("FAIL guardrail fail: right")


def test_what_cannot_be_compared_is_told_before_anything_is_run(
    champion: RunRecord,
    order: Orders,
    rated: Callable[[str], AgentVersion],
    numbers: Callable[..., Dataset],
) -> None:
    project = rated("v1").agent.project
    once = evaluate(rated("v1"), numbers(4), samples=1).record
    other = [case.model_copy(update={"id": "x" + case.id}) for case in numbers(4).cases]
    strange = evaluate(rated("v1"), Dataset("numbers", tuple(other)), samples=2).record
    changed = [case.model_copy(update={"inputs": {"question": -9}}) for case in numbers(30).cases]
    refused = [
        (order("v2", champion, gate=Gate(metric="speed")), "has no metric 'speed'"),
        (order("v2", champion, gate=Gate(guardrails={"nice": 0.1})), "has no metric 'nice'"),
        (order("v2", champion, samples=1), "One sample a case cannot show the noise"),
        (order("v2", once), "'champion' has one sample a case"),
        (order("v2", strange), "has none of the cases"),
    ]
    before = len(RunStore.of(project).plans())
    for asked, message in refused:
        with pytest.raises(RunError, match=message):
            run_gate(asked, project)
    asked = order("v2", champion)
    moved = GateOrder(
        asked.gate, asked.base, asked.candidate, Dataset("numbers", tuple(changed)), asked.scorers
    )
    with pytest.raises(RunError, match="cases have changed"):
        run_gate(moved, project)
    assert len(RunStore.of(project).plans()) == before


def test_a_judge_that_nobody_has_checked_is_told_in_the_verdict_line(order: Orders) -> None:
    @scorer(judge="model-1", prompt="Is it right?")
    def polite(sample: Sample) -> bool:
        return sample.index == 0

    asked = order("v2", "v1", cases=4, samples=2, scorers=(polite,))
    found = run_gate(asked, project_of(asked))
    assert found.uncalibrated == ("polite",)
    assert "Uncalibrated judge." in gate_report.headline(found)
