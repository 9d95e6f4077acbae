from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from linenotes.project import Project

CHAIN = """
from typing import TypedDict
from langgraph.graph import END, START, StateGraph

class State(TypedDict, total=False):
    question: str
    answer: str

def answer(state):
    return {"answer": state["question"].upper()}

def build():
    graph = StateGraph(State)
    graph.add_node("answer", answer)
    graph.add_edge(START, "answer")
    graph.add_edge("answer", END)
    return graph
"""


@pytest.fixture
def chain_source() -> str:
    return CHAIN


@pytest.fixture
def make_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Project]:
    """Write files into a fresh folder, step into it, and return the project that it is."""

    def make(**files: str) -> Project:
        (tmp_path / "pyproject.toml").touch()
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        monkeypatch.chdir(tmp_path)
        return Project.find()

    return make
