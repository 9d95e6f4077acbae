"""The error rates and the savings of a gate that stops early, simulated.

What `compare_in_looks` computes for one pair of runs is computed here for 2,000 pairs at once, as
arrays; a test holds the two against one another.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from scipy import special

from linenotes.evals.statistics import BaseRun, Target, compare_in_looks, look_times
from linenotes.evals.statistics._boundaries import critical_values, linear_spending

Array = npt.NDArray[np.float64]
SIMULATIONS = 2000
PLANNED = 10
MARGIN = 0.05
OMEGA2 = 0.021
"""How much the true change differs from case to case. With it a run of K=10 that is looked at once
passes an unchanged version of 100 cases three times in four."""


@dataclass(frozen=True)
class Trials:
    """Pairs of runs: passes so far, by trial, case and sample."""

    base: Array
    candidate: Array
    true: Array
    """The candidate's true mean rate on the cases of each trial."""
    base_run: BaseRun = "interleaved"

    def at(self, samples: int) -> tuple[Array, int, Array, int]:
        """Return the passes and the samples of each arm at a look."""
        k = PLANNED if self.base_run == "stored" else samples
        return self.base[:, :, k - 1], k, self.candidate[:, :, samples - 1], samples


@dataclass(frozen=True)
class Answers:
    """What each trial's gate said."""

    verdicts: npt.NDArray[np.str_]
    samples: Array
    """K when it stopped."""
    fixed: npt.NDArray[np.str_]
    """What it would have said by all planned samples at once."""
    covered: npt.NDArray[np.bool_]
    """Whether its interval holds a true change of `-MARGIN`."""


def draw(
    seed: int, *, n: int, icc: float, change: float, target: Target, trials: int = SIMULATIONS
) -> Trials:
    """Run two versions whose true mean rates, .7 and that, differ by `change`."""
    rng = np.random.default_rng(seed)
    strength = (1 - icc) / icc
    before, other = rng.beta(0.7 * strength, 0.3 * strength, (2, trials, n))
    after = before
    if target == "population":
        changed = OMEGA2 / (2 * 0.7 * 0.3 * icc)
        after = np.where(rng.random((trials, n)) < changed, other, before)
    mean = before.mean(axis=1, keepdims=True) if target == "dataset" else 0.7
    after = after * (1 + change / mean)
    runs = [
        np.cumsum(rng.random((trials, n, PLANNED)) < rates[:, :, None], axis=2, dtype=np.uint8)
        for rates in (before, after)
    ]
    return Trials(runs[0].astype(float), runs[1].astype(float), after.mean(axis=1))


def on_such_cases(a: Array, k_a: int, b: Array, k_b: int) -> tuple[Array, Array, Array]:
    """Return information, p against "worse by the margin" and p against "not worse"."""
    n = a.shape[1]
    sums = (b / k_b - a / k_a) / n
    changed = (sums != 0).sum(axis=1)
    unseen = 1 - changed / n
    size = (((sums**2).sum(axis=1) + unseen / n**2) / (changed + unseen)) ** 0.5
    more = np.concatenate((sums, size[:, None], -size[:, None]), axis=1)
    units = n + 2
    mean = more.sum(axis=1) * n / units
    residuals = ((more - mean[:, None] / n) ** 2).sum(axis=1) / (units / n) ** 2
    se = (units / (units - 1) * residuals) ** 0.5
    p_worse = special.stdtr(n - 1, (-MARGIN - mean) / se)
    p_not_worse = special.stdtr(n - 1, mean / se)
    if k_a == k_b == 1:
        up, down = (sums > 0).sum(axis=1), (sums < 0).sum(axis=1)
        p_not_worse = special.bdtr(up, up + down, 0.5)
    return 1 / se**2, p_worse, p_not_worse


