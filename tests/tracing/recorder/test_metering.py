"""A meter hears model calls of any graph before they are sent, and may stop them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict

import pytest
from langchain_core.language_models import FakeListLLM, GenericFakeChatModel
from langchain_core.messages import AIMessage
from langgraph.graph import END, START, StateGraph

from linenotes.project import PriceSettings, Project, Settings
from linenotes.tracing import CallAhead, Prices, Tokens, metered, record

if TYPE_CHECKING:
    from uuid import UUID

PRICES = Prices(Project(root=Path(), settings=Settings(prices={})))


class Log:
    """A meter that keeps what it hears, and refuses what it is told to."""

    def __init__(self, refuses: int | None = None) -> None:
        self.calls: list[CallAhead] = []
        self.ends: list[tuple[Tokens, float | None]] = []
        self.failures: list[str] = []
        self._refuses = refuses

    def ahead(self, call: CallAhead) -> None:
        if len(self.calls) == self._refuses:
            raise RuntimeError("refused")
        self.calls.append(call)

    def ended(self, call_id: UUID, tokens: Tokens, cost: float | None) -> None:
        assert call_id in [call.id for call in self.calls]
        self.ends.append((tokens, cost))

    def failed(self, call_id: UUID, error: BaseException) -> None:
        assert call_id in [call.id for call in self.calls]
        self.failures.append(type(error).__name__)


def said(text: str) -> AIMessage:
    usage: Any = {"input_tokens": 7, "output_tokens": 3, "total_tokens": 10}
    return AIMessage(text, usage_metadata=usage)


class State(TypedDict, total=False):
    said: str


def graph(node: Callable[..., Any]) -> Any:  # noqa: ANN401  a compiled graph of any state
    built = StateGraph(State)
    built.add_node("planner", node)
    built.add_edge(START, "planner")
    built.add_edge("planner", END)
    return built.compile()


def model(*replies: str) -> GenericFakeChatModel:
    return GenericFakeChatModel(messages=iter([said(text) for text in replies]))


def sync(chat: GenericFakeChatModel) -> Callable[..., Any]:
    def planner(_: object) -> dict[str, str]:
        return {"said": chat.invoke("a question of some length").text + chat.invoke("b").text}

    return planner


def asynchronous(chat: GenericFakeChatModel) -> Callable[..., Any]:
    async def planner(_: object) -> dict[str, str]:
        return {"said": (await chat.ainvoke("a question")).text + (await chat.ainvoke("b")).text}

    return planner


@pytest.mark.parametrize("kind", [sync, asynchronous])
async def test_calls_are_told_with_their_agent_and_what_they_used(
    kind: Callable[..., Any],
) -> None:
    log = Log()
    with metered(log, PRICES):
        await graph(kind(model("x", "y"))).ainvoke({})
    assert [call.agent for call in log.calls] == ["planner", "planner"]
    assert log.calls[0].input_tokens > log.calls[1].input_tokens > 0
    assert log.calls[0].price is None
    assert log.ends == [(Tokens(7, 3), None)] * 2


@pytest.mark.parametrize("kind", [sync, asynchronous])
async def test_a_call_that_is_refused_is_not_sent(kind: Callable[..., Any]) -> None:
    log, chat = Log(refuses=1), model("x", "y")
    with metered(log, PRICES), record() as ledger, pytest.raises(RuntimeError, match="refused"):
        await graph(kind(chat)).ainvoke({})
    assert len(log.ends) == 1
    assert next(iter(chat.messages)).text == "y"  # type: ignore[union-attr]
    assert ledger.calls == 1


async def test_an_answer_whose_provider_counts_nothing_is_counted_roughly() -> None:
    log, chat = Log(), GenericFakeChatModel(messages=iter([AIMessage("word " * 400)]))
    with metered(log, PRICES):
        await chat.ainvoke("a question")
    ((tokens, cost),) = log.ends
    assert tokens.input == log.calls[0].input_tokens
    assert 200 < tokens.output < 2000
    assert cost is None


async def test_a_stream_that_is_given_up_is_told_as_that() -> None:
    log, chat = Log(), model("many words to say")

    async def planner(_: object) -> dict[str, str]:
        stream = chat.astream("a")
        first = await anext(stream)
        await stream.aclose()  # type: ignore[attr-defined]
        return {"said": first.text}

    with metered(log, PRICES):
        await graph(planner).ainvoke({})
    assert log.failures == ["GeneratorExit"]
    assert not log.ends


def test_models_that_complete_texts_are_heard_too() -> None:
    log = Log()
    with metered(log, PRICES):
        FakeListLLM(responses=["x"]).invoke("a question")
    FakeListLLM(responses=["x"]).invoke("outside of the block")
    assert [call.agent for call in log.calls] == [""]
    assert log.ends == [(Tokens(), None)]


def test_a_call_is_told_with_its_price() -> None:
    own = Settings(prices={"m": PriceSettings(input=1, output=2)})
    log = Log()
    with metered(log, Prices(Project(root=Path(), settings=own))):
        model("x").invoke("a", config={"metadata": {"ls_model_name": "m"}})
    (call,) = log.calls
    assert call.model == "m"
    assert call.price is not None
    assert [cost for _, cost in log.ends] == [pytest.approx(13e-6)]
