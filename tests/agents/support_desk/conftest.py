"""A support desk whose models decide by script, over the wire that real providers use."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from langgraph.graph.state import CompiledStateGraph

from linenotes.agents.support_desk import build
from linenotes.evals.testing import Reply, Request, ScriptedServer
from linenotes.project import Project

Graph = CompiledStateGraph[Any, Any, Any, Any]
AGENTS = ("triage", "specialist", "reviewer")


@pytest.fixture
def asked() -> list[dict[str, Any]]:
    """The requests that the provider got."""
    return []


@pytest.fixture
def decisions() -> dict[str, list[str]]:
    """What each model decides, call by call. The model `triage` is triage's, and so on."""
    return {}


@pytest.fixture
def provider(
    asked: list[dict[str, Any]], decisions: dict[str, list[str]]
) -> Iterator[ScriptedServer]:
    def decide(request: Request) -> Reply:
        asked.append(dict(request.body))
        schema: Any = request.response_schema
        (field,) = schema["properties"]
        return Reply(json.dumps({field: decisions[request.model].pop(0)}))

    with ScriptedServer(decide) as server:
        yield server


@pytest.fixture
def desk(
    provider: ScriptedServer,
    decisions: dict[str, list[str]],
    make_project: Callable[..., Project],
    monkeypatch: pytest.MonkeyPatch,
) -> Callable[..., Graph]:
    """Build the desk with the decisions of its agents, call by call."""

    def make(*, prompts: str = "v2", **decided: list[str]) -> Graph:
        endpoint = f'base-url = "{provider.base_url}"\n'
        settings = "[tool.linenotes.prompts]\n"
        settings += "".join(f'{name} = "{prompts}"\n' for name in AGENTS)
        for name in AGENTS:
            settings += f'[tool.linenotes.models.{name}]\nmodel = "{name}"\n{endpoint}'
        make_project(**{"pyproject.toml": settings})
        monkeypatch.setenv("OPENAI_API_KEY", "a-key")
        decisions.update((agent, list(said)) for agent, said in decided.items())
        return build()

    return make
