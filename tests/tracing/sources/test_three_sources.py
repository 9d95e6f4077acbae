"""One execution, three sources: what was heard live, MLflow's autolog, and the checkpoints.

Graphs are generated stage by stage. All tasks of a stage run in one superstep, so that whatever
is in parallel is so in every run.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal, TypedDict, cast

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, StateGraph
from langgraph.graph.message import add_messages
from langgraph.prebuilt import ToolNode
from langgraph.types import Command, Send

from linenotes.tracing import Ledger, Message, Tokens, record

Anything = dict[str, Any]
Node = Callable[[Anything], Any]
Models = Callable[..., Any]
Kind = Literal["code", "model", "note", "thought"]
Shape = Literal["parallel", "loop", "choice", "goto", "post", "fan", "tools", "sub", "leave"]


def _united(old: list[str], new: list[str]) -> list[str]:
    return [*old, *(note for note in new if note not in old)]


_THOUGHT = " thinks "
"""What a model said and its node wrote into the plain state."""


class State(TypedDict, total=False):
    messages: Annotated[list[AnyMessage], add_messages]
    notes: Annotated[list[str], _united]
    note: str


@dataclass(frozen=True)
class Part:
    """A node: how it says something, and what."""

    kind: Kind
    word: str


@dataclass(frozen=True)
class Stage:
    """Some supersteps: a shape, the nodes in it, and for a subgraph what is inside."""

    shape: Shape
    parts: tuple[Part, ...]
    inside: tuple[Stage, ...] = ()


_PARTS = st.builds(
    Part,
    kind=st.sampled_from(["code", "model", "note", "thought"]),
    word=st.sampled_from(["yes", "no", "a long reply"]),
)
_SHAPES: Sequence[Shape] = ["parallel", "loop", "choice", "goto", "post", "fan", "tools", "leave"]
_PLAIN_STAGES = st.builds(
    Stage,
    shape=st.sampled_from(_SHAPES),
    parts=st.lists(_PARTS, min_size=1, max_size=3).map(tuple),
)
_STAGES = st.recursive(
    _PLAIN_STAGES,
    lambda inner: st.builds(
        Stage,
        shape=st.just("sub"),
        parts=st.lists(_PARTS, min_size=1, max_size=1).map(tuple),
        inside=st.lists(inner, min_size=1, max_size=2).map(tuple),
    ),
    max_leaves=3,
)
_PLAYS = st.lists(_STAGES, min_size=1, max_size=4)


@tool
def lookup(item: int) -> str:
    """Find an item."""
    return f"value {item}"


class _Builder:
    """Builds one graph of stages, each of whose nodes has a name of its own."""

    def __init__(self, models: Models) -> None:
        self._models = models
        self._graph: Any = StateGraph(State)
        self._ends = [START]

    def build(self, stages: Sequence[Stage]) -> StateGraph[Any, Any, Any, Any]:
        for number, stage in enumerate(stages):
            names = [f"n{number}{letter}" for letter in "abc"[: len(stage.parts)]]
            getattr(self, f"_{stage.shape}")(stage, names)
        for end in self._ends:
            self._graph.add_edge(end, END)
        return cast("StateGraph[Any, Any, Any, Any]", self._graph)

    def _enter(self, names: Sequence[str], ends: Sequence[str] | None = None) -> None:
        for name in names:
            for end in self._ends:
                self._graph.add_edge(end, name)
        self._ends = [*(ends or names)]

    def _add(self, name: str, part: Part) -> None:
        self._graph.add_node(name, self._node(name, part))

    def _node(self, name: str, part: Part) -> Node:
        model = self._models(part.word)

        def code(_: Anything) -> Anything:
            return {"messages": [AIMessage(part.word, name=name)]}

        def call(state: Anything) -> Anything:
            return {"messages": [model.invoke(state.get("messages", []))]}

        def note(_: Anything) -> Anything:
            return {"notes": [f"{name} notes {part.word}"]}

        def think(state: Anything) -> Anything:
            count = len(state.get("notes", []))  # to think the same again is no news
            thought = self._models(f"{name}{_THOUGHT}{part.word} {count}")
            return {"notes": [thought.invoke(state.get("messages", [])).content]}

        nodes: dict[Kind, Node] = {"code": code, "model": call, "note": note, "thought": think}
        return nodes[part.kind]

    def _parallel(self, stage: Stage, names: Sequence[str]) -> None:
        for name, part in zip(names, stage.parts, strict=True):
            self._add(name, part)
        self._enter(names)

    def _loop(self, stage: Stage, names: Sequence[str]) -> None:
        name, rounds = names[0], [0]
        self._add(name, stage.parts[0])

        def again(_: Anything) -> str:
            rounds[0] += 1
            return name if rounds[0] < len(stage.parts) else f"{name}-after"

        self._add(f"{name}-after", Part("code", "that was the loop"))
        self._graph.add_conditional_edges(name, again, [name, f"{name}-after"])
        self._enter([name], [f"{name}-after"])

    def _choice(self, stage: Stage, names: Sequence[str]) -> None:
        first = f"{names[0]}-chooser"
        self._add(first, Part("code", "choose"))
        for name, part in zip(names, stage.parts, strict=True):
            self._add(name, part)
        self._graph.add_conditional_edges(first, lambda _: [*names[:2]], [*names])
        self._enter([first], names[:2])

    def _goto(self, stage: Stage, names: Sequence[str]) -> None:
        first = f"{names[0]}-boss"
        said = {"messages": [AIMessage("your turn")]}
        self._graph.add_node(first, lambda _: Command(update=said, goto=[*names[:2]]))
        for name, part in zip(names, stage.parts, strict=True):
            self._add(name, part)
        self._enter([first], names[:2])

    def _post(self, stage: Stage, names: Sequence[str]) -> None:
        first = f"{names[0]}-boss"

        def post(_: Anything) -> Command[str]:
            letters = [{"messages": [HumanMessage(f"for {name}")]} for name in names]
            return Command(goto=[Send(*one) for one in zip(names, letters, strict=True)])

        self._graph.add_node(first, post)
        for name, part in zip(names, stage.parts, strict=True):
            self._add(name, part)
        self._enter([first], names)

    def _fan(self, stage: Stage, names: Sequence[str]) -> None:
        first, worker = f"{names[0]}-plan", names[0]
        self._add(first, stage.parts[0])
        model = self._models(*(f"done {part.word}" for part in stage.parts))

        def work(payload: Anything) -> Anything:
            if "note" in payload:
                return {"notes": [f"{payload['note']} is done"]}
            return {"messages": [model.invoke(payload["messages"])]}

        def share(_: Anything) -> list[Send]:
            return [
                Send(worker, {"note": f"{worker} {count}"})
                if part.kind == "note"
                else Send(worker, {"messages": [HumanMessage(f"errand {part.word}")]})
                for count, part in enumerate(stage.parts)
            ]

        self._graph.add_node(worker, work)
        self._graph.add_conditional_edges(first, share, [worker])
        self._enter([first], [worker])

    def _tools(self, stage: Stage, names: Sequence[str]) -> None:
        name, tools = names[0], f"{names[0]}-tools"
        calls = [
            {"name": "lookup", "args": {"item": count}, "id": f"{name}{count}", "type": "tool_call"}
            for count in range(len(stage.parts))
        ]
        model = self._models(AIMessage(stage.parts[0].word, tool_calls=calls), "found")

        def ask(state: Anything) -> Anything:
            return {"messages": [model.invoke(state.get("messages", []))]}

        def route(state: Anything) -> str:
            return tools if state["messages"][-1].tool_calls else f"{name}-after"

        self._graph.add_node(name, ask)
        self._graph.add_node(tools, ToolNode([lookup]))
        self._add(f"{name}-after", stage.parts[-1])
        self._graph.add_conditional_edges(name, route, [tools, f"{name}-after"])
        self._graph.add_edge(tools, name)
        self._enter([name], [f"{name}-after"])

    def _leave(self, stage: Stage, names: Sequence[str]) -> None:
        first, inner = f"{names[0]}-team", StateGraph(State)
        said = {"messages": [AIMessage("over to you")]}
        inner.add_node(
            "member", lambda _: Command(graph=Command.PARENT, update=said, goto=names[0])
        )
        inner.add_edge(START, "member")
        self._graph.add_node(first, inner.compile())
        self._add(names[0], stage.parts[0])
        self._enter([first], names[:1])

    def _sub(self, stage: Stage, names: Sequence[str]) -> None:
        self._graph.add_node(names[0], _Builder(self._models).build(stage.inside).compile())
        self._enter(names)


def _lines(ledger: Ledger) -> list[tuple[object, ...]]:
    """Return who said what to whom, and in answer to what, in an order of its own."""
    by_id = {message.id: message for message in ledger}
    return sorted(
        (
            message.sender,
            sorted(message.recipients),
            sorted(message.seen_by),
            message.kind,
            message.text,
            sorted((by_id[cause].sender, by_id[cause].text) for cause in message.cause),
            message.sampled,
            message.tokens.total,
            message.tool_call_id or "",
        )
        for message in ledger
    )


@settings(
    max_examples=30,
    deadline=None,
    derandomize=True,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(stages=_PLAYS)
def test_all_sources_tell_the_same(
    stages: list[Stage], reciter: Models, autologged: Callable[..., list[Any]]
) -> None:
    graph = _Builder(reciter).build(stages).compile(checkpointer=InMemorySaver())

    with record() as heard:
        traces = autologged(
            lambda: graph.invoke(
                {"messages": [HumanMessage("Go.")]}, {"configurable": {"thread_id": "t"}}
            )
        )

    assert _lines(Ledger.from_trace(traces[0])) == _lines(heard)
    kept = Ledger.from_checkpoints(graph, "t")
    assert _lines(_as_kept(kept)) == _lines(_as_kept(heard))


def _as_kept(ledger: Ledger) -> Ledger:
    """Return what a thread can know of `ledger`.

    A text in a plain state may be a model's or anybody's. When it was a model's, nobody knows
    what the model was shown, so neither what it answers nor what the text led to.
    """
    if not any(_THOUGHT in message.text for message in ledger):
        return ledger
    return Ledger(tuple(_as_written(replace(message, cause=())) for message in ledger))


def _as_written(message: Message) -> Message:
    if _THOUGHT not in message.text:
        return message
    return replace(message, kind="state", sampled=False, tokens=Tokens())
