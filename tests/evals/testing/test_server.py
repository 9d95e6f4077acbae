from __future__ import annotations

import asyncio
import base64
import os
import struct
import threading
from collections.abc import Sequence
from typing import Any, Literal

import httpx2
import pytest
from openai import AsyncOpenAI, BadRequestError, NotFoundError, OpenAI

from linenotes.evals.testing import Reply, Request, ScriptedServer, ToolCall
from linenotes.project import ModelError
from linenotes.tracing import Tokens

ASK: Any = [{"role": "user", "content": "Hello"}]
TOOL: Any = {"type": "function", "function": {"name": "now", "parameters": {"type": "object"}}}


def said(client: OpenAI, text: str = "Hello", model: str = "a") -> str | None:
    asked: Any = [{"role": "user", "content": text}]
    answer = client.chat.completions.create(model=model, messages=asked)
    return answer.choices[0].message.content


def refused(client: OpenAI) -> None:
    with pytest.raises(BadRequestError):
        said(client)


def test_the_same_request_gets_the_same_reply_in_every_server() -> None:
    replies = []
    for seed in (0, 0, 1):
        with ScriptedServer(seed=seed) as server, server.in_environment(), OpenAI() as client:
            replies.append([said(client), said(client), said(client, "Bye")])
    assert replies[0] == replies[1] != replies[2]
    assert replies[0][0] == replies[0][1] != replies[0][2]


def test_tools_that_are_no_functions_are_left_to_the_provider(
    server: ScriptedServer, client: OpenAI
) -> None:
    tools: Any = [{"type": "web_search"}, TOOL]
    client.responses.create(model="a", input="Hello", tools=tools[:1])
    client.chat.completions.create(model="a", messages=ASK, tools=tools)
    assert [len(request.tools) for request in server.requests] == [0, 1]


def test_equal_requests_get_tool_calls_with_ids_of_their_own(client: OpenAI) -> None:
    ids = set()
    for _ in range(3):
        answer = client.chat.completions.create(model="a", messages=ASK, tools=[TOOL])
        ids |= {call.id for call in answer.choices[0].message.tool_calls or ()}
    assert len(ids) >= 3


def test_replies_are_said_in_order() -> None:
    script = [Reply("One."), Reply("Two.", tokens=Tokens(input=7, output=3, cached=2))]
    with ScriptedServer(script) as server, server.in_environment(), OpenAI() as client:
        assert said(client) == "One."
        answer = client.chat.completions.create(model="a", messages=ASK)
    assert answer.choices[0].message.content == "Two."
    assert answer.usage
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (7, 3)
    assert server.tokens == server.exchanges[0].tokens + Tokens(input=7, output=3, cached=2)


def test_a_text_is_a_reply_and_a_single_one_is_said_every_time() -> None:
    server = ScriptedServer(["One."], models={"b": "Always."}, texts={"now": lambda _: "Now."})
    with server, server.in_environment(), OpenAI() as client:
        assert [said(client, model="b") for _ in range(2)] == ["Always.", "Always."]
        assert said(client, "What is it now?") == "Now."
        assert said(client) == "One."


def test_what_is_no_reply_is_told_to_the_client_and_comes_out_of_the_block() -> None:
    script: Any = [42]

    def run() -> None:
        with ScriptedServer(script) as server, server.in_environment(), OpenAI() as client:
            refused(client)

    with pytest.raises(TypeError, match=r"gave 42, which is no reply"):
        run()


def test_the_most_special_script_speaks_and_the_server_improvises_where_none_does() -> None:
    server = ScriptedServer(
        lambda request: Reply("Anyone.") if request.model != "free" else None,
        models={"judge": [Reply("Guilty.")]},
        texts={"secret": [Reply("Hush.")]},
    )
    with server, server.in_environment(), OpenAI() as client:
        assert said(client, "a secret", "judge") == "Hush."
        assert said(client, "a theft", "judge") == "Guilty."
        assert said(client) == "Anyone."
        improvised = said(client, model="free")
    assert improvised
    assert improvised.startswith("The ")


def test_a_function_sees_the_conversation_and_calls_tools() -> None:
    def script(request: Request) -> Reply:
        if request.turns[-1].role == "tool":
            return Reply(f"It is {request.turns[-1].text}.")
        return Reply(tool_calls=[ToolCall(request.tools[0].name, {"zone": "UTC"})])

    with ScriptedServer(script) as server, server.in_environment(), OpenAI() as client:
        first = client.chat.completions.create(model="a", messages=ASK, tools=[TOOL])
        message = first.choices[0].message
        assert message.tool_calls
        (call,) = message.tool_calls
        assert call.type == "function"
        assert (call.function.name, call.function.arguments) == ("now", '{"zone":"UTC"}')
        result: Any = {"role": "tool", "tool_call_id": call.id, "content": "noon"}
        messages: Any = [*ASK, message, result]
        second = client.chat.completions.create(model="a", messages=messages)
    assert second.choices[0].message.content == "It is noon."
    assert [turn.role for turn in server.requests[-1].turns] == ["user", "assistant", "tool"]


def test_a_script_that_has_run_out_fails_the_call_and_the_block() -> None:
    def run() -> None:
        server = ScriptedServer(models={"a": [Reply("One.")]})
        with server, server.in_environment(), OpenAI() as client:
            said(client)
            with pytest.raises(BadRequestError, match="has 1 replies"):
                said(client, "And then?")

    with pytest.raises(ModelError, match=r"model 'a' has 1 replies.*after 'And then\?'"):
        run()


