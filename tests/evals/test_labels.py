from __future__ import annotations

from collections.abc import Callable

import pytest

from linenotes.evals import Failure, RunRecord
from linenotes.evals._labels import label_shares

AGENT = Failure("agent", "ValueError", "bad")


def test_the_share_of_a_label_is_a_mean_over_cases(make_record: Callable[..., RunRecord]) -> None:
    record = make_record({"a": ["kind"] * 4, "b": ["kind"], "c": ["rude", "kind"]})
    shares = label_shares(record, "correct", "population")
    assert list(shares) == ["kind", "rude"]
    kind, rude = shares.values()
    assert (kind.count, kind.labelled, rude.count) == (6, 7, 1)
    assert kind.share.mean == pytest.approx(2.5 / 3)  # cases weigh alike, samples do not
    assert rude.share.mean == pytest.approx(0.5 / 3)
    assert kind.share.n_cases == 3


def test_shares_add_up_and_lie_inside_their_intervals(
    make_record: Callable[..., RunRecord],
) -> None:
    given = {f"c{i}": ["abc"[i % 3], "abc"[i % 2]] for i in range(12)}
    shares = label_shares(make_record(given), "correct", "population")
    assert sum(found.share.mean or 0 for found in shares.values()) == pytest.approx(1)
    for found in shares.values():
        assert found.share.low is not None
        assert found.share.high is not None
        assert found.share.low < (found.share.mean or 0) < found.share.high


def test_samples_without_a_label_are_in_no_share(make_record: Callable[..., RunRecord]) -> None:
    record = make_record({"a": ["kind", None], "b": ["kind", "x"]}, failed={("b", 1): AGENT})
    (kind,) = label_shares(record, "correct", "population").values()
    assert (kind.count, kind.labelled, kind.share.mean) == (2, 2, 1.0)


def test_numbers_have_no_labels(make_record: Callable[..., RunRecord]) -> None:
    assert label_shares(make_record({"a": [True, 0.5]}), "correct", "population") == {}