def on_these_cases(a: Array, k_a: int, b: Array, k_b: int) -> tuple[Array, Array, Array]:
    if k_b == 1:
        return on_such_cases(a, k_a, b, k_b)
    n = a.shape[1]
    parts = [x / k * (1 - x / k) / (k - 1) / n**2 for x, k in ((a, k_a), (b, k_b))]
    pair = 1 / (n * k_a) ** 2 + 1 / (n * k_b) ** 2
    variance = parts[0].sum(axis=1) + parts[1].sum(axis=1)
    se = (variance + pair) ** 0.5
    squares = sum(
        (part**2).sum(axis=1) / (k - 1) for part, k in zip(parts, (k_a, k_b), strict=True)
    )
    mean = (b / k_b - a / k_a).mean(axis=1)
    p_worse = special.stdtr(variance**2 / squares, (-MARGIN - mean) / se)
    # Cochran-Mantel-Haenszel
    every, passed = k_a + k_b, a + b
    expected = passed * k_b / every
    spread = passed * (every - passed) * k_a * k_b / (every**2 * (every - 1))
    z = (b - expected).sum(axis=1) / spread.sum(axis=1) ** 0.5
    return 1 / se**2, p_worse, special.ndtr(z)


def levels(information: Array, times: Array, alpha: float) -> Array:
    spent = np.array([linear_spending(time, alpha) for time in times])
    rows = range(0, len(information), 250)
    critical = [critical_values(information[row : row + 250], spent) for row in rows]
    return np.asarray(special.ndtr(-np.concatenate(critical)))


def answer(trials: Trials, target: Target) -> Answers:
    looks = np.array(look_times(PLANNED))
    times = looks / PLANNED
    if trials.base_run == "stored":
        times = (1 / PLANNED + 1 / PLANNED) / (1 / PLANNED + 1 / looks)
    judge = on_such_cases if target == "population" else on_these_cases
    found = [judge(*trials.at(int(k))) for k in looks]
    information, p_worse, p_not_worse = (
        np.stack(part, axis=1) for part in zip(*found, strict=True)
    )
    alpha = 0.05 if trials.base.shape[1] >= 100 else 0.04
    level = levels(information, times, alpha)
    passes, fails = p_worse < level, p_not_worse < level
    stops = passes | fails
    place = np.where(stops.any(axis=1), stops.argmax(axis=1), len(looks) - 1)
    rows = np.arange(len(place))
    said = [
        np.where(p, "pass", np.where(f, "fail", "inconclusive"))
        for p, f in (
            (passes[rows, place], fails[rows, place]),
            (p_worse[:, -1] < alpha, p_not_worse[:, -1] < alpha),
        )
    ]
    tail = levels(information, times, 0.025)[rows, place]
    p = p_worse[rows, place]
    return Answers(said[0], looks[place].astype(float), said[1], (tail <= p) & (p <= 1 - tail))


def as_table(passes: Array) -> pd.DataFrame:
    """Return the scores of one run of which the passes so far are known."""
    n = len(passes)
    return pd.DataFrame(
        {
            "case": np.repeat([f"{i:04}" for i in range(n)], PLANNED),
            "sample": np.tile(np.arange(PLANNED), n),
            "value": np.diff(passes, prepend=0, axis=1).ravel(),
        }
    )


@pytest.mark.parametrize("base_run", ["interleaved", "stored"])
@pytest.mark.parametrize("target", ["population", "dataset"])
def test_the_arrays_say_what_is_said_of_each_pair_of_runs(
    target: Target, base_run: BaseRun
) -> None:
    trials = draw(1, n=100, icc=0.4, change=-0.03, target=target, trials=6)
    trials = replace(trials, base_run=base_run)
    found = answer(trials, target)
    for row, (verdict, samples) in enumerate(zip(found.verdicts, found.samples, strict=True)):
        one = compare_in_looks(
            as_table(trials.base[row]),
            as_table(trials.candidate[row]),
            planned=PLANNED,
            reached=PLANNED,
            base_run=base_run,
            target=target,
        )
        assert (one.result.verdict, one.samples) == (verdict, samples)


