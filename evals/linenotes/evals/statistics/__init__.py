"""What the numbers mean: estimates with intervals, paired comparisons, planning.

Pure functions on tables of `case, sample, value[, cluster, weight]`. The unit of inference is the
case, or the cluster of related cases; samples of one case are never treated as independent.
"""

from linenotes.evals.statistics._case_changes import case_changes
from linenotes.evals.statistics._comparisons import (
    Comparison,
    Verdict,
    compare_amounts,
    compare_scores,
)
from linenotes.evals.statistics._estimates import Estimate, Target, estimate, pass_at, pass_hat
from linenotes.evals.statistics._joint_comparisons import (
    compare_jointly,
    compare_many,
    holm_corrected,
)
from linenotes.evals.statistics._multiplicity import benjamini_hochberg, holm
from linenotes.evals.statistics._planning import (
    PairedSpread,
    best_samples,
    detectable_change,
    more_samples_help,
    required_cases,
)

__all__ = [
    "Comparison",
    "Estimate",
    "PairedSpread",
    "Target",
    "Verdict",
    "benjamini_hochberg",
    "best_samples",
    "case_changes",
    "compare_amounts",
    "compare_jointly",
    "compare_many",
    "compare_scores",
    "detectable_change",
    "estimate",
    "holm",
    "holm_corrected",
    "more_samples_help",
    "pass_at",
    "pass_hat",
    "required_cases",
]
