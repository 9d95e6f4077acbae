"""Going on with a run that is there: one that was stopped, that is to grow, or to be scored anew.

What a run sets out to do is changed by an amendment in its journal, so that it is known whenever
the work on it is interrupted.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from linenotes.evals._ongoing import OngoingRun
from linenotes.evals.engine._engine import Job
from linenotes.evals.journal._journal import Journal, is_being_written
from linenotes.evals.journal._plans import Amendment, RunPlan
from linenotes.evals.journal._records import FILE_NAME, RunRecord
from linenotes.evals.journal._runs import RunStore
from linenotes.evals.journal._samples import SampleKey
from linenotes.evals.scorers._scorers import (
    Scorer,
    codes_of,
    judges_of,
    reads_of,
    specs_of,
    units_of,
)
from linenotes.project import RunError
from linenotes.tracing import RecordingPolicy

if TYPE_CHECKING:
    from linenotes.datasets import Dataset
    from linenotes.evals._evaluation import Arm

_NAMED = 5
"""How many samples a sentence names."""


@dataclass(frozen=True)
class StoppedRun:
    """An evaluation that was stopped before its end, and that nobody carries out."""

    run_id: str
    """The first of its runs: continuing one continues all."""
    kept: int
    """Samples that had finished."""
    wanted: int


def find_stopped(
    runs: RunStore,
    arms: Sequence[Arm],
    dataset: Dataset,
    scorers: Sequence[Scorer],
    *,
    recordings: RecordingPolicy = RecordingPolicy(),  # noqa: B008  it is immutable
    seed: int = 0,
) -> StoppedRun | None:
    """Return the newest evaluation with the same plan, if it was stopped before its end.

    The plan is the same with equal versions, cases, samples, scorers, seed and use of recordings.
    """
    specs = tuple(specs_of(scorers).values())
    wanted = [
        (arm.version.fingerprint, arm.baseline, (arm.dataset or dataset).digest) for arm in arms
    ]
    for plans in reversed(_groups(runs.plans())):
        begun = [(p.fingerprint, p.baseline, p.dataset.digest) for p in plans]
        if begun != wanted or {(p.seed, p.recordings) for p in plans} != {(seed, recordings)}:
            continue
        records = [runs.read(plan.run_id) for plan in plans]
        if [(r.plan.samples, r.plan.scorers) for r in records] == [
            (a.samples, specs) for a in arms
        ]:
            return _stopped(runs, records)
    return None


def _groups(plans: Sequence[RunPlan]) -> list[list[RunPlan]]:
    groups: dict[str, list[RunPlan]] = defaultdict(list)
    for plan in plans:
        groups[plan.group].append(plan)
    return [*groups.values()]


def _stopped(runs: RunStore, records: Sequence[RunRecord]) -> StoppedRun | None:
    run_ids = [record.plan.run_id for record in records]
    if all(record.is_whole for record in records) or any(
        is_being_written(runs.path(run_id) / FILE_NAME) for run_id in run_ids
    ):
        return None
    kept = sum(len(record.outcomes) for record in records)
    if not kept:
        return None
    return StoppedRun(
        run_id=run_ids[0],
        kept=kept,
        wanted=sum(len(record.plan.cases) * record.plan.samples for record in records),
    )


def top_up(runs: Sequence[OngoingRun], samples: int) -> None:
    """Let the runs of an evaluation have `samples` samples of each case; baselines keep theirs.

    Raises:
        RunError: one has more already, or its agent is no longer what it was started with.
    """
    growing = [run for run in runs if not run.plan.baseline and run.plan.samples != samples]
    for run in growing:
        if samples < run.plan.samples:
            raise RunError(
                f"Run {run.plan.run_id[:12]} has {run.plan.samples} samples of each case, and none "
                f"is ever taken away. Name more than {run.plan.samples}, or start a new run with "
                f"--samples {samples}."
            )
        _ = run.version, run.cases
    for run in growing:
        run.journal.amended(Amendment(samples=samples))


def withdraw_edited(run: OngoingRun) -> Iterator[str]:
    """Let what edited scorers have said of a run be said anew; yield what a user should know.

    Else its scores would be of two scorers. Those that read theirs say their own anew, too.

    Raises:
        ScorerError: a scorer is no longer there.
    """
    was, now = run.plan.codes, codes_of(run.scorers)
    metrics = [metric for scorer in run.scorers for metric in scorer.metrics]
    edited = {one for one in metrics if one in was and was[one] != now.get(one)}
    if not edited or not run.journal.record.outcomes:
        return
    again = [one for one in run.scorers if edited & {*one.metrics, *one.reads}]
    run.journal.amended(rescoring(run.plan, again, add=True))
    yield (
        f"Run {run.plan.run_id[:12]}: edited since it scored: {', '.join(sorted(edited))}. "
        f"All {len(run.journal.record.outcomes)} samples are scored anew by it."
    )


def rescoring(plan: RunPlan, scorers: Sequence[Scorer], *, add: bool) -> Amendment:
    """Return the amendment that lets `scorers` judge the samples of a run anew.

    Raises:
        RunError: there is nothing that could judge them, or nothing of them to judge.
    """
    if not plan.has_conversations:
        raise RunError(
            f"Run {plan.run_id[:12]} holds the results of a file, and nothing of what was said, so "
            "it cannot be scored again. Add the metric to the file, and import that."
        )
    before = dict(zip(plan.metrics, plan.scorers, strict=True))
    new = specs_of(scorers)
    if not new:
        raise RunError(
            f"Run {plan.run_id[:12]} was imported, and what its file says of the samples is not "
            "scored again. Name a scorer: --scorer NAME, or --scorer scorers.py:function."
        )
    stand = [name for name in plan.standing(add=add) if before[name] not in new.values()]
    kept = {name: before[name] for name in stand if name not in new}
    first = [name for name in before if name in {*kept, *new}] if add else []
    after = {name: {**kept, **new}[name] for name in (*first, *new, *kept)}
    return Amendment(
        scorers=after,
        kept=frozenset(kept),
        units={n: unit for n, unit in plan.units.items() if n in kept} | units_of(scorers),
        reads={n: read for n, read in plan.reads.items() if n in kept} | reads_of(scorers),
        judges={n: judge for n, judge in plan.judges.items() if n in kept} | judges_of(scorers),
        codes={n: code for n, code in plan.codes.items() if n in kept} | codes_of(scorers),
    )


def what_is_there(journal: Journal, missing: Sequence[Job]) -> Iterator[str]:
    """Yield what a user should know of a run that goes on, a line each."""
    name, record, torn = journal.plan.run_id[:12], journal.record, journal.torn
    if torn.bytes or torn.samples:
        lost = f", and {_listed(torn.samples)} had not been kept whole" if torn.samples else ""
        yield f"Run {name}: {torn.bytes} bytes that were torn off in writing were cut{lost}."
    if missing and record.outcomes:
        ran = f" {_listed(record.running)} had not ended." if record.running else ""
        yield (
            f"Run {name}: {len(record.outcomes)} of {len(record.plan.cases) * record.plan.samples} "
            f"samples are kept, {len(missing)} are executed.{ran}"
        )


def _listed(keys: Sequence[SampleKey] | frozenset[SampleKey]) -> str:
    named = [f"{case}#{index}" for case, index in sorted(keys)]
    rest = f" and {len(named) - _NAMED} more" if len(named) > _NAMED else ""
    return ", ".join(named[:_NAMED]) + rest
