"""Stored traces and recordings that no store has yet, in one list."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from langchain_core.messages import AIMessage, HumanMessage
from langgraph.graph import START, MessagesState, StateGraph

from linenotes.project import Project, Settings
from linenotes.tracing import (
    LiveLedger,
    Trace,
    count_traces,
    list_traces,
    record,
    store_trace,
    trace_id_for,
)

MakeTrace = Callable[..., Trace]
RUN = "a1" * 16


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.delenv("LINENOTES_STATE", raising=False)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    return Project(root=tmp_path, settings=Settings())


@pytest.fixture
def recorded(project: Project) -> LiveLedger:
    """A sample of a run that was recorded, and is not stored."""
    graph = StateGraph(MessagesState)
    graph.add_node("clerk", lambda _: {"messages": [AIMessage("hi")]})
    graph.add_edge(START, "clerk")
    sample = trace_id_for(RUN, "c1", 0)
    options = {"agent": "desk", "case": "c1", "sample": 0, "trace_id": sample}
    with record(project=project, durable=True, **options) as ledger:  # type: ignore[arg-type]
        graph.compile().invoke(
            {"messages": [HumanMessage("hello")]}, {"configurable": {"thread_id": "t-1"}}
        )
        (running,) = list_traces(project)
        assert running.recording == "running"
    return ledger


def test_recordings_are_found_by_what_they_hold(project: Project, recorded: LiveLedger) -> None:
    (found,) = list_traces(project)
    assert (found.trace_id, found.recording) == (recorded.trace_id, "abandoned")
    assert (found.name, found.agents, found.case) == ("desk", ("clerk",), "c1")
    assert (found.request, found.response, found.state) == ("hello", "hi", "OK")
    assert list_traces(project, agent="clerk", case="c1", state="OK", run=RUN) == [found]
    assert list_traces(project, agent="desk", limit=1) == [found]


def test_recordings_are_not_found_by_what_they_lack(project: Project, recorded: LiveLedger) -> None:
    assert recorded.trace_id
    assert list_traces(project, agent="nobody") == []
    assert list_traces(project, tool="clerk") == []
    assert list_traces(project, handoff=("user", "clerk")) == []
    assert list_traces(project, error="ValueError") == []
    assert list_traces(project, case="c2") == []
    assert list_traces(project, state="ERROR") == []
    assert list_traces(project, thread="t-2") == []
    assert list_traces(project, run="b2" * 16) == []
    assert list_traces(project, version="v1") == []


def test_a_trace_that_is_stored_is_listed_and_counted_once(
    project: Project, recorded: LiveLedger, desk_trace: MakeTrace
) -> None:
    older = replace(desk_trace(), start_ns=10**18, end_ns=10**18 + 10**9)
    store_trace(older, project)
    assert [one.trace_id for one in list_traces(project)] == [recorded.trace_id, older.trace_id]
    assert count_traces(project) == 2
    left = next(project.live.iterdir())
    content = left.read_bytes()
    store_trace(recorded.trace, project)
    left.write_bytes(content)
    assert [one.recording for one in list_traces(project)] == [None, None]
    assert count_traces(project) == 2
    assert len(list_traces(project, limit=1)) == 1
