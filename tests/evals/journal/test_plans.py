from __future__ import annotations

from collections.abc import Callable

import pytest

from linenotes.agents import AgentVersion, load_agent
from linenotes.datasets import Dataset
from linenotes.evals import RunPlan
from linenotes.project import Project, RunError

PROMPTS = {"prompts/greet/v1.md": "Hello", "prompts/greet/v2.md": "Good day"}


@pytest.fixture
def plan_of(numbers: Callable[..., Dataset]) -> Callable[[AgentVersion], RunPlan]:
    def make(version: AgentVersion) -> RunPlan:
        return RunPlan.of(
            version,
            numbers(3),
            group="g",
            samples=2,
            baseline=False,
            seed=5,
            scorers={"correct": "own.py:correct", "speed": "speed"},
        ).stored_as("r" * 32, "m-1", dict.fromkeys(version.prompts, 7))

    return make


def test_a_plan_holds_cases_texts_and_what_the_fingerprint_is_taken_of(
    one_node: Callable[..., AgentVersion],
    plan_of: Callable[[AgentVersion], RunPlan],
    numbers: Callable[..., Dataset],
) -> None:
    version = one_node(files=PROMPTS)
    plan = plan_of(version)
    assert plan.cases == numbers(3).cases
    assert plan.dataset.digest == numbers(3).digest
    assert plan.prompts["greet"].text == "Good day"
    assert plan.prompts["greet"].registry_version == 7
    assert plan.fingerprint == version.fingerprint
    assert (plan.metrics, plan.scorers) == (("correct", "speed"), ("own.py:correct", "speed"))


def test_a_plan_reads_back_as_it_was(
    one_node: Callable[..., AgentVersion], plan_of: Callable[[AgentVersion], RunPlan]
) -> None:
    plan = plan_of(one_node(files=PROMPTS))
    assert RunPlan.model_validate_json(plan.model_dump_json()) == plan


def test_a_plan_from_before_scorers_had_codes_is_read(
    one_node: Callable[..., AgentVersion], plan_of: Callable[[AgentVersion], RunPlan]
) -> None:
    older = plan_of(one_node(files=PROMPTS)).model_dump(mode="json")
    assert older.pop("codes") == {}
    assert RunPlan.model_validate(older).codes == {}


def test_the_version_of_a_plan_has_its_prompts_whatever_the_files_say_now(
    one_node: Callable[..., AgentVersion], plan_of: Callable[[AgentVersion], RunPlan]
) -> None:
    version = one_node(files=PROMPTS)
    plan = plan_of(version)
    (version.agent.project.root / "prompts/greet/v2.md").write_text("Good evening")
    again = plan.agent_version(version.agent.project)
    assert again.prompts["greet"].text == "Good day"
    assert again.fingerprint == version.fingerprint
    assert again.label == version.label


def test_code_that_has_changed_is_another_version(
    one_node: Callable[..., AgentVersion], plan_of: Callable[[AgentVersion], RunPlan]
) -> None:
    version = one_node()
    plan = plan_of(version)
    source = version.agent.source()
    source.write_text(source.read_text() + "\n# changed\n")
    with pytest.raises(RunError, match=r"Agent 'app' has changed since run rrrrrrrrrrrr"):
        plan.agent_version(version.agent.project)


def test_an_agent_that_was_named_by_its_file_is_found_by_its_file(
    one_node: Callable[..., AgentVersion], plan_of: Callable[[AgentVersion], RunPlan]
) -> None:
    version = one_node()
    plan = plan_of(version)
    root = version.agent.project.root
    (root / "other").mkdir()
    (root / "other" / "graph.py").write_text((root / "app.py").read_text())
    (root / "pyproject.toml").write_text('[tool.linenotes.agents]\napp = "other/graph.py:build"\n')
    assert plan.agent_version(Project.find(root)).fingerprint == version.fingerprint


def test_an_agent_of_the_settings_is_found_by_its_name(
    one_node: Callable[..., AgentVersion], plan_of: Callable[[AgentVersion], RunPlan]
) -> None:
    root = one_node().agent.project.root
    (root / "pyproject.toml").write_text('[tool.linenotes.agents]\ndesk = "app.py:build"\n')
    project = Project.find(root)
    plan = plan_of(AgentVersion.resolve(load_agent("desk", project)))
    assert plan.agent_version(project).agent.name == "desk"
