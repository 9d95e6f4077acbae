from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage
from langgraph.graph import START, MessagesState, StateGraph

from linenotes.cli._trace_list import _widths
from linenotes.tracing import record

if TYPE_CHECKING:
    from langgraph.pregel import Pregel
    from tests.cli.conftest import Cli


@pytest.fixture
def empty(project: Path, state: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make an experiment of its own without a trace, apart from recordings of other tests."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{state / 'mlflow.db'}")
    monkeypatch.setenv("LINENOTES_STATE", str(tmp_path / "state"))
    experiment = f'[tool.linenotes]\nexperiment = "{tmp_path.name}"\n'
    (project / "pyproject.toml").write_text(experiment, encoding="utf-8")


@pytest.fixture
def filled(empty: None, cli: Cli) -> str:
    """An experiment of its own with two traces, and no recording; the id of the first."""
    first = cli("run", "app.py:build", "first words", "--json").json["trace_id"]
    cli("run", "app.py:build", "--case", "c3", "--dataset", "cases.jsonl")
    return str(first)


def test_traces_are_listed_newest_first(filled: str, cli: Cli) -> None:
    header, newest, older, *_ = cli("trace", "list").out.splitlines()
    assert header.split() == ["trace", "when", "agent", "case", "took", "request"]
    assert "c3#0" in newest
    assert older.startswith(filled[:11])
    assert "first words" in older
    assert "✓" in older
    assert max(map(len, (header, newest, older))) <= 100


def test_numbers_make_room_for_the_request_where_it_is_narrow() -> None:
    row = {"trace": "tr-0a1b2c3d", "took": "1 min 04 s", "cost": "$0.0123", "request": "x" * 90}
    assert list(_widths([row], 100)) == ["trace", "took", "cost", "request"]
    narrow = _widths([row], 46)
    assert list(narrow) == ["trace", "took", "request"]
    assert narrow["request"] >= 20


def test_filters_choose(filled: str, cli: Cli) -> None:
    def ids(*options: str) -> list[object]:
        listed = cli("trace", "list", "--json", *options).json["traces"]
        assert isinstance(listed, list)
        return [trace["trace_id"] for trace in listed]

    assert len(ids()) == 2
    assert ids("--case", "ad-hoc") == [filled]
    assert len(ids("--agent", "writer", "--state", "ok")) == 2
    assert ids("--error", "ValueError") == []
    assert len(ids("--limit", "1")) == 1


def test_filters_that_choose_nothing_are_named(filled: str, cli: Cli) -> None:
    ended = cli("trace", "list", "--case", "never asked", "--state", "ok")
    assert ended.code == 0
    assert ended.out == "None of 2 traces is like that: --case never asked --state OK\n"


@pytest.mark.usefixtures("empty")
def test_an_empty_store_says_how_to_record_a_first_trace(cli: Cli) -> None:
    ended = cli("trace", "list", "--agent", "writer")
    assert ended.code == 0
    assert ended.out.startswith("No trace yet. Record one: linenotes run ")


def test_a_run_is_named_as_everywhere(filled: str, cli: Cli) -> None:
    cli("eval", "app.py:build", "--dataset", "cases.jsonl", "--samples", "1")
    listed: Any = cli("trace", "list", "--run", "latest", "--json").json["traces"]
    (run_id,) = {trace["run_id"] for trace in listed}
    assert len(listed) == 6
    assert cli("trace", "list", "--run", run_id[:8], "--json").json["traces"] == listed
    assert cli("trace", "list", "--run", run_id, "--json").json["traces"] == listed
    foreign = cli("trace", "list", "--run", "f" * 32)
    assert (foreign.code, foreign.out[:17]) == (0, "None of 8 traces ")
    unknown = cli("trace", "list", "--run", "no-such")
    assert unknown.code == 2
    assert "'no-such'" in unknown.err


def test_recordings_are_listed_before_they_are_stored(filled: str, cli: Cli) -> None:
    with record(durable=True, agent="talk", case="c9"):
        graph_of_one_word().invoke({"messages": [HumanMessage("hello")]})
        running: Any = cli("trace", "list", "--case", "c9", "--agent", "clerk", "--json").json
        assert "running" in cli("trace", "list").out
        assert cli("trace", "show").out.startswith("talk   running   case c9\n")
    assert [trace["recording"] for trace in running["traces"]] == ["running"]
    assert [trace["request"] for trace in running["traces"]] == ["hello"]
    _, newest, *_ = cli("trace", "list").out.splitlines()
    assert "abandoned" in newest
    assert cli("trace", "list", "--tool", "look", "--json").json["traces"] == []
    assert cli("trace", "doctor").code == 0
    stored: Any = cli("trace", "list", "--case", "c9", "--json").json["traces"]
    assert [trace["recording"] for trace in stored] == [None]


def graph_of_one_word() -> Pregel[Any, Any, Any, Any]:
    graph = StateGraph(MessagesState)
    graph.add_node("clerk", lambda _: {"messages": [AIMessage("hi")]})
    graph.add_edge(START, "clerk")
    return graph.compile()


@pytest.mark.parametrize("handoff", ["a", "a:", ":b"])
def test_half_a_handoff_is_exit_2(filled: str, cli: Cli, handoff: str) -> None:
    ended = cli("trace", "list", "--handoff", handoff)
    assert ended.code == 2
    assert "FROM:TO" in ended.err
