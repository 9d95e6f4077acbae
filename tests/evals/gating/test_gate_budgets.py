"""Gates whose budget ends, and gates with recordings, on a graph that asks a scripted model."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from linenotes.agents import AgentVersion
from linenotes.datasets import Dataset
from linenotes.evals import (
    Budget,
    Conduct,
    Gate,
    GateOrder,
    VersionBase,
    conclude,
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


def test_a_gate_that_its_budget_has_ended_starts_anew_and_says_so(asking: GateOrder) -> None:
    order = replace(asking, seed=1)
    project, conduct = order.candidate.agent.project, Conduct(budget=Budget(calls=30))
    first = run_gate(order, project, conduct)
    again = run_gate(order, project, conduct)
    fresh = run_gate(replace(order, fresh=True), project, conduct)
    other = run_gate(replace(order, gate=Gate(margin=0.02, target="population")), project, conduct)
    assert first.ended_by == again.ended_by == "budget"
    assert first.candidate is not None
    assert again.candidate is not None
    assert again.candidate.plan.run_id != first.candidate.plan.run_id
    assert any(first.candidate.plan.run_id[:12] in note for note in again.notes)
    assert "ended by its budget before, and has decided" in " ".join(
        " ".join(gate_report.lines(again)).split()
    )
    assert not first.notes
    assert not fresh.notes
    assert not other.notes


def test_a_budget_that_ends_on_the_way_to_a_baseline_saves_none_until_there_is_more(
    asking: GateOrder,
) -> None:
    project, lenient = asking.candidate.agent.project, Gate(target="population", margin=0.9)
    order = replace(asking, gate=lenient, saves=True, seed=2)
    # 20 cases of two versions at the first look, and 180 more for the baseline.
    short = run_gate(order, project, Conduct(budget=Budget(calls=100), concurrency=1))
    assert (short.decision.verdict, short.decision.exit_code) == ("pass", 0)
    assert short.samples == 1
    found = conclude(project, short, save_as="next")
    assert found.saved is None
    assert "It passed, and is not saved: the budget ended with 80 of the 200" in str(found.problem)
    enough = str(found.problem).partition("--budget-calls ")[2].split()[0]
    assert found.document()["calls"] == 100
    assert "Budget left: 0 calls" in " ".join(found.lines())

    whole = run_gate(order, project, Conduct(budget=Budget(calls=int(enough)), concurrency=1))
    assert whole.candidate is not None
    assert short.candidate is not None
    assert whole.candidate.plan.run_id == short.candidate.plan.run_id
    assert conclude(project, whole, save_as="next").saved is not None
    assert (whole.filled_samples, whole.spent_in_all.calls) == (180, 220)


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


def test_the_samples_of_a_baseline_are_recorded_and_replayed_like_those_of_the_gate(
    asking: GateOrder, server: ScriptedServer
) -> None:
    project, lenient = asking.candidate.agent.project, Gate(target="population", margin=0.9)
    order = replace(asking, gate=lenient, saves=True, samples=3)
    first = run_gate(
        order, project, Conduct(recordings=RecordingPolicy(record="auto"), concurrency=1)
    )
    called = len(server.requests)
    assert called == first.spent_in_all.calls == 80
    replayed = run_gate(
        order, project, Conduct(recordings=RecordingPolicy(replay=True, strict=True))
    )
    assert len(server.requests) == called
    assert (replayed.filled_samples, replayed.lacks_use) == (40, False)


def test_a_baseline_whose_samples_were_never_recorded_is_not_saved(asking: GateOrder) -> None:
    project, lenient = asking.candidate.agent.project, Gate(target="population", margin=0.9)
    order = replace(asking, gate=lenient, samples=3)
    run_gate(order, project, Conduct(recordings=RecordingPolicy(record="auto"), concurrency=1))
    replayed = run_gate(
        replace(order, saves=True), project, Conduct(recordings=RecordingPolicy(replay=True))
    )
    found = conclude(project, replayed, save_as="next")
    assert (found.result.decision.verdict, found.saved) == ("pass", None)
    assert found.problem is not None
    assert "Case 'c0' sample 1, answer: the model m has no recording" in str(found.problem)
