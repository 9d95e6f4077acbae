"""Budgets on real evaluations: graphs of several kinds, and a server that scripts the usage."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator

import pytest

from linenotes.agents import AgentVersion
from linenotes.datasets import Dataset
from linenotes.evals import (
    Arm,
    Budget,
    BudgetUsedUp,
    Conduct,
    Evaluation,
    RunResult,
    RunStore,
    evaluate,
    find_scorers,
)
from linenotes.evals.testing import Reply, Request, ScriptedServer
from linenotes.project import ModelError, PromptError, RunError
from linenotes.tracing import Tokens, live_traces, trace_id_for

PRICE = '[tool.linenotes.prices."m"]\ninput = 1000\noutput = 1000\n'
"""A tenth of a cent for a token."""
TEN = Reply("ok", tokens=Tokens(input=8, output=2))

ASYNC = """
import httpx
from langchain_openai import ChatOpenAI

async def answer(state):
    async with httpx.AsyncClient() as client:
        model = ChatOpenAI(model="m", max_retries=0, http_async_client=client)
        for turn in range(2):
            await model.ainvoke(f"{state['question']} {turn}")
    return {"answer": state["question"]}
"""
SYNC = """
import httpx
from langchain_openai import ChatOpenAI

def answer(state):
    with httpx.Client() as client:
        model = ChatOpenAI(model="m", max_retries=0, http_client=client)
        for turn in range(2):
            model.invoke(f"{state['question']} {turn}")
    return {"answer": state["question"]}
"""
STREAM = """
import httpx
from langchain_openai import ChatOpenAI

async def answer(state):
    async with httpx.AsyncClient() as client:
        model = ChatOpenAI(
            model="m", max_retries=0, http_async_client=client, stream_usage=True
        )
        for turn in range(2):
            async for _ in model.astream(f"{state['question']} {turn}"):
                pass
    return {"answer": state["question"]}
"""
BATCH = """
import httpx
from langchain_openai import ChatOpenAI

def answer(state):
    with httpx.Client() as client:
        model = ChatOpenAI(model="m", max_retries=0, http_client=client)
        model.batch([f"{state['question']} {turn}" for turn in range(2)])
    return {"answer": state["question"]}
"""
STUBBORN = """
import httpx
from langchain_openai import ChatOpenAI

async def answer(state):
    async with httpx.AsyncClient() as client:
        model = ChatOpenAI(model="m", max_retries=0, http_async_client=client)
        try:
            await model.with_retry().ainvoke(f"{state['question']}")
        except BaseException:
            return {"answer": "made up"}
    return {"answer": state["question"]}
"""
FAN_OUT = """
import asyncio
import httpx
from langchain_openai import ChatOpenAI

async def ask(text):
    async with httpx.AsyncClient() as client:
        model = ChatOpenAI(model="m", max_retries=0, http_async_client=client)
        await model.ainvoke(text)

async def answer(state):
    await asyncio.gather(*(ask(f"{state['question']} {branch}") for branch in range(2)))
    return {"answer": state["question"]}
