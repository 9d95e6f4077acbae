from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import orjson
import pytest

from linenotes.cli import main

AGENT = """
import time
from typing import TypedDict

from langgraph.graph import END, START, StateGraph

from linenotes.agents import prompt


class Question(TypedDict):
    question: str


class State(Question, total=False):
    draft: str
    answer: str


def writer(state):
    time.sleep(0.01)
    return {"draft": prompt("tone").text + " " + state["question"]}


def editor(state):
    loud = prompt("tone").version == "v2"
    return {"answer": state["question"].upper() if loud else state["question"]}


def build():
    graph = StateGraph(State, input_schema=Question)
    graph.add_node("writer", writer)
    graph.add_node("editor", editor)
    graph.add_edge(START, "writer")
    graph.add_edge("writer", "editor")
    graph.add_edge("editor", END)
    return graph
"""
ASKING = """
import httpx
from langchain_openai import ChatOpenAI


async def writer(state):
    async with httpx.AsyncClient() as client:
        model = ChatOpenAI(model="m", max_retries=0, http_async_client=client)
        return {"draft": (await model.ainvoke(state["question"])).content}
"""
SCORERS = """
def shouted(sample):
    return sample.output["answer"].isupper()


def length(sample):
    return len(sample.output["answer"])


def picky(sample):
    return sample.output["no such key"]
"""


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, object]:
        document = orjson.loads(self.out)
        assert isinstance(document, dict)
        return document


Cli = Callable[..., Ended]


@pytest.fixture
def cli(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Cli:
    def run(*arguments: str) -> Ended:
        monkeypatch.setattr(sys, "argv", ["linenotes", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        captured = capfd.readouterr()
        assert isinstance(ended.value.code, int)
        return Ended(ended.value.code, captured.out, captured.err)

    return run


@pytest.fixture(scope="session")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One store for the session: creating one takes seconds."""
    return tmp_path_factory.mktemp("state")


@pytest.fixture
def project(tmp_path: Path, state: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A stranger's project, with an agent of two nodes that asks no model."""
    cases = [
        {
            "id": f"c{i}",
            "inputs": {"question": f"word {i}"},
            "expectations": {"answer": f"WORD {i}"},
        }
        for i in range(6)
    ]
    files = {
        "pyproject.toml": '[tool.linenotes]\nexperiment = "cli"\n',
        "app.py": AGENT,
        "scorers.py": SCORERS,
        "cases.jsonl": "\n".join(orjson.dumps(case).decode() for case in cases),
        "prompts/tone/v1.md": "Quietly:",
        "prompts/tone/v2.md": "Loudly:",
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LINENOTES_STATE", str(state))
    return tmp_path


@pytest.fixture
def asking_project(project: Path) -> Callable[[str], Path]:
    """Let the writer of the project ask the model `m`, with more settings in pyproject.toml."""

    def make(settings: str = "") -> Path:
        before, _, after = AGENT.partition("def writer(state):")
        asking = before + ASKING + "\n\ndef editor" + after.partition("def editor")[2]
        (project / "app.py").write_text(asking, encoding="utf-8")
        with (project / "pyproject.toml").open("a", encoding="utf-8") as file:
            file.write(settings)
        return project

    return make
