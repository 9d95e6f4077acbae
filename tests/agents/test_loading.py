from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from linenotes.agents import load_agent, text_input
from linenotes.project import AgentError, ModelError, Project

MakeProject = Callable[..., Project]


def answer_of(spec: str, project: Project) -> object:
    return load_agent(spec, project).build().invoke({"question": "hi"})["answer"]


@pytest.mark.parametrize(
    "tail",
    [
        "graph = build()",
        "graph = build().compile()",
        "def graph(): return build()",
        "def graph(): return build().compile()",
        "def graph(config): return build()",
        "async def graph(): return build()",
    ],
    ids=["StateGraph", "compiled", "function", "compiles", "takes config", "async"],
)
def test_an_attribute_may_be_a_graph_or_a_function_that_builds_one(
    tail: str, make_project: MakeProject, chain_source: str
) -> None:
    project = make_project(**{"app.py": f"{chain_source}\n{tail}\n"})
    assert answer_of("app.py:graph", project) == "HI"


def test_an_agent_is_found_by_its_name_in_pyproject(
    make_project: MakeProject, chain_source: str
) -> None:
    settings = '[tool.linenotes.agents]\nshouter = "src/app.py:build"\n'
    project = make_project(**{"src/app.py": chain_source, "pyproject.toml": settings})
    assert answer_of("shouter", project) == "HI"


def test_an_agent_is_found_by_its_name_in_langgraph_json(
    make_project: MakeProject, chain_source: str
) -> None:
    document = '{"dependencies": ["."], "graphs": {"shouter": "./app.py:build"}}'
    project = make_project(**{"app.py": chain_source, "langgraph.json": document})
    assert answer_of("shouter", project) == "HI"


def test_a_module_is_found_from_any_folder_of_the_project(
    make_project: MakeProject, chain_source: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = make_project(**{"shouting/agent.py": chain_source, "deep/er/x": ""})
    monkeypatch.chdir(project.root / "deep" / "er")
    monkeypatch.setattr(sys, "path", [*sys.path])
    assert answer_of("shouting.agent:build", Project.find()) == "HI"
    monkeypatch.delitem(sys.modules, "shouting.agent")
    monkeypatch.delitem(sys.modules, "shouting")


def test_a_file_may_import_its_neighbours(
    make_project: MakeProject, chain_source: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", [*sys.path])
    app = "from neighbour_of_app import build as graph\n"
    project = make_project(**{"src/app.py": app, "src/neighbour_of_app.py": chain_source})
    assert answer_of("src/app.py:graph", project) == "HI"
    monkeypatch.delitem(sys.modules, "neighbour_of_app")


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("suport_desk", "Did you mean 'support_desk'"),
        ("nothing_like_it", "The agents are nearest_neighbour, support_desk"),
        ("gone.py:graph", "there is no file 'gone.py'"),
        ("no.such.module:graph", "No module named 'no'"),
        ("nosuchmodule:graph", "there is no module 'nosuchmodule'"),
        ("app.py:", "is not module:attr or path.py:attr"),
    ],
)
def test_an_agent_that_is_not_there_is_one_clear_error(
    spec: str, message: str, make_project: MakeProject
) -> None:
    project = make_project()
    with pytest.raises(AgentError, match=message):
        load_agent(spec, project)


def test_a_missing_attribute_names_the_graphs_that_are_there(
    make_project: MakeProject, chain_source: str
) -> None:
    project = make_project(**{"app.py": f"{chain_source}\nmine = build().compile()\n"})
    with pytest.raises(AgentError, match=r"has no 'graph'\. It has mine\."):
        load_agent("app.py:graph", project).build()


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("import no_such_package", r"does not import: ModuleNotFoundError.*app\.py:1"),
        ("x = 1\n1/0", r"ZeroDivisionError: division by zero \(.*app\.py:2\)"),
        ("def (", r"SyntaxError.*app\.py:1"),
        ("graph = 3", "is int, not a graph"),
        ("def graph(): return 3", r"graph\(\) returned int, not a graph"),
        ("def graph(a, b): return 3", "needs 2 arguments"),
        ("def graph(): raise RuntimeError('no luck')", "does not build: RuntimeError: no luck"),
    ],
)
def test_an_agent_that_does_not_build_says_where(
    body: str, message: str, make_project: MakeProject
) -> None:
    project = make_project(**{"app.py": body})
    with pytest.raises(AgentError, match=message):
        load_agent("app.py:graph", project).build()


def test_a_mistake_in_the_models_is_told_as_such(
    make_project: MakeProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    app = "from linenotes.agents import chat_model\ndef graph(): return chat_model('writer')\n"
    settings = '[tool.linenotes.models]\ndefault = "gpt-4.1-mini"\n'
    project = make_project(**{"app.py": app, "pyproject.toml": settings})
    with pytest.raises(ModelError, match="OPENAI_API_KEY"):
        load_agent("app.py:graph", project).build()


def test_a_nameless_graph_takes_the_name_of_its_file(make_project: MakeProject) -> None:
    project = make_project(**{"planner.py": ""})
    assert load_agent("planner.py:graph", project).name == "planner"
    assert load_agent("planner.py:editor", project).name == "editor"


def test_text_becomes_the_users_message_or_the_one_text_field(
    make_project: MakeProject, chain_source: str
) -> None:
    project = make_project(**{"app.py": chain_source})
    graph = load_agent("app.py:build", project).build()
    with pytest.raises(AgentError, match="question, answer"):
        text_input(graph, "hi")

    one_field = chain_source.replace(
        "StateGraph(State)", "StateGraph(State, input_schema=Question)"
    ).replace("def answer", "class Question(TypedDict):\n    question: str\n\ndef answer")
    (Path("one.py")).write_text(one_field, encoding="utf-8")
    graph = load_agent("one.py:build", project).build()
    assert text_input(graph, "hi") == {"question": "hi"}
