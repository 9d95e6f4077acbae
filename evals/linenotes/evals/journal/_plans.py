"""What a run sets out to do: everything that is needed to continue or to re-score it.

The plan is the first line of the journal; an amendment is a later line that changes what the run
sets out to do. A plan holds the cases themselves and the texts of the
prompts, so that a run can be read after the golden file or the prompts have moved on. What was
redacted in them is read again where they came from, when a run is continued.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from linenotes.agents import SHIPPED, Agent, AgentVersion, Prompt, load_agent, prompt_library
from linenotes.datasets import Case, Dataset, load_dataset
from linenotes.project import DatasetError, ModelSettings, Project, Redactor, RunError
from linenotes.tracing import RecordingPolicy

IMPORTED = "imported:"
"""How the spec of a score begins that a file gave, and no scorer can give again."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class PromptInPlan(_Part):
    """A prompt as the run used it."""

    version: str
    text: str
    registry_version: int | None
    """Its number in MLflow's Prompt Registry; None while no store has it."""


class CommitInPlan(_Part):
    """The git commit of the agent's code."""

    sha: str
    dirty: bool


class DatasetInPlan(_Part):
    """The dataset as the run used it: the digest of the cases that were selected."""

    name: str
    digest: str
    source: str | None = None
    """The golden file. None for a dataset that was made in Python."""


class ImportInPlan(_Part):
    """The file that a run was imported from, instead of being executed here."""

    file: str
    """Its name."""
    identity: str
    """What the import was of: the file's content and how it was read."""
    samples: int
    """How many conversations, or rows of results, it holds."""
    timed: bool
    """Whether it tells how long anything took."""
    results_only: bool = False
    """Whether it tells how good the samples were and nothing of what was said in them."""


class Amendment(_Part):
    """What a run sets out to do beyond its plan, from a certain moment on."""

    samples: int | None = None
    """How many samples a case is to have; None leaves it as it is."""
    scorers: dict[str, str] | None = None
    """Metric to the spec of its scorer, the primary one first; None leaves them as they are."""
    kept: frozenset[str] = frozenset()
    """Metrics whose scores stand; with `scorers`, the others are scored anew."""
    units: dict[str, str] = Field(default_factory=dict)
    """Metric to its unit; with `scorers`."""
    reads: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """Metric to the metrics that its scorer reads; with `scorers`."""
    judges: dict[str, str] = Field(default_factory=dict)
    """Metric to who judges it; with `scorers`."""
    codes: dict[str, str] = Field(default_factory=dict)
    """Metric to the identity of its scorer's code; with `scorers`."""


