"""The arithmetic of a purse: what is reserved, settled, given back and refused."""

from __future__ import annotations

from pathlib import Path
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linenotes.evals import Budget, Spending
from linenotes.evals.engine._purse import Purse
from linenotes.project import PriceSettings, Project, Settings
from linenotes.tracing import CallAhead, Price, Prices


def price(dollars_a_million: float) -> Price:
    own = PriceSettings(input=dollars_a_million, output=dollars_a_million)
    found = Prices(Project(root=Path(), settings=Settings(prices={"m": own}))).price(["m"], None)
    assert found is not None
    return found


def call(*, tokens: int = 1, agent: str = "a", cost: Price | None = None) -> CallAhead:
    return CallAhead(uuid4(), agent, "m", tokens, cost)


def paid(purse: Purse, used: Spending, *, agent: str = "a") -> None:
    one = call(agent=agent)
    assert purse.reserve(one)
    purse.settle(one.id, used)


def test_what_calls_of_an_agent_have_cost_is_reserved_for_its_next_one() -> None:
    purse = Purse(Budget(tokens=100))
    paid(purse, Spending(1, 20))
    paid(purse, Spending(1, 40))
    assert not Purse(Budget(tokens=9)).reserve(call(tokens=10))
    assert purse.reserve(call())
    assert not purse.reserve(call())  # 60 spent, 30 reserved, and 30 more expected


def test_agents_are_told_apart() -> None:
    purse = Purse(Budget(tokens=100))
    paid(purse, Spending(1, 90), agent="long")
    assert purse.reserve(call(agent="short"))


def test_a_long_question_reserves_more_than_the_average() -> None:
    purse = Purse(Budget(tokens=100))
    paid(purse, Spending(1, 10))
    assert not purse.reserve(call(tokens=91))


def test_a_call_that_came_to_nothing_gives_back_what_it_had() -> None:
    purse = Purse(Budget(calls=1))
    first = call()
    assert purse.reserve(first)
    purse.free(first.id)
    assert purse.spent == Spending()
    assert purse.reserve(call())


def test_a_call_that_nobody_counted_costs_what_was_reserved() -> None:
    purse = Purse(Budget(tokens=1000))
    one = call(tokens=70)
    assert purse.reserve(one)
    assert purse.settle(one.id, Spending(1)) == Spending(1, 70)
    assert purse.spent == Spending(1, 70)


def test_after_a_refusal_nothing_is_admitted_however_small() -> None:
    purse = Purse(Budget(tokens=100))
    assert not purse.reserve(call(tokens=101))
    assert not purse.reserve(call(tokens=1))
    assert purse.exhausted == "tokens"


def test_what_was_spent_before_is_gone() -> None:
    assert not Purse(Budget(calls=7), Spending(calls=7)).reserve(call())
    assert Purse(Budget(seconds=9), seconds=9).exhausted == "seconds"


def test_time_runs_out_by_the_clock() -> None:
    now = [100.0]
    purse = Purse(Budget(seconds=5), seconds=2, clock=lambda: now[0])
    assert purse.reserve(call())
    now[0] = 103.0
    assert not purse.reserve(call())
    assert purse.exhausted == "seconds"


def test_nothing_but_free_models_fits_into_a_budget_of_nothing() -> None:
    assert Purse(Budget(usd=0)).reserve(call(cost=price(0)))
    assert not Purse(Budget(usd=0)).reserve(call(cost=price(1)))


def test_cents_add_up() -> None:
    purse = Purse(Budget(usd=0.06))
    for _ in range(6):
        paid(purse, Spending(1, 10, 0.01))
    assert purse.exhausted is None
    assert purse.spent.usd == pytest.approx(0.06)


@given(
    budget=st.integers(1, 2000),
    slots=st.integers(1, 16),
    calls=st.lists(st.tuples(st.integers(1, 500), st.integers(0, 15)), max_size=200),
)
def test_a_budget_is_overspent_by_no_more_than_the_calls_in_flight(
    budget: int, slots: int, calls: list[tuple[int, int]]
) -> None:
    """Calls with random costs end in any order, and as many as there are slots are in flight."""
    purse, flying = Purse(Budget(tokens=budget)), dict[int, tuple[CallAhead, int]]()
    at_last_admission = 0
    for cost, slot in calls:
        slot %= slots  # noqa: PLW2901  the one that is free next
        if slot in flying:
            ended, used = flying.pop(slot)
            purse.settle(ended.id, Spending(1, used))
        asked = call(tokens=min(cost, 20))
        if purse.reserve(asked):
            flying[slot] = (asked, cost)
            at_last_admission = sum(used for _, used in flying.values())
    for ended, used in flying.values():
        purse.settle(ended.id, Spending(1, used))
    longest = max((cost for cost, _ in calls), default=0)
    assert purse.spent.tokens <= budget + at_last_admission
    assert purse.spent.tokens <= budget + slots * longest
