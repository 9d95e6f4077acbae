from __future__ import annotations

import time

import pytest

from linenotes.agents.endpoints._rate_headers import exhausted_for, retry_after

NOON = "Wed, 21 Oct 2026 12:00:00 GMT"


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after": "-3"}, 0.0),
        ({"retry-after-ms": "250"}, 0.25),
        ({"retry-after-ms": "250", "retry-after": "9"}, 0.25),
        ({"retry-after-ms": "soon", "retry-after": "9"}, 9.0),
        ({"retry-after": "Wed, 21 Oct 2026 12:01:30 GMT", "date": NOON}, 90.0),
        ({"retry-after": NOON, "date": "Wed, 21 Oct 2026 12:01:30 GMT"}, 0.0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "inf"}, None),
        ({}, None),
    ],
)
def test_when_to_come_again(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(headers) == seconds


@pytest.mark.parametrize("date", [None, "yesterday", ""])
def test_a_date_without_a_clock_of_the_endpoint_is_by_our_own(date: str | None) -> None:
    headers = {"retry-after": "Thu, 01 Jan 1970 00:00:00 GMT", **({"date": date} if date else {})}
    assert retry_after(headers) == 0.0


@pytest.mark.parametrize(
    ("limit", "reset", "seconds"),
    [
        ("tokens", "6m0s", 360.0),
        ("tokens", "1h2m3.5s", 3723.5),
        ("tokens", "20ms", 0.02),
        ("tokens", "12", 12.0),
        ("tokens", "whenever", 0.0),
    ],
)
def test_a_limit_with_nothing_left_is_waited_for(limit: str, reset: str, seconds: float) -> None:
    headers = {f"x-ratelimit-remaining-{limit}": "0", f"x-ratelimit-reset-{limit}": reset}
    assert exhausted_for(headers) == pytest.approx(seconds)


def test_a_reset_may_be_a_moment() -> None:
    headers = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(time.time() + 30)}
    assert 20 < exhausted_for(headers) <= 30


def test_of_a_limit_of_requests_one_is_waited_for_and_not_all() -> None:
    headers = {
        "x-ratelimit-limit-requests": "60",
        "x-ratelimit-remaining-requests": "0",
        "x-ratelimit-reset-requests": "1m0s",
    }
    assert exhausted_for(headers) == 1.0


def test_a_limit_with_something_left_is_not_waited_for() -> None:
    assert (
        exhausted_for({"x-ratelimit-remaining-tokens": "5", "x-ratelimit-reset-tokens": "9"}) == 0
    )
    assert exhausted_for({"content-type": "application/json"}) == 0