"""


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer(TEN) as found, found.in_environment():
        yield found


@pytest.fixture
def priced(one_node: Callable[..., AgentVersion]) -> Callable[[str], AgentVersion]:
    """Return a version of a graph that asks the model `m`, which has a price."""
    return lambda node: one_node(node, {"pyproject.toml": PRICE})


def carry_out(
    version: AgentVersion, cases: Dataset, budget: Budget, *, samples: int = 1, at_a_time: int = 1
) -> RunResult:
    project = version.agent.project
    evaluation = Evaluation(project, Conduct(concurrency=at_a_time, budget=budget))
    scorers = find_scorers([], project)
    return evaluation.run([Arm(version, samples)], cases, scorers)[0]


@pytest.mark.parametrize("node", [ASYNC, SYNC, STREAM, BATCH])
@pytest.mark.parametrize(
    ("budget", "calls"),
    [
        (Budget(calls=7), 7),
        (Budget(tokens=70), 7),
        (Budget(usd=0.07), 7),
        (Budget(usd=0.079), 7),
        (Budget(usd=0.07, calls=3), 3),
    ],
)
def test_nothing_is_sent_that_the_budget_does_not_hold(
    node: str,
    budget: Budget,
    calls: int,
    priced: Callable[[str], AgentVersion],
    numbers: Callable[..., Dataset],
    server: ScriptedServer,
) -> None:
    version = priced(node)
    with pytest.raises(BudgetUsedUp, match=f"{calls // 2} of 6 samples are kept"):
        carry_out(version, numbers(6), budget)
    assert len(server.requests) == calls
    record = RunStore.of(version.agent.project).read("latest")
    assert len(record.outcomes) == calls // 2
    assert all(outcome.error is None for outcome in record.outcomes.values())
    assert len(record.scores) == calls // 2
    assert not record.running
    own = {trace_id_for(record.plan.run_id, case.id, 0) for case in record.plan.cases}
    assert not own & {live.trace.trace_id for live in live_traces(version.agent.project)}


def test_a_budget_that_does_changes_nothing(
    priced: Callable[[str], AgentVersion],
    numbers: Callable[..., Dataset],
    server: ScriptedServer,
) -> None:
    budget = Budget(usd=0.12, tokens=120, calls=12, seconds=600)
    result = carry_out(priced(ASYNC), numbers(6), budget, at_a_time=3)
    assert (result.scored, result.calls) == (6, 12)
    assert result.cost == pytest.approx(0.12)


@pytest.mark.parametrize("seed", range(6))
def test_a_budget_is_overspent_by_less_than_a_call_for_each_in_flight(
    seed: int,
    priced: Callable[[str], AgentVersion],
    numbers: Callable[..., Dataset],
) -> None:
    chance = random.Random(seed)  # noqa: S311  a test
    costs: list[int] = []

    def reply(_: Request) -> Reply:
        costs.append(round(8 + chance.paretovariate(1.2) * 10))
        return Reply("ok", tokens=Tokens(input=8, output=costs[-1] - 8))

    at_a_time, limit = chance.randint(1, 12), chance.randint(200, 1500)
    kind = chance.choice([ASYNC, SYNC])
    with ScriptedServer(reply) as server, server.in_environment():
        try:
            carry_out(
                priced(kind), numbers(20), Budget(usd=limit / 1000), samples=3, at_a_time=at_a_time
            )
        except BudgetUsedUp as told:
            assert "of 60 samples are kept" in str(told)  # noqa: PT017  not each seed gets there
    assert sum(costs) <= limit + at_a_time * max(costs)
    assert sum(costs) - sum(sorted(costs)[-at_a_time:]) <= limit


def test_what_was_spent_before_counts_when_a_run_is_continued(
    priced: Callable[[str], AgentVersion],
    numbers: Callable[..., Dataset],
    server: ScriptedServer,
) -> None:
    version = priced(ASYNC)
    project = version.agent.project
    with pytest.raises(BudgetUsedUp, match="7 calls and 70 tokens"):
        carry_out(version, numbers(6), Budget(calls=7))
    with pytest.raises(BudgetUsedUp, match="7 calls and 70 tokens"):
        Evaluation(project, Conduct(budget=Budget(calls=7))).resume("latest")
    assert len(server.requests) == 7
    with pytest.raises(BudgetUsedUp, match="10 calls and 100 tokens"):
        Evaluation(project, Conduct(concurrency=1, budget=Budget(calls=10))).resume("latest")
    assert len(server.requests) == 10
    result = Evaluation(project, Conduct(budget=Budget(calls=14))).resume("latest")[0]
    assert (result.scored, len(server.requests)) == (6, 14)
    assert result.record.plan.samples == 1


GIVEN_UP = """
import asyncio
import httpx
from langchain_openai import ChatOpenAI
from linenotes.agents import prompt

asked = asyncio.Event()

async def answer(state):
    async with httpx.AsyncClient() as client:
        model = ChatOpenAI(model="m", max_retries=0, http_async_client=client)
        await model.ainvoke(f"{{state['question']}}")
    if state["question"] == 0:
        asked.set()
        await asyncio.sleep(600)
    await asked.wait()
    {end}
