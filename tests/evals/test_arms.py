from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from linenotes.agents import Agent, AgentVersion, load_agent
from linenotes.evals import EVERY, Choice, arms, single_version, versions_of
from linenotes.project import ModelSettings, PromptError, RunError

PROMPTS = {
    "prompts/triage/v1.md": "triage 1",
    "prompts/triage/v2.md": "triage 2",
    "prompts/desk/v1.md": "desk 1",
    "prompts/desk/v2.md": "desk 2",
    "prompts/tone.md": "be polite",
}


@pytest.fixture
def agent(one_node: Callable[..., AgentVersion]) -> Agent:
    return one_node(files=PROMPTS).agent


def choice(
    prompts: dict[str, list[str]] | None = None,
    models: dict[str, list[str]] | None = None,
    temperature: float | None = None,
) -> Choice:
    return Choice(prompts or {}, models or {}, temperature)


def prompts_of(version: AgentVersion) -> dict[str, str]:
    return {name: prompt.version for name, prompt in version.prompts.items()}


def test_lists_are_read_side_by_side(agent: Agent) -> None:
    found = versions_of(agent, choice({"triage": ["1", "2"], "desk": ["2", "1"]}))
    assert [(prompts_of(v)["triage"], prompts_of(v)["desk"]) for v in found] == [
        ("v1", "v2"),
        ("v2", "v1"),
    ]


def test_a_single_value_goes_with_every_version(agent: Agent) -> None:
    found = versions_of(agent, choice({"triage": ["1", "2"], "desk": ["1"]}, {"default": ["m"]}))
    assert [prompts_of(v)["desk"] for v in found] == ["v1", "v1"]
    assert [v.models["default"].model for v in found] == ["m", "m"]


def test_lists_of_different_lengths_are_refused(agent: Agent) -> None:
    with pytest.raises(RunError, match=r"one list has 2 values, another 3. Give lists of one"):
        versions_of(agent, choice({"triage": ["1", "2"]}, {"default": ["a", "b", "c"]}))


@pytest.mark.parametrize(
    ("prompts", "models", "labels"),
    [
        ({}, {}, ["desk=v2 tone=v1 triage=v2"]),
        ({"triage": ["1", "2"]}, {}, ["v1", "v2"]),
        ({"triage": ["1", "2"], "desk": ["1", "2"]}, {}, ["v1", "v2"]),
        (
            {"triage": ["1", "2"], "desk": ["2", "1"]},
            {},
            ["triage=v1 desk=v2", "triage=v2 desk=v1"],
        ),
        ({}, {"default": ["small", "large"]}, ["small", "large"]),
        ({"triage": ["1", "2"]}, {"default": ["small", "large"]}, ["v1 small", "v2 large"]),
        ({"triage": ["1", "2"], "desk": ["1"]}, {"default": ["small"]}, ["v1", "v2"]),
    ],
)
def test_a_version_is_called_by_what_sets_it_apart(
    agent: Agent,
    prompts: dict[str, list[str]] | None,
    models: dict[str, list[str]] | None,
    labels: Sequence[str],
) -> None:
    assert [version.label for version in versions_of(agent, choice(prompts, models))] == labels


def test_every_prompt_that_has_the_version_gets_it(agent: Agent) -> None:
    found = versions_of(agent, choice({EVERY: ["1", "2"]}))
    assert [prompts_of(version) for version in found] == [
        {"desk": "v1", "tone": "v1", "triage": "v1"},
        {"desk": "v2", "tone": "v1", "triage": "v2"},
    ]


def test_a_prompt_that_is_named_is_not_one_of_every(agent: Agent) -> None:
    (version,) = versions_of(agent, choice({EVERY: ["1"], "triage": ["2"]}))
    assert prompts_of(version) == {"desk": "v1", "tone": "v1", "triage": "v2"}


def test_a_version_that_no_prompt_has_is_told(agent: Agent) -> None:
    with pytest.raises(RunError, match=r"No prompt of agent 'app' has a version '9'"):
        versions_of(agent, choice({EVERY: ["9"]}))


def test_a_prompt_that_does_not_exist_is_told(agent: Agent) -> None:
    with pytest.raises(PromptError, match=r"'triag'"):
        versions_of(agent, choice({"triag": ["1"]}))


def test_every_role_gets_the_model_but_the_ones_that_are_named(
    one_node: Callable[..., AgentVersion],
) -> None:
    settings = '[tool.linenotes.models]\nreviewer = "r"\n'
    agent = one_node(files={"pyproject.toml": settings}).agent
    (version,) = versions_of(agent, choice(models={EVERY: ["m"], "reviewer": ["other"]}))
    assert {role: model.model for role, model in version.models.items()} == {
        "default": "m",
        "reviewer": "other",
    }


def test_a_temperature_is_for_every_role(agent: Agent) -> None:
    (version,) = versions_of(agent, choice(temperature=0.0))
    assert version.models["default"] == ModelSettings(temperature=0.0)


def test_the_baseline_comes_first_and_once_a_case(one_node: Callable[..., AgentVersion]) -> None:
    settings = """
[tool.linenotes.agents]
nearest = "app.py:build"

[tool.linenotes.agents.desk]
graph = "app.py:build"
baseline = "nearest"
"""
    project = one_node(files={"pyproject.toml": settings, **PROMPTS}).agent.project
    from linenotes.project import Project

    desk = load_agent("desk", Project.find(project.root))
    found = arms(desk, choice({"triage": ["1", "2"]}), samples=5)
    assert [(arm.version.label, arm.samples, arm.baseline) for arm in found] == [
        ("nearest", 1, True),
        ("v1", 5, False),
        ("v2", 5, False),
    ]


def test_an_agent_without_a_baseline_is_alone(agent: Agent) -> None:
    assert [arm.baseline for arm in arms(agent, choice(), samples=2)] == [False]


MODULE = """
from linenotes.agents import prompt
TEXT = prompt("triage").text
"""


def test_what_a_module_reads_at_import_cannot_differ_between_versions(
    one_node: Callable[..., AgentVersion], monkeypatch: pytest.MonkeyPatch
) -> None:
    version = one_node(files=PROMPTS)
    root = version.agent.project.root
    (root / "reads_at_import.py").write_text(MODULE + (root / "app.py").read_text())
    agent = load_agent("reads_at_import:build", version.agent.project)
    with pytest.raises(RunError, match=r"called prompt\('triage'\) while it was imported"):
        versions_of(agent, choice({"triage": ["1", "2"]}))


def test_one_version_is_what_can_be_run_once(agent: Agent) -> None:
    assert single_version(agent, choice({"triage": ["1"]})).prompts["triage"].version == "v1"
    with pytest.raises(RunError, match=r"2 versions are named, and only one can be run"):
        single_version(agent, choice({"triage": ["1", "2"]}))
