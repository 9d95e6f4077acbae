from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncGenerator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import pytest
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, UsageMetadata
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from pydantic import BaseModel, Field

from linenotes.evals.testing import Reply, ScriptedServer, ToolCall
from linenotes.project import RecordingError
from linenotes.tracing import RecordingPolicy

from .conftest import REPLAY, Chain, Studio

Node = Callable[[dict[str, Any]], Any]
_QUESTION = [("system", "You are terse."), ("user", "What is item 3?")]


def model() -> ChatOpenAI:
    return ChatOpenAI(model="gpt-5", max_retries=0, stream_usage=True)


def invoked(state: dict[str, Any]) -> dict[str, Any]:
    return {"said": model().invoke(_QUESTION).content}


async def ainvoked(state: dict[str, Any]) -> dict[str, Any]:
    return {"said": (await model().ainvoke(_QUESTION)).content}


def streamed(state: dict[str, Any]) -> dict[str, Any]:
    return {"said": "".join(str(chunk.content) for chunk in model().stream(_QUESTION))}


async def astreamed(state: dict[str, Any]) -> dict[str, Any]:
    return {"said": "".join([str(chunk.content) async for chunk in model().astream(_QUESTION)])}


WAYS = (invoked, ainvoked, streamed, astreamed)


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_an_answer_is_replayed_without_a_call(
    studio: Studio, counting: ScriptedServer, chain: Chain, way: Node
) -> None:
    live = studio.run(chain(way), {})
    again = studio.run(chain(way), {}, REPLAY)
    assert again.output == live.output == {"said": "answer 1"}
    assert again.said == live.said
    assert again.ledger.tokens.total > 0
    assert len(counting.requests) == 1
    assert (again.use.replayed, again.use.called, again.use.unused) == (1, 0, ())
    assert again.replayed & {message.id for message in again.ledger}


@pytest.mark.parametrize(
    ("first", "then"),
    [pair for pair in itertools.product(WAYS, WAYS) if pair[0] is not pair[1]],
    ids=lambda way: way.__name__,
)
def test_what_was_asked_in_one_way_is_replayed_in_another(
    studio: Studio, counting: ScriptedServer, chain: Chain, first: Node, then: Node
) -> None:
    for way in (first, then):
        assert studio.run(chain(_named_ask(way)), {}).output == {"said": "answer 1"}
    assert len(counting.requests) == 1


def _named_ask(way: Node) -> Node:
    """Return the node under one name for all: a call is known by its agent, too."""
    if not asyncio.iscoroutinefunction(way):

        def ask(state: dict[str, Any]) -> object:
            return way(state)

        return ask

    async def ask_async(state: dict[str, Any]) -> object:
        return await way(state)

    ask_async.__name__ = "ask"
    return ask_async


@pytest.mark.parametrize("sync", [False, True])
def test_a_sync_graph_replays_as_an_async_one(
    studio: Studio, counting: ScriptedServer, chain: Chain, *, sync: bool
) -> None:
    live = studio.run(chain(invoked), {}, sync=sync)
    assert studio.run(chain(invoked), {}, REPLAY, sync=not sync).output == live.output
    assert len(counting.requests) == 1


def test_equal_questions_of_a_batch_keep_their_answers(
    studio: Studio, counting: ScriptedServer, chain: Chain
) -> None:
    def ask(state: dict[str, Any]) -> dict[str, Any]:
        return {"votes": [one.content for one in model().batch([_QUESTION] * 5)]}

    live = studio.run(chain(ask), {})
    assert len(set(live.output["votes"])) == 5
    assert studio.run(chain(ask), {}, REPLAY).output == live.output


def test_voters_with_one_prompt_stay_different_and_do_not_swap(
    studio: Studio, counting: ScriptedServer, chain: Chain
) -> None:
    async def gathered(state: dict[str, Any]) -> dict[str, Any]:
        answers = await asyncio.gather(*(model().ainvoke(_QUESTION) for _ in range(3)))
        return {"votes": [one.content for one in answers]}

    built = chain(gathered)
    live = studio.run(built, {})
    assert len(set(live.output["votes"])) == 3
    for _ in range(3):
        assert studio.run(built, {}, REPLAY).output == live.output


def test_samples_and_cases_stay_different(
    studio: Studio, counting: ScriptedServer, chain: Chain
) -> None:
    keys = [("c0", 0), ("c0", 1), ("c1", 0)]
    live = [studio.run(chain(invoked), {}, case=c, sample=s).output for c, s in keys]
    assert [one["said"] for one in live] == ["answer 1", "answer 2", "answer 3"]
    again = [studio.run(chain(invoked), {}, REPLAY, case=c, sample=s).output for c, s in keys]
    assert again == live


class City(BaseModel):
    """A city."""

    name: str