@dataclass(frozen=True)
class Known:
    """A row of a published table of such a gate, simulated elsewhere: calls / (2 n 10)."""

    target: Target
    icc: float
    n: int
    power: float
    calls: float
    stored_calls: float


@pytest.mark.slow
@pytest.mark.parametrize(
    "known",
    [
        Known("population", 0.4, 100, power=0.71, calls=0.65, stored_calls=0.29),
        Known("population", 0.4, 200, power=0.92, calls=0.43, stored_calls=0.17),
        Known("population", 0.4, 500, power=0.98, calls=0.20, stored_calls=0.065),
        Known("dataset", 0.4, 100, power=0.89, calls=0.56, stored_calls=0.23),
        Known("dataset", 0.4, 200, power=0.97, calls=0.36, stored_calls=0.13),
        Known("dataset", 0.7, 200, power=0.98, calls=0.22, stored_calls=0.08),
    ],
    ids=lambda known: f"{known.target} {known.icc} {known.n}",
)
def test_stopping_early_keeps_the_error_rates_and_saves_the_calls_of_the_table(
    known: Known,
) -> None:
    equal = draw(1, n=known.n, icc=known.icc, change=0, target=known.target)
    worse = draw(2, n=known.n, icc=known.icc, change=-MARGIN, target=known.target)
    arms: tuple[tuple[BaseRun, float, float], ...] = (
        ("interleaved", 1.0, known.calls),
        ("stored", 0.5, known.stored_calls),
    )
    for base_run, paid, most in arms:
        same = answer(replace(equal, base_run=base_run), known.target)
        dropped = answer(replace(worse, base_run=base_run), known.target)
        assert share(dropped, "pass") <= 0.065
        assert share(same, "fail") <= 0.065
        assert dropped.covered.mean() >= 0.94
        assert share(same, "pass") >= known.power - 0.05
        assert paid * same.samples.mean() / PLANNED <= 1.1 * most


@pytest.mark.slow
def test_a_clear_drop_needs_few_sweeps() -> None:
    found = answer(draw(3, n=200, icc=0.4, change=-0.1, target="population"), "population")
    assert share(found, "fail") >= 0.98
    assert found.samples.mean() / PLANNED <= 0.2


@pytest.mark.slow
@pytest.mark.parametrize("target", ["population", "dataset"])
def test_fifty_cases_hardly_stop_early(target: Target) -> None:
    found = answer(draw(4, n=50, icc=0.4, change=0, target=target), target)
    assert found.samples.mean() / PLANNED >= 0.7


@dataclass(frozen=True)
class Flattery:
    """By how much a saved baseline is too good, in points, on average over the trials that pass."""

    as_stopped: float
    """Where it is saved with the samples that it had when it stopped."""
    filled_up: float
    """Where those that stopped early get their other samples first."""


def flattery(trials: Trials, target: Target) -> Flattery:
    found = answer(trials, target)
    rows = np.flatnonzero(found.verdicts == "pass")
    k = found.samples[rows].astype(int)
    stopped = trials.candidate[rows, :, k - 1].mean(axis=1) / k - trials.true[rows]
    whole = trials.candidate[rows, :, PLANNED - 1].mean(axis=1) / PLANNED - trials.true[rows]
    return Flattery(100 * float(stopped.mean()), 100 * float(whole.mean()))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("target", "as_stopped", "filled_up"), [("population", 1.6, 0.26), ("dataset", 1.5, 0.14)]
)
def test_a_baseline_that_passed_early_is_flattered_less_once_it_is_filled_up(
    target: Target, as_stopped: float, filled_up: float
) -> None:
    """What is left is that only what passes becomes a baseline, as after a gate of one look."""
    trials = draw(5, n=100, icc=0.4, change=0, target=target)
    found = flattery(replace(trials, base_run="stored"), target)
    assert found.as_stopped == pytest.approx(as_stopped, abs=0.1)
    assert found.filled_up == pytest.approx(filled_up, abs=0.1)


def share(found: Answers, verdict: str) -> float:
    return float((found.verdicts == verdict).mean())
