from __future__ import annotations

from collections.abc import Callable

import pytest

from linenotes.agents import AgentVersion
from linenotes.datasets import Case
from linenotes.evals import find_scorers, run_once, store_execution
from linenotes.project import PromptError
from linenotes.tracing import Message, open_store

CASE = Case(id="c", inputs={"question": 1}, expectations={"answer": 1})


def test_a_case_is_run_scored_and_heard_as_it_happens(
    one_node: Callable[..., AgentVersion],
) -> None:
    version = one_node()
    heard: list[Message] = []
    execution = run_once(
        version,
        CASE,
        scorers=find_scorers([], version.agent.project),
        on_message=heard.append,
    )
    assert execution.sample.output == {"question": 1, "answer": 1}
    assert [(score.name, score.value) for score in execution.scores] == [
        ("matches_expectations", True)
    ]
    assert [m.id for m in heard] == [m.id for m in execution.sample.ledger]


def test_running_a_case_again_is_another_trace(one_node: Callable[..., AgentVersion]) -> None:
    version = one_node()
    first, second = (run_once(version, CASE).sample.trace.trace_id for _ in range(2))
    assert first != second


def test_a_failure_is_data(one_node: Callable[..., AgentVersion]) -> None:
    execution = run_once(one_node("def answer(state):\n    raise ValueError('no')\n"), CASE)
    assert str(execution.sample.error) == "ValueError: no"


def test_a_mistake_is_raised(one_node: Callable[..., AgentVersion]) -> None:
    node = """
from linenotes.agents import prompt

def answer(state):
    return prompt("nowhere")
"""
    with pytest.raises(PromptError, match=r"nowhere"):
        run_once(one_node(node), CASE)


def test_an_execution_is_kept_as_one_trace(one_node: Callable[..., AgentVersion]) -> None:
    version = one_node()
    execution = run_once(version, CASE)
    trace_id = store_execution(execution, version, version.agent.project)
    with open_store(version.agent.project) as store:
        assert store.read_trace(trace_id) == execution.sample.trace
