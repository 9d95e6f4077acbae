"""What MLflow stores of an agent, read as a conversation."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode
from langgraph.types import Command, Send, interrupt

from linenotes.project import RunError
from linenotes.tracing import FiledTrace, Ledger, MlflowStore, Trace, record

if TYPE_CHECKING:
    from langgraph.graph.state import CompiledStateGraph
    from mlflow.entities import Trace as MlflowTrace

    Draft = StateGraph[Any, Any, Any, Any]
    Graph = CompiledStateGraph[Any, Any, Any, Any]

Anything = dict[str, Any]
Autologged = Callable[[Callable[[], object]], "list[MlflowTrace]"]
Models = Callable[..., Any]
ASK: Any = {"messages": [HumanMessage("What is item 3?")]}


@tool
def lookup(item: int) -> str:
    """Find an item."""
    return f"value {item}"


def _clerk_and_writer(models: Models) -> Graph:
    call = {"name": "lookup", "args": {"item": 3}, "id": "c3", "type": "tool_call"}
    clerk = models(AIMessage("Let me look.", tool_calls=[call]), "Found.")
    writer = models("It is value 3.")

    def route(state: MessagesState) -> str:
        last = state["messages"][-1]
        return "tools" if isinstance(last, AIMessage) and last.tool_calls else "writer"

    graph = StateGraph(MessagesState)
    graph.add_node("clerk", lambda state: {"messages": [clerk.invoke(state["messages"])]})
    graph.add_node("tools", ToolNode([lookup]))
    graph.add_node("writer", lambda state: {"messages": [writer.invoke(state["messages"])]})
    graph.add_edge(START, "clerk")
    graph.add_conditional_edges("clerk", route, ["tools", "writer"])
    graph.add_edge("tools", "clerk")
    graph.add_edge("writer", END)
    return graph.compile(name="clerks")


def _script(ledger: Ledger) -> list[tuple[str, str, str]]:
    return [(message.route, message.kind, message.text) for message in ledger]


def test_an_autolog_trace_reads_as_a_conversation(reciter: Models, autologged: Autologged) -> None:
    traces = autologged(lambda: _clerk_and_writer(reciter).invoke(ASK))

    ledger = Ledger.from_trace(traces[0])
    assert _script(ledger) == [
        ("user → clerk", "input", "What is item 3?"),
        ("clerk → lookup", "call", "Let me look.\nlookup(item=3)"),
        ("lookup → clerk", "result", "value 3"),
        ("clerk → writer", "reply", "Found."),
        ("writer → user", "reply", "It is value 3."),
    ]
    assert ledger.calls == 3
    assert ledger.tokens.total == 36
    assert {message.model for message in ledger if message.sampled} == {"reciter-1"}


def test_the_store_shows_an_autolog_trace(
    reciter: Models, autologged: Autologged, store: MlflowStore
) -> None:
    (stored,) = autologged(lambda: _clerk_and_writer(reciter).invoke(ASK))
    _write(stored, store)

    trace = store.read_trace(stored.info.trace_id)
    assert (trace.name, trace.state) == ("clerks", "OK")
    assert (trace.request, trace.response) == ("What is item 3?", "It is value 3.")
    assert [span.name for span in trace.spans if span.type == "AGENT"] == [
        "clerk",
        "clerk",
        "writer",
    ]
    by_id = Ledger.from_trace(stored.info.trace_id, tracking_uri=store.tracking_uri)
    assert by_id == trace.ledger


def test_a_trace_of_our_own_keeps_its_messages(
    store: MlflowStore, desk_trace: Callable[..., Trace]
) -> None:
    trace = desk_trace("from-trace")
    store.write_traces([FiledTrace(trace)])
    read = Ledger.from_trace(trace.trace_id, tracking_uri=store.tracking_uri)
    assert read == trace.ledger


def test_an_unknown_id_is_refused(store: MlflowStore) -> None:
    with pytest.raises(RunError, match=r"No trace 'tr-0{32}'"):
        Ledger.from_trace("tr-" + "0" * 32, tracking_uri=store.tracking_uri)


def test_the_password_of_a_store_is_not_shown(
    store: MlflowStore, store_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copy(store_folder / "mlflow.db", "me:secret@mlflow.db")
    with pytest.raises(RunError, match="No trace") as refused:
        Ledger.from_trace("tr-" + "0" * 32, tracking_uri="sqlite:///me:secret@mlflow.db")
    assert "secret" not in str(refused.value)


def test_a_failed_graph_is_an_error_with_its_text(autologged: Autologged) -> None:
    from linenotes.tracing.sources._mlflow_source import foreign_trace

    def fail(_: MessagesState) -> Anything:
        raise ValueError("No such item.")

    graph = _only("clerk", fail).compile()

    def run() -> None:
        with pytest.raises(ValueError, match="No such item"):
            graph.invoke(ASK)

    trace = foreign_trace(autologged(run)[0])
    assert (trace.state, trace.error) == ("ERROR", "ValueError: No such item.")
    assert _script(trace.ledger) == [("user → clerk", "input", "What is item 3?")]


def test_a_graph_that_waits_for_a_person_has_not_failed(autologged: Autologged) -> None:
    from linenotes.tracing.sources._mlflow_source import foreign_trace

    def clerk(_: MessagesState) -> Anything:
        return {"messages": [AIMessage(interrupt("Really?"))]}

    graph = _only("clerk", clerk).compile(checkpointer=InMemorySaver())
    traces = autologged(lambda: graph.invoke(ASK, {"configurable": {"thread_id": "t"}}))

    trace = foreign_trace(traces[0])
    assert (trace.state, trace.error) == ("IN_PROGRESS", None)


def test_equal_payloads_that_are_sent_at_once_stay_apart(
    reciter: Models, autologged: Autologged
) -> None:
    worker = reciter("One done.", "Two done.")

    def share(_: MessagesState) -> Command[str]:
        errands = [Send("worker", {"messages": [HumanMessage("Do it.")]}) for _ in range(2)]
        return Command(goto=errands)

    graph = _only("boss", share)
    graph.add_node("worker", lambda state: {"messages": [worker.invoke(state["messages"])]})

    with record() as heard:
        traces = autologged(lambda: graph.compile().invoke(ASK))

    assert sorted(_script(Ledger.from_trace(traces[0]))) == sorted(_script(heard))


def test_a_model_call_outside_of_any_graph_is_a_reply(autologged: Autologged) -> None:
    import mlflow

    def call() -> None:
        with mlflow.start_span("chat", span_type="CHAT_MODEL") as span:
            span.set_inputs({"model": "m-1", "messages": [{"role": "user", "content": "Hi."}]})
            said = {"role": "assistant", "content": "Hello."}
            span.set_outputs({"choices": [{"message": said}]})

    (message,) = Ledger.from_trace(autologged(call)[0])
    assert (message.sender, message.kind, message.text) == ("chat", "reply", "Hello.")
    assert (message.sampled, message.model) == (True, "m-1")


def _only(name: str, node: Callable[[MessagesState], Any]) -> Draft:
    graph: Any = StateGraph(MessagesState)
    return cast("Draft", graph.add_node(name, node).add_edge(START, name))


def _write(stored: MlflowTrace, store: MlflowStore) -> None:
    from mlflow.tracing.client import TracingClient

    client = TracingClient(store.tracking_uri)
    client.log_spans(store.experiment_id, stored.data.spans)
