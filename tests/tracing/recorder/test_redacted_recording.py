from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict

import pytest
from langgraph.graph import START, StateGraph

from linenotes.project import Project, ProjectError, RedactionSettings, Redactor, Settings
from linenotes.tracing import FiledTrace, Message, MlflowStore, Trace, record

if TYPE_CHECKING:
    from langgraph.graph.state import CompiledStateGraph

KEY = "sk-proj-" + "a1B2" * 8
PHRASE = "correct horse battery staple"


def test_nobody_hears_a_secret_and_the_graph_does(chain: Callable[..., Any]) -> None:
    heard: list[Message] = []
    with record(on_message=heard.append) as ledger:
        output = chain(f"the plan: {KEY}", "work", "answer").invoke({"question": f"What is {KEY}?"})
        assert KEY not in str(ledger.messages)
        assert KEY not in ledger.trace.to_json().decode()
    assert output["plan"] == f"the plan: {KEY}"
    assert KEY not in str(heard)
    assert KEY not in ledger.trace.to_json().decode()
    assert Redactor().text(KEY) in ledger.trace.request


def test_an_exception_loses_its_secrets_with_those_of_its_causes(
    chain: Callable[..., Any],
) -> None:
    with pytest.raises(ValueError, match=KEY), record() as ledger:
        chain("plan", ValueError(f"no route with {KEY}"), "answer").invoke({"question": "?"})
    assert ledger.trace.error == f"ValueError: no route with {Redactor().text(KEY)}"
    assert KEY not in ledger.trace.to_json().decode()


def test_the_redactor_in_force_when_a_block_begins_serves_it(chain: Callable[..., Any]) -> None:
    with Redactor(personal=True).in_force(), record() as ledger:
        chain("Write to ann@example.org.", "work", "answer").invoke({"question": "?"})
    assert "[personal:email:" in ledger.trace.to_json().decode()


def test_a_store_redacts_what_was_not_recorded_here(
    store: MlflowStore, desk_trace: Callable[..., Trace]
) -> None:
    trace = desk_trace("redacted")
    store.write_traces([FiledTrace(replace(trace, request=f"use {KEY}"), tags={"key": KEY})])
    assert store.read_trace(trace.trace_id).request == f"use {Redactor().text(KEY)}"


def test_the_project_of_the_working_directory_says_what_is_redacted_and_what_calls_cost(
    chain: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "pyproject.toml").write_text(
        "[tool.linenotes.redaction]\npersonal = true\npatterns.badge = 'B-[0-9]+'\n"
    )
    monkeypatch.chdir(tmp_path)
    heard: list[Message] = []
    with record(on_message=heard.append, durable=True) as ledger:
        chain("ann@example.org has B-12", "work", "answer").invoke({"question": "?"})
        (live,) = Project.find().live.iterdir()
        assert b"[secret:badge:" in live.read_bytes()
    for kept in (str(heard), live.read_text(), ledger.trace.to_json().decode()):
        assert "ann@" not in kept
        assert "B-12" not in kept


def test_a_project_that_is_named_goes_before_that_of_the_working_directory(
    chain: Callable[..., Any],
) -> None:
    settings = Settings(redaction=RedactionSettings(personal=True))
    with record(project=Project(root=Path(), settings=settings)) as ledger:
        chain("Write to ann@example.org.", "work", "answer").invoke({"question": "?"})
    assert "[personal:email:" in ledger.trace.to_json().decode()


@pytest.mark.parametrize(
    "settings", ["[tool.linenotes.redaction]\nfunction = 'gone.py:hide'\n", "[tool.linenotes]\nx=1"]
)
def test_a_project_that_is_broken_does_not_break_what_only_records(
    chain: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: str
) -> None:
    (tmp_path / "pyproject.toml").write_text(settings)
    monkeypatch.chdir(tmp_path)
    with record() as ledger:
        chain(f"the plan: {KEY}", "work", "answer").invoke({"question": "?"})
    assert KEY not in ledger.trace.to_json().decode()
    with pytest.raises(ProjectError), record(durable=True):
        pass


class Vault(TypedDict, total=False):
    login: dict[str, str]
    answer: str


def vault() -> CompiledStateGraph[Any, Any, Any, Any]:
    """A graph that gives a phrase away by its key, and says it again."""

    def unlock(state: Vault) -> dict[str, Any]:
        assert not state
        return {"login": {"user": "ann", "password": PHRASE}}

    def tell(state: Vault) -> dict[str, Any]:
        return {"answer": f"It opens with {state['login']['password']}."}

    graph = StateGraph(Vault)
    graph.add_node("unlock", unlock)
    graph.add_node("tell", tell)
    graph.add_edge(START, "unlock")
    graph.add_edge("unlock", "tell")
    return graph.compile()


def test_what_a_key_gave_away_once_is_masked_in_all_that_follows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LINENOTES_STATE", raising=False)
    project = Project(root=tmp_path, settings=Settings())
    heard: list[Message] = []
    with record(on_message=heard.append, project=project, durable=True) as ledger:
        output = vault().invoke({})
        (live,) = project.live.iterdir()
        assert PHRASE not in live.read_text()
    assert PHRASE in output["answer"]
    for kept in (str(heard), live.read_text(), str(ledger.redacted(output["answer"]))):
        assert PHRASE not in kept
        assert "[secret:password:" in kept


def test_what_only_the_output_gives_away_is_masked_in_the_trace_from_then_on(
    chain: Callable[..., Any],
) -> None:
    with record() as ledger:
        chain(f"The word is {PHRASE}", "work", "answer").invoke({"question": "?"})
    assert PHRASE in str(ledger.trace)  # nothing says yet that it is one
    ledger.redacted({"password": PHRASE})
    assert PHRASE not in str(ledger.trace)
    assert "[secret:password:" in str(ledger.trace)
