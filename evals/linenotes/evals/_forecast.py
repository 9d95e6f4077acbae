"""What an evaluation will take, before it is started: calls, tokens, US dollars, time.

It is told from what samples of the same agent on the same dataset have taken in an earlier run.
The unit is the case, or the cluster, as everywhere: the interval is one for the total of samples
that do not exist yet, so it holds both what the earlier cases leave open and the chance in the
new ones. Where all planned cases were run before, with repeats, only chance is left.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from linenotes.datasets import Case, Dataset
from linenotes.evals._evaluation import Arm
from linenotes.evals._recorded_ahead import RecordedAhead
from linenotes.evals.engine._budget import Budget
from linenotes.evals.journal._plans import RunPlan
from linenotes.evals.journal._records import FILE_NAME, RunRecord, read_journal
from linenotes.evals.journal._runs import RunStore
from linenotes.evals.journal._samples import Outcome

if TYPE_CHECKING:
    import pandas as pd

    from linenotes.evals.statistics._intervals import StudentT
    from linenotes.evals.statistics._tables import CaseTable

Amount = Literal["calls", "tokens", "usd", "seconds"]
AMOUNTS: tuple[Amount, ...] = ("calls", "tokens", "usd", "seconds")

_OF: dict[Amount, Callable[[Outcome], float | None]] = {
    "calls": lambda outcome: outcome.calls,
    "tokens": lambda outcome: outcome.tokens,
    "usd": lambda outcome: None if outcome.unpriced else outcome.cost or 0.0,
    "seconds": lambda outcome: outcome.seconds,
}
_CONFIDENCE = 0.95
_NO_SPREAD = 1e-9
"""A standard error below this share of the mean is rounding."""


@dataclass(frozen=True)
class Expected:
    """A total that is to be expected, with its 95% prediction interval."""

    mean: float
    low: float | None
    """None where one case, or no spread, bounds nothing."""
    high: float | None

    def __add__(self, other: Expected) -> Expected:
        """Add a total that rests on the same evidence, so that both may be off alike."""
        lows, highs = (self.low, other.low), (self.high, other.high)
        return Expected(self.mean + other.mean, _sum(*lows), _sum(*highs))

    def scaled(self, factor: float) -> Expected:
        """Return it in another unit."""
        return Expected(
            self.mean * factor,
            None if self.low is None else self.low * factor,
            None if self.high is None else self.high * factor,
        )


def _sum(one: float | None, other: float | None) -> float | None:
    return None if one is None or other is None else one + other


@dataclass(frozen=True)
class ArmForecast:
    """What one version will take."""

    arm: Arm
    samples: int
    """Of all cases together."""
    source: RunRecord | None = None
    """The earlier run that this is told from; None where there is none."""
    expected: Mapping[Amount, Expected] | None = None
    """None without a source. US dollars are left out where a call has no known price."""

    @property
    def is_same_version(self) -> bool:
        """Whether the earlier run was of this very version."""
        version = self.arm.version
        return self.source is not None and self.source.plan.fingerprint == version.fingerprint


@dataclass(frozen=True)
class Forecast:
    """What an evaluation will take, version by version."""

    dataset: Dataset
    arms: tuple[ArmForecast, ...]
    concurrency: int
    budget: Budget
    recorded: tuple[RecordedAhead, ...] = ()
    """What is recorded already, where recordings are to be replayed; `arms` count all calls."""

    @property
    def samples(self) -> int:
        """How many samples there are to run."""
        return sum(arm.samples for arm in self.arms)

    @property
    def total(self) -> Mapping[Amount, Expected]:
        """What is known of all versions together."""
        return {name: found for name in AMOUNTS if (found := self._total(name)) is not None}

    def _total(self, amount: Amount) -> Expected | None:
        total: Expected | None = None
        for arm in self.arms:
            if arm.expected is None or amount not in arm.expected:
                return None
            total = total + arm.expected[amount] if total else arm.expected[amount]
        return total

    @property
    def short(self) -> Mapping[Amount, float]:
        """Limits of the budget that are likely not to do, with the share of the run that they do.

        What is compared is the expected total, time as it passes.
        """
        shares = {
            limit: value / self.total[limit].mean
            for limit, value in self.budget.limits.items()
            if limit in self.total and self.total[limit].mean
        }
        return {limit: share for limit, share in shares.items() if share < 1}


def forecast(
    arms: Sequence[Arm],
    dataset: Dataset,
    sources: Sequence[RunRecord | None],
    *,
    concurrency: int,
    budget: Budget,
    recorded: tuple[RecordedAhead, ...] = (),
) -> Forecast:
    """Return what `arms` will take on `dataset`, each told from its earlier run in `sources`."""
    found = tuple(
        _of_arm(arm, dataset.cases, source, concurrency)
        for arm, source in zip(arms, sources, strict=True)
    )
    return Forecast(dataset, found, concurrency, budget, recorded)


def earlier_runs(
    arms: Sequence[Arm], dataset: Dataset, runs: RunStore
) -> tuple[RunRecord | None, ...]:
    """Return for each arm the run to tell from: of this version if there is one, else the nearest.

    It is a run of the same agent on a dataset of the same name, with finished samples. Of those,
    one of the same version comes first, then one with the same models, then the newest.
    """
    plans = [plan for plan in runs.plans() if plan.imported is None]
    return tuple(_nearest(arm, dataset, plans, runs) for arm in arms)


def _nearest(
    arm: Arm, dataset: Dataset, plans: Sequence[RunPlan], runs: RunStore
) -> RunRecord | None:
    version = arm.version
    alike = [
        plan
        for plan in reversed(plans)  # the newest first, as long as nothing else tells
        if (plan.agent, plan.dataset.name) == (version.agent.name, dataset.name)
    ]
    alike.sort(
        key=lambda plan: (
            plan.fingerprint != version.fingerprint,
            plan.models != dict(version.models),
        )
    )
    records = (read_journal(runs.path(plan.run_id) / FILE_NAME) for plan in alike)
    return next((record for record in records if _usable(record)), None)


def _usable(record: RunRecord) -> dict[tuple[str, int], Outcome]:
    """Return the outcomes that say what a sample takes.

    What the infrastructure failed does not, nor what recordings stood in for.
    """
    return {
        key: outcome
        for key, outcome in record.outcomes.items()
        if not outcome.replayed
        and (outcome.error is None or outcome.error.kind != "infrastructure")
    }


def _of_arm(
    arm: Arm, cases: Sequence[Case], source: RunRecord | None, concurrency: int
) -> ArmForecast:
    samples = len(cases) * arm.samples
    if source is None:
        return ArmForecast(arm, samples)
    expected: dict[Amount, Expected] = {}
    for amount in AMOUNTS:
        table = _table(source, amount, cases)
        if table is not None:
            expected[amount] = _total(table, cases, arm.samples)
    # Samples of several versions take turns, so what each takes of the time adds up.
    expected["seconds"] = expected["seconds"].scaled(1 / min(concurrency, samples))
    return ArmForecast(arm, samples, source, expected)


def _table(source: RunRecord, amount: Amount, planned: Sequence[Case]) -> pd.DataFrame | None:
    """Return what samples took; of the planned cases only, if all were run. None if not known."""
    import pandas as pd

    clusters = {case.id: case.cluster for case in source.plan.cases}
    values = {key: _OF[amount](outcome) for key, outcome in _usable(source).items()}
    if None in values.values():
        return None
    rows = [(*key, value, clusters[key[0]]) for key, value in values.items()]
    table = pd.DataFrame(rows, columns=["case", "sample", "value", "cluster"])
    table = table.astype({"value": float})
    wanted = {case.id for case in planned}
    if wanted <= set(table["case"]):
        table = table[table["case"].isin(wanted)]
    return table if table["cluster"].notna().all() else table.drop(columns="cluster")


def _total(table: pd.DataFrame, planned: Sequence[Case], samples: int) -> Expected:
    """Return the total of `samples` new ones of each planned case, with its prediction interval.

    The mean of what was seen has the variance se²; that of as many new ones, another se²; of more
    of them, less: se² · seen / new (Hahn and Meeker 1991, "Statistical intervals", section 4.6).
    With K' samples of each new case instead of K, chance within a case counts W / K' and not W / K.
    """
    from linenotes.evals.statistics._intervals import t_critical
    from linenotes.evals.statistics._tables import read_scores

    seen, count = read_scores(table), len(planned) * samples
    again = {case.id for case in planned} <= set(table["case"]) and seen.repeated
    spread = _chance(seen) if again else _spread(seen)
    mean = seen.mean * count
    if spread is None or spread.se <= _NO_SPREAD * abs(spread.mean):
        return Expected(mean, None, None)
    share = len(table) / count if again else len(seen) / len(planned)
    new = spread.se**2 * share
    if not again and seen.repeated:
        chance, within = seen.noise.mean(), (seen.noise * seen.samples).mean()
        new += float(within / samples - chance) / len(planned)
    half = t_critical(spread.df, _CONFIDENCE) * (spread.se**2 + max(new, 0.0)) ** 0.5 * count
    return Expected(mean, max(mean - half, 0.0), mean + half)


def _spread(seen: CaseTable) -> StudentT | None:
    """Return the mean with what cases like these differ by; None where a single unit tells none."""
    from linenotes.evals.statistics._estimates import unit_totals
    from linenotes.evals.statistics._intervals import student_t

    sums, shares = unit_totals(seen, seen.means)
    return student_t(sums, shares) if len(sums) > 1 else None


def _chance(seen: CaseTable) -> StudentT:
    """Return the mean with what samples of exactly these cases differ by."""
    from linenotes.evals.statistics._estimates import welch_satterthwaite
    from linenotes.evals.statistics._intervals import StudentT

    noise = seen.shares**2 * seen.noise
    freedom = welch_satterthwaite(noise, seen.samples)
    return StudentT(seen.mean, float(noise.sum()) ** 0.5, freedom)
