"""What the headers of an answer say about when an endpoint wants to be asked again.

Providers write `Retry-After` in seconds or as a date, some `retry-after-ms`, and tell what is left
of a limit in `x-ratelimit-remaining-*` with the time until it is whole again in
`x-ratelimit-reset-*`: seconds, `20ms`, `6m0s`, or a Unix time.
"""

from __future__ import annotations

import math
import re
import time
from collections.abc import Mapping
from contextlib import suppress
from email.utils import parsedate_to_datetime

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|[smhd])")
_DURATION = re.compile(rf"(?:{_PART.pattern})+")
_REMAINING = "x-ratelimit-remaining"
_UNIX_TIME = 1e9
"""A number as large is a moment: as a duration it would be thirty years."""


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds after which the endpoint asks to be tried again, None if it does not."""
    for name, unit in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        seconds = _number(headers.get(name))
        if seconds is not None:
            return max(0.0, seconds * unit)
    return _until(headers.get("retry-after"), headers.get("date"))


def exhausted_for(headers: Mapping[str, str]) -> float:
    """Return for how many seconds a limit of the endpoint has nothing left; 0 if all have."""
    if not any(name.startswith(_REMAINING) for name in headers):
        return 0.0
    return max((_wait(headers, limit) for limit in _exhausted(headers)), default=0.0)


def _exhausted(headers: Mapping[str, str]) -> list[str]:
    return [
        name.removeprefix(_REMAINING)
        for name, left in headers.items()
        if name.startswith(_REMAINING) and (number := _number(left)) is not None and number <= 0
    ]


def _wait(headers: Mapping[str, str], limit: str) -> float:
    """Return the seconds until one more request may come."""
    whole = _duration(headers.get(f"x-ratelimit-reset{limit}"))
    size = _number(headers.get(f"x-ratelimit-limit{limit}"))
    # A limit of requests fills up steadily: the first is free long before all of them are.
    return whole / max(1.0, size or 1.0) if "request" in limit else whole


def _duration(text: str | None) -> float:
    seconds = _number(text)
    if seconds is not None:
        return max(0.0, seconds - time.time() if seconds >= _UNIX_TIME else seconds)
    if text is None or not _DURATION.fullmatch(text.strip()):
        return 0.0
    return sum(float(number) * _UNITS[unit] for number, unit in _PART.findall(text))


def _number(text: str | None) -> float | None:
    with suppress(ValueError, TypeError):
        number = float(text or "")
        return number if math.isfinite(number) else None
    return None


def _until(moment: str | None, now: str | None) -> float | None:
    """Return the seconds from `now`, by the endpoint's own clock where it tells it."""
    if moment is None:
        return None
    try:
        then = parsedate_to_datetime(moment).timestamp()
    except (ValueError, OverflowError):
        return None
    with suppress(ValueError, TypeError, AttributeError, OverflowError):
        return max(0.0, then - parsedate_to_datetime(now or "").timestamp())
    return max(0.0, then - time.time())
