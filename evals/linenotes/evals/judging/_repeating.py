"""A judge held against itself: the stored samples of a run judged several times more.

No agent is called, and the run keeps its scores. What differs between judgements of one sample is
the judge's noise, and so no version's merit.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from linenotes.evals.documents._judge_documents import (
    RepeatDocument,
    RepeatsDocument,
    ShareDocument,
)
from linenotes.evals.engine._progress import Progress, Silent
from linenotes.evals.journal._records import RunRecord
from linenotes.evals.journal._samples import SampleKey, Score, ScoreValue
from linenotes.evals.scorers._scorer_loading import find_scorers
from linenotes.evals.scorers._scorers import Scorer, score_sample
from linenotes.project import Project, RunError

if TYPE_CHECKING:
    from linenotes.evals.statistics import NestedSplit

Repeated = RepeatsDocument
"""What judging again has shown."""
DEFAULT_TIMES = 3


@dataclass(frozen=True)
class _Judgement:
    key: SampleKey
    scores: tuple[Score, ...]


def repeat_judging(
    record: RunRecord,
    project: Project,
    *,
    metrics: Sequence[str] = (),
    times: int = DEFAULT_TIMES,
    concurrency: int = 8,
    progress: Progress | None = None,
) -> Repeated:
    """Judge each finished sample of a run `times` times, and split the variance of its scores.

    Args:
        record: the run.
        project: where its scorers are looked up.
        metrics: what is judged again; none stands for all that a model judges.
        times: how often.
        concurrency: how many samples are judged at a time.
        progress: hears of each sample.

    Raises:
        RunError: nothing of the run can be judged again.
        ScorerError: a scorer of the run is no longer there.
    """
    progress = progress or Silent()
    scorers = _scorers(record, project, metrics)
    keys = [key for key, outcome in record.outcomes.items() if outcome.error is None]
    if not keys:
        raise RunError(f"Run {record.plan.run_id[:12]} has no sample that could be judged again.")
    progress.stage(f"Judging {len(keys)} samples {times} times", total=len(keys) * times)
    with project.redactor.in_force():
        judged = asyncio.run(_judged(record, scorers, keys * times, concurrency, progress))
    asked = set(metrics) or set(record.plan.judges)
    return RepeatsDocument(
        run=record.plan.run_id,
        lost=len(record.lost),
        metrics=[
            _split(metric, scorer, judged, times, _clusters(record))
            for scorer in scorers
            for metric in scorer.metrics
            if metric in asked
        ],
    )


def _scorers(record: RunRecord, project: Project, metrics: Sequence[str]) -> list[Scorer]:
    plan = record.plan
    wanted = list(dict.fromkeys(metrics or plan.judges))
    if not plan.has_conversations:
        raise RunError(
            f"Run {plan.run_id[:12]} holds the results of a file, and nothing that could be judged "
            "again. Name a run whose conversations are known."
        )
    if not wanted:
        raise RunError(
            f"No metric of run {plan.run_id[:12]} is judged by a model that is known. Name one: "
            "--metric NAME, or declare its judge: @scorer(judge=MODEL, prompt=TEXT)."
        )
    unknown = next((name for name in wanted if name not in plan.metrics), None)
    if unknown is not None:
        raise RunError(
            f"Run {plan.run_id[:12]} has no metric {unknown!r}. It has {', '.join(plan.metrics)}."
        )
    given = dict(zip(plan.metrics, plan.scorers, strict=True))
    specs = dict.fromkeys(given[name] for name in wanted)
    return find_scorers([*specs], project, beside=plan.metrics)


async def _judged(
    record: RunRecord,
    scorers: Sequence[Scorer],
    keys: Sequence[SampleKey],
    concurrency: int,
    progress: Progress,
) -> list[_Judgement]:
    """Judge the samples, of which so many are in memory as are judged at a time."""
    room = asyncio.Semaphore(concurrency)
    own = {metric for scorer in scorers for metric in scorer.metrics}

    async def judge(key: SampleKey) -> _Judgement:
        async with room:
            stand = [score for score in record.scores.get(key, ()) if score.name not in own]
            scores = await score_sample(record.samples[key], scorers, stand=stand)
            progress.advance()
            return _Judgement(key, scores)

    return await asyncio.gather(*map(judge, keys))


def _clusters(record: RunRecord) -> Mapping[str, str] | None:
    """Return the cluster of each case that has one; None where the dataset declares none."""
    return {case.id: case.cluster for case in record.plan.cases if case.cluster} or None


def _split(
    metric: str,
    scorer: Scorer,
    judged: Sequence[_Judgement],
    times: int,
    clusters: Mapping[str, str] | None,
) -> RepeatDocument:
    from linenotes.evals.statistics import most_unseen

    said = [(one.key, score) for one in judged for score in one.scores if score.name == metric]
    values: dict[SampleKey, list[ScoreValue]] = {key: [] for key, _ in said}
    for key, score in said:
        if score.value is not None:
            values[key].append(score.value)
    shares, changed = _shares(values), sum(len(set(given)) > 1 for given in values.values())
    cases = {case for case, _ in values}
    # A case without a cluster is one of its own.
    units = (
        {(clusters[case], "") if case in clusters else ("", case) for case in cases}
        if clusters
        else cases
    )
    return RepeatDocument(
        metric=metric,
        judge=scorer.judge or scorer.spec,
        samples=len(values),
        cases=len(cases),
        clusters=len(units) if clusters else None,
        times=times,
        failures=sum(score.value is None for _, score in said),
        changed=changed,
        most_changed=most_unseen(len(units)) if any(values.values()) and not changed else None,
        case=shares.get("case"),
        agent=shares.get("sample"),
        judge_noise=shares.get("judge"),
    )


def _shares(values: dict[SampleKey, list[ScoreValue]]) -> dict[str, ShareDocument]:
    """Return source to its share of the variance; nothing for names, or where nothing varied."""
    import pandas as pd

    from linenotes.evals.statistics import nested_split

    rows = [(*key, value) for key, given in values.items() for value in given]
    if any(isinstance(value, str) for *_, value in rows):
        return {}
    found = nested_split(pd.DataFrame(rows, columns=["case", "sample", "value"]))
    return dict(_documents(found))


def _documents(found: NestedSplit) -> Iterator[tuple[str, ShareDocument]]:
    variances = {"case": found.case, "sample": found.sample, "judge": found.judge}
    for source, variance in variances.items():
        if variance is not None and any(found.shares.values()):
            share = found.shares[source]
            yield source, ShareDocument(variance=variance, share=share)