"""


@pytest.mark.parametrize("budget", [Budget(), Budget(calls=50)], ids=["no budget", "budget"])
@pytest.mark.parametrize(
    ("end", "raised"),
    [("prompt('greet')", PromptError), ("raise KeyboardInterrupt", KeyboardInterrupt)],
    ids=["a mistake", "Ctrl-C"],
)
def test_what_samples_had_spent_that_the_end_of_the_run_cancelled_counts_as_spent(
    priced: Callable[[str], AgentVersion],
    numbers: Callable[..., Dataset],
    server: ScriptedServer,
    budget: Budget,
    end: str,
    raised: type[BaseException],
) -> None:
    version = priced(GIVEN_UP.format(end=end))
    with pytest.raises(raised):
        carry_out(version, numbers(2), budget, at_a_time=2)
    runs = RunStore.of(version.agent.project)
    with runs.open(runs.find_begun("latest")) as journal:
        assert (journal.spent.calls, journal.spent.tokens) == (2, 20)
        assert journal.spent.usd == pytest.approx(0.02)
        assert not journal.record.outcomes


def test_a_call_that_was_given_up_beside_a_refused_one_counts_as_spent(
    priced: Callable[[str], AgentVersion],
    numbers: Callable[..., Dataset],
    server: ScriptedServer,
) -> None:
    version = priced(FAN_OUT)
    with pytest.raises(BudgetUsedUp, match=r"3 calls and .* 1 of 3 samples are kept"):
        carry_out(version, numbers(3), Budget(calls=3))
    assert len(server.requests) <= 3
    resumed = Evaluation(version.agent.project, Conduct(concurrency=1, budget=Budget(calls=7)))
    assert resumed.resume("latest")[0].scored == 3


def test_the_message_says_what_was_spent_and_what_would_do(
    priced: Callable[[str], AgentVersion],
    numbers: Callable[..., Dataset],
    server: ScriptedServer,
) -> None:
    version = priced(ASYNC)
    with pytest.raises(BudgetUsedUp) as told:
        carry_out(version, numbers(6), Budget(usd=0.06, calls=500))
    run = RunStore.of(version.agent.project).find("latest").run_id[:12]
    message = str(told.value)
    assert message.startswith("The budget of $0.0600 is used up: $0.0600, 6 calls and 60 tokens in")
    assert f"3 of 6 samples are kept. Continue with `linenotes eval --resume {run}" in message
    proposed = float(message.partition("--budget-usd ")[2].partition(" ")[0])
    assert "--budget-calls 500`" in message
    assert 0.12 <= proposed <= 0.2


def test_an_agent_that_swallows_the_refusal_does_not_finish_its_sample(
    priced: Callable[[str], AgentVersion],
    numbers: Callable[..., Dataset],
    server: ScriptedServer,
) -> None:
    version = priced(STUBBORN)
    with pytest.raises(BudgetUsedUp, match="2 of 6 samples are kept"):
        carry_out(version, numbers(6), Budget(calls=2))
    record = RunStore.of(version.agent.project).read("latest")
    assert {score.value for scores in record.scores.values() for score in scores} == {True}


def test_calls_in_flight_end_and_their_samples_stay(
    priced: Callable[[str], AgentVersion], numbers: Callable[..., Dataset]
) -> None:
    def reply(_: Request) -> Reply:
        time.sleep(0.05)  # the server says one thing at a time, so others wait for their reply
        return TEN

    version = priced(SYNC)
    with (
        ScriptedServer(reply) as server,
        server.in_environment(),
        pytest.raises(BudgetUsedUp, match=r"5 calls and 50 tokens .* 2 of 9 samples are kept"),
    ):
        carry_out(version, numbers(9), Budget(calls=5), at_a_time=3)
    assert len(server.requests) == 5


def test_a_model_without_a_price_is_refused_before_it_costs_anything(
    one_node: Callable[..., AgentVersion],
    numbers: Callable[..., Dataset],
    server: ScriptedServer,
) -> None:
    version = one_node(STUBBORN, {"pyproject.toml": ""})
    with pytest.raises(ModelError, match=r"'m' has no known price.*tool.linenotes.prices.\"m\""):
        evaluate(version, numbers(2), budget=Budget(usd=1))
    assert not server.requests
    assert evaluate(version, numbers(2), samples=1, budget=Budget(tokens=1000)).scored == 2


def test_limits_of_the_project_hold_where_none_is_given(
    one_node: Callable[..., AgentVersion],
    numbers: Callable[..., Dataset],
    server: ScriptedServer,
) -> None:
    version = one_node(ASYNC, {"pyproject.toml": "[tool.linenotes.budget]\ncalls = 4\n"})
    with pytest.raises(BudgetUsedUp, match="The budget of 4 calls is used up"):
        evaluate(version, numbers(6), samples=1)
    with pytest.raises(BudgetUsedUp, match="The budget of 6 calls is used up"):
        evaluate(version, numbers(6), samples=1, budget=Budget(calls=6))
    with pytest.raises(BudgetUsedUp, match="The budget of 20 tokens is used up"):
        evaluate(version, numbers(6), samples=1, budget=Budget(tokens=20))


def test_time_is_a_budget_of_agents_without_models_too(
    one_node: Callable[..., AgentVersion], numbers: Callable[..., Dataset]
) -> None:
    slow = "import time\ndef answer(state):\n    time.sleep(0.05)\n    return {'answer': 1}\n"
    version = one_node(slow)
    with pytest.raises(BudgetUsedUp, match="--budget-seconds") as told:
        carry_out(version, numbers(100), Budget(seconds=0.4))
    assert "0 calls and 0 tokens" in str(told.value)
    record = RunStore.of(version.agent.project).read("latest")
    assert 0 < len(record.outcomes) < 100


@pytest.mark.parametrize(
    "limits", [{"calls": 0}, {"tokens": -1}, {"usd": -0.1}, {"seconds": float("nan")}]
)
def test_a_budget_that_allows_nothing_is_a_mistake(limits: dict[str, float]) -> None:
    with pytest.raises(RunError, match="allows nothing"):
        Budget(**limits)  # type: ignore[arg-type]
