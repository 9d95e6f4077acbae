from __future__ import annotations

import subprocess
from collections.abc import Callable

import pytest

from linenotes.agents import AgentVersion, load_agent, prompt
from linenotes.project import ModelError, Project, PromptError

MakeProject = Callable[..., Project]

PROMPTS = {"prompts/shout/v1.md": "Shout.", "prompts/shout/v2.md": "Shout louder."}


@pytest.fixture
def project(make_project: MakeProject, chain_source: str) -> Project:
    return make_project(**{"app.py": chain_source, **PROMPTS})


def version_of(project: Project, **choice: object) -> AgentVersion:
    agent = load_agent("app.py:build", project)
    return AgentVersion.resolve(agent, **choice)  # type: ignore[arg-type]  # the tests' own choices


def test_equal_parts_have_an_equal_fingerprint(project: Project) -> None:
    assert version_of(project).fingerprint == version_of(project).fingerprint
    assert len(version_of(project).fingerprint) == 64


@pytest.mark.parametrize(
    "choice",
    [
        {"prompts": {"shout": "v1"}},
        {"models": {"default": "gpt-4.1-mini"}},
        {"models": {"default": "gpt-4.1-mini@http://127.0.0.1:9/v1"}},
        {"temperature": 0.5},
    ],
    ids=["prompt", "model", "endpoint", "temperature"],
)
def test_each_part_changes_the_fingerprint(choice: dict[str, object], project: Project) -> None:
    assert version_of(project, **choice).fingerprint != version_of(project).fingerprint


def test_the_code_changes_the_fingerprint_and_the_label_does_not(project: Project) -> None:
    before = version_of(project)
    assert before.labelled("other").fingerprint == before.fingerprint
    with (project.root / "app.py").open("a", encoding="utf-8") as file:
        file.write("\n# changed\n")
    assert version_of(project).fingerprint != before.fingerprint


def test_the_prompts_of_a_version_are_in_force_inside_it(project: Project) -> None:
    first, second = (version_of(project, prompts={"shout": v}) for v in ("1", "2"))
    with first.in_force():
        assert prompt("shout").text == "Shout."
        with second.in_force():
            assert prompt("shout").text == "Shout louder."
        assert prompt("shout").version == "v1"
    assert prompt("shout").version == "v2"


def test_a_version_knows_its_prompts_only(project: Project) -> None:
    with version_of(project).in_force(), pytest.raises(PromptError, match="'whisper'"):
        prompt("whisper")


def test_a_prompt_that_does_not_exist_is_told_at_once(project: Project) -> None:
    with pytest.raises(PromptError, match="no prompt 'whisper'"):
        version_of(project, prompts={"whisper": "v1"})
    with pytest.raises(PromptError, match="no version '7'"):
        version_of(project, prompts={"shout": "7"})


def test_a_model_may_be_named_by_a_role_that_has_it(
    make_project: MakeProject, chain_source: str
) -> None:
    settings = (
        "[tool.linenotes.models.strong]\n"
        'model = "gpt-5"\nbase-url = "http://127.0.0.1:9/v1"\ntemperature = 0.2\n'
    )
    project = make_project(**{"app.py": chain_source, "pyproject.toml": settings})
    version = version_of(project, models={"writer": "strong"})
    assert version.models["writer"] == project.settings.models["strong"]


def test_the_embedded_model_has_no_endpoint_of_its_own(
    make_project: MakeProject, chain_source: str
) -> None:
    settings = '[tool.linenotes.models.default]\nmodel = "m"\nbase-url = "http://127.0.0.1:9/v1"\n'
    project = make_project(**{"app.py": chain_source, "pyproject.toml": settings})
    assert version_of(project).models["default"].base_url == "http://127.0.0.1:9/v1"
    other = version_of(project, models={"default": "n"})
    assert other.models["default"].base_url == "http://127.0.0.1:9/v1"
    local = version_of(project, models={"default": "local:smollm2-135m"})
    assert local.models["default"].base_url is None


def test_a_nameless_model_is_an_error(project: Project) -> None:
    with pytest.raises(ModelError, match="names no model"):
        version_of(project, models={"default": "@http://127.0.0.1:9/v1"})
    with pytest.raises(ModelError, match=r"^The address of model 'big' holds a user"):
        version_of(project, models={"default": "big@http://me:secret@host/v1"})


def test_the_commit_is_recorded_with_its_dirt_and_left_out_of_the_fingerprint(
    project: Project,
) -> None:
    def git(*arguments: str) -> None:
        identity = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
        subprocess.run(["git", *identity, *arguments], cwd=project.root, check=True)  # noqa: S607

    before = version_of(project)
    assert before.commit is None
    git("init", "-q")
    git("add", ".")
    git("commit", "-q", "-m", "one")
    clean = version_of(project)
    assert clean.commit is not None
    assert not clean.commit.dirty
    (project.root / "notes.txt").touch()
    dirty = version_of(project).commit
    assert dirty is not None
    assert dirty.dirty
    assert clean.fingerprint == before.fingerprint


def test_tools_are_part_of_a_version(make_project: MakeProject) -> None:
    source = '''
from langgraph.graph import MessagesState, StateGraph, START
from langgraph.prebuilt import ToolNode

def look_up(item: str) -> str:
    """Look an item up."""
    return item

def build():
    graph = StateGraph(MessagesState)
    graph.add_node("tools", ToolNode([look_up]))
    graph.add_edge(START, "tools")
    return graph
'''
    assert version_of(make_project(**{"app.py": source})).tools == ("look_up",)
