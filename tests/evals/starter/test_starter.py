from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from linenotes.datasets import load_dataset
from linenotes.evals import StarterFile, starter_files, write_starter
from linenotes.project import Project, ProjectError

_TALKS = """
from langgraph.graph import MessagesState, StateGraph


def graph():
    made = StateGraph(MessagesState)
    made.add_node("talk", lambda state: {"messages": [("ai", "Paris")]})
    made.add_edge("__start__", "talk")
    return made.compile()
"""
_COUNTS = """
from typing import TypedDict
from langgraph.graph import StateGraph


class State(TypedDict):
    question: str
    tries: int


def graph():
    made = StateGraph(State)
    made.add_node("count", lambda state: {"tries": state["tries"] + 1})
    made.add_edge("__start__", "count")
    return made.compile()
"""


@pytest.fixture
def project(make_project: Callable[..., Project]) -> Project:
    return make_project({"talks.py": _TALKS, "counts.py": _COUNTS})


def _inputs(files: list[StarterFile]) -> object:
    return json.loads(files[0].text.splitlines()[0])["inputs"]


def test_cases_fit_what_the_graph_takes(project: Project) -> None:
    assert _inputs(starter_files("talks.py:graph", project)) == {
        "messages": [{"role": "user", "content": "Question 1"}]
    }
    assert _inputs(starter_files("counts.py:graph", project)) == {
        "question": "Question 1",
        "tries": 1,
    }


def test_what_is_written_is_a_valid_dataset_and_valid_python(project: Project) -> None:
    files = starter_files("talks.py:graph", project)
    write_starter(project, files)
    assert len(load_dataset("evals/cases.jsonl", project).cases) == 2
    text = (project.root / "evals/test_agent.py").read_text(encoding="utf-8")
    compile(text, "test_agent.py", "exec")
    assert 'agent="talks.py:graph"' in text


@pytest.mark.parametrize(("ci", "jobs"), [("github", 2), ("gitlab", 3)])
def test_a_workflow_replays_on_each_change_and_calls_on_a_label(
    project: Project, ci: str, jobs: int
) -> None:
    files = starter_files("talks.py:graph", project, ci=ci)  # type: ignore[arg-type]  # a parameter
    found = yaml.safe_load(files[-1].text)
    assert len(found.get("jobs", found)) == jobs
    assert "--linenotes-replay" in files[-1].text
    assert "evals-live" in files[-1].text
    calls = [line for line in files[-1].text.splitlines() if line.strip().startswith("pytest ")]
    assert [line.split()[1:3] for line in calls] == [["evals", "-pno:deepeval"]] * 2


def test_the_docs_show_the_workflow_that_is_written(project: Project) -> None:
    files = starter_files("talks.py:graph", project, ci="github")
    docs = Path(__file__).parents[3] / "docs" / "pytest.md"
    assert files[-1].text in docs.read_text(encoding="utf-8")


def test_nothing_is_written_over_what_is_there(project: Project) -> None:
    files = starter_files("talks.py:graph", project)
    mine = Path(project.root, files[1].path)
    mine.parent.mkdir()
    mine.write_text("mine", encoding="utf-8")
    with pytest.raises(ProjectError, match=r"test_agent\.py\. Nothing was written"):
        write_starter(project, files)
    assert mine.read_text(encoding="utf-8") == "mine"
    assert not Path(project.root, files[0].path).exists()
