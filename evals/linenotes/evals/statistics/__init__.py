"""What the numbers mean: estimates with intervals, paired comparisons, planning.

Pure functions on tables of `case, sample, value[, cluster, weight]`. The unit of inference is the
case, or the cluster of related cases; samples of one case are never treated as independent.
"""

from linenotes.evals.statistics._agreement import (
    Agreement,
    Confusion,
    Level,
    cohen_kappa,
    confusion,
    krippendorff_alpha,
)
from linenotes.evals.statistics._case_changes import case_changes
from linenotes.evals.statistics._comparisons import (
    Comparison,
    Verdict,
    compare_amounts,
    compare_scores,
)
from linenotes.evals.statistics._corrections import Corrected, prediction_powered_mean, rogan_gladen
from linenotes.evals.statistics._drift import (
    NumberChart,
    NumberWatch,
    RateChart,
    RateWatch,
    number_chart,
    rate_chart,
)
from linenotes.evals.statistics._estimates import Estimate, Target, estimate, pass_at, pass_hat
from linenotes.evals.statistics._false_alarms import Alarms
from linenotes.evals.statistics._flakiness import (
    BetaPrior,
    CaseClass,
    CaseStability,
    ChangedCase,
    case_stability,
    changed_cases,
    fit_prior,
)
from linenotes.evals.statistics._joint_comparisons import (
    compare_jointly,
    compare_many,
    holm_corrected,
)
from linenotes.evals.statistics._looks import FEW_TO_STOP_EARLY, look_times
from linenotes.evals.statistics._multiplicity import benjamini_hochberg, holm
from linenotes.evals.statistics._nested import NestedSplit, most_unseen, nested_split
from linenotes.evals.statistics._pilots import Pilot, pilot_of_pair, pilot_of_run
from linenotes.evals.statistics._planning import (
    PairedSpread,
    best_samples,
    detectable_change,
    more_samples_help,
    power_of,
    required_cases,
    required_samples,
)
from linenotes.evals.statistics._self_check import Finding, SelfCheck, self_check
from linenotes.evals.statistics._sequential import (
    BaseRun,
    Look,
    SequentialComparison,
    compare_in_looks,
)

__all__ = [
    "FEW_TO_STOP_EARLY",
    "Agreement",
    "Alarms",
    "BaseRun",
    "BetaPrior",
    "CaseClass",
    "CaseStability",
    "ChangedCase",
    "Comparison",
    "Confusion",
    "Corrected",
    "Estimate",
    "Finding",
    "Level",
    "Look",
    "NestedSplit",
    "NumberChart",
    "NumberWatch",
    "PairedSpread",
    "Pilot",
    "RateChart",
    "RateWatch",
    "SelfCheck",
    "SequentialComparison",
    "Target",
    "Verdict",
    "benjamini_hochberg",
    "best_samples",
    "case_changes",
    "case_stability",
    "changed_cases",
    "cohen_kappa",
    "compare_amounts",
    "compare_in_looks",
    "compare_jointly",
    "compare_many",
    "compare_scores",
    "confusion",
    "detectable_change",
    "estimate",
    "fit_prior",
    "holm",
    "holm_corrected",
    "krippendorff_alpha",
    "look_times",
    "more_samples_help",
    "most_unseen",
    "nested_split",
    "number_chart",
    "pass_at",
    "pass_hat",
    "pilot_of_pair",
    "pilot_of_run",
    "power_of",
    "prediction_powered_mean",
    "rate_chart",
    "required_cases",
    "required_samples",
    "rogan_gladen",
    "self_check",
]
