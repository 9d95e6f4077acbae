from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.regression.mixed_linear_model import MixedLM  # type: ignore[import-untyped]

from linenotes.evals.statistics import most_unseen, nested_split


def drawn(
    seed: int, *, cases: int = 400, samples: int = 4, times: int = 3, uneven: bool = False
) -> pd.DataFrame:
    """Draw judgements with the variances 4 between cases, 1 of the agent and .25 of the judge."""
    rng = np.random.default_rng(seed)
    rows = []
    for case in range(cases):
        level = rng.normal(0, 2)
        for sample in range(rng.integers(1, samples + 1) if uneven else samples):
            said = level + rng.normal(0, 1)
            judged = said + rng.normal(0, 0.5, rng.integers(1, times + 1) if uneven else times)
            rows += [(case, sample, value) for value in judged]
    return pd.DataFrame(rows, columns=["case", "sample", "value"])


@pytest.mark.parametrize("uneven", [False, True])
def test_the_split_finds_the_variances_that_were_drawn(uneven: bool) -> None:
    found = nested_split(drawn(1, cases=2000, uneven=uneven))
    assert found.case == pytest.approx(4, rel=0.1)
    assert found.sample == pytest.approx(1, rel=0.1)
    assert found.judge == pytest.approx(0.25, rel=0.1)
    assert found.shares == pytest.approx({"case": 0.762, "sample": 0.19, "judge": 0.048}, abs=0.02)


def test_equal_numbers_give_the_textbook_mean_squares() -> None:
    table = drawn(2, cases=30)
    means = table.groupby(["case", "sample"])["value"].mean()
    of_cases = means.groupby("case").mean()
    judge = table.groupby(["case", "sample"])["value"].var().mean()
    sample = means.groupby("case").var().mean() - judge / 3
    found = nested_split(table)
    assert found.judge == pytest.approx(judge)
    assert found.sample == pytest.approx(sample)
    assert found.case == pytest.approx(of_cases.var() - means.groupby("case").var().mean() / 4)


def test_equal_numbers_agree_with_restricted_likelihood() -> None:
    table = drawn(3, cases=60)
    fit = MixedLM.from_formula(
        "value ~ 1",
        table,
        groups="case",
        re_formula="1",
        vc_formula={"sample": "0 + C(sample)"},
    ).fit(reml=True)
    found = nested_split(table)
    assert found.case == pytest.approx(float(fit.cov_re.iloc[0, 0]), rel=1e-2)
    assert found.sample == pytest.approx(float(fit.vcomp[0]), rel=1e-2)
    assert found.judge == pytest.approx(float(fit.scale), rel=1e-2)


def test_the_order_of_rows_means_nothing() -> None:
    table = drawn(4, cases=20, uneven=True)
    shuffled = nested_split(table.sample(frac=1, random_state=0))
    assert shuffled.case == pytest.approx(nested_split(table).case)
    assert shuffled.sample == pytest.approx(nested_split(table).sample)


def test_a_judge_that_never_changes_its_mind_has_no_share() -> None:
    once = drawn(5, cases=50, times=1)
    found = nested_split(pd.concat([once, once, once]))
    assert found.judge == pytest.approx(0)
    assert found.shares["judge"] == pytest.approx(0)


def test_what_was_not_repeated_cannot_be_told() -> None:
    assert nested_split(drawn(6, cases=9, times=1)).judge is None
    single = nested_split(drawn(7, cases=9, samples=1))
    assert single.sample is None
    assert single.case is not None
    assert single.shares.keys() == {"case", "judge"}
    assert nested_split(drawn(8, cases=1)).case is None
    assert nested_split(drawn(9, cases=0)).shares == {}


@pytest.mark.parametrize("units", [1, 12, 300])
def test_what_was_never_seen_has_the_bound_of_the_binomial(units: int) -> None:
    bound = stats.binomtest(0, units, alternative="less").proportion_ci(0.95).high
    assert most_unseen(units) == pytest.approx(bound)
