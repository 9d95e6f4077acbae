"""The desk on the model that it ships with."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from linenotes.agents import AgentVersion, load_agent
from linenotes.agents.support_desk._teams import OUT_OF_SCOPE, intents
from linenotes.datasets import load_dataset
from linenotes.project import Project

AGENTS = ("triage", "specialist", "reviewer")


@pytest.mark.model
@pytest.mark.parametrize("prompts", ["v1", "v2"])
def test_every_decision_is_one_of_the_choices(
    prompts: str, make_project: Callable[..., Project]
) -> None:
    project = make_project()
    pins = dict.fromkeys(AGENTS, prompts)
    version = AgentVersion.resolve(load_agent("support_desk", project), prompts=pins)

    for case in load_dataset("support-desk", project).select("val", limit=3).cases:
        with version.in_force():
            output = version.graph.invoke(case.inputs)
        assert output["intent"] in intents().get(output["team"], (OUT_OF_SCOPE,))
        assert f"[template {output['team']}/{output['intent']}]" in output["messages"][-1].text
