"""What stays of a session: the judgements as scores of its runs, baselines, and pages.

Workers of one session judge different tests of one run: each adds its own metrics, one worker at
a time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from linenotes.evals._evaluation import Evaluation
from linenotes.evals.comparing._comparison_page import comparison_page
from linenotes.evals.comparing._reports import ComparisonReport
from linenotes.evals.gating._baselines import save_baseline
from linenotes.evals.journal._runs import RunStore
from linenotes.evals.journal._samples import Sample, Score
from linenotes.evals.scorers._scorers import Scorer
from linenotes.evals.suite._baseline_runs import name_of_tests
from linenotes.evals.suite._executing import locked
from linenotes.evals.suite._golden_tests import GoldenTest
from linenotes.evals.suite._judging import CaseJudgement
from linenotes.evals.suite._verdicts import Verdict
from linenotes.evals.suite._wishes import Wishes
from linenotes.project import LinenotesError, RunError


@dataclass(frozen=True)
class Judged:
    """A test with its verdict, and what it says of each of its cases."""

    test: GoldenTest
    verdict: Verdict
    cases: Mapping[str, CaseJudgement]

    @property
    def run_id(self) -> str:
        """The run that was judged."""
        return self.verdict.record.plan.run_id

    @property
    def scorer(self) -> Scorer:
        """What gives the samples of the run the scores that were judged."""
        known = {
            (case.case, one.index): one.score(self.test.metric)
            for case in self.cases.values()
            for one in case.of_samples
        }

        def look_up(sample: Sample) -> Score:
            score = known[sample.case.id, sample.index]
            assert score is not None, "only samples that finished are scored"
            return score

        return Scorer(self.test.metric, self.test.spec, look_up, code=self.test.code)


def write_page(one: Judged, folder: Path) -> None:
    """Write the comparison of a verdict with its baseline as a page, if there is one.

    Raises:
        RunError: the file cannot be written.
    """
    verdict = one.verdict
    if verdict.base is None or verdict.gate is None:
        return
    gate = verdict.gate
    report = ComparisonReport.of(
        verdict.base,
        [verdict.deciding],
        metric=gate.metric,
        margin=gate.allowed,
        guardrails=gate.guardrails,
        target=gate.target,
        family=gate.family,
    )
    path = folder / f"{one.test.metric}.html"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path.write_text(comparison_page(report), encoding="utf-8")
    except OSError as error:
        raise RunError(
            f"The page cannot be written to {str(path)!r}: {error.strerror}. Name another folder."
        ) from error


@dataclass(frozen=True)
class Kept:
    """What is to be told of keeping a session."""

    notes: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    """What was asked for and did not come about: the session has not succeeded."""


def keep(judged: Sequence[Judged], wishes: Wishes) -> Kept:
    """Add the judgements to the runs, and save baselines; return what is to be told of that.

    A run that was stopped stays without scores: it is continued, and judged when it is whole.
    """
    judged = [one for one in judged if one.verdict.record.is_whole]
    notes: list[str] = []
    with locked(wishes.project.make_state() / "pytest" / "scores.lock"):
        for run_id in dict.fromkeys(one.run_id for one in judged):
            own = [one for one in judged if one.run_id == run_id]
            try:
                Evaluation(wishes.project).score(run_id, [one.scorer for one in own], add=True)
            except LinenotesError as error:
                notes.append(str(error))
        saved = _save_baselines(judged, wishes) if wishes.updates_baseline else Kept()
    return Kept((*notes, *saved.notes), saved.problems)


def _save_baselines(judged: Sequence[Judged], wishes: Wishes) -> Kept:
    wanted: dict[tuple[str, str, str], dict[str, None]] = {}
    for one in judged:
        gate, plan = wishes.gate(one.test.declared), one.verdict.record.plan
        if gate is not None and not one.verdict.fails:
            runs = wanted.setdefault((plan.agent, plan.dataset.name, gate.baseline), {})
            runs[one.run_id] = None
    notes, problems = [], []
    for (_, _, name), runs in wanted.items():
        try:
            notes.append(_save(name, [*runs], wishes))
        except RunError as error:
            problems.append(str(error))
    return Kept(tuple(notes), tuple(problems))


def _save(name: str, run_ids: Sequence[str], wishes: Wishes) -> str:
    if len(run_ids) > 1:
        raise RunError(
            f"Baseline {name!r} was not saved: tests with it select different cases of one "
            "dataset. Name another baseline in the gate of one of them."
        )
    record = RunStore.of(wishes.project).read(run_ids[0])
    path = save_baseline(wishes.project, record, name_of_tests(name))
    return f"Baseline {name!r} is now run {run_ids[0][:12]}: {path}."
