from __future__ import annotations

import time
from itertools import pairwise

from linenotes.tracing.recorder._clock import steady_clock


def test_a_clock_never_goes_back_and_tells_the_time_of_day() -> None:
    clock = steady_clock()
    told = [clock() for _ in range(1000)]
    assert all(before <= after for before, after in pairwise(told))
    assert abs(told[0] - time.time_ns()) < 60_000_000_000
