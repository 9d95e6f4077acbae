"""What runs cost, from their journals."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from linenotes.agents import AgentVersion
from linenotes.datasets import Dataset
from linenotes.evals import By, RunResult, RunStore, cost_lines, cost_rows, evaluate
from linenotes.evals.testing import Reply, Request, ScriptedServer
from linenotes.project import Project
from linenotes.tracing import Tokens, open_store

PRICES = """
[tool.linenotes.prices."dear"]
input = 1000
output = 2000
cached = 100
reasoning = 4000
"""
TWO_AGENTS = """
import httpx
from langchain_openai import ChatOpenAI

async def ask(model, text):
    async with httpx.AsyncClient() as client:
        return await ChatOpenAI(model=model, max_retries=0, http_async_client=client).ainvoke(text)

async def draft(state):
    await ask("dear", f"draft {state['question']}")

async def answer(state):
    await ask("dear", f"answer {state['question']}")
    await ask("strange", "check")
    return {"answer": state["question"]}

def build():
    graph = StateGraph(State)
    graph.add_node("draft", draft)
    graph.add_node("answer", answer)
    graph.add_edge(START, "draft")
    graph.add_edge("draft", "answer")
    graph.add_edge("answer", END)
    return graph
"""


def reply(request: Request) -> Reply:
    """Say something that uses tokens of every kind; the case c1 takes twice as many."""
    size = 2 if request.prompt.endswith("1") else 1
    return Reply("ok", tokens=Tokens(size * 100, size * 20, cached=size * 50, reasoning=size * 10))


@pytest.fixture
def evaluated(
    make_project: Callable[..., Project], numbers: Callable[..., Dataset]
) -> Iterator[RunResult]:
    from tests.evals.conftest import ONE_NODE

    source = ONE_NODE.partition("{node}")[0] + TWO_AGENTS
    make_project({"app.py": source, "pyproject.toml": PRICES})
    with ScriptedServer(reply) as server, server.in_environment():
        yield evaluate("app.py:build", numbers(2), samples=1)


ONE_CALL = (50 * 1000 + 50 * 100 + 10 * 2000 + 10 * 4000) / 1e6
"""Of the dear model, by hand: fresh and cached input, what is said and what is thought."""


def test_each_agent_is_told_with_each_of_its_models(evaluated: RunResult) -> None:
    found = {(usage.agent, usage.model): usage for usage in evaluated.usage}
    assert found.keys() == {("draft", "dear"), ("answer", "dear"), ("answer", "strange")}
    dear, strange = found["answer", "dear"], found["answer", "strange"]
    assert (dear.calls, dear.input, dear.cached) == (2, 300, 150)
    assert (dear.output, dear.reasoning) == (60, 30)
    assert dear.cost == pytest.approx(3 * ONE_CALL)
    assert (strange.cost, strange.unpriced, strange.tokens) == (None, 2, 240)


def test_costs_are_told_by_agent_model_case_and_version(evaluated: RunResult) -> None:
    record = RunStore.of(Project.find()).read(evaluated.record.plan.run_id)

    def costs(by: By) -> dict[str, float | None]:
        return {line.name: line.used.cost for line in cost_lines([record], by)}

    assert costs("agent") == {
        "answer": pytest.approx(3 * ONE_CALL),
        "draft": pytest.approx(3 * ONE_CALL),
    }
    assert costs("model") == {"dear": pytest.approx(6 * ONE_CALL), "strange": None}
    assert costs("case") == {
        "c1": pytest.approx(4 * ONE_CALL),
        "c0": pytest.approx(2 * ONE_CALL),
    }
    assert list(costs("case")) == ["c1", "c0"]
    assert costs("version") == {"current": pytest.approx(6 * ONE_CALL)}
    assert evaluated.cost == pytest.approx(6 * ONE_CALL)


def test_what_has_no_price_is_unpriced_and_not_free(evaluated: RunResult) -> None:
    rows = list(cost_rows(cost_lines([evaluated.record], "model"), "model"))
    assert rows[1][0] == "dear"
    assert rows[2] == ("strange", "2", "200", "100", "40", "20", "unpriced", "")
    assert rows[3][:2] == ("all", "6")


def test_mlflow_has_the_cost_of_each_agent(evaluated: RunResult) -> None:
    from mlflow import MlflowClient

    with open_store(Project.find()) as store:
        client = MlflowClient(tracking_uri=store.tracking_uri)
        metrics = client.get_run(evaluated.record.plan.run_id).data.metrics
    assert metrics["cost"] == pytest.approx(6 * ONE_CALL)
    assert metrics["cost/draft"] == pytest.approx(3 * ONE_CALL)
    assert (metrics["calls"], metrics["unpriced_calls"]) == (6, 2)


def test_a_run_without_any_price_has_no_cost_in_mlflow(
    one_node: Callable[..., AgentVersion], numbers: Callable[..., Dataset]
) -> None:
    from mlflow import MlflowClient

    node = (
        TWO_AGENTS.partition("async def draft")[0]
        + """
async def answer(state):
    await ask("strange", "check")
    return {"answer": state["question"]}
"""
    )
    with ScriptedServer(reply) as server, server.in_environment():
        result = evaluate(one_node(node), numbers(1), samples=1)
    assert result.cost is None
    with open_store(Project.find()) as store:
        client = MlflowClient(tracking_uri=store.tracking_uri)
        metrics = client.get_run(result.record.plan.run_id).data.metrics
    assert "cost" not in metrics
    assert metrics["unpriced_calls"] == 1
