"""What time it is for one recording: the time of day when it began, and steady from then on.

The time of day may jump while agents run, when it is set or a machine wakes up; no duration and
no order within a recording may depend on that.
"""

from __future__ import annotations

import time
from collections.abc import Callable


def steady_clock() -> Callable[[], int]:
    """Return a clock that tells nanoseconds since the epoch and never goes back."""
    ahead = time.time_ns() - time.monotonic_ns()
    return lambda: time.monotonic_ns() + ahead
