from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from linenotes.agents import AgentVersion, load_agent
from linenotes.datasets import Dataset, load_dataset
from linenotes.evals import RunRecord, evaluate, run_failures
from linenotes.evals.testing import Reply, Request, ScriptedServer
from linenotes.project import Project

AGENTS = ("triage", "specialist", "reviewer")
RIGHT = {"team": "banking", "intent": "transfer"}


@pytest.fixture
def wrong() -> dict[str, str]:
    """Model to what it decides in every second sample, where that is wrong."""
    return {}


@pytest.fixture
def provider(wrong: Mapping[str, str]) -> Iterator[ScriptedServer]:
    def decide(request: Request) -> Reply:
        schema: Any = request.response_schema
        body: Any = request.body
        (field,) = schema["properties"]
        choices = schema["properties"][field]["enum"]
        choice = RIGHT[field] if RIGHT[field] in choices else choices[0]
        if body["seed"] % 2 and wrong.get(request.model) in choices:
            choice = wrong[request.model]
        return Reply(json.dumps({field: choice}))

    with ScriptedServer(decide) as server:
        yield server


@pytest.fixture
def run(
    provider: ScriptedServer,
    make_project: Callable[..., Project],
    monkeypatch: pytest.MonkeyPatch,
    wrong: dict[str, str],
) -> Callable[..., RunRecord]:
    def make(**decided: str) -> RunRecord:
        wrong.update(decided)
        settings = "".join(
            f'[tool.linenotes.models.{name}]\nmodel = "{name}"\nbase-url = "{provider.base_url}"\n'
            for name in AGENTS
        )
        project = make_project({"pyproject.toml": settings})
        monkeypatch.setenv("OPENAI_API_KEY", "a-key")
        desk = load_agent("support_desk", project)
        shipped = load_dataset(str(desk.settings.dataset), project)
        asked = [one for one in shipped.cases if one.expectations == RIGHT][:3]
        cases = Dataset("transfers", tuple(asked))
        return evaluate(AgentVersion.resolve(desk), cases, samples=6, concurrency=2).record

    return make


def test_a_wrong_team_begins_at_triage_though_others_disagree_later(
    run: Callable[..., RunRecord],
) -> None:
    found = run_failures(run(triage="travel"), "team_correct")
    assert found.failures > 0
    assert set(found.suspects) == {"triage"}


def test_a_wrong_intent_begins_at_the_specialist(run: Callable[..., RunRecord]) -> None:
    found = run_failures(run(specialist="pay_bill"), "intent_correct")
    assert found.failures > 0
    assert set(found.suspects) == {"specialist"}
    example = found.cases[0].example
    assert example.reason == "expected transfer, got pay_bill"
