"""Gates whose budget ends, and gates with recordings, on a graph that asks a scripted model."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator

import pytest

from linenotes.agents import AgentVersion
from linenotes.datasets import Dataset
from linenotes.evals import (
    Budget,
    Conduct,
    Gate,
    GateOrder,
    VersionBase,
    find_scorers,
    gate_report,
    run_gate,
)
from linenotes.evals.testing import Reply, Request, ScriptedServer
from linenotes.tracing import RecordingPolicy, Tokens

ASKS = """
import httpx
from langchain_openai import ChatOpenAI
from linenotes.agents import prompt

async def answer(state):
    async with httpx.AsyncClient() as client:
        model = ChatOpenAI(model="m", max_retries=0, http_async_client=client)
        said = await model.ainvoke(f"{prompt('tone').text} {state['question']}")
    return {"answer": state["question"] if said.content == "right" else None}
"""
"""An agent that is right when its model says so."""
TONES = {"prompts/tone/v1.md": "calm", "prompts/tone/v2.md": "loud"}


def flawed(request: Request, asked: Counter[str]) -> Reply:
    """Give every fourth question a wrong answer, and answer loud ones wrong every other time."""
    text = request.turns[-1].text
    asked[text] += 1
    number = int(text.split()[-1])
    wrong = number % 4 == 0 or ("loud" in text and asked[text] % 2 == 0)
    return Reply("wrong" if wrong else "right", tokens=Tokens(input=8, output=2))


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    asked: Counter[str] = Counter()
    with ScriptedServer(lambda one: flawed(one, asked)) as found, found.in_environment():
        yield found


@pytest.fixture
def asking(
    server: ScriptedServer, one_node: Callable[..., AgentVersion], numbers: Callable[..., Dataset]
) -> GateOrder:
    agent = one_node(ASKS, TONES).agent
    calm, loud = (AgentVersion.resolve(agent, prompts={"tone": one}) for one in ("v1", "v2"))
    judges = find_scorers([], agent.project)
    gate = Gate(target="population")
    return GateOrder(gate, VersionBase("@v1", calm), loud, numbers(20), judges, samples=10)


def test_a_budget_that_ends_within_a_sweep_leaves_a_last_look_at_all_there_is(
    asking: GateOrder,
) -> None:
    conduct = Conduct(budget=Budget(calls=55), concurrency=1)
    found = run_gate(asking, asking.candidate.agent.project, conduct)
    assert (found.ended_by, found.samples) == ("budget", 1)
    assert sum(len(record.outcomes) for record in found.records) == 55
    series = found.decision.looks[0]
    assert [look.time for look in series.looks] == [0.1, 1.0]
    # One sample of each case did not tell, and all that the budget bought does.
    assert series.looks[0].p_not_worse > series.looks[0].level
    assert found.decision.verdict == "fail"
    text = " ".join(" ".join(gate_report.lines(found)).split())
    assert "The budget is used up at K=1 of 10: 55 of 400 samples, 55 calls." in text
    assert "Budget left: 0 calls." in text


def test_a_budget_that_ends_before_a_sweep_is_whole_is_no_crash(asking: GateOrder) -> None:
    conduct = Conduct(budget=Budget(calls=1), concurrency=1)
    found = run_gate(asking, asking.candidate.agent.project, conduct)
    assert (found.decision.verdict, found.decision.exit_code) == ("cannot measure", 2)
    assert gate_report.lines(found)[0].startswith("CANNOT MEASURE  ")


def test_what_a_budget_has_left_is_told(asking: GateOrder) -> None:
    conduct = Conduct(budget=Budget(calls=1000), concurrency=1)
    found = run_gate(asking, asking.candidate.agent.project, conduct)
    assert found.decision.verdict == "fail"
    left = 1000 - found.spent.calls
    assert f"Budget left: {left} calls." in " ".join(" ".join(gate_report.lines(found)).split())


def test_a_gate_is_replayed_from_the_recordings_of_all_its_sweeps(
    asking: GateOrder, server: ScriptedServer
) -> None:
    project = asking.candidate.agent.project
    first = run_gate(
        asking, project, Conduct(recordings=RecordingPolicy(record="auto"), concurrency=1)
    )
    called = len(server.requests)
    replayed = run_gate(
        asking, project, Conduct(recordings=RecordingPolicy(replay=True, strict=True))
    )
    assert called == first.spent.calls > 0
    assert len(server.requests) == called
    assert replayed.decision.verdict == first.decision.verdict
    assert (replayed.samples, replayed.spent.calls) == (first.samples, 0)
    assert not replayed.lacks_use
