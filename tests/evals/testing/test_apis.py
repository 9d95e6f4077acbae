"""Both chat APIs, through the clients that graphs use."""

from __future__ import annotations

import asyncio
from typing import Any, Literal

import pytest
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, ToolMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI, OpenAIEmbeddings
from openai import AsyncOpenAI, OpenAI
from pydantic import BaseModel

from linenotes.evals.testing import Reply, ScriptedServer, ToolCall
from linenotes.tracing import Tokens

APIS = pytest.mark.parametrize("responses", [False, True], ids=["chat", "responses"])
TALK = Reply(
    "Let me see.",
    [ToolCall("hotels", {"town": "Bath", "stars": [4, 5]}), ToolCall("hotels", {"town": "York"})],
    tokens=Tokens(input=20, output=9, cached=5, reasoning=4),
)


class Trip(BaseModel):
    """A trip."""

    town: str
    days: int


@tool
def hotels(town: str, stars: list[int] | None = None) -> str:
    """Find hotels."""
    return f"{town}: {stars}"


def model(*, responses: bool) -> ChatOpenAI:
    return ChatOpenAI(model="gpt-x", use_responses_api=responses, stream_usage=not responses)


def whole(chunks: list[AIMessageChunk]) -> AIMessageChunk:
    first, *rest = chunks
    return first.__add__(*rest) if len(rest) == 1 else first.__add__(rest)


def check_talk(message: BaseMessage) -> None:
    assert isinstance(message, AIMessage)
    assert message.text == "Let me see."
    assert [(call["name"], call["args"]) for call in message.tool_calls] == [
        ("hotels", {"town": "Bath", "stars": [4, 5]}),
        ("hotels", {"town": "York"}),
    ]
    usage: Any = message.usage_metadata
    assert (usage["input_tokens"], usage["output_tokens"], usage["total_tokens"]) == (20, 9, 29)
    assert usage["input_token_details"]["cache_read"] == 5
    assert usage["output_token_details"]["reasoning"] == 4
    assert message.response_metadata["model_name"] == "gpt-x"


@APIS
def test_a_reply_is_the_same_whole_streamed_and_async(*, responses: bool) -> None:
    async def talk() -> None:
        check_talk(await agent.ainvoke("Hotels?"))
        check_talk(whole([chunk async for chunk in agent.astream("Hotels?")]))

    with ScriptedServer(lambda _: TALK) as server, server.in_environment():
        agent: Any = model(responses=responses).bind_tools([hotels])
        check_talk(agent.invoke("Hotels?"))
        check_talk(whole(list(agent.stream("Hotels?"))))
        asyncio.run(talk())
    assert [request.stream for request in server.requests] == [False, True, False, True]
    assert len({request.digest for request in server.requests}) == 1
    assert [one.name for one in server.requests[0].tools] == ["hotels"]


@APIS
def test_a_stream_comes_in_pieces(server: ScriptedServer, *, responses: bool) -> None:
    chunks = [chunk.text for chunk in model(responses=responses).stream("Hello") if chunk.text]
    assert len(chunks) > 3
    assert "".join(chunks) == server.exchanges[0].text


@APIS
@pytest.mark.parametrize("method", ["json_schema", "function_calling"])
def test_structured_output_fits_its_schema(
    server: ScriptedServer, method: Literal["json_schema", "function_calling"], *, responses: bool
) -> None:
    planner = model(responses=responses).with_structured_output(Trip, method=method)
    trip = planner.invoke("Plan.")
    assert isinstance(trip, Trip)


@APIS
def test_a_conversation_with_tools_is_understood(
    server: ScriptedServer, *, responses: bool
) -> None:
    agent = model(responses=responses).bind_tools([hotels], tool_choice="hotels")
    asked = agent.invoke([("system", "Be kind."), ("user", "Hotels?")])
    results = [ToolMessage("Full.", tool_call_id=call["id"]) for call in asked.tool_calls]
    model(responses=responses).invoke([("user", "Hotels?"), asked, *results, ("user", "And now?")])

    first, second = server.requests
    assert [turn.role for turn in first.turns] == ["system", "user"]
    assert first.tool_choice == "hotels"
    spoke = second.turns[1]
    assert [turn.role for turn in second.turns] == [
        "user",
        "assistant",
        *("tool" for _ in results),
        "user",
    ]
    assert [(call.name, dict(call.arguments)) for call in spoke.tool_calls] == [
        (call["name"], call["args"]) for call in asked.tool_calls
    ]
    assert second.turns[2].text == "Full."


def test_both_apis_give_the_same_reply_to_the_same_conversation(server: ScriptedServer) -> None:
    replies = [model(responses=responses).invoke("Hello").text for responses in (False, True)]
    assert replies[0] == replies[1]


def test_a_response_can_be_gone_on_from(server: ScriptedServer, client: OpenAI) -> None:
    first = client.responses.create(model="a", input="Hello", instructions="Be kind.")
    second = client.responses.create(model="a", input="Go on.", previous_response_id=first.id)
    assert [(turn.role, turn.text) for turn in server.requests[1].turns] == [
        ("user", "Hello"),
        ("assistant", first.output_text),
        ("user", "Go on."),
    ]
    assert second.output_text != first.output_text


async def test_openais_own_stream_helpers_understand_the_events(server: ScriptedServer) -> None:
    async with AsyncOpenAI() as client:
        async with client.responses.stream(model="a", input="Hello", text_format=Trip) as stream:
            kinds = [event.type async for event in stream]
            response = await stream.get_final_response()
        assert isinstance(response.output_parsed, Trip)
        assert (kinds[0], kinds[-1]) == ("response.created", "response.completed")
        async with client.chat.completions.stream(
            model="a", messages=[{"role": "user", "content": "Hello"}], response_format=Trip
        ) as chat:
            completion = await chat.get_final_completion()
        assert isinstance(completion.choices[0].message.parsed, Trip)


def test_a_stream_tells_its_usage_only_when_asked(server: ScriptedServer) -> None:
    quiet = ChatOpenAI(model="gpt-x", stream_usage=False)
    assert not any(chunk.usage_metadata for chunk in quiet.stream("Hello"))
    assert not server.requests[0].include_usage


def test_langchain_embeds_with_it(server: ScriptedServer) -> None:
    embedder = OpenAIEmbeddings(check_embedding_ctx_length=False)
    one, other = embedder.embed_documents(["a red house", "a red house"])
    assert one == other == embedder.embed_query("a red house")
