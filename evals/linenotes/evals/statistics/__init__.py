"""What the numbers mean: estimates with intervals, paired comparisons, planning.

Pure functions on tables of `case, sample, value[, cluster, weight]`. The unit of inference is the
case, or the cluster of related cases; samples of one case are never treated as independent.
"""

from linenotes.evals.statistics._comparisons import (
    Comparison,
    Verdict,
    compare_many,
    compare_scores,
)
from linenotes.evals.statistics._estimates import Estimate, Target, estimate, pass_at, pass_hat
from linenotes.evals.statistics._planning import (
    PairedSpread,
    best_samples,
    detectable_change,
    more_samples_help,
    required_cases,
)
from linenotes.evals.statistics._sequential import (
    FEW_TO_STOP_EARLY,
    BaseRun,
    Look,
    SequentialComparison,
    compare_in_looks,
    look_times,
)

__all__ = [
    "FEW_TO_STOP_EARLY",
    "BaseRun",
    "Comparison",
    "Estimate",
    "Look",
    "PairedSpread",
    "SequentialComparison",
    "Target",
    "Verdict",
    "best_samples",
    "compare_in_looks",
    "compare_many",
    "compare_scores",
    "detectable_change",
    "estimate",
    "look_times",
    "more_samples_help",
    "pass_at",
    "pass_hat",
    "required_cases",
]
