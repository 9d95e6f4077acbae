"""When a run is looked at, how much of alpha each look may spend, and what it rests on."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from linenotes.evals.statistics._comparisons import evidence_for, unmeasurable

if TYPE_CHECKING:
    from linenotes.evals.statistics._estimates import Target
    from linenotes.evals.statistics._paired import PairedEvidence, Pairs
    from linenotes.evals.statistics._tables import CaseTable

_LOOKS = (1, 2, 3, 4, 5, 6, 8, 10)
_LATER_LOOKS = 5
"""Beyond the tenth sample there is a look every so many."""
FEW_TO_STOP_EARLY = 50
"""With so few cases, or fewer, looking early saves next to nothing."""


def look_times(planned: int) -> tuple[int, ...]:
    """Return the samples of each case after which a run of `planned` samples is looked at."""
    later = range(_LOOKS[-1] + _LATER_LOOKS, planned, _LATER_LOOKS)
    return (*(k for k in (*_LOOKS, *later) if k < planned), planned)


def spending_time(samples: int, planned: int, *, stored: CaseTable | None = None) -> float:
    """Return t, which says how much of alpha is spent by a look: the share of the information.

    Of runs that get their samples together it is the share of the calls, K of the planned K. A
    stored base brings information before the first call: with equal noise in both runs, the
    variance falls as the mean of 1/K_i of its cases plus 1/K of the candidate's. t depends on no
    score, so that whatever it is, the error rates hold (Lan and DeMets 1983).

    Args:
        samples: K, the samples of each case at the look.
        planned: the largest K.
        stored: the stored base; None where the base runs, too.
    """
    if stored is None or not len(stored):
        return samples / planned
    of_base = float((1 / stored.samples).mean())
    return (of_base + 1 / planned) / (of_base + 1 / samples)


def target_of_look(target: Target, *, repeated: bool, planned: int) -> Target:
    """Return what the evidence of a look speaks of.

    Single samples do not show the noise within exactly these cases. But the spread of their changes
    is that noise with what truly differs from case to case, so that as a variance of the mean it is
    too large rather than too small, and an early look can rest on it. Where no more samples are
    planned it is none, as in a comparison that is made once.

    Args:
        target: what the comparison speaks of.
        repeated: whether both runs have two samples of some case.
        planned: the largest K.
    """
    return target if repeated or planned == 1 else "population"


def evidence_at_look(pairs: Pairs, target: Target, *, planned: int) -> PairedEvidence | str:
    """Return the evidence that there is at a look, or why there is none."""
    problem = unmeasurable(pairs, target)
    if problem is None:
        return evidence_for(pairs, target)
    spoken = target_of_look(target, repeated=pairs.noise_variance is not None, planned=planned)
    if unmeasurable(pairs, spoken) is not None:
        return problem
    found = evidence_for(pairs, spoken)
    return replace(found, method=f"{found.method}, the spread between cases as noise")