def test_what_a_script_raises_comes_out_of_the_block() -> None:
    def broken(request: Request) -> Reply:
        raise KeyError(request.model)

    def run() -> None:
        server = ScriptedServer(broken)
        with server, server.in_environment(), OpenAI() as client:
            refused(client)

    with pytest.raises(KeyError, match="a"):
        run()


def test_a_failure_of_the_test_itself_comes_first() -> None:
    def run() -> None:
        server = ScriptedServer([])
        with server, server.in_environment(), OpenAI() as client:
            refused(client)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run()


def test_requests_are_kept_with_their_key_and_body(server: ScriptedServer) -> None:
    with OpenAI(base_url=server.base_url, api_key="mine") as client:
        client.chat.completions.create(model="a", messages=ASK, temperature=0.5, seed=7)
    (request,) = server.requests
    assert (request.api_key, request.seed, request.body["temperature"]) == ("mine", 7, 0.5)
    assert request.prompt == "Hello"


def test_the_environment_is_put_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "real")
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    with ScriptedServer() as server, server.in_environment():
        assert os.environ["OPENAI_BASE_URL"] == server.base_url
        assert os.environ["OPENAI_API_KEY"] != "real"
    assert os.environ["OPENAI_API_KEY"] == "real"
    assert "OPENAI_BASE_URL" not in os.environ


def test_models_are_those_with_a_script_and_those_that_were_asked() -> None:
    server = ScriptedServer(models={"b": [Reply("Yes.")]})
    with server, server.in_environment(), OpenAI() as client:
        said(client, model="a")
        assert [model.id for model in client.models.list()] == ["a", "b"]
        assert client.models.retrieve("c").id == "c"


def test_near_texts_have_near_embeddings(client: OpenAI) -> None:
    texts = ["a red house", "the red house", "seven green apples", ""]
    one, near, far, empty = vectors(client, texts)
    assert len(one) == 64
    assert cosine(one, near) > cosine(one, far) + 0.3
    assert cosine(one, one) == pytest.approx(1)
    assert cosine(empty, empty) == pytest.approx(1)
    assert one == pytest.approx(vectors(client, texts, "base64")[0], abs=1e-6)


def vectors(
    client: OpenAI, texts: list[str], encoding: Literal["float", "base64"] = "float"
) -> list[list[float]]:
    answer = client.embeddings.create(
        model="e", input=texts, dimensions=64, encoding_format=encoding
    )
    assert answer.usage.prompt_tokens == 9
    return [_floats(item.embedding) for item in answer.data]


def _floats(embedding: list[float] | str) -> list[float]:
    """Return a vector as it is, or decoded where it was asked for as base64."""
    if isinstance(embedding, str):
        return list(struct.unpack("<64f", base64.b64decode(embedding)))
    return embedding


def cosine(one: Sequence[float], other: Sequence[float]) -> float:
    return sum(a * b for a, b in zip(one, other, strict=True))


def test_token_ids_are_embedded_like_words(client: OpenAI) -> None:
    one = client.embeddings.create(model="e", input=[[1, 2], [3]])
    other = client.embeddings.create(model="e", input=[1, 2])
    assert one.data[0].embedding == other.data[0].embedding != one.data[1].embedding


def test_what_is_no_request_is_told(server: ScriptedServer, client: OpenAI) -> None:
    with pytest.raises(NotFoundError, match="POST /v1/images/generations"):
        client.images.generate(prompt="a house")
    wrong: Any = [{"role": "nobody", "content": "Hello"}]
    with pytest.raises(BadRequestError, match="role"):
        client.chat.completions.create(model="a", messages=wrong)
    with pytest.raises(BadRequestError, match="'resp_0' not found"):
        client.responses.create(model="a", input="Hello", previous_response_id="resp_0")
    assert server.requests == ()


async def test_fifty_clients_at_once_are_answered(server: ScriptedServer) -> None:
    async with AsyncOpenAI() as client:
        answers = await asyncio.gather(
            *(
                client.chat.completions.create(
                    model="a", messages=[{"role": "user", "content": str(number)}]
                )
                for number in range(50)
            )
        )
    assert len({answer.choices[0].message.content for answer in answers}) == 50
    assert len(server.requests) == 50


def test_a_connection_is_kept_for_the_next_request(server: ScriptedServer) -> None:
    body = {"model": "a", "messages": ASK}
    before = set(threading.enumerate())
    with httpx2.Client() as client:
        for _ in range(3):
            client.post(f"{server.base_url}/chat/completions", json=body).raise_for_status()
            assert len(set(threading.enumerate()) - before) == 1


def test_it_ends_while_clients_hold_connections_open() -> None:
    before = set(threading.enumerate())
    with httpx2.Client() as client:
        with ScriptedServer() as server:
            client.get(f"{server.base_url}/models").raise_for_status()
        assert set(threading.enumerate()) <= before


def test_a_client_that_hangs_up_does_no_harm(server: ScriptedServer, client: OpenAI) -> None:
    with client.chat.completions.create(model="a", messages=ASK, stream=True) as stream:
        next(iter(stream))
    assert said(client)
