"""A pass that stopped early becomes a baseline only with the samples that it did not need."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import orjson
import pytest

from linenotes.evals import (
    Gate,
    GateOrder,
    GateResult,
    Interrupted,
    RunRecord,
    RunStore,
    Sample,
    Stop,
    conclude,
    find_baseline,
    gate_report,
    run_gate,
)
from linenotes.evals.engine._progress import Silent
from linenotes.evals.gating._kept_gates import GATE_FILE
from linenotes.evals.journal._records import FILE_NAME
from linenotes.project import Project, RunError

Orders = Callable[..., GateOrder]
LENIENT = Gate(margin=0.5, target="population")
CASES = 30


class StopsAfter(Silent):
    """Asks to stop after so many samples."""

    def __init__(self, samples: int) -> None:
        self.left = samples
        self.stop = Stop()
        self.notes: list[str] = []

    def advance(self, sample: Sample | None = None) -> None:
        self.left -= sample is not None
        self.stop.asked = self.left <= 0

    def note(self, text: str) -> None:
        self.notes.append(text)


def project_of(order: GateOrder) -> Project:
    return order.candidate.agent.project


def said_of(order: GateOrder, result: GateResult) -> dict[str, object]:
    assert result.candidate is not None
    folder = RunStore.of(project_of(order)).path(result.candidate.plan.run_id)
    found: dict[str, object] = orjson.loads((folder / GATE_FILE).read_bytes())
    return found


def run_ids(order: GateOrder) -> set[str]:
    return {plan.run_id for plan in RunStore.of(project_of(order)).plans()}


def times_finished(order: GateOrder, result: GateResult) -> Counter[tuple[str, int]]:
    assert result.candidate is not None
    folder = RunStore.of(project_of(order)).path(result.candidate.plan.run_id)
    events = [orjson.loads(line) for line in (folder / FILE_NAME).read_bytes().splitlines()]
    return Counter((e["case"], e["sample"]) for e in events if e["event"] == "finished")


@pytest.fixture
def early(order: Orders, champion: RunRecord) -> GateOrder:
    """A gate that passes at its first look, of four."""
    return order("v3", champion, gate=LENIENT, saves=True)


class IsKilled(Silent):
    """Ends the process as soon as a note begins like this, as a kill would."""

    def __init__(self, beginning: str) -> None:
        self.beginning = beginning

    def note(self, text: str) -> None:
        if text.startswith(self.beginning):
            raise KeyboardInterrupt


def stopped_while_filling(early: GateOrder) -> StopsAfter:
    progress = StopsAfter(CASES + 5)
    found = run_gate(early, project_of(early), progress=progress, stop=progress.stop)
    assert found.decision.verdict == "pass"
    assert isinstance(found.unfilled, Interrupted)
    return progress


def test_the_candidate_gets_its_other_samples_and_the_decision_stays(early: GateOrder) -> None:
    found = run_gate(early, project_of(early))
    assert (found.decision.verdict, found.samples, found.stopped_early) == ("pass", 1, True)
    assert found.filled is not None
    assert (found.filled.is_whole, found.filled_samples) == (True, 3 * CASES)
    assert found.filled.depth.low == early.samples
    assert said_of(early, found)["samples"] == 1
    text = " ".join(" ".join(gate_report.lines(found)).split())
    assert "Stopped early at K=1 of 4: 30 of 120 samples" in text
    assert "90 more samples (0 calls) taken after the decision, so that its early stop" in text

    concluded = conclude(project_of(early), found, save_as="next")
    saved = find_baseline(project_of(early), "next", agent="app", dataset="numbers")
    assert saved is not None
    assert len(saved.outcomes) == 4 * CASES
    assert concluded.document()["filled_samples"] == 3 * CASES
    said = said_of(early, found)
    assert (said["verdict"], said["samples"], said["saved"]) == ("pass", 1, str(concluded.saved))


def test_only_the_candidate_is_filled_up(order: Orders) -> None:
    found = run_gate(
        asked := order("v3", "v1", gate=LENIENT, samples=3, saves=True), project_of(asked)
    )
    base = RunStore.of(project_of(asked)).read(found.records[0].plan.run_id)
    assert found.filled is not None
    assert (base.plan.samples, found.filled.plan.samples) == (found.samples, 3)


def test_what_is_not_to_be_saved_or_did_not_pass_is_not_filled_up(
    order: Orders, champion: RunRecord
) -> None:
    for asked in (order("v3", champion, gate=LENIENT), order("v2", champion, saves=True)):
        found = run_gate(asked, project_of(asked))
        assert found.stopped_early
        assert found.filled is None
        assert len(times_finished(asked, found)) == CASES * found.samples


def test_a_pass_that_stopped_early_is_not_saved_as_it_is(
    order: Orders, champion: RunRecord
) -> None:
    asked = order("v3", champion, gate=LENIENT)
    found = conclude(project_of(asked), run_gate(asked, project_of(asked)), save_as="next")
    assert isinstance(found.problem, RunError)
    assert "flatters a baseline, so 'next' is not saved" in str(found.problem)
    assert find_baseline(project_of(asked), "next", agent="app", dataset="numbers") is None


def test_a_gate_that_was_stopped_on_the_way_to_its_baseline_goes_on(early: GateOrder) -> None:
    progress = stopped_while_filling(early)
    assert any("PASS at K=1. Its other samples" in note for note in progress.notes)
    listener = StopsAfter(1000)
    found = run_gate(early, project_of(early), progress=listener)
    assert any("This gate has passed: run" in note for note in listener.notes)
    assert (found.decision.verdict, found.samples, found.unfilled) == ("pass", 1, None)
    times = times_finished(early, found)
    assert (len(times), set(times.values())) == (4 * CASES, {1})


def test_a_gate_that_was_killed_when_it_had_just_passed_goes_on(early: GateOrder) -> None:
    before = run_ids(early)
    with pytest.raises(KeyboardInterrupt):
        run_gate(early, project_of(early), progress=IsKilled("PASS at K=1"))
    found = run_gate(early, project_of(early))
    assert (found.decision.verdict, found.samples, found.unfilled) == ("pass", 1, None)
    times = times_finished(early, found)
    assert (len(times), set(times.values())) == (4 * CASES, {1})
    assert len(run_ids(early) - before) == 1


def test_a_pass_that_could_not_be_saved_is_saved_without_another_gate(early: GateOrder) -> None:
    before, whole = run_ids(early), replace(early, samples=1)
    passed = run_gate(whole, project_of(early))
    assert (passed.decision.verdict, passed.stopped_early) == ("pass", False)
    in_the_way = project_of(early).root / "baselines" / "numbers" / "app" / "next.jsonl.gz"
    in_the_way.mkdir(parents=True)
    assert isinstance(conclude(project_of(early), passed, save_as="next").problem, RunError)
    in_the_way.rmdir()
    found = conclude(project_of(early), run_gate(whole, project_of(early)), save_as="next")
    assert found.saved is not None
    assert len(run_ids(early) - before) == 1
    run_gate(whole, project_of(early))
    assert len(run_ids(early) - before) == 2


def test_a_gate_that_was_stopped_on_the_way_to_its_baseline_is_not_saved(early: GateOrder) -> None:
    progress = StopsAfter(CASES + 5)
    stopped = run_gate(early, project_of(early), progress=progress, stop=progress.stop)
    found = conclude(project_of(early), stopped, save_as="next", promote_to="never")
    assert isinstance(found.problem, Interrupted)
    assert "it passed, and" in str(found.problem)
    assert (found.saved, found.promoted) == (None, ())
    assert "towards a baseline" in " ".join(found.lines())


def test_with_other_criteria_it_is_another_gate(early: GateOrder) -> None:
    stopped_while_filling(early)
    plans = RunStore.of(project_of(early)).plans()
    other = replace(early, gate=replace(LENIENT, margin=0.4))
    found = run_gate(other, project_of(early))
    assert found.candidate is not None
    assert found.candidate.plan.run_id not in {plan.run_id for plan in plans}


def test_a_gate_that_saves_nothing_does_not_go_on_to_a_baseline(early: GateOrder) -> None:
    stopped_while_filling(early)
    plans = RunStore.of(project_of(early)).plans()
    found = run_gate(replace(early, saves=False), project_of(early))
    assert found.candidate is not None
    assert found.candidate.plan.run_id not in {plan.run_id for plan in plans}
