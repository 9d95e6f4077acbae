"""Small graphs with scripted models, and the ways of running them."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Literal, TypedDict

import pytest
from langchain_core.language_models import BaseChatModel, LangSmithParams, LanguageModelInput
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.tools import tool
from langchain_core.utils.function_calling import convert_to_openai_tool
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.prebuilt import ToolNode
from langgraph.types import Command, Send, StreamMode

from linenotes.tracing import Ledger

if TYPE_CHECKING:
    from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
    from langchain_core.runnables import Runnable

Graph = CompiledStateGraph[Any, Any, Any, Any]
Line = tuple[str, str, str, str]
Mode = StreamMode | list[StreamMode]
Play = Callable[[Graph, object], object]
Node = Callable[..., Any]


class ScriptedModel(BaseChatModel):
    """Says its replies one after the other and begins again; an exception is raised."""

    replies: list[Any]
    said: list[int]
    model_name: str = "scripted-1"

    @property
    def _llm_type(self) -> str:
        return "scripted"

    def _get_ls_params(self, stop: list[str] | None = None, **kwargs: object) -> LangSmithParams:
        return {"ls_provider": "script", "ls_model_name": self.model_name, "ls_temperature": 0.5}

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: object,
    ) -> ChatResult:
        reply = self._next()
        return ChatResult(
            generations=[ChatGeneration(message=reply)],
            llm_output={"model_name": "scripted-1-0613"},
        )

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: object,
    ) -> Iterator[ChatGenerationChunk]:
        yield from self._chunks(self._next())

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: object,
    ) -> AsyncIterator[ChatGenerationChunk]:
        for chunk in self._chunks(self._next()):
            await asyncio.sleep(0)
            yield chunk

    @staticmethod
    def _chunks(reply: AIMessage) -> Iterator[ChatGenerationChunk]:
        text = str(reply.content)
        half = len(text) // 2
        for part in (text[:half], text[half:]):
            yield ChatGenerationChunk(message=AIMessageChunk(content=part))
        last = AIMessageChunk(
            content="",
            usage_metadata=reply.usage_metadata,
            tool_call_chunks=[
                {
                    "name": call["name"],
                    "args": str(call["args"]).replace("'", '"'),
                    "id": call["id"],
                    "index": index,
                    "type": "tool_call_chunk",
                }
                for index, call in enumerate(reply.tool_calls)
            ],
        )
        yield ChatGenerationChunk(message=last)

    def _next(self) -> AIMessage:
        reply = self.replies[self.said[0] % len(self.replies)]
        self.said[0] += 1
        if isinstance(reply, Exception):
            raise reply
        message = AIMessage(reply) if isinstance(reply, str) else reply.model_copy(deep=True)
        message.usage_metadata = {"input_tokens": 10, "output_tokens": 2, "total_tokens": 12}
        return message

    def bind_tools(
        self, tools: Sequence[Any], *, tool_choice: str | None = None, **kwargs: object
    ) -> Runnable[LanguageModelInput, AIMessage]:
        return self.bind(tools=[convert_to_openai_tool(one) for one in tools])


def scripted_model(*replies: str | AIMessage | Exception) -> ScriptedModel:
    return ScriptedModel(replies=list(replies), said=[0])


@pytest.fixture
def scripted() -> Callable[..., ScriptedModel]:
    return scripted_model


@pytest.fixture
def screenplay() -> Callable[[Ledger], list[Line]]:
    """The ledger as (sender, recipients, kind, text)."""
    return lambda ledger: [
        (message.sender, ", ".join(sorted(message.recipients)), message.kind, message.text)
        for message in ledger
    ]


def _invoke(graph: Graph, inputs: object) -> object:
    return graph.invoke(inputs)


def _ainvoke(graph: Graph, inputs: object) -> object:
    return asyncio.run(graph.ainvoke(inputs))


def _stream(mode: Mode) -> Play:
    return lambda graph, inputs: list(graph.stream(inputs, stream_mode=mode))


def _astream(mode: Mode) -> Play:
    async def consume(graph: Graph, inputs: object) -> list[object]:
        return [part async for part in graph.astream(inputs, stream_mode=mode, subgraphs=True)]

    return lambda graph, inputs: asyncio.run(consume(graph, inputs))


def _astream_events(graph: Graph, inputs: object) -> object:
    async def consume() -> list[object]:
        return [event async for event in graph.astream_events(inputs, version="v2")]

    return asyncio.run(consume())


def _thread(graph: Graph, inputs: object) -> object:
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(contextvars.copy_context().run, lambda: graph.invoke(inputs)).result()


def _to_thread(graph: Graph, inputs: object) -> object:
    async def run() -> object:
        return await asyncio.to_thread(graph.invoke, inputs)

    return asyncio.run(run())


def _batch(graph: Graph, inputs: object) -> object:
    return graph.batch([inputs])


WAYS: dict[str, Play] = {
    "invoke": _invoke,
    "ainvoke": _ainvoke,
    "batch": _batch,
    "thread": _thread,
    "to_thread": _to_thread,
    "astream_events": _astream_events,
    "stream values": _stream("values"),
    "stream updates": _stream("updates"),
    "stream messages": _stream("messages"),
    "stream custom": _stream("custom"),
    "stream tasks": _stream("tasks"),
    "stream checkpoints": _stream("checkpoints"),
    "stream debug": _stream("debug"),
    "stream several": _stream(["updates", "messages"]),
    "astream updates": _astream("updates"),
    "astream messages": _astream("messages"),
}


@pytest.fixture(params=list(WAYS))
def play(request: pytest.FixtureRequest) -> Play:
    """Run a graph in one of the ways that LangGraph offers."""
    return WAYS[request.param]


@pytest.fixture
def ways() -> Callable[[str], Play]:
    """Find a way to run a graph by its name."""
    return WAYS.__getitem__


class DeskState(MessagesState, total=False):
    team: str
    sent_back: bool


def _said(name: str, model: BaseChatModel, messages: Iterable[BaseMessage]) -> BaseMessage:
    return model.invoke([("system", f"You are {name}."), *messages]).model_copy(
        update={"name": name}
    )


@pytest.fixture
def support_desk() -> Callable[..., Graph]:
    """Build a support desk: `team` is what triage says, `sends_back` makes the reviewer do so."""

    def build(
        *,
        team: str = "banking",
        intent: BaseChatModel | None = None,
        opinions: Sequence[str] = ("agreed",),
    ) -> Graph:
        decider = scripted_model(team)
        expert = intent or scripted_model("freeze_account")
        critic = scripted_model(*opinions)

        def triage(state: DeskState) -> Command[Literal["specialist", "reviewer", "escalation"]]:
            said = _said("triage", decider, state["messages"])
            update = {"messages": [said], "team": said.content}
            if said.content == "out_of_scope":
                return Command(update=update, goto="escalation")
            seen = {**state, "messages": [*state["messages"], said]}
            return Command(update=update, goto=[Send("specialist", seen), Send("reviewer", seen)])

        def specialist(state: DeskState) -> dict[str, Any]:
            return {"messages": [_said("specialist", expert, state["messages"])]}

        def reviewer(state: DeskState) -> Command[Literal["triage"]]:
            said = _said("reviewer", critic, state["messages"])
            back = said.content == "wrong team" and not state.get("sent_back")
            return Command(
                update={"messages": [said], "sent_back": back}, goto="triage" if back else ()
            )

        def escalation(state: DeskState) -> dict[str, Any]:
            return {"messages": [AIMessage("Nobody here can help.", name="escalation")]}

        def desk(state: DeskState) -> dict[str, Any]:
            said = {message.name: message.content for message in state["messages"]}
            answer = said.get("escalation") or f"Answer for {said['specialist']}."
            return {"messages": [AIMessage(f"Dear customer: {answer}", name="desk")]}

        graph = StateGraph(DeskState)
        for node in (triage, specialist, reviewer, escalation):
            graph.add_node(node)
        graph.add_node(desk, defer=True)
        graph.add_edge(START, "triage")
        for name in ("specialist", "reviewer", "escalation"):
            graph.add_edge(name, "desk")
        graph.add_edge("desk", END)
        return graph.compile(name="support_desk")

    return build


@tool
def lookup(item: int) -> str:
    """Find an item."""
    if item < 0:
        raise ValueError("No such item.")
    return f"value {item}"


@pytest.fixture
def researcher_and_writer() -> Callable[..., Graph]:
    """Build a graph of two agents, of which the first has a tool."""

    def build(*items: int) -> Graph:
        calls = [
            {"name": "lookup", "args": {"item": item}, "id": f"c{item}", "type": "tool_call"}
            for item in items or (3,)
        ]
        asking = AIMessage("Let me look.", tool_calls=calls)
        finder = scripted_model(asking, "It is found.").bind_tools([lookup])
        author = scripted_model("The answer.")

        def researcher(state: MessagesState) -> dict[str, Any]:
            return {"messages": [finder.invoke(state["messages"])]}

        def writer(state: MessagesState) -> dict[str, Any]:
            return {"messages": [author.invoke(state["messages"])]}

        def route(state: MessagesState) -> str:
            last = state["messages"][-1]
            return "tools" if isinstance(last, AIMessage) and last.tool_calls else "writer"

        graph = StateGraph(MessagesState)
        graph.add_node(researcher)
        graph.add_node("tools", ToolNode([lookup], handle_tool_errors=True))
        graph.add_node("writer", writer)
        graph.add_edge(START, "researcher")
        graph.add_conditional_edges("researcher", route)
        graph.add_edge("tools", "researcher")
        graph.add_edge("writer", END)
        return graph.compile()

    return build


class ChainState(TypedDict, total=False):
    question: str
    plan: str
    work: str
    answer: str


@pytest.fixture
def chain() -> Callable[..., Graph]:
    """Build planner, worker and reviewer, whose state is plain text."""

    def build(*replies: str | Exception, wait: Callable[[], Any] | None = None) -> Graph:
        says = replies or ("the plan", "the work", "the answer")

        def node(role: str, read: str, write: str, reply: str | Exception) -> Node:
            model = scripted_model(reply)

            async def arun(state: ChainState) -> dict[str, Any]:
                if wait:
                    await wait()
                prompt = [("system", role), ("user", f"{state['question']} {state.get(read, '')}")]
                return {write: (await model.ainvoke(prompt)).content}

            def run(state: ChainState) -> dict[str, Any]:
                prompt = [("system", role), ("user", f"{state['question']} {state.get(read, '')}")]
                return {write: model.invoke(prompt).content}

            return arun if wait else run

        graph = StateGraph(ChainState)
        graph.add_node("planner", node("planner", "", "plan", says[0]))
        graph.add_node("worker", node("worker", "plan", "work", says[1]))
        graph.add_node("reviewer", node("reviewer", "work", "answer", says[2]))
        graph.add_edge(START, "planner")
        graph.add_edge("planner", "worker")
        graph.add_edge("worker", "reviewer")
        graph.add_edge("reviewer", END)
        return graph.compile()

    return build
