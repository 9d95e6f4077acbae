from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from openai import OpenAI
from pydantic import BaseModel

from linenotes.evals.testing import ScriptedServer

if TYPE_CHECKING:
    from openai.types.chat import ChatCompletion, ChatCompletionMessage
    from openai.types.chat.chat_completion_message_function_tool_call import Function

ASK: dict[str, Any] = {"role": "user", "content": "Plan a trip."}


def tool(name: str, description: str = "", **properties: object) -> dict[str, Any]:
    parameters = {"type": "object", "properties": properties, "required": [*properties]}
    function = {"name": name, "description": description, "parameters": parameters}
    return {"type": "function", "function": function}


TRAINS = tool("trains", town={"type": "string"}, seats={"type": "integer", "minimum": 1})
HOTELS = tool("hotels", stars={"enum": [3, 4, 5]})
TO_BOB = tool("transfer_to_bob")
DONE = tool("TripComplete")


def turn(client: OpenAI, messages: list[Any], **options: object) -> ChatCompletionMessage:
    asked: Any = {"tools": [TRAINS, HOTELS], **options}
    answer: ChatCompletion = client.chat.completions.create(model="a", messages=messages, **asked)
    return answer.choices[0].message


def called(message: ChatCompletionMessage) -> list[Function]:
    """Return the function calls of a reply: names and arguments."""
    calls = [call for call in message.tool_calls or () if call.type == "function"]
    return [call.function for call in calls]


def talk(
    client: OpenAI, text: str = "Plan a trip.", **options: object
) -> list[ChatCompletionMessage]:
    """Run tools as an agent does, until there is an answer; return the replies."""
    messages: list[Any] = [{"role": "user", "content": text}]
    replies: list[ChatCompletionMessage] = []
    while not replies or replies[-1].tool_calls:
        replies.append(turn(client, messages, **options))
        messages.append(replies[-1].model_dump(exclude_none=True))
        messages += (
            {"role": "tool", "tool_call_id": call.id, "content": "Done."}
            for call in replies[-1].tool_calls or ()
        )
    return replies


@pytest.mark.parametrize("text", [f"Plan trip {number}." for number in range(20)])
def test_tools_are_called_for_a_few_rounds_and_then_there_is_an_answer(
    client: OpenAI, text: str
) -> None:
    *rounds, answer = talk(client, text)
    assert 1 <= len(rounds) <= 3
    assert answer.content
    for call in (call for reply in rounds for call in called(reply)):
        arguments = json.loads(call.arguments)
        if call.name == "hotels":
            assert arguments["stars"] in {3, 4, 5}
        else:
            assert isinstance(arguments["town"], str)
            assert arguments["seats"] >= 1


def test_a_tool_that_was_not_called_yet_comes_first(client: OpenAI) -> None:
    calls = [
        [
            call.name
            for reply in talk(client, f"Trip {n}.", parallel_tool_calls=False)
            for call in called(reply)
        ]
        for n in range(10)
    ]
    longer = [names for names in calls if len(names) > 1]
    assert longer
    assert all(first != second for first, second, *_ in longer)


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        ("none", set[str]()),
        ({"type": "function", "function": {"name": "hotels"}}, {"hotels"}),
    ],
)
def test_the_choice_of_tools_is_honoured(
    client: OpenAI, choice: object, expected: set[str]
) -> None:
    message = turn(client, [ASK], tool_choice=choice)
    assert {call.name for call in called(message)} == expected


def test_required_calls_go_on_until_a_tool_that_ends(client: OpenAI) -> None:
    messages: list[Any] = [ASK]
    for _ in range(3):
        messages += [{"role": "assistant", "content": "Thinking."}]
    message = turn(client, messages, tools=[TRAINS, HOTELS, DONE], tool_choice="required")
    assert [call.name for call in called(message)] == ["TripComplete"]


def test_a_tool_that_ends_is_not_called_first(client: OpenAI) -> None:
    for number in range(20):
        ask = {"role": "user", "content": str(number)}
        message = turn(client, [ask], tools=[HOTELS, DONE], parallel_tool_calls=False)
        assert [call.name for call in called(message)] == ["hotels"]


def test_calls_are_parallel_at_times_unless_told_otherwise(client: OpenAI) -> None:
    asks = [[{"role": "user", "content": str(number)}] for number in range(30)]
    assert {len(called(turn(client, ask))) for ask in asks} == {1, 2}
    alone = {len(called(turn(client, ask, parallel_tool_calls=False))) for ask in asks}
    assert alone == {1}


def test_a_handoff_travels_alone(client: OpenAI) -> None:
    for number in range(30):
        message = turn(client, [{"role": "user", "content": str(number)}], tools=[TRAINS, TO_BOB])
        names = [call.name for call in called(message)]
        assert "transfer_to_bob" not in names or names == ["transfer_to_bob"]


def test_agents_that_speak_as_named_users_have_had_their_turn(client: OpenAI) -> None:
    spoken = [{"role": "user", "name": "bob", "content": f"Idea {number}."} for number in range(3)]
    assert not turn(client, [ASK, *spoken]).tool_calls


def test_a_name_that_only_the_description_lists_is_chosen_from_it(client: OpenAI) -> None:
    task = tool(
        "task",
        "Start a helper. Known helpers:\n- scout: finds\n- critic: judges\n\nNotes:\n- Be kind.",
        helper_type={"type": "string"},
        wish={"type": "string"},
    )
    named = set()
    for number in range(20):
        ask = {"role": "user", "content": str(number)}
        for call in called(turn(client, [ask], tools=[task])):
            named.add(json.loads(call.arguments)["helper_type"])
    assert named == {"scout", "critic"}


class Trip(BaseModel):
    town: str
    days: int


def test_structured_output_comes_after_the_tools(client: OpenAI) -> None:
    asked: Any = {
        "type": "json_schema",
        "json_schema": {"name": "Trip", "schema": Trip.model_json_schema(), "strict": True},
    }
    *rounds, answer = talk(client, response_format=asked)
    assert rounds
    Trip.model_validate_json(answer.content or "")


def test_a_json_object_is_one(client: OpenAI) -> None:
    message = turn(client, [ASK], tools=None, response_format={"type": "json_object"})
    assert isinstance(json.loads(message.content or ""), dict)


def test_more_rounds_can_be_asked_for() -> None:
    with ScriptedServer(tool_rounds=0) as server, server.in_environment(), OpenAI() as client:
        assert len(talk(client)) == 1
