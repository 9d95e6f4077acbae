"""Nodes whose output came from a cache: the same story as when they ran."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypedDict

import pytest
from langchain_core.messages import AIMessage
from langgraph.cache.memory import InMemoryCache
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.types import CachePolicy

from linenotes.tracing import Ledger, record

Build = Callable[..., Any]
Graph = CompiledStateGraph[Any, Any, Any, Any]
Screenplay = Callable[[Ledger], list[tuple[str, str, str, str]]]
ASK: Any = {"messages": [("user", "Say something.")]}
ALWAYS: Any = CachePolicy(key_func=lambda _: "always the same")


def speakers(*names: str, cached: str, joined: bool = False) -> Graph:
    """Return a graph of speakers, in a row or all but the last at once, some of them cached."""
    graph = StateGraph(MessagesState)
    for name in names:
        policy = ALWAYS if name in cached else None
        graph.add_node(
            name, lambda _, n=name: {"messages": [AIMessage(f"{n} speaks")]}, cache_policy=policy
        )
    if joined:
        for name in names[:-1]:
            graph.add_edge(START, name)
        graph.add_edge([*names[:-1]], names[-1])
    else:
        for before, name in zip((START, *names), names, strict=False):
            graph.add_edge(before, name)
    return graph.compile(cache=InMemoryCache())


@pytest.mark.parametrize(
    ("names", "cached", "joined"),
    [
        ("abc", "a", False),
        ("abc", "b", False),
        ("abc", "c", False),
        ("abc", "ab", False),
        ("abc", "abc", False),
        ("abc", "ab", True),
    ],
)
@pytest.mark.parametrize("way", ["invoke", "ainvoke", "stream updates"])
def test_cached_node_says_what_it_said_before(
    screenplay: Screenplay, names: str, cached: str, *, joined: bool, way: str, ways: Build
) -> None:
    graph = speakers(*names, cached=cached, joined=joined)
    with record() as first:
        ways(way)(graph, ASK)
    with record() as second:
        ways(way)(graph, ASK)

    assert screenplay(second) == screenplay(first)
    assert [m.seen_by for m in second] == [m.seen_by for m in first]
    places = [{m.id: i for i, m in enumerate(ledger)} for ledger in (first, second)]
    causes = [
        [[place[cause] for cause in m.cause] for m in ledger]
        for place, ledger in zip(places, (first, second), strict=True)
    ]
    assert causes[0] == causes[1]


class Sum(TypedDict, total=False):
    x: int
    result: int


def test_cached_values_are_those_of_the_skipped_node(screenplay: Screenplay) -> None:
    runs = []

    def double(state: Sum) -> Sum:
        runs.append(state)
        return {"result": state["x"] * 2}

    graph = StateGraph(Sum)
    graph.add_node(double, cache_policy=CachePolicy())
    graph.set_entry_point("double")
    graph.set_finish_point("double")
    compiled = graph.compile(cache=InMemoryCache())
    for _ in range(2):
        with record() as ledger:
            compiled.invoke({"x": 5})
        assert screenplay(ledger) == [
            ("user", "double", "input", "5"),
            ("double", "user", "state", "10"),
        ]
    assert len(runs) == 1
    assert [span.name for span in ledger.trace.spans] == ["LangGraph", "double"]


def test_message_of_a_model_is_no_sample_when_it_comes_from_the_cache(scripted: Build) -> None:
    model = scripted("Only once.")
    graph = StateGraph(MessagesState)
    graph.add_node(
        "poet", lambda s: {"messages": [model.invoke(s["messages"])]}, cache_policy=ALWAYS
    )
    graph.add_node("critic", lambda _: {"messages": [AIMessage("Nice.")]})
    graph.add_edge(START, "poet")
    graph.add_edge("poet", "critic")
    compiled = graph.compile(cache=InMemoryCache())
    with record() as first:
        compiled.invoke(ASK)
    with record() as second:
        compiled.invoke(ASK)

    said, cached = first.messages[1], second.messages[1]
    assert (said.sender, said.text, said.sampled) == ("poet", "Only once.", True)
    assert (cached.sender, cached.text, cached.sampled) == ("poet", "Only once.", False)
    assert second.calls == 0


def test_span_of_a_skipped_node_says_so() -> None:
    graph = speakers("a", "b", cached="a")
    for _ in range(2):
        with record() as ledger:
            graph.invoke(ASK)

    cached = {s.name: s.attributes.get("linenotes.from_cache") for s in ledger.trace.spans[1:]}
    assert cached == {"a": True, "b": None}
