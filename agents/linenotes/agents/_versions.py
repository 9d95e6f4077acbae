"""A version of an agent: all that decides how it answers, under one fingerprint.

Graph, prompt texts, model and temperature of each role, tools and the agent's own code make the
fingerprint; the git commit is recorded beside it, since most commits change no agent. Equal
fingerprints mean equal behaviour, up to the randomness of the models.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

from linenotes.agents._code import Commit, code_digest, commit_of
from linenotes.agents._in_force import DEFAULT_ROLE, InForce, in_force
from linenotes.agents._loading import Agent
from linenotes.agents._prompts import Prompt, PromptLibrary
from linenotes.project import ModelError, ModelSettings, digest, without_credentials

if TYPE_CHECKING:
    from typing import Any

    from langgraph.graph.state import CompiledStateGraph
    from pydantic import JsonValue

_NOT_BEHAVIOUR = {
    "seed",
    "timeout",
    "max_retries",
    "patience",
    "max_in_flight",
    "api_key_env",
}
"""Model settings that do not change what a version is."""


@dataclass(frozen=True)
class AgentVersion:
    """One agent with the prompts and models it runs with.

    Make one with `AgentVersion.resolve`. `in_force()` is a block in which `prompt()` and
    `chat_model()` answer with this version's; `graph` is built once and serves every sample.
    """

    agent: Agent
    label: str
    """What a person calls it in a table, such as `v2`."""
    prompts: Mapping[str, Prompt]
    models: Mapping[str, ModelSettings]
    commit: Commit | None = field(default=None)

    @classmethod
    def resolve(
        cls,
        agent: Agent,
        *,
        prompts: Mapping[str, str] | None = None,
        models: Mapping[str, str] | None = None,
        temperature: float | None = None,
    ) -> AgentVersion:
        """Return the version of `agent` with the given prompt versions and models.

        Args:
            agent: the agent.
            prompts: prompt name to version; the others stay as the project has them.
            models: role to model id, or to the name of another role in the settings; the role
                `default` serves every role that is not named.
            temperature: for every role; None leaves the settings' own.

        Raises:
            PromptError: a prompt or its version does not exist.
            ModelError: a model's name cannot be understood.
        """
        resolved = _prompts(agent, prompts or {})
        return cls(
            agent=agent,
            label=_label(resolved),
            prompts=resolved,
            models=_models(agent.project.settings.models, models or {}, temperature),
            commit=commit_of(agent.source()),
        )

    def labelled(self, label: str) -> AgentVersion:
        """Return the same version under another label."""
        return replace(self, label=label)

    def in_force(self) -> AbstractContextManager[None]:
        """Return a block in which this version's prompts and models are in force."""
        return in_force(InForce(prompts=self.prompts, models=self.models))

    @cached_property
    def graph(self) -> CompiledStateGraph[Any, Any, Any, Any]:
        """The compiled graph, built in force of this version.

        Raises:
            AgentError: the agent does not import or build.
        """
        with self.in_force():
            return self.agent.build()

    @cached_property
    def tools(self) -> tuple[str, ...]:
        """The names of the tools in the graph's tool nodes, sorted."""
        return tuple(sorted(_tools_in(self.graph)))

    @cached_property
    def fingerprint(self) -> str:
        """64 hex digits; equal for versions that behave alike."""
        return digest(self.composition())

    def composition(self) -> dict[str, JsonValue]:
        """Return what the fingerprint is taken of, as JSON."""
        return {
            "agent": self.agent.name,
            "code": code_digest(self.agent.source()),
            "graph": hashlib.sha256(_topology(self.graph).encode()).hexdigest(),
            "prompts": {name: prompt.digest for name, prompt in self.prompts.items()},
            "models": {
                role: model.model_dump(mode="json", exclude=_NOT_BEHAVIOUR)
                for role, model in self.models.items()
            },
            "tools": list(self.tools),
        }


def _prompts(agent: Agent, pins: Mapping[str, str]) -> dict[str, Prompt]:
    library = prompt_library(agent)
    pinned = {**agent.project.settings.prompts, **pins}
    names = {*library.names(), *pinned}
    for name in pins.keys() - set(library.names()):
        # A name without a file must come from the registry, so its version says so.
        library.resolve(name, pins[name])
    return {name: library.resolve(name, pinned.get(name)) for name in sorted(names)}


def prompt_library(agent: Agent) -> PromptLibrary:
    """Return the prompts that `agent` can reach: beside its code, then the project's."""
    beside = agent.source().parent / "prompts"
    return PromptLibrary.of_project(agent.project, beside=beside)


def _models(
    settings: Mapping[str, ModelSettings], chosen: Mapping[str, str], temperature: float | None
) -> dict[str, ModelSettings]:
    models = {DEFAULT_ROLE: ModelSettings(), **settings}
    for role, name in chosen.items():
        models[role] = _model(name, models.get(role, models[DEFAULT_ROLE]), settings)
    if temperature is not None:
        return {r: m.model_copy(update={"temperature": temperature}) for r, m in models.items()}
    return models


def _model(name: str, base: ModelSettings, settings: Mapping[str, ModelSettings]) -> ModelSettings:
    """A model is named by a role that has it, or by its id, with `@` its endpoint."""
    if name in settings:
        return settings[name]
    model, _, base_url = name.partition("@")
    if not model:
        raise ModelError(f"{name!r} names no model. Write ROLE=MODEL, or ROLE=MODEL@BASE_URL.")
    if without_credentials(base_url) != base_url:
        raise ModelError(
            f"The address of model {model!r} holds a user or a password, which every report would "
            f"show. Leave it out, and put the key into {base.api_key_env}."
        )
    keeps_endpoint = not base_url and not model.startswith("local:")
    return base.model_copy(
        update={"model": model, "base_url": base.base_url if keeps_endpoint else base_url or None}
    )


def _label(prompts: Mapping[str, Prompt]) -> str:
    versions = {prompt.version for prompt in prompts.values()}
    if len(versions) == 1:
        return versions.pop()
    if not versions:
        return "current"
    return " ".join(f"{name}={prompt.version}" for name, prompt in prompts.items())


def _topology(graph: CompiledStateGraph[Any, Any, Any, Any]) -> str:
    drawing = graph.get_graph(xray=True)
    edges = sorted((e.source, e.target, e.conditional) for e in drawing.edges)
    return repr((sorted(drawing.nodes), edges))


def _tools_in(graph: CompiledStateGraph[Any, Any, Any, Any]) -> set[str]:
    found: set[str] = set()
    for _, subgraph in graph.get_subgraphs(recurse=True):
        found |= _tools_of_nodes(subgraph)
    return found | _tools_of_nodes(graph)


def _tools_of_nodes(graph: object) -> set[str]:
    bound = (getattr(node, "bound", None) for node in getattr(graph, "nodes", {}).values())
    return {name for tool_node in bound for name in getattr(tool_node, "tools_by_name", {})}
