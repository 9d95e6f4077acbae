"""Which versions an evaluation compares: from `NAME=VERSION,VERSION` to agent versions.

Lists are read side by side: `triage=1,2` with `specialist=1,2` are two versions, not four. A
single value goes with every version.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from linenotes.agents import DEFAULT_ROLE, Agent, AgentVersion, load_agent, prompt_library
from linenotes.evals._evaluation import Arm
from linenotes.project import RunError

EVERY = ""
"""The name that stands for all prompts that have the version, or for all roles."""


@dataclass(frozen=True)
class Choice:
    """What is to be tried: for each prompt and each role, one value or several."""

    prompts: Mapping[str, Sequence[str]]
    models: Mapping[str, Sequence[str]]
    temperature: float | None = None

    @property
    def versions(self) -> int:
        """How many versions the lists make.

        Raises:
            RunError: lists of different lengths.
        """
        lengths = {len(values) for values in (*self.prompts.values(), *self.models.values())}
        several = sorted(lengths - {1})
        if len(several) > 1:
            raise RunError(
                f"Versions are read side by side, and one list has {several[0]} values, another "
                f"{several[1]}. Give lists of one length, or a single value for all."
            )
        return several[0] if several else 1

    def at(self, position: int) -> tuple[dict[str, str], dict[str, str]]:
        """Return the prompt versions and the models of one version."""
        return _pick(self.prompts, position), _pick(self.models, position)


def arms(agent: Agent, choice: Choice, *, samples: int) -> list[Arm]:
    """Return one arm for each version, after the agent's baseline if it has one.

    Raises:
        LinenotesError: a prompt, a model or the baseline does not exist.
    """
    versions = versions_of(agent, choice)
    return [*_baseline(agent), *(Arm(version, samples) for version in versions)]


def versions_of(agent: Agent, choice: Choice) -> list[AgentVersion]:
    """Return the versions that `choice` makes, each labelled by what sets it apart.

    Raises:
        LinenotesError: a prompt or a model does not exist.
    """
    versions = [_version(agent, choice, position) for position in range(choice.versions)]
    _refuse_shared_reads(agent, versions)
    return versions


def single_version(agent: Agent, choice: Choice) -> AgentVersion:
    """Return the one version that `choice` makes.

    Raises:
        LinenotesError: it makes several, or a prompt or a model does not exist.
    """
    versions = versions_of(agent, choice)
    if len(versions) > 1:
        raise RunError(f"{len(versions)} versions are named, and only one can be run. Name one.")
    return versions[0]


def _version(agent: Agent, choice: Choice, position: int) -> AgentVersion:
    prompts, models = choice.at(position)
    if EVERY in prompts:
        prompts = {**_prompts_with(agent, prompts.pop(EVERY)), **prompts}
    if EVERY in models:
        roles = {DEFAULT_ROLE, *agent.project.settings.models}
        models = {**dict.fromkeys(roles, models.pop(EVERY)), **models}
    version = AgentVersion.resolve(
        agent, prompts=prompts, models=models, temperature=choice.temperature
    )
    return version.labelled(_label(version, choice, position))


def _label(version: AgentVersion, choice: Choice, position: int) -> str:
    """Say what sets one version apart from the others: prompt versions, then models."""
    varied = [name for name, values in choice.prompts.items() if len(values) > 1]
    chosen = {name: version.prompts[name].version for name in varied if name != EVERY}
    if EVERY in varied:
        chosen |= {name: prompt.version for name, prompt in version.prompts.items()}
    parts = [values[position] for values in choice.models.values() if len(values) > 1]
    if chosen:
        same = len(set(chosen.values())) == 1
        named = [f"{name}={number}" for name, number in chosen.items()]
        parts = [*({*chosen.values()} if same else named), *parts]
    return " ".join(parts) or version.label


def _prompts_with(agent: Agent, version: str) -> dict[str, str]:
    library = prompt_library(agent)
    having = {
        name: version
        for name in library.names()
        if {version, f"v{version}"} & library.versions(name).keys()
    }
    if not having:
        raise RunError(
            f"No prompt of agent {agent.name!r} has a version {version!r}. "
            "`linenotes prompt list` shows which there are."
        )
    return having


def _baseline(agent: Agent) -> list[Arm]:
    """A baseline answers without chance, so one sample a case says it all."""
    name = agent.settings.baseline
    if name is None:
        return []
    baseline = AgentVersion.resolve(load_agent(name, agent.project))
    return [Arm(baseline.labelled(name), samples=1, baseline=True)]


def _refuse_shared_reads(agent: Agent, versions: Sequence[AgentVersion]) -> None:
    """An imported module is executed once, so what it read then would be shared by all."""
    if len(versions) < 2:  # noqa: PLR2004  one version cannot be mistaken for another
        return
    _ = versions[0].graph
    reads = agent.reads_at_import()
    if reads:
        raise RunError(
            f"Agent {agent.name!r} called {reads[0]} while it was imported, so all versions would "
            "share it. Call it in the function that builds the graph, or in a node."
        )


def _pick(choices: Mapping[str, Sequence[str]], position: int) -> dict[str, str]:
    return {k: values[position if len(values) > 1 else 0] for k, values in choices.items()}