@pytest.mark.parametrize("method", ["json_schema", "function_calling"])
def test_structured_output_is_parsed_again(studio: Studio, chain: Chain, method: str) -> None:
    def ask(state: dict[str, Any]) -> dict[str, Any]:
        found = model().with_structured_output(City, method=method).invoke(_QUESTION)  # type: ignore[arg-type]  # one of its methods
        assert isinstance(found, City)
        return {"city": found.name}

    with ScriptedServer() as server, server.in_environment():
        live = studio.run(chain(ask), {})
        assert studio.run(chain(ask), {}, REPLAY).output == live.output
        assert len(server.requests) == 1


def test_bound_tools_are_part_of_the_question(studio: Studio, chain: Chain) -> None:
    @tool
    def weather(city: str) -> str:
        """Tell the weather."""
        return city

    def ask(state: dict[str, Any]) -> dict[str, Any]:
        return {"calls": model().bind_tools([weather]).invoke(_QUESTION).tool_calls}

    reply = Reply(tool_calls=(ToolCall("weather", {"city": "Oslo"}),))
    with ScriptedServer(reply) as server, server.in_environment():
        live = studio.run(chain(ask), {})
        again = studio.run(chain(ask), {}, REPLAY)
        studio.run(chain(invoked), {})
    assert again.output == live.output
    assert again.output["calls"][0]["args"] == {"city": "Oslo"}
    assert len(server.requests) == 2


class Strange(BaseChatModel):
    """A model class of nobody's that this project knows."""

    said: list[str] = Field(default_factory=list)

    @property
    def _llm_type(self) -> str:
        return "strange"

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: object = None,
        **_: object,
    ) -> ChatResult:
        self.said.append("called")
        message = AIMessage(f"call {len(self.said)}", usage_metadata=_usage())
        return ChatResult(generations=[ChatGeneration(message=message)])


class StrangeStream(Strange):
    """One that calls itself in another way."""

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: object = None,
        **_: object,
    ) -> Iterator[ChatGenerationChunk]:
        whole = self._generate(messages, stop).generations[0].text
        for word in (*whole.split(" ", 1),):
            yield ChatGenerationChunk(message=AIMessageChunk(content=word))


def _usage() -> UsageMetadata:
    return {"input_tokens": 3, "output_tokens": 2, "total_tokens": 5}


@pytest.mark.parametrize("kind", [Strange, StrangeStream])
@pytest.mark.parametrize("way", ["invoke", "stream"])
def test_a_strangers_class_is_covered(
    studio: Studio, chain: Chain, kind: type[Strange], way: str
) -> None:
    said: list[str] = []

    async def ask(state: dict[str, Any]) -> dict[str, Any]:
        strange = kind.model_construct(said=said)
        if way == "invoke":
            return {"said": (await strange.ainvoke("Hello")).content}
        return {"said": "".join([str(one.content) async for one in strange.astream("Hello")])}

    live = studio.run(chain(ask), {})
    again = studio.run(chain(ask), {}, REPLAY)
    assert again.output == live.output
    assert again.said == live.said
    assert len(said) == 1
    assert live.use.recorded == 1


def test_a_class_that_is_made_later_is_covered(studio: Studio, chain: Chain) -> None:
    def ask(state: dict[str, Any]) -> dict[str, Any]:
        class Late(Strange):
            def _generate(self, *given: Any, **named: Any) -> ChatResult:  # noqa: ANN401  as it comes
                return super()._generate(*given, **named)

        return {"said": Late.model_construct(said=said).invoke("Hello").content}

    said: list[str] = []
    live = studio.run(chain(ask), {})
    assert studio.run(chain(ask), {}, REPLAY).output == live.output
    assert said == ["called"]


class Router(Strange):
    """A model that asks another one."""

    inner: Any = None

    def _generate(self, messages: list[BaseMessage], *_: object, **__: object) -> ChatResult:
        self.said.append("routed")
        return ChatResult(generations=[ChatGeneration(message=self.inner.invoke(messages))])


def test_a_model_that_asks_another_runs_again_and_the_other_is_replayed(
    studio: Studio, counting: ScriptedServer, chain: Chain
) -> None:
    routed: list[str] = []

    def ask(state: dict[str, Any]) -> dict[str, Any]:
        return {"said": Router.model_construct(said=routed, inner=model()).invoke("Hi").content}

    live = studio.run(chain(ask), {})
    again = studio.run(chain(ask), {}, REPLAY)
    assert again.output == live.output == {"said": "answer 1"}
    assert again.said == live.said
    assert (len(routed), len(counting.requests)) == (2, 1)


def test_a_stream_that_is_left_early_is_an_answer(
    studio: Studio, counting: ScriptedServer, chain: Chain
) -> None:
    async def ask(state: dict[str, Any]) -> dict[str, Any]:
        stream = model().astream(_QUESTION)
        found = await anext(stream)
        while not found.content:
            found = await anext(stream)
        assert isinstance(stream, AsyncGenerator)
        await stream.aclose()
        return {"said": found.content}

    studio.run(chain(ask), {})
    assert studio.run(chain(ask), {}, REPLAY).output["said"].startswith("answer")
    assert len(counting.requests) == 1


