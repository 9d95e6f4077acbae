"""Cases that improved or got worse between two runs, each with an example to read.

An example is two samples side by side: one that failed, of the run in which the case was worse, and
one that passed, of the other. Which samples they are does not depend on the order they ended in.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from linenotes.evals.journal._records import RunRecord
from linenotes.evals.journal._samples import SampleKey
from linenotes.evals.journal._tables import sample_table, score_values


@dataclass(frozen=True)
class Example:
    """A sample to read."""

    sample: int
    value: float
    trace_id: str | None
    """None where the run does not hold its samples."""
    why: str
    """What the agent's error or the scorer said; empty if nothing."""


@dataclass(frozen=True)
class FlippedCase:
    """A case whose mean changed."""

    case: str
    change: float
    """Of the mean, candidate less base."""
    before: tuple[float, ...]
    """The values of the base's samples, in their order."""
    after: tuple[float, ...]
    low: Example
    """The lowest sample of the run in which the case was worse: one that failed."""
    high: Example
    """The highest sample of the other run, to read beside it: one that passed."""

    @property
    def improved(self) -> bool:
        """Whether the candidate does better."""
        return self.change > 0


def flipped_cases(
    base: RunRecord, candidate: RunRecord, metric: str, *, beside: Sequence[RunRecord] = ()
) -> tuple[FlippedCase, ...]:
    """Return the cases whose mean changed, the largest change first, and of equal ones by id.

    The metric has one scale in both runs and in those `beside` them.
    """
    from linenotes.evals.statistics import case_changes

    runs = (base, candidate)
    values = [score_values(run, metric, beside=(*runs, *beside)) for run in runs]
    changes = case_changes(*(sample_table(*both) for both in zip(runs, values, strict=True)))
    changed = sorted((-abs(change), case) for case, change in changes.items() if change)
    by_case = [_by_case(values[0]), _by_case(values[1])]
    return tuple(
        _flipped(case, changes[case], metric, runs, (by_case[0][case], by_case[1][case]))
        for _, case in changed
    )


def _by_case(values: Mapping[SampleKey, float]) -> dict[str, dict[int, float]]:
    found: dict[str, dict[int, float]] = {}
    for (case, sample), value in values.items():
        found.setdefault(case, {})[sample] = value
    return found


def _flipped(
    case: str,
    change: float,
    metric: str,
    runs: tuple[RunRecord, RunRecord],
    values: tuple[dict[int, float], dict[int, float]],
) -> FlippedCase:
    worse, better = (0, 1) if change > 0 else (1, 0)
    lowest = min(values[worse], key=lambda sample: (values[worse][sample], sample))
    highest = min(values[better], key=lambda sample: (-values[better][sample], sample))
    return FlippedCase(
        case=case,
        change=change,
        before=tuple(values[0].values()),
        after=tuple(values[1].values()),
        low=_example(runs[worse], metric, (case, lowest), values[worse][lowest]),
        high=_example(runs[better], metric, (case, highest), values[better][highest]),
    )


def _example(run: RunRecord, metric: str, key: SampleKey, value: float) -> Example:
    is_known = key in run.samples and run.plan.has_conversations
    return Example(
        sample=key[1],
        value=value,
        trace_id=run.outcomes[key].trace_id if is_known else None,
        why=_why(run, metric, key),
    )


def _why(run: RunRecord, metric: str, key: SampleKey) -> str:
    if error := run.outcomes[key].error:
        return str(error)
    scores = run.scores.get(key, ())
    return next((score.rationale or "" for score in scores if score.name == metric), "")
