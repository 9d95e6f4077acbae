"""What judging again has shown, as text."""

from __future__ import annotations

from collections.abc import Iterator

from linenotes.evals._wording import counted
from linenotes.evals.documents._judge_documents import RepeatDocument, ShareDocument
from linenotes.evals.judging._repeating import Repeated


def rows(found: Repeated) -> list[tuple[str, ...]]:
    """Return a header and a row for each metric: where the variance of a score comes from."""
    header = ("metric", "samples", "judged", "changed", "cases", "agent", "judge")
    return [header, *map(_row, found.metrics)]


def closing_lines(found: Repeated) -> list[str]:
    """Return what follows from the table."""
    lines = [line for metric in found.metrics for line in _on(metric)]
    if found.lost:
        lost = counted(found.lost, "sample")
        lines.append(f"The infrastructure lost {lost}: these are in no share.")
    return lines


def _row(metric: RepeatDocument) -> tuple[str, ...]:
    return (
        metric.metric,
        str(metric.samples),
        f"{metric.times} times",
        str(metric.changed),
        *(_share(one) for one in (metric.case, metric.agent, metric.judge_noise)),
    )


def _share(found: ShareDocument | None) -> str:
    return "–" if found is None else f"{100 * found.share:.0f}%"


def _on(metric: RepeatDocument) -> Iterator[str]:
    yield f"{metric.metric} is judged by {metric.judge}."
    if metric.failures:
        failures = counted(metric.failures, "time")
        yield f"{metric.metric}: the judge gave no score {failures}."
    if metric.most_changed is not None:
        yield _on_none_changed(metric)
    agent, judge = metric.agent, metric.judge_noise
    if agent is not None and judge is not None and judge.share > agent.share:
        yield f"{metric.metric}: the judge is noisier than the agent; a steadier one helps most."
    if agent is None and judge is not None:
        yield f"{metric.metric}: with one sample a case, the agent's noise is among the cases'."


def _on_none_changed(metric: RepeatDocument) -> str:
    judgements = counted(metric.samples * metric.times - metric.failures, "judgement")
    most = f"{100 * metric.most_changed:.0f}%" if metric.most_changed is not None else ""
    cases, units = counted(metric.cases, "case"), "cases"
    if metric.clusters is not None:
        cases, units = f"{cases} in {counted(metric.clusters, 'cluster')}", "clusters"
    return (
        f"{metric.metric}: the judge never changed its word in {judgements} of {cases}, so it "
        f"does on at most {most} of such {units} (95%)."
    )