def test_recordings_that_are_not_asked_for_change_nothing(
    studio: Studio, counting: ScriptedServer, chain: Chain
) -> None:
    policy = RecordingPolicy()
    assert [studio.run(chain(invoked), {}, policy).use.recorded for _ in range(2)] == [0, 0]
    assert len(counting.requests) == 2
    assert not studio.path.exists()


def test_a_refusal_of_the_provider_is_raised_again(studio: Studio, chain: Chain) -> None:
    import openai

    def ask(state: dict[str, Any]) -> dict[str, Any]:
        try:
            model().invoke(_QUESTION)
        except openai.BadRequestError as error:
            return {"said": str(error), "status": error.status_code}
        return {}

    def refuse(_: object) -> str:
        raise ValueError("too long")

    with suppress(ValueError), ScriptedServer(refuse) as server, server.in_environment():
        live = studio.run(chain(ask), {})
        again = studio.run(chain(ask), {}, REPLAY)
    assert live.output["status"] == 400
    assert again.output == live.output


def test_a_lost_connection_is_not_recorded(studio: Studio, chain: Chain) -> None:
    tries: list[str] = []

    class Broken(Strange):
        def _generate(self, *given: Any, **named: Any) -> ChatResult:  # noqa: ANN401  as it comes
            if not tries:
                tries.append("lost")
                raise ConnectionError("gone")
            return super()._generate(*given, **named)

    def ask(state: dict[str, Any]) -> dict[str, Any]:
        return {"said": Broken.model_construct(said=[]).invoke("Hello").content}

    with pytest.raises(ConnectionError):
        studio.run(chain(ask), {})
    assert studio.run(chain(ask), {}).output == {"said": "call 1"}
    assert studio.run(chain(ask), {}, REPLAY).output == {"said": "call 1"}


class Speaker(Strange):
    """A model that streams events of LangChain's protocol itself."""

    def _stream_chat_model_events(
        self, messages: list[BaseMessage], **_: object
    ) -> Iterator[dict[str, Any]]:
        self.said.append("called")
        text = f"event {len(self.said)}"
        yield {"event": "message-start", "role": "ai", "id": ""}
        block = {"type": "text", "text": ""}
        yield {"event": "content-block-start", "index": 0, "content": block}
        delta = {"type": "text-delta", "text": text}
        yield {"event": "content-block-delta", "index": 0, "delta": delta}
        block = {"type": "text", "text": text}
        yield {"event": "content-block-finish", "index": 0, "content": block}
        yield {"event": "message-finish", "reason": "stop"}


@pytest.mark.parametrize("then", ["events", "invoke"])
def test_a_class_that_streams_events_itself_is_covered(
    studio: Studio, chain: Chain, then: str
) -> None:
    said: list[str] = []
    ways = ["events", then]

    def ask(state: dict[str, Any]) -> dict[str, Any]:
        speaker = Speaker.model_construct(said=said)
        if ways.pop(0) == "events":
            return {"said": str(speaker.stream_events("Hello", version="v3").output.text)}
        return {"said": speaker.invoke("Hello").text}

    live = studio.run(chain(ask), {})
    assert studio.run(chain(ask), {}, REPLAY).output == live.output == {"said": "event 1"}
    assert said == ["called"]


def test_what_was_invoked_is_replayed_as_events(studio: Studio, chain: Chain) -> None:
    said: list[str] = []
    ways = ["invoke", "events"]

    def ask(state: dict[str, Any]) -> dict[str, Any]:
        speaker = Speaker.model_construct(said=said)
        if ways.pop(0) == "events":
            return {"said": str(speaker.stream_events("Hello", version="v3").output.text)}
        return {"said": speaker.invoke("Hello").text}

    live = studio.run(chain(ask), {})
    assert studio.run(chain(ask), {}, REPLAY).output == live.output == {"said": "call 1"}


@pytest.mark.parametrize("way", ["invoke", "stream"])
def test_the_responses_api_is_covered(
    studio: Studio, counting: ScriptedServer, chain: Chain, way: str
) -> None:
    async def ask(state: dict[str, Any]) -> dict[str, Any]:
        responses = ChatOpenAI(model="gpt-5", max_retries=0, use_responses_api=True)
        if way == "invoke":
            return {"said": (await responses.ainvoke(_QUESTION)).text}
        return {"said": "".join([one.text async for one in responses.astream(_QUESTION)])}

    live = studio.run(chain(ask), {})
    again = studio.run(chain(ask), {}, REPLAY)
    assert again.output == live.output == {"said": "answer 1"}
    assert again.said == live.said
    assert len(counting.requests) == 1


def test_a_thread_without_its_context_is_refused_during_a_replay(
    studio: Studio, chain: Chain
) -> None:
    said: list[str] = []

    def ask(state: dict[str, Any]) -> dict[str, Any]:
        with ThreadPoolExecutor() as lost:
            return {"said": lost.submit(Strange.model_construct(said=said).invoke, "Hi").result()}

    with pytest.raises(RecordingError, match="does not carry its sample's context calls Strange"):
        studio.run(chain(ask), {}, REPLAY)
    assert said == []
