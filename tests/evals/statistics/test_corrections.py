from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from scipy import stats

from linenotes.evals.statistics import estimate, prediction_powered_mean, rogan_gladen

Numbers = npt.NDArray[np.float64]


def judged(values: Numbers, **columns: object) -> pd.DataFrame:
    cases = [f"{i:04d}" for i in range(len(values))]
    return pd.DataFrame({"case": cases, "sample": 0, "value": values, **columns})


def labels(table: pd.DataFrame, people: Numbers) -> pd.DataFrame:
    return table[: len(people)][["case", "sample"]].assign(label=people)


def drawn(seed: int, n: int, *, rate: float = 0.8) -> tuple[Numbers, Numbers]:
    """Draw what people and a judge say: it passes 95% of passes and fails 70% of failures."""
    rng = np.random.default_rng(seed)
    people = (rng.random(n) < rate).astype(float)
    judge = np.where(people == 1, rng.random(n) < 0.95, rng.random(n) >= 0.7)
    return people, judge.astype(float)


def test_the_corrected_mean_is_that_of_the_paper() -> None:
    people, judge = drawn(1, 500)
    table = judged(judge)
    found = prediction_powered_mean(table, labels(table, people[:100]))
    y, f, others = people[:100], judge[:100], judge[100:]
    n, rest = 100, 400
    both = np.cov(y, f)
    assert found.tuning is not None
    tuning = found.tuning * rest / (n + rest)
    assert tuning == pytest.approx(both[0, 1] / ((1 + n / rest) * np.var(judge)), rel=0.1)
    mean = y.mean() + tuning * (others.mean() - f.mean())
    variance = np.var(y - tuning * f, ddof=1) / n + tuning**2 * np.var(others, ddof=1) / rest
    assert found.mean == pytest.approx(mean)
    assert found.se == pytest.approx(variance**0.5, rel=0.02)
    assert found.raw == pytest.approx(judge.mean())
    assert (found.n_labelled, found.n_cases) == (100, 500)


def test_with_labels_of_everything_people_alone_count() -> None:
    people, judge = drawn(2, 60)
    found = prediction_powered_mean(judged(judge), labels(judged(judge), people))
    assert found.mean == pytest.approx(people.mean())
    assert found.tuning == 0


def test_a_judge_that_knows_nothing_is_hardly_listened_to() -> None:
    rng = np.random.default_rng(3)
    people, judge = rng.normal(3, 1, 400), rng.normal(3, 1, 2000)
    found = prediction_powered_mean(judged(judge), labels(judged(judge), people))
    assert abs(found.tuning or 0) < 0.1
    assert found.se == pytest.approx(people.std(ddof=1) / 20, rel=0.05)


def test_labels_may_be_on_another_scale_than_the_judge() -> None:
    rng = np.random.default_rng(4)
    people = rng.integers(1, 6, 300).astype(float)
    judge = judged((people - 1) / 4)
    found = prediction_powered_mean(judge, labels(judge, people[:50]))
    assert found.tuning == pytest.approx(4, rel=0.05)
    assert found.mean == pytest.approx(people.mean(), abs=0.02)


def test_labels_that_do_not_vary_are_no_certainty() -> None:
    table = judged(np.ones(60))
    found = prediction_powered_mean(table, labels(table, np.ones(20)))
    assert (found.mean, found.high) == (1, 1)
    assert found.se == pytest.approx(0)
    assert found.low == pytest.approx(20 / (20 + stats.t.ppf(0.975, 19) ** 2))
    graded = judged(np.full(60, 3.0))
    found = prediction_powered_mean(graded, labels(graded, np.full(20, 3.0)))
    assert (found.mean, found.low, found.high) == (3, None, None)
    assert found.method.endswith("nothing varied")


def test_samples_of_one_case_are_one_piece_of_evidence() -> None:
    people, judge = drawn(5, 300)
    once = judged(judge)
    often = pd.concat([once.assign(sample=k) for k in range(5)])
    few = prediction_powered_mean(once, labels(once, people[:80]))
    many_labels = pd.concat([labels(once, people[:80]).assign(sample=k) for k in range(5)])
    many = prediction_powered_mean(often, many_labels)
    assert many.se == pytest.approx(few.se)
    assert many.mean == pytest.approx(few.mean)


def test_clusters_that_move_together_widen_the_interval() -> None:
    people, judge = (np.repeat(values, 4) for values in drawn(6, 100))
    alone = judged(judge)
    together = judged(judge, cluster=np.repeat(np.arange(100), 4))
    found = [prediction_powered_mean(t, labels(t, people[:160])).se for t in (alone, together)]
    assert found[1] == pytest.approx(2 * found[0], rel=0.1)


def test_weights_count() -> None:
    table = judged(np.array([1.0, 0, 1, 0, 1, 1]), weight=[1.0, 1, 1, 1, 3, 3])
    found = prediction_powered_mean(table, labels(table, np.array([1.0, 0, 1, 0, 1, 1])))
    assert found.mean == pytest.approx(0.8)


def test_too_few_labels_are_refused() -> None:
    table = judged(np.ones(9))
    with pytest.raises(ValueError, match="Labels of 2 cases are too few"):
        prediction_powered_mean(table, labels(table, np.ones(2)))


