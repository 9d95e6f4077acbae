"""Projects with golden tests, which a pytest of their own runs in this process.

What takes long to import is imported beforehand: the pytest inside forgets what it imported.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from linenotes.datasets import Dataset
from linenotes.evals import evaluate
from linenotes.evals.testing import Reply, Request, ScriptedServer
from linenotes.project import Project
from linenotes.tracing import Tokens

Run = Callable[..., pytest.RunResult]

INI = """
[project]
name = "golden"
[tool.pytest.ini_options]
addopts = ["-pno:deepeval", "-pno:langsmith_plugin", "-pno:randomly"]
asyncio_default_fixture_loop_scope = "function"
filterwarnings = ["error"]
[tool.linenotes.models]
default = "n"
[tool.linenotes.prices."m"]
input = 1000
output = 1000
"""
DESK = '''
from typing import TypedDict

from langgraph.graph import END, START, StateGraph

from linenotes.agents import current_sample


class State(TypedDict, total=False):
    question: object
    plan: object
    answer: object


def plan(state):
    return {"plan": f"look up {state['question']}"}


def answer(state):
    """Say what was asked for; of 2 only in every second sample, and of 3 never."""
    question, sample = state["question"], current_sample().sample
    wrong = question == 3 or (question == 2 and sample % 2)
    return {"answer": "nothing" if wrong else question}


def build():
    graph = StateGraph(State)
    graph.add_node("plan", plan)
    graph.add_node("answer", answer)
    graph.add_edge(START, "plan")
    graph.add_edge("plan", "answer")
    graph.add_edge("answer", END)
    return graph
'''
ASKING = """
from typing import TypedDict

from langgraph.graph import END, START, StateGraph

from linenotes.agents import chat_model, prompt


class State(TypedDict, total=False):
    question: object
    answer: object


async def answer(state):
    said = await chat_model("answer").ainvoke(f"{prompt('answer').text} {state['question']}")
    return {"answer": said.text}


def build():
    graph = StateGraph(State)
    graph.add_node("answer", answer)
    graph.add_edge(START, "answer")
    graph.add_edge("answer", END)
    return graph
"""
TEST = """
from linenotes.evals import Gate, golden


@golden("cases.jsonl", agent="desk.py:build", samples=4{more})
def test_answers(sample):
    assert sample.output["answer"] == sample.expectations["answer"]
"""
ASKING_TEST = """
from linenotes.evals import Gate, golden


@golden("asked.jsonl", agent="asking.py:build", samples=2{more})
def test_says_ok(sample):
    assert sample.output["answer"] == "ok"
"""


@pytest.fixture(scope="session")
def _imported(tmp_path_factory: pytest.TempPathFactory, shared_state: object) -> None:
    """Import what golden tests import while they run."""
    import linenotes.evals.suite._suite
    import linenotes.evals.suite._suite_report  # noqa: F401  imported for good

    folder = tmp_path_factory.mktemp("imports")
    (folder / "pyproject.toml").write_text(INI, encoding="utf-8")
    (folder / "asking.py").write_text(ASKING, encoding="utf-8")
    (folder / "prompts").mkdir()
    (folder / "prompts" / "answer.md").write_text("Say", encoding="utf-8")
    from linenotes.datasets import Case

    cases = Dataset(
        "imports", (Case(id="c0", inputs={"question": 0}, expectations={"answer": "ok"}),)
    )
    with pytest.MonkeyPatch.context() as patch, _server() as server, server.in_environment():
        patch.setenv("LINENOTES_STATE", str(shared_state))
        project = Project.find(folder)
        evaluate("asking.py:build", cases, samples=2, record="auto", project=project)
        evaluate("asking.py:build", cases, samples=2, replay=True, project=project)


def _say(request: Request) -> Reply:
    """Say what is asked for by the end of the prompt, for a cent."""
    return Reply(request.prompt.split()[-1], tokens=Tokens(input=8, output=2))


def _server() -> ScriptedServer:
    return ScriptedServer(_say)


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    """A provider that repeats the last word of what it is asked, a cent a call."""
    with _server() as started, started.in_environment():
        yield started


@pytest.fixture
def run(
    pytester: pytest.Pytester,
    shared_state: Path,
    _imported: None,
    monkeypatch: pytest.MonkeyPatch,
) -> Run:
    """Return a pytest in a project whose desk always knows c0 and c1, c2 half of the time."""
    shutil.rmtree(shared_state / "runs", ignore_errors=True)  # one of them may be continued
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    pytester.makepyprojecttoml(INI)
    pytester.makepyfile(desk=DESK, asking=ASKING)
    for name, answer in (("cases", "{0}"), ("asked", '"ok"')):
        lines = [
            f'{{"id": "c{i}", "inputs": {{"question": {question}}}, '
            f'"expectations": {{"answer": {answer.format(i)}}}}}'
            for i in range(4 if name == "cases" else 3)
            for question in [i if name == "cases" else f'"{i} ok"']
        ]
        (pytester.path / f"{name}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (pytester.path / "prompts" / "answer").mkdir(parents=True)
    for version in ("v1", "v2"):
        prompt = pytester.path / "prompts" / "answer" / f"{version}.md"
        prompt.write_text(f"By {version} say", encoding="utf-8")

    def start(*arguments: str, subprocess: bool = False) -> pytest.RunResult:
        how = pytester.runpytest_subprocess if subprocess else pytester.runpytest_inprocess
        return how(*plugin(), *arguments)

    return start


@pytest.fixture
def write(pytester: pytest.Pytester) -> Callable[..., None]:
    """Write the test of the desk, or `text`, as the only file of tests."""

    def make(more: str = "", text: str = TEST) -> None:
        pytester.makepyfile(test_desk=text.replace("{more}", f", {more}" if more else ""))

    return make


def plugin() -> tuple[str, ...]:
    """Return the arguments that bring the plugin where it is not installed."""
    installed = any(point.name == "linenotes" for point in entry_points(group="pytest11"))
    return () if installed else ("-p", "linenotes.pytest_plugin")


def words(result: pytest.RunResult) -> dict[str, str]:
    """Return item to its word in the output of `pytest -v`."""
    found = re.findall(r"^test_\w+\.py::(\S+) (.+?)\s+\[", result.stdout.str(), re.MULTILINE)
    return dict(found)
