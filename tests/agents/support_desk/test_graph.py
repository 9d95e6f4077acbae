from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from langchain_core.messages import AIMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph.state import CompiledStateGraph

from linenotes.evals.testing import ScriptedServer
from linenotes.project import LinenotesError

Graph = CompiledStateGraph[Any, Any, Any, Any]
Desk = Callable[..., Graph]
Requests = list[dict[str, Any]]
ASK = {"messages": [{"role": "user", "content": "how much money is in my account"}]}


def speakers(output: dict[str, Any]) -> list[str]:
    return [message.name or message.type for message in output["messages"]]


def models(asked: Requests) -> list[str]:
    return sorted(request["model"] for request in asked)


def choices(request: dict[str, Any], field: str) -> list[str]:
    schema = request["response_format"]["json_schema"]["schema"]
    found: list[str] = schema["properties"][field]["enum"]
    return found


def test_message_in_scope_gets_the_answer_of_its_intent(desk: Desk) -> None:
    graph = desk(triage=["banking"], specialist=["balance"], reviewer=["banking"])

    output = graph.invoke(ASK)

    assert (output["team"], output["intent"]) == ("banking", "balance")
    assert speakers(output) == ["human", "triage", "specialist", "reviewer", "desk"]
    assert output["messages"][-1].text.endswith("[template banking/balance]")


def test_decisions_travel_as_the_messages_of_the_models(
    desk: Desk, provider: ScriptedServer
) -> None:
    graph = desk(triage=["banking"], specialist=["balance"], reviewer=["banking"])

    _, triage, specialist, *_ = graph.invoke(ASK)["messages"]

    assert json.loads(triage.text) == {"team": "banking"}
    assert json.loads(specialist.text) == {"intent": "balance"}
    assert triage.response_metadata["id"] == f"chatcmpl-{provider.exchanges[0].id}"


def test_message_out_of_scope_is_escalated_without_a_specialist(
    desk: Desk, asked: Requests
) -> None:
    output = desk(triage=["out_of_scope"]).invoke(ASK)

    assert (output["team"], output["intent"]) == ("out_of_scope", "out_of_scope")
    assert speakers(output) == ["human", "triage", "escalation", "desk"]
    assert "how much money" in output["messages"][2].text
    assert models(asked) == ["triage"]


def test_reviewer_sends_a_case_back_and_triage_follows(desk: Desk, asked: Requests) -> None:
    graph = desk(
        triage=["credit_cards", "banking"],
        specialist=["apr", "balance"],
        reviewer=["banking"],
    )

    output = graph.invoke(ASK)

    assert (output["team"], output["intent"]) == ("banking", "balance")
    assert speakers(output)[4:] == ["triage", "specialist", "desk"]
    assert models(asked) == ["reviewer", "specialist", "specialist", "triage", "triage"]


def test_second_look_is_between_the_two_teams_named(desk: Desk, asked: Requests) -> None:
    desk(triage=["travel", "travel"], specialist=["translate"], reviewer=["banking"]).invoke(ASK)

    first, second = (request for request in asked if request["model"] == "triage")

    assert len(choices(first, "team")) == 11
    assert choices(second, "team") == ["travel", "banking"]


def test_specialist_is_not_asked_again_when_triage_stands_by_its_team(
    desk: Desk, asked: Requests
) -> None:
    graph = desk(triage=["banking", "banking"], specialist=["balance"], reviewer=["travel"])

    output = graph.invoke(ASK)

    assert (output["team"], output["intent"]) == ("banking", "balance")
    assert speakers(output)[4:] == ["triage", "desk"]
    assert models(asked) == ["reviewer", "specialist", "triage", "triage"]


def test_second_look_may_end_out_of_scope(desk: Desk) -> None:
    graph = desk(
        triage=["banking", "out_of_scope"], specialist=["balance"], reviewer=["out_of_scope"]
    )

    output = graph.invoke(ASK)

    assert (output["team"], output["intent"]) == ("out_of_scope", "out_of_scope")
    assert speakers(output)[4:] == ["triage", "escalation", "desk"]


async def test_desk_runs_in_an_event_loop(desk: Desk) -> None:
    graph = desk(
        triage=["credit_cards", "banking"],
        specialist=["apr", "balance"],
        reviewer=["banking"],
    )

    output = await graph.ainvoke(ASK)

    assert (output["team"], output["intent"]) == ("banking", "balance")
    assert speakers(output).count("desk") == 1


def test_desk_streams(desk: Desk) -> None:
    graph = desk(triage=["banking"], specialist=["balance"], reviewer=["banking"])

    steps = [name for update in graph.stream(ASK, stream_mode="updates") for name in update]

    assert steps[0] == "triage"
    assert set(steps[1:3]) == {"specialist", "reviewer"}
    assert steps[3:] == ["desk"]


def test_streamed_tokens_make_the_same_decisions(desk: Desk) -> None:
    graph = desk(triage=["banking"], specialist=["balance"], reviewer=["banking"])

    *_, (said, _) = graph.stream(ASK, stream_mode="messages")

    assert isinstance(said, AIMessage)
    assert said.text.endswith("[template banking/balance]")


def test_next_message_of_a_thread_starts_afresh(desk: Desk, asked: Requests) -> None:
    graph = desk(
        triage=["credit_cards", "banking", "travel"],
        specialist=["apr", "balance", "translate"],
        reviewer=["banking", "travel"],
    )
    graph.checkpointer = InMemorySaver()
    graph.invoke(ASK, {"configurable": {"thread_id": "1"}})

    follow_up = {"messages": [{"role": "user", "content": "and what is that in french"}]}
    output = graph.invoke(follow_up, {"configurable": {"thread_id": "1"}})

    assert (output["team"], output["intent"]) == ("travel", "translate")
    assert asked[-1]["messages"][-1]["content"] == "and what is that in french"


@pytest.mark.parametrize("messages", [[], [{"role": "user", "content": "  "}]])
def test_input_without_words_of_a_customer_is_refused(
    desk: Desk, messages: list[dict[str, str]]
) -> None:
    with pytest.raises(LinenotesError, match="no message of a customer"):
        desk().invoke({"messages": messages})


def test_model_that_ignores_the_schema_is_named(desk: Desk) -> None:
    with pytest.raises(ValueError, match=r"'triage' answered .*gardening.* JSON schema"):
        desk(triage=["gardening"]).invoke(ASK)


def test_drawing_shows_every_way_through_the_desk(desk: Desk) -> None:
    edges = {(edge.source, edge.target) for edge in desk().get_graph().edges}

    assert edges == {
        ("__start__", "triage"),
        ("triage", "specialist"),
        ("triage", "reviewer"),
        ("triage", "escalation"),
        ("triage", "desk"),
        ("reviewer", "triage"),
        ("reviewer", "desk"),
        ("specialist", "desk"),
        ("escalation", "desk"),
        ("desk", "__end__"),
    }
