from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import pytest

from linenotes.agents import Agent, AgentVersion, load_agent
from linenotes.evals import choose_cases, evaluate, find_case
from linenotes.project import DatasetError, RunError

CASES = """\
{"id": "a", "inputs": {"question": 1}, "expectations": {"answer": 1}, "split": "val"}
{"id": "b", "inputs": {"question": 2}, "expectations": {"answer": 2}, "split": "test"}
{"id": "c", "inputs": {"question": 3}, "expectations": {"answer": 4}, "split": "test"}
"""
SETTINGS = """
[tool.linenotes.agents.desk]
graph = "app.py:build"
dataset = "cases"
split = "test"
"""


@pytest.fixture
def desk(one_node: Callable[..., AgentVersion]) -> Agent:
    files = {"pyproject.toml": SETTINGS, "datasets/cases.jsonl": CASES}
    return load_agent("desk", one_node(files=files).agent.project)


def test_one_call_from_a_name_to_a_result(desk: Agent) -> None:
    result = evaluate("desk", samples=2)
    assert result.record.plan.dataset.name == "cases"
    assert [case.id for case in result.record.plan.cases] == ["b", "c"]
    assert result.estimates["matches_expectations"].mean == 0.5


TWICE = """
from linenotes.evals import evaluate
from linenotes.evals.testing import ScriptedServer

with ScriptedServer("hello") as server, server.in_environment():
    for _ in range(2):
        print(evaluate("app.py:build", "datasets/cases.jsonl", samples=2).errors["agent"])
"""


def test_one_evaluation_after_the_other_shares_the_clients_of_the_process(
    one_node: Callable[..., AgentVersion],
) -> None:
    node = """
from langchain_openai import ChatOpenAI

async def answer(state):
    return {"answer": (await ChatOpenAI(model="m", max_retries=0).ainvoke("hello")).content}
"""
    one_node(node, {"datasets/cases.jsonl": CASES})
    # In a process of its own: the clients keep their connections open to its end.
    script = [sys.executable, "-c", TWICE]
    done = subprocess.run(script, capture_output=True, text=True, check=True, timeout=120)
    assert done.stdout.split() == ["0", "0"]


def test_a_stranger_names_graph_dataset_and_split(desk: Agent) -> None:
    result = evaluate("app.py:build", "datasets/cases.jsonl", samples=1, split="val")
    assert result.record.plan.agent == "app"
    assert result.scored == 1


def test_an_agents_own_split_goes_with_its_own_dataset(desk: Agent) -> None:
    assert [case.id for case in choose_cases(desk).cases] == ["b", "c"]
    assert [case.id for case in choose_cases(desk, split="val").cases] == ["a"]
    assert len(choose_cases(desk, "datasets/cases.jsonl").cases) == 3
    assert len(choose_cases(desk, limit=1).cases) == 1


def test_without_a_dataset_the_option_is_told(one_node: Callable[..., AgentVersion]) -> None:
    with pytest.raises(RunError, match=r"Agent 'app' has no dataset of its own. Name one: --dat"):
        choose_cases(one_node().agent)


def test_a_case_is_found_whatever_its_split(desk: Agent) -> None:
    assert find_case(desk, "a").inputs == {"question": 1}
    with pytest.raises(DatasetError, match=r"'z'"):
        find_case(desk, "z")
