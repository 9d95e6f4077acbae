from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from langchain_core.messages import HumanMessage

from linenotes.agents.support_desk import nearest_neighbour
from linenotes.datasets import load_dataset
from linenotes.project import LinenotesError, Project

if TYPE_CHECKING:
    from langgraph.graph.state import CompiledStateGraph


def ask(words: str) -> dict[str, Any]:
    output = nearest_neighbour().invoke({"messages": [HumanMessage(words)]})
    return dict(output)


def test_message_goes_where_similar_ones_went() -> None:
    output = ask("please freeze my bank account")

    assert (output["team"], output["intent"]) == ("banking", "freeze_account")
    assert [message.name for message in output["messages"][1:]] == ["neighbours", "desk"]
    assert output["messages"][-1].text.endswith("[template banking/freeze_account]")


@pytest.mark.parametrize("words", ["żółw", "who painted the girl with the pearl earring"])
def test_message_like_no_other_is_out_of_scope(words: str) -> None:
    output = ask(words)

    assert (output["team"], output["intent"]) == ("out_of_scope", "out_of_scope")


def test_no_message_is_refused() -> None:
    with pytest.raises(LinenotesError, match="no message of a customer"):
        nearest_neighbour().invoke({"messages": []})


def test_baseline_is_as_strong_as_when_it_was_tuned(make_project: Callable[..., Project]) -> None:
    cases = load_dataset("support-desk", make_project()).select("val").cases
    graph: CompiledStateGraph[Any, Any, Any, Any] = nearest_neighbour()

    right = [graph.invoke(c.inputs)["intent"] == c.expectations["intent"] for c in cases]

    assert sum(right) / len(cases) > 0.75
