from itertools import product

import numpy as np
import pytest

from linenotes.evals.statistics._many_flips import many_flip_p


@pytest.mark.parametrize("units", [1, 5, 10])
def test_all_signs_are_flipped_where_the_units_are_few(units: int) -> None:
    rows = np.random.default_rng(units).normal(0.3, 1, (20, units))
    signs = np.array([*product((-1, 1), repeat=units)])
    wanted = [(signs @ row >= row.sum() - 1e-9).mean() for row in rows]
    assert many_flip_p(rows, 1.0) == pytest.approx(wanted)


def test_shares_that_do_not_matter_are_left_out_and_no_others() -> None:
    rows = np.random.default_rng(1).normal(0.5, 1, (200, 12))
    exact, quick = many_flip_p(rows, 1.0), many_flip_p(rows, 0.05)
    given = quick < 1
    assert (quick[given] == exact[given]).all()
    assert given[exact <= 0.05].all()
    assert not given.all()


def test_many_units_are_flipped_at_random_the_same_way_each_time() -> None:
    rows = np.random.default_rng(2).normal(0.3, 1, (5, 25))
    found = many_flip_p(rows, 1.0)
    assert (found == many_flip_p(rows, 1.0)).all()
    z = rows.sum(axis=1) / (rows**2).sum(axis=1) ** 0.5
    assert (np.argsort(found) == np.argsort(-z)).all()
