"""Samples that the agent failed, where a metric has no worst value to give them.

A candidate that crashes on its hard samples must not win by the rest. So as soon as a metric that
decides leaves out a failed sample of either run, the share of samples that the agent completed
decides with it, as a guardrail. Where no sample failed, there is nothing that it could show, and it
asks for nothing.

It counts among the metrics of which a drop in any one fails (Holm's correction, or Bonferroni's
over looks) from the first failure on. That the number of tests hangs on what is seen harms them
little: between equal versions, which samples failed tells no difference in the scores of the
others, so that given the failures their tests keep their levels; and its own test says nothing
until several samples have failed. What looks before the first failure have spent at the full level
adds less than a twentieth to the chance of a false alarm. Counting it always would take half the
level from every gate on one number, of agents that never crash.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from linenotes.evals._wording import counted
from linenotes.evals.journal._records import RunRecord
from linenotes.evals.journal._samples import SampleKey
from linenotes.evals.journal._tables import sample_table, score_table, score_values

if TYPE_CHECKING:
    import pandas as pd

COMPLETED = "agent completed"
"""The guardrail: 1 for a sample that the agent completed, 0 for one that it failed."""


def failures_left_out(
    record: RunRecord, metric: str, *, beside: Sequence[RunRecord]
) -> frozenset[SampleKey]:
    """Return the samples that the agent failed and that have no value of the metric."""
    if metric == COMPLETED:
        return frozenset()
    failed = record.failed
    return failed - score_values(record, metric, beside=beside).keys() if failed else failed


def leave_out_failures(runs: Sequence[RunRecord], metrics: Iterable[str]) -> bool:
    """Say whether any of the metrics has no value for a sample that an agent failed."""
    return any(failures_left_out(run, metric, beside=runs) for metric in metrics for run in runs)


def not_counted(base: RunRecord, candidate: RunRecord, metric: str) -> str:
    """Say how many samples a metric leaves out since the agent failed; empty for none."""
    runs, told = {"base": base, "candidate": candidate}, []
    for name, run in runs.items():
        if failed := failures_left_out(run, metric, beside=(*runs.values(),)):
            told.append(f"{counted(len(failed), 'sample')} of the {name}")
    return f"Not counted: the agent failed in {' and '.join(told)}." if told else ""


def deciding_table(record: RunRecord, metric: str, *, beside: Sequence[RunRecord]) -> pd.DataFrame:
    """Return the table of a metric that decides, or of the samples that the agent completed.

    Samples that the infrastructure lost are in neither.
    """
    if metric != COMPLETED or metric in record.plan.metrics:
        return score_table(record, metric, beside=beside)
    failed, ended = record.failed, sorted(record.outcomes.keys() - record.lost)
    return sample_table(record, {key: float(key not in failed) for key in ended})
