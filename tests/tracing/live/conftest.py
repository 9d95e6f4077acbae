"""A project of its own for each test, and processes that record in it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from linenotes.project import Project, Settings

TALK = """
import os, sys, time
from langchain_core.messages import AIMessage
from langgraph.graph import START, MessagesState, StateGraph
from linenotes.tracing import record

def speaker(name):
    def speak(state):
        time.sleep(0.002)
        return {"messages": [AIMessage(f"{len(state['messages'])} {name}")]}
    return speak

def talk():
    graph = StateGraph(MessagesState)
    graph.add_node("ping", speaker("ping"))
    graph.add_node("pong", speaker("pong"))
    graph.add_edge(START, "ping")
    graph.add_edge("ping", "pong")
    graph.add_edge("pong", "ping")
    return graph.compile(name="table tennis")

def go(n=10_000, **recorded):
    with record(durable=True, **recorded) as ledger:
        talk().invoke({"messages": [("user", "0 user")]}, {"recursion_limit": n})
"""
"""Two agents that talk for ever; each message says how many were before it."""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.delenv("LINENOTES_STATE", raising=False)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    (tmp_path / "pyproject.toml").touch()
    return Project(root=tmp_path, settings=Settings())


@pytest.fixture
def script(project: Project) -> Callable[[str], subprocess.CompletedProcess[str]]:
    """Run Python code in the project's folder, where `go` begins a talk without an end."""

    def run(code: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", TALK + code],
            cwd=project.root,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    return run
