"""Abandoned traces end up in the store as failed, those of living processes stay alone."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import replace

import pytest
from mlflow.tracing.client import TracingClient

from linenotes.project import Project, RunError
from linenotes.tracing import (
    FiledTrace,
    close_abandoned,
    live_traces,
    open_store,
    read_trace,
    record,
    store_trace,
)
from linenotes.tracing.store._mlflow_info import trace_info

Script = Callable[[str], subprocess.CompletedProcess[str]]
ID = "tr-" + "a" * 32
KILLS_ITSELF = f"""
def kill(state):
    os.kill(os.getpid(), 9)
graph = StateGraph(MessagesState)
graph.add_node("ping", speaker("ping"))
graph.add_node("pong", kill)
graph.add_edge(START, "ping")
graph.add_edge("ping", "pong")
with record(durable=True, agent="talk", case="c1", sample=3, trace_id="{ID}"):
    graph.compile().invoke({{"messages": [("user", "0 user")]}})
"""


@pytest.fixture(scope="session")
def database(tmp_path_factory: pytest.TempPathFactory) -> str:
    """One store for these tests: creating one takes seconds."""
    return f"sqlite:///{tmp_path_factory.mktemp('store') / 'mlflow.db'}"


@pytest.fixture(autouse=True)
def _store(database: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", database)
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", str(request.node.name))


def test_what_was_cut_off_is_stored_as_failed(script: Script, project: Project) -> None:
    script(KILLS_ITSELF)
    open_ = read_trace(ID, project)
    assert (open_.state, open_.running) == ("IN_PROGRESS", ("pong",))

    [closed] = close_abandoned(project)

    assert closed.trace == open_
    assert live_traces(project) == []
    stored = read_trace(ID, project)
    assert [m.text for m in stored.messages] == ["0 user", "1 ping"]
    assert [m.recipients for m in stored.messages] == [("ping",), ("pong",)]
    assert (stored.state, stored.running, stored.end_ns) == ("ERROR", (), closed.heard_ns)
    assert stored.error is not None
    assert f"process {closed.pid} ended early" in stored.error.lower()
    assert "while pong ran" in stored.error
    assert {span.name: span.status for span in stored.spans} == {
        "talk": "ERROR", "ping": "OK", "pong": "ERROR",
    }  # fmt: skip
    assert close_abandoned(project) == []


def test_what_goes_on_is_left_alone(project: Project) -> None:
    with record(project=project, durable=True) as ledger:
        assert close_abandoned(project) == []
        assert read_trace(ledger.trace_id, project).state == "IN_PROGRESS"
    [left] = close_abandoned(project)
    assert left.ended
    assert read_trace(ledger.trace_id, project).state == "OK"


def test_a_stored_trace_is_not_written_over(script: Script, project: Project) -> None:
    with record(trace_id=ID) as ledger:
        pass
    trace = replace(ledger.trace, name="the whole of it")
    script(KILLS_ITSELF)
    with open_store(project):
        file = next(iter(project.live.iterdir()))
        left = file.read_bytes()
    store_trace(trace, project)
    assert live_traces(project) == []
    file.write_bytes(left)

    assert len(close_abandoned(project)) == 1

    assert live_traces(project) == []
    assert read_trace(ID, project).name == "the whole of it"


def test_a_trace_that_was_half_stored_is_read_from_its_log_and_stored_whole(
    project: Project,
) -> None:
    with record(project=project, durable=True, trace_id=ID[:-1] + "b") as ledger:
        pass
    with open_store(project) as store:
        info = trace_info(FiledTrace(ledger.trace), store.experiment_id)
        TracingClient(store.tracking_uri).start_trace(info)
        with pytest.raises(RunError, match="is not stored whole"):
            store.read_trace(ledger.trace_id)
    assert read_trace(ledger.trace_id, project).state == "OK"

    close_abandoned(project)

    with open_store(project) as store:
        assert store.read_trace(ledger.trace_id).name == ledger.trace.name


def test_storing_a_trace_removes_its_log(project: Project) -> None:
    with record(project=project, durable=True) as ledger:
        pass
    assert len(live_traces(project)) == 1
    store_trace(ledger.trace, project)
    assert list(project.live.iterdir()) == []


def test_a_trace_that_is_nowhere_is_an_error(project: Project) -> None:
    with pytest.raises(RunError, match="No trace"):
        read_trace("tr-" + "c" * 32, project)