class RunPlan(_Part):
    """One version of one agent against one dataset, `samples` times each case."""

    schema_version: Literal[2] = 2
    run_id: str
    """Also the id of the MLflow run, unless the store could not be reached at the start."""
    group: str
    """The runs that one command started together share it."""
    created: datetime
    sequence: int = 0
    """Runs that were started later in a project have a larger one, whatever the clock did."""
    agent: str
    graph: str
    """The agent's `module:attr` or `path.py:attr`."""
    version: str
    """The version's label."""
    fingerprint: str
    composition: dict[str, JsonValue]
    """What the fingerprint was taken of."""
    prompts: dict[str, PromptInPlan]
    models: dict[str, ModelSettings]
    commit: CommitInPlan | None
    model_id: str | None
    """The MLflow LoggedModel; None for a run that was started without the store."""
    dataset: DatasetInPlan
    cases: tuple[Case, ...]
    samples: int = Field(ge=1)
    baseline: bool
    """True for the thing to beat, which every evaluation of an agent also runs."""
    seed: int
    scorers: tuple[str, ...]
    """For each metric the spec of its scorer, the primary metric first. A scorer of several values
    gives several metrics."""
    metrics: tuple[str, ...]
    """The names of the metrics, in the same order."""
    units: dict[str, str] = Field(default_factory=dict)
    """Metric to what its numbers are counted in, such as EUR; shares and bare numbers have none."""
    reads: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """Metric to the other metrics that its scorer reads, for those that read any."""
    judges: dict[str, str] = Field(default_factory=dict)
    """Metric to who judges it, pinned, for those that a model judges."""
    codes: dict[str, str] = Field(default_factory=dict)
    """Metric to the identity of its scorer's code: of what it says and stands on in the project, or
    the version of the library that it is of. Built-in scorers have none."""
    recordings: RecordingPolicy = RecordingPolicy()
    """How its calls meet recordings."""
    imported: ImportInPlan | None = None
    """None for a run that was executed here."""

    def judge_of(self, metric: str) -> str:
        """Return who gives a metric: the judge, pinned, else the spec of its scorer."""
        spec = dict(zip(self.metrics, self.scorers, strict=True))[metric]
        return self.judges.get(metric, spec)

    @property
    def has_conversations(self) -> bool:
        """Whether it is known what was said, so that it can be read, stored and judged again."""
        return self.imported is None or not self.imported.results_only

    @classmethod
    def of(
        cls,
        version: AgentVersion,
        dataset: Dataset,
        *,
        group: str,
        sequence: int = 0,
        samples: int,
        baseline: bool,
        seed: int,
        scorers: Mapping[str, str],
        units: Mapping[str, str] = MappingProxyType({}),
        reads: Mapping[str, tuple[str, ...]] = MappingProxyType({}),
        judges: Mapping[str, str] = MappingProxyType({}),
        codes: Mapping[str, str] = MappingProxyType({}),
        recordings: RecordingPolicy = RecordingPolicy(),  # noqa: B008  it is immutable
    ) -> Self:
        """Return the plan to evaluate `version` against `dataset`; `scorers` maps name to spec.

        No store has it yet.
        """
        commit = version.commit
        return cls(
            run_id=secrets.token_hex(16),
            group=group,
            created=datetime.now(UTC),
            sequence=sequence,
            agent=version.agent.name,
            graph=version.agent.settings.graph,
            version=version.label,
            fingerprint=version.fingerprint,
            composition=version.composition(),
            prompts={
                name: PromptInPlan(
                    version=prompt.version,
                    text=prompt.text,
                    registry_version=prompt.registry_version,
                )
                for name, prompt in version.prompts.items()
            },
            models=dict(version.models),
            commit=CommitInPlan(sha=commit.sha, dirty=commit.dirty) if commit else None,
            model_id=None,
            dataset=DatasetInPlan(
                name=dataset.name,
                digest=dataset.digest,
                source=str(dataset.source.absolute()) if dataset.source else None,
            ),
            cases=dataset.cases,
            samples=samples,
            baseline=baseline,
            seed=seed,
            scorers=tuple(scorers.values()),
            metrics=tuple(scorers),
            units=dict(units),
            reads=dict(reads),
            judges=dict(judges),
            codes=dict(codes),
            recordings=recordings,
        )

    def stored_as(self, run_id: str, model_id: str, prompts: Mapping[str, int]) -> Self:
        """Return the plan with the ids that a store has given."""
        numbered = {
            name: prompt.model_copy(update={"registry_version": prompts[name]})
            for name, prompt in self.prompts.items()
        }
        ids = {"run_id": run_id, "model_id": model_id, "prompts": numbered}
        return self.model_copy(update=ids)

    def unnumbered(self) -> Self:
        """Return the plan without what a store called its prompts."""
        prompts = {
            name: prompt.model_copy(update={"registry_version": None})
            for name, prompt in self.prompts.items()
        }
        return self.model_copy(update={"prompts": prompts})

    def agent_version(self, project: Project) -> AgentVersion:
        """Return the version that the run executes, with the prompts and models of the plan.

        Raises:
            RunError: the agent's code is no longer what the run was started with, or the run
                was imported.
        """
        if self.imported is not None:
            raise RunError(
                f"Run {self.run_id[:12]} was imported, so there is no agent to run. Import "
                f"{self.imported.file!r} again to complete it: linenotes "
                f"{'trace import' if self.has_conversations else 'import'}."
            )
        agent = agent_again(self.agent, self.graph, project)
        version = AgentVersion(
            agent=agent,
            label=self.version,
            prompts={name: self._prompt(agent, name) for name in self.prompts},
            models=self.models,
        )
        if version.fingerprint != self.fingerprint:
            raise RunError(
                f"Agent {self.agent!r} has changed since run {self.run_id[:12]} was started, so "
                "its samples would be of two versions. Start a new run."
            )
        return version

    def standing(self, *, add: bool) -> tuple[str, ...]:
        """Return the metrics that stay when others are scored: all to `add`, else a file's own."""
        given = zip(self.metrics, self.scorers, strict=True)
        return tuple(name for name, spec in given if add or spec.startswith(IMPORTED))

    def amended(self, amendment: Amendment) -> Self:
        """Return the plan as an amendment changes it."""
        changes: dict[str, object] = {}
        if amendment.samples is not None:
            changes["samples"] = amendment.samples
        if amendment.scorers is not None:
            changes["scorers"] = tuple(amendment.scorers.values())
            changes["metrics"] = tuple(amendment.scorers)
            changes["units"] = amendment.units
            changes["reads"] = amendment.reads
            changes["judges"] = amendment.judges
            changes["codes"] = amendment.codes
        return self.model_copy(update=changes)

    def redacted(self, redactor: Redactor) -> Self:
        """Return the plan as it may be stored."""
        rest = redactor.value(self.model_dump(mode="json", exclude={"cases"}))
        cases = [case.redacted(redactor) for case in self.cases]
        return self.model_validate({**rest, "cases": cases})

    def whole_cases(self, project: Project) -> tuple[Case, ...]:
        """Return the cases as an agent gets them, with what the plan does not keep.

        Raises:
            RunError: something was redacted, and the dataset is not what it was.
        """
        if self._are_the_cases(self.cases):
            return self.cases
        try:
            found = load_dataset(self.dataset.source or self.dataset.name, project).cases
        except DatasetError:
            found = ()
        redactor = Redactor.current()
        whole = {case.redacted(redactor).id: case for case in found}
        cases = tuple(whole[case.id] for case in self.cases if case.id in whole)
        if not self._are_the_cases(cases):
            raise RunError(
                f"Run {self.run_id[:12]} cannot be continued: its cases hold what a journal does "
                f"not keep, such as secrets, and dataset {self.dataset.name!r} is no longer what "
                "it was. Restore the golden file, or start a new run."
            )
        return cases

    def _are_the_cases(self, cases: tuple[Case, ...]) -> bool:
        return Dataset(self.dataset.name, cases).digest == self.dataset.digest

    def _prompt(self, agent: Agent, name: str) -> Prompt:
        """Return a prompt of the plan, read again if the plan does not hold its whole text."""
        kept = self.prompts[name]
        prompt = Prompt(name, kept.version, kept.text, kept.registry_version)
        digests = self.composition["prompts"]
        if isinstance(digests, dict) and digests.get(name) != prompt.digest:
            return prompt_library(agent).resolve(name, kept.version)
        return prompt


def agent_again(name: str, graph: str, project: Project) -> Agent:
    """Return the agent that had this name and this graph.

    Raises:
        AgentError: there is no such graph any more.
    """
    named = {**SHIPPED, **project.settings.agents}.get(name)
    by_name = named is not None and named.graph == graph
    return load_agent(name if by_name else graph, project)