def test_rogan_gladen_solves_for_the_rate() -> None:
    people, judge = drawn(7, 2000)
    table = judged((np.arange(1000) < 820).astype(float))
    found = rogan_gladen(
        table, pd.DataFrame({"case": range(2000), "person": people, "judge": judge})
    )
    passed, failed = judge[people == 1], 1 - judge[people == 0]
    se, sp = passed.mean(), failed.mean()
    theta = (0.82 + sp - 1) / (se + sp - 1)
    variance = (
        0.82 * 0.18 / 1000
        + theta**2 * se * (1 - se) / len(passed)
        + (1 - theta) ** 2 * sp * (1 - sp) / len(failed)
    ) / (se + sp - 1) ** 2
    assert found.mean == pytest.approx(theta)
    assert found.se == pytest.approx(variance**0.5, rel=0.01)


def test_a_judge_that_never_erred_on_few_labels_may_err() -> None:
    table = judged(np.repeat([1.0, 0.0], [160, 40]))
    widths = {}
    for n in (4, 40, 4000):
        said = np.repeat([1.0, 0.0], n // 2)
        sure = pd.DataFrame({"case": range(n), "person": said, "judge": said})
        found = rogan_gladen(table, sure)
        assert found.low is not None
        assert found.high is not None
        widths[n] = found.high - found.low
    raw = estimate(table)
    assert raw.low is not None
    assert raw.high is not None
    assert widths[4] > 2 * widths[40] > 2.4 * widths[4000]
    assert widths[4000] == pytest.approx(raw.high - raw.low, rel=0.05)


@pytest.mark.parametrize(
    ("people", "judge", "message"),
    [
        ([1, 1, 1], [1, 1, 0], "one label only"),
        ([1, 0, 1, 0], [0, 1, 1, 0], r"no better than chance: 0\.50 and 0\.50"),
        ([1, 0.5, 0], [1, 0, 0], "labels of 0 and 1"),
    ],
)
def test_rogan_gladen_needs_a_judge_with_known_error_rates(
    people: list[float], judge: list[float], message: str
) -> None:
    table = pd.DataFrame({"case": range(len(people)), "person": people, "judge": judge})
    with pytest.raises(ValueError, match=message):
        rogan_gladen(judged(np.array([1.0, 0, 1])), table)


@pytest.mark.parametrize("clusters", [[0], [0, 0, 0]])
def test_rogan_gladen_needs_two_cases_or_clusters(clusters: list[int]) -> None:
    table = judged(np.ones(len(clusters))).assign(cluster=clusters)
    sure = pd.DataFrame({"case": range(4), "person": [1, 1, 0, 0], "judge": [1, 1, 0, 0]})
    with pytest.raises(ValueError, match="says nothing of others"):
        rogan_gladen(table, sure)


@dataclass
class Tally:
    hits: int = 0
    width: float = 0.0

    def add(self, low: float | None, high: float | None, truth: float) -> None:
        assert low is not None
        assert high is not None
        self.hits += low <= truth <= high
        self.width += high - low


@pytest.mark.slow
@pytest.mark.parametrize(("count", "truth"), [(15, 0.95), (30, 0.95), (30, 0.8)])
def test_simulated_coverage_of_rogan_gladen_with_few_labels(count: int, truth: float) -> None:
    """Without the least variance of the error rates it is 70, 86 and 96%."""
    hits = tried = 0
    for seed in range(600):
        rng = np.random.default_rng(seed)
        people, others = ((rng.random(n) < truth).astype(float) for n in (count, 200))
        judge, said = (
            np.where(rng.random(len(each)) < 0.95, each, 1 - each) for each in (people, others)
        )
        table = pd.DataFrame({"case": range(count), "person": people, "judge": judge})
        try:
            found = rogan_gladen(judged(said), table)
        except ValueError:  # of one label only, or no better than chance
            continue
        assert found.low is not None
        assert found.high is not None
        tried += 1
        hits += found.low <= truth <= found.high
    assert hits / tried > 0.95


@pytest.mark.slow
def test_simulated_coverage_of_the_judge_alone_and_of_both_corrections() -> None:
    """A rate of .8, 100 labels: the judge alone covers 81%, both corrections what they claim."""
    simulations, truth = 1000, 0.8
    alone, powered, rogan = Tally(), Tally(), Tally()
    for seed in range(simulations):
        people, judge = drawn(seed, 500)
        table = judged(judge)
        raw = estimate(table)
        alone.add(raw.low, raw.high, truth)
        found = prediction_powered_mean(table, labels(table, people[:100]))
        powered.add(found.low, found.high, truth)
        elsewhere = dict(zip(("person", "judge"), drawn(seed + 10**6, 100), strict=True))
        other = rogan_gladen(table, pd.DataFrame({"case": range(100), **elsewhere}))
        rogan.add(other.low, other.high, truth)
    assert alone.hits / simulations == pytest.approx(0.81, abs=0.03)
    assert powered.hits / simulations == pytest.approx(0.95, abs=0.02)
    assert powered.width / simulations == pytest.approx(0.125, abs=0.01)
    assert rogan.hits / simulations == pytest.approx(0.965, abs=0.02)
    assert rogan.width / simulations == pytest.approx(0.22, abs=0.015)
