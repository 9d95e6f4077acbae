"""All stored samples of one version: the same fingerprint, the same cases, the same scorer.

Runs of one version repeat one experiment, so their samples of a case belong together. A case that
has changed since is another case, and its old samples are left out. So are copies: a sample that
recordings gave again, or that the embedded model gave again for the same seed, is no evidence
beyond the first.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from linenotes.evals._wording import counted
from linenotes.evals.journal._instruments import instrument_of
from linenotes.evals.journal._plans import RunPlan
from linenotes.evals.journal._records import RunRecord
from linenotes.evals.journal._runs import RunStore
from linenotes.evals.journal._samples import Outcome, SampleKey
from linenotes.evals.journal._tables import is_rate, score_table
from linenotes.project import RunError

if TYPE_CHECKING:
    import pandas as pd

_LOCAL = "local:"


@dataclass(frozen=True)
class VersionHistory:
    """One metric of one version, over its runs."""

    runs: tuple[RunRecord, ...]
    """Oldest first; the last is the run that is looked at. None has a copy, nor an old case."""
    metric: str
    copies: int = 0
    """Samples that were left out because they repeat an earlier one."""

    @property
    def latest(self) -> RunRecord:
        """The run that is looked at."""
        return self.runs[-1]

    @property
    def is_rate(self) -> bool:
        """Whether the metric is a share of passes in all runs."""
        return all(is_rate(run, self.metric) for run in self.runs)

    @property
    def notes(self) -> tuple[str, ...]:
        """What to know of the samples."""
        if not self.copies:
            return ()
        return (
            f"{counted(self.copies, 'sample')} left out as copies of earlier ones: replayed, or of "
            "the embedded model with the same seed (another: linenotes eval --seed).",
        )

    def scores(self) -> pd.DataFrame:
        """Return the samples of all runs as one table."""
        return self._pooled(self.runs)

    def earlier_scores(self) -> pd.DataFrame:
        """Return the samples of all runs but the latest as one table."""
        return self._pooled(self.runs[:-1])

    def latest_scores(self) -> pd.DataFrame:
        """Return the samples of the latest run."""
        return self._pooled(self.runs[-1:])

    def _pooled(self, runs: tuple[RunRecord, ...]) -> pd.DataFrame:
        """Number the samples of each case on, from run to run."""
        import pandas as pd

        tables = [score_table(run, self.metric, beside=self.runs) for run in runs]
        scored = [table[["case", "sample", "value"]] for table in tables if len(table)]
        if not scored:
            return pd.DataFrame({"case": [], "sample": [], "value": []})
        pooled = pd.concat(scored, ignore_index=True)
        pooled["value"] = pooled["value"].astype(float)
        pooled["sample"] = pooled.groupby("case").cumcount()
        cases = {case.id: case for case in self.latest.plan.cases}
        pooled["weight"] = [cases[case].weight for case in pooled["case"]]
        clusters = pd.Series([cases[case].cluster for case in pooled["case"]], dtype=object)
        return pooled.assign(cluster=clusters) if clusters.notna().any() else pooled


def one_run(record: RunRecord, metric: str | None = None) -> VersionHistory:
    """Return a run by itself.

    Raises:
        RunError: it has no such metric.
    """
    return VersionHistory((record,), _metric(record.plan, metric))


def version_history(store: RunStore, plan: RunPlan, metric: str | None = None) -> VersionHistory:
    """Return a run with all earlier runs of the same version on the same dataset.

    Raises:
        RunError: the run has no such metric, or a journal cannot be read.
    """
    latest = store.read(plan.run_id)
    metric = _metric(latest.plan, metric)
    seen: set[tuple[str, int, int]] = set()
    runs, copies = [], 0
    for record in [*_earlier(store, latest.plan, metric), latest]:
        ours = _of_cases(record, latest.plan)
        fresh = dict(_fresh(ours, seen))
        copies += len(ours.outcomes) - len(fresh)
        runs.append(_only(ours, fresh))
    *earlier, now = runs
    return VersionHistory((*(run for run in earlier if run.outcomes), now), metric, copies)


def newest_plan(store: RunStore, name: str) -> tuple[RunPlan, bool]:
    """Return the run that `name` means, and whether it is an agent whose newest run that is.

    Raises:
        RunError: there is neither such an agent nor such a run.
    """
    of_agent = [plan for plan in store.plans() if plan.agent == name]
    return (of_agent[-1], True) if of_agent else (store.find(name), False)


def _metric(plan: RunPlan, metric: str | None) -> str:
    if not plan.metrics:
        raise RunError(f"Run {plan.run_id[:12]} has no scores. Choose a run that has some.")
    if metric is not None and metric not in plan.metrics:
        raise RunError(
            f"Run {plan.run_id[:12]} has no metric {metric!r}. It has {', '.join(plan.metrics)}."
        )
    return metric or plan.metrics[0]


def _earlier(store: RunStore, plan: RunPlan, metric: str) -> Iterator[RunRecord]:
    instrument = instrument_of(plan, metric)
    for other in store.plans():
        if other.run_id == plan.run_id:
            return
        if (other.fingerprint, other.dataset.name) != (plan.fingerprint, plan.dataset.name):
            continue
        record = store.read(other.run_id)
        if instrument_of(record.plan, metric) == instrument:
            yield record


def _of_cases(record: RunRecord, plan: RunPlan) -> RunRecord:
    """Return the run without cases that are not, or no longer, those of `plan`."""
    asked = {case.id: (case.inputs, case.expectations) for case in plan.cases}
    same = {
        case.id
        for case in record.plan.cases
        if asked.get(case.id) == (case.inputs, case.expectations)
    }
    return _only(record, {k: one for k, one in record.outcomes.items() if k[0] in same})


def _only(record: RunRecord, outcomes: Mapping[SampleKey, Outcome]) -> RunRecord:
    scores = {key: one for key, one in record.scores.items() if key in outcomes}
    return replace(record, outcomes=outcomes, scores=scores)


def _fresh(
    record: RunRecord, seen: set[tuple[str, int, int]]
) -> Iterator[tuple[SampleKey, Outcome]]:
    """Yield the samples that repeat none of `seen`, and add them to it."""
    local = {
        settings.model.removeprefix(_LOCAL)
        for settings in record.plan.models.values()
        if settings.model.startswith(_LOCAL)
    }
    for key, outcome in record.outcomes.items():
        identity = (*key, record.plan.seed)
        models = {usage.model.removeprefix(_LOCAL) for usage in outcome.usage}
        repeatable = outcome.replayed > 0 or (bool(models) and models <= local)
        if not (repeatable and identity in seen):
            yield key, outcome
        seen.add(identity)
