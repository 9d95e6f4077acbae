from __future__ import annotations

import pytest

from linenotes.evals import Conduct
from linenotes.project import RunError


@pytest.mark.parametrize("seconds", [0.0, -1.0, float("nan")])
def test_a_sample_needs_some_time(seconds: float) -> None:
    with pytest.raises(RunError, match="more than 0 seconds, not"):
        Conduct(sample_timeout=seconds)


def test_a_sample_may_take_as_long_as_it_wants() -> None:
    assert Conduct(sample_timeout=None).sample_timeout is None


def test_a_sample_is_not_retried_less_than_never() -> None:
    with pytest.raises(RunError, match="0 or more times, not -1"):
        Conduct(sample_retries=-1)
