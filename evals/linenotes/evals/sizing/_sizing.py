"""From a pilot to the cases and samples that a wanted change needs, and what they cost.

A pilot is one run, or two runs of the same cases. Two show how the difference varies over cases;
one does not, and what is assumed instead is said with every number. For cases like these the
answer is a number of cases. Exactly these cases are as many as they are, and only the noise within
them counts: the answer is a number of samples.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from linenotes.evals._wording import more_samples
from linenotes.evals.journal._records import RunRecord
from linenotes.evals.journal._tables import is_rate, score_table
from linenotes.evals.sizing._pilot_costs import per_pair
from linenotes.evals.sizing._suite_sizes import (
    ALPHA,
    DEPTHS,
    MOST_SAMPLES,
    Answer,
    Depth,
    Need,
    SuiteSize,
    Wish,
)
from linenotes.project import RunError

if TYPE_CHECKING:
    from linenotes.evals.statistics import PairedSpread, Pilot

_OTHER_CORRELATIONS = (0.0, 0.9)
_USUAL_WISH = Wish()


def size_suite(
    base: RunRecord,
    candidate: RunRecord | None = None,
    *,
    metric: str | None = None,
    wish: Wish = _USUAL_WISH,
) -> SuiteSize:
    """Return how many cases and samples a wanted change needs, by what a pilot shows.

    Args:
        base: the pilot, or its first run.
        candidate: another run of the same cases.
        metric: a metric of the pilot; None stands for its primary one.
        wish: what is to be seen.

    Raises:
        RunError: the pilot cannot tell; the message says what would.
    """
    runs = (base,) if candidate is None else (base, candidate)
    metric = _metric(runs, metric)
    pilot = _pilot(runs, metric, wish)
    counted = _Counted(pilot, wish, *per_pair(runs, wish))
    answers = tuple(map(counted.answer, wish.changes)) if wish.target == "dataset" else ()
    return SuiteSize(
        metric=metric,
        is_rate=all(is_rate(run, metric) for run in runs),
        runs=tuple(run.plan for run in runs),
        pilot=pilot,
        wish=wish,
        depths=tuple(map(counted.depth, _depths(pilot, wish, answers))),
        floor=counted.detectable(math.inf),
        samples_help=counted.samples_help,
        best_samples=counted.best_samples,
        answers=answers,
        otherwise=_otherwise(runs, metric, wish),
    )


def _metric(runs: Sequence[RunRecord], asked: str | None) -> str:
    metric = asked or next(iter(runs[0].plan.metrics), "")
    for run in runs:
        known = run.plan.metrics
        if metric not in known:
            has = f"It has {', '.join(known)}." if known else "It has no scores."
            raise RunError(f"Run {run.plan.run_id[:12]} has no metric {metric!r}. {has}")
    return metric


def _pilot(runs: Sequence[RunRecord], metric: str, wish: Wish) -> Pilot:
    from linenotes.evals.statistics import pilot_of_pair, pilot_of_run

    tables = [score_table(run, metric, beside=runs) for run in runs]
    try:
        if len(tables) > 1:
            found = pilot_of_pair(*tables)
        else:
            found = pilot_of_run(tables[0], correlation=wish.correlation)
        if wish.target == "dataset":
            _require_noise(found)
    except ValueError as error:
        names = " and ".join(run.plan.run_id[:12] for run in runs)
        raise RunError(
            f"Run {names} is no pilot to plan {metric!r} with: {error} More samples of a run: "
            f"{more_samples(runs[0].plan)}."
        ) from None
    return found


def _require_noise(pilot: Pilot) -> None:
    if not pilot.noise_is_known:
        raise ValueError("One sample a case does not show the noise within cases: take 2 or more.")
    if pilot.spread.noise(1) == 0:
        raise ValueError("Nothing varied within any case, so any change would show at once.")


def _depths(pilot: Pilot, wish: Wish, answers: Sequence[Answer]) -> list[int]:
    """Return the samples a case that are shown: what the pilot tells of, and the answers."""
    if wish.target == "dataset":
        return sorted({*DEPTHS[1:], *(answer.samples for answer in answers)})
    return [k for k in DEPTHS if pilot.noise_is_known or k == 1]


@dataclass(frozen=True)
class _Counted:
    """What a pilot comes to for what is wished."""

    pilot: Pilot
    wish: Wish
    price: float | None
    """Dollars of one more sample of both versions."""
    seconds: float | None

    @property
    def spread(self) -> PairedSpread:
        """The variance that counts for the target."""
        spread = self.pilot.spread
        return spread if self.wish.target == "population" else spread.of_these_cases

    @property
    def samples_help(self) -> bool:
        """Whether more samples than the pilot had would narrow the interval noticeably."""
        from linenotes.evals.statistics import more_samples_help

        noise = self.spread.noise(self.pilot.samples[0])
        return self.pilot.noise_is_known and more_samples_help(noise, self.spread.between)

    @property
    def best_samples(self) -> float | None:
        """K*, where cases can be chosen and all costs are known."""
        from linenotes.evals.statistics import best_samples

        known = self.wish.case_cost is not None and self.price and self.pilot.noise_is_known
        if not known or self.wish.target == "dataset":
            return None
        assert self.wish.case_cost is not None
        assert self.price is not None
        return best_samples(self.spread, case_cost=self.wish.case_cost, sample_cost=self.price)

    def detectable(self, samples: float) -> float:
        """Return the change that the pilot's cases detect with so many samples each."""
        from linenotes.evals.statistics import detectable_change

        se = self.spread.se(self.pilot.n_cases, samples)
        return detectable_change(se, alpha=ALPHA, power=self.wish.power, freedom=self._freedom)

    def answer(self, change: float) -> Answer:
        """Return the samples with which exactly these cases show a change."""
        from linenotes.evals.statistics import required_samples

        n = self.pilot.n_cases
        wanted = required_samples(self.spread, change, cases=n, alpha=ALPHA, power=self.wish.power)
        samples = min(wanted, MOST_SAMPLES)
        cases = n if wanted <= MOST_SAMPLES else self._cases(change, samples)
        return Answer(change, samples, cases)

    def depth(self, samples: int) -> Depth:
        """Return what so many samples a case come to."""
        needs = tuple(self._need(samples, change) for change in self.wish.changes)
        return Depth(samples, self.detectable(samples), needs)

    def _need(self, samples: int, change: float) -> Need:
        from linenotes.evals.statistics import power_of

        n = self.pilot.n_cases
        cases = self._cases(change, samples) if self.wish.target == "population" else n
        pairs = cases * samples
        new = max(0, cases - n) * (self.wish.case_cost or 0.0)
        se = self.spread.se(n, samples)
        return Need(
            change=change,
            cases=cases,
            power=power_of(change, se, alpha=ALPHA, freedom=self._freedom) if se else 1.0,
            samples=2 * pairs,
            cost=None if self.price is None else pairs * self.price + new,
            seconds=None if self.seconds is None else pairs * self.seconds,
        )

    def _cases(self, change: float, samples: int) -> int:
        return _cases(self.pilot, self.spread, change, samples, self.wish.power)

    @property
    def _freedom(self) -> float:
        """Of the test over the pilot's units; samples within cases are many."""
        units = self.pilot.n_clusters or self.pilot.n_cases
        return math.inf if self.wish.target == "dataset" else units - 1


def _cases(pilot: Pilot, spread: PairedSpread, change: float, samples: float, power: float) -> int:
    from linenotes.evals.statistics import required_cases

    return required_cases(
        spread,
        change,
        samples=samples,
        alpha=ALPHA,
        power=power,
        cases_per_unit=pilot.n_cases / (pilot.n_clusters or pilot.n_cases),
    )


def _otherwise(runs: Sequence[RunRecord], metric: str, wish: Wish) -> dict[float, int]:
    """Return what other assumptions would come to, where one was made."""
    if len(runs) > 1 or wish.target == "dataset":
        return {}
    others = {
        rho: _pilot(runs, metric, replace(wish, correlation=rho)) for rho in _OTHER_CORRELATIONS
    }
    return {
        rho: _cases(pilot, pilot.spread, wish.changes[0], pilot.samples[0], wish.power)
        for rho, pilot in others.items()
        if rho != wish.correlation
    }
