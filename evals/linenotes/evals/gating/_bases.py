"""What a candidate is compared with: something measured before, or a version that runs with it."""

from __future__ import annotations

from dataclasses import dataclass

from linenotes.agents import Agent, AgentVersion, PromptRegistry, load_agent, prompt_library
from linenotes.datasets import Dataset
from linenotes.evals._arms import EVERY, Choice, single_version
from linenotes.evals.gating._baselines import OF_TESTS, find_baseline, saved_baselines
from linenotes.evals.journal._records import RunRecord
from linenotes.evals.journal._runs import RunStore
from linenotes.project import Project, PromptError, RunError


@dataclass(frozen=True)
class StoredBase:
    """A saved baseline or a run: only the candidate is called."""

    name: str
    record: RunRecord

    @property
    def fingerprint(self) -> str:
        """The fingerprint of the version that was measured."""
        return self.record.plan.fingerprint

    @property
    def label(self) -> str:
        """The version's label."""
        return self.record.plan.version


@dataclass(frozen=True)
class VersionBase:
    """A version that is run with the candidate, case by case, so that drift hits both."""

    name: str
    version: AgentVersion

    @property
    def fingerprint(self) -> str:
        """The fingerprint of the version."""
        return self.version.fingerprint

    @property
    def label(self) -> str:
        """The version's label."""
        return self.version.label


Base = StoredBase | VersionBase


def find_base(project: Project, name: str, *, candidate: AgentVersion, dataset: Dataset) -> Base:
    """Return what `name` means: a saved baseline, a run, or a version written `[AGENT]@VERSION`.

    VERSION is one of prompt files, or an alias of the MLflow Prompt Registry. The other prompts,
    and the models, are as the project has them.

    Raises:
        RunError: it means nothing.
        LinenotesError: the version does not exist.
    """
    before, at, version = name.rpartition("@")
    if at:
        agent = load_agent(before, project) if before else candidate.agent
        return VersionBase(name, _version(agent, version).labelled(name))
    named = {"agent": candidate.agent.name, "dataset": dataset.name}
    return find_stored_base(project, name, **named, otherwise=", or a version, such as @v1")


def find_stored_base(
    project: Project, name: str, *, agent: str, dataset: str, otherwise: str = ""
) -> StoredBase:
    """Return what `name` means that was measured before: a saved baseline, or a run.

    Args:
        project: where to look.
        name: a name of a baseline; an id of a run, a unique prefix of it, or latest.
        agent: whose baseline it is.
        dataset: the dataset that it was measured on.
        otherwise: what else may be named, for the sentence that says that nothing was found.

    Raises:
        RunError: it means nothing of that kind.
    """
    saved = find_baseline(project, name, agent=agent, dataset=dataset)
    if saved is not None:
        return StoredBase(name, saved)
    try:
        return StoredBase(name, RunStore.of(project).read(name))
    except RunError as error:
        saved_names = saved_baselines(project, agent=agent, dataset=dataset)
        told = (f"{n} (of pytest)" if n.endswith(OF_TESTS) else n for n in saved_names)
        names = ", ".join(told) or "none"
        cure = (
            "A version runs only beside an agent, and here nothing runs: name a run of it by its "
            "id, or as latest~1."
            if "@" in name
            else f"Save one: the same command with --save-baseline {name}; or name a run, such as "
            f"latest{otherwise}."
        )
        raise RunError(
            f"Agent {agent!r} has no saved baseline {name!r} on {dataset!r} "
            f"(saved: {names}), and no run is called so. {cure}"
        ) from error


def _version(agent: Agent, version: str) -> AgentVersion:
    if _has_file(agent, version):
        return single_version(agent, Choice(prompts={EVERY: [version]}, models={}))
    aliased = _with_alias(agent, version)
    if not aliased:
        raise PromptError(
            f"No prompt of agent {agent.name!r} has a version or an alias {version!r}. "
            "`linenotes prompt list` shows which there are."
        )
    return AgentVersion.resolve(agent, prompts=aliased)


def _has_file(agent: Agent, version: str) -> bool:
    library = prompt_library(agent)
    return any({version, f"v{version}"} & library.versions(n).keys() for n in library.names())


def _with_alias(agent: Agent, alias: str) -> dict[str, str]:
    """Return the prompts of the agent for which the registry has the alias, each with it."""
    registry, version = PromptRegistry(agent.project.tracking_uri), f"@{alias}"
    return {
        name: version
        for name in prompt_library(agent).names()
        if registry.find(name, version) is not None
    }
