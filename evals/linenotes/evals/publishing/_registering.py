"""What a store must know before it gets a run's traces: prompts, version, dataset, and the run.

All of it follows from the plan, so a run that was carried out without the store is entered later,
and so is one whose store was lost. Entering twice adds nothing: prompts are found by their text,
versions by their fingerprint, datasets by their digest, and runs by the id that they have here.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from functools import cached_property
from typing import TYPE_CHECKING

import orjson

from linenotes.agents import Commit, Prompt, PromptRegistry, VersionCard, log_version
from linenotes.datasets import Dataset, register_dataset
from linenotes.evals.journal._plans import RunPlan
from linenotes.project import Redactor, store_errors
from linenotes.tracing import MlflowStore

if TYPE_CHECKING:
    from mlflow import MlflowClient

_OWN_ID = "linenotes.run"
"""Tag of an MLflow run that has another id than its run has here."""
_LINKED_PROMPTS = "mlflow.linkedPrompts"
_PARAM_LIMIT = 250
"""MLflow refuses longer parameter values in some stores."""


class RunRegister:
    """Enters runs into one MLflow store. Everything raises a StoreError if it does not take it."""

    def __init__(self, store: MlflowStore) -> None:
        self._store = store

    @cached_property
    def _client(self) -> MlflowClient:
        from mlflow import MlflowClient

        return MlflowClient(tracking_uri=self._store.tracking_uri)

    def begin(self, plan: RunPlan) -> RunPlan:
        """Enter a run that has not begun; it takes over the id of the MLflow run."""
        prompts, model_id = self._prompts(plan), self._model(plan)
        run_id = self._create(plan, {_LINKED_PROMPTS: _linked(prompts)})
        self._describe(run_id, model_id, plan)
        return plan.stored_as(run_id, model_id, prompts)

    def find_or_enter(self, plan: RunPlan) -> RunPlan:
        """Return the plan with the ids that this store has for it; enter it if it has none."""
        if plan.model_id is not None and self._has(plan.run_id):
            return plan
        unnumbered = plan.unnumbered()
        prompts, model_id = self._prompts(unnumbered), self._model(plan)
        tags = {_LINKED_PROMPTS: _linked(prompts), _OWN_ID: plan.run_id}
        run_id = self.entered(plan) or self._create(plan, tags)
        self._describe(run_id, model_id, plan)
        return plan.stored_as(run_id, model_id, prompts)

    def find(self, plan: RunPlan) -> str | None:
        """Return the id of the MLflow run of a plan; None if this store does not have it."""
        if plan.model_id is not None and self._has(plan.run_id):
            return plan.run_id
        return self.entered(plan)

    def _has(self, run_id: str) -> bool:
        from mlflow.exceptions import MlflowException

        with self._attributed("look for a run in"):
            try:
                self._client.get_run(run_id)
            except MlflowException as error:
                if error.error_code == "RESOURCE_DOES_NOT_EXIST":
                    return False
                raise
            return True

    def entered(self, plan: RunPlan) -> str | None:
        """Return the id of the MLflow run that was created for the plan, if there is one."""
        with self._attributed("look for a run in"):
            found = self._client.search_runs(
                [self._store.experiment_id], f"tags.`{_OWN_ID}` = '{plan.run_id}'", max_results=1
            )
        return str(found[0].info.run_id) if found else None

    def _prompts(self, plan: RunPlan) -> dict[str, int]:
        """Return the registry's number of each prompt; new texts are registered."""
        registry = PromptRegistry(self._store.tracking_uri)
        return {
            name: registry.register(
                Prompt(name, kept.version, kept.text, kept.registry_version),
                experiment_id=self._store.experiment_id,
            )
            for name, kept in plan.prompts.items()
        }

    def _model(self, plan: RunPlan) -> str:
        with self._attributed("write the version to"):
            return log_version(version_card(plan), self._client, self._store.experiment_id)

    def _create(self, plan: RunPlan, tags: dict[str, str]) -> str:
        shown = Redactor.current()
        with self._attributed("start a run in"):
            run = self._client.create_run(
                self._store.experiment_id,
                start_time=int(plan.created.timestamp() * 1000),
                run_name=shown.text(f"{plan.agent} {plan.version}"),
                tags={**shown.value(_run_tags(plan)), **tags},
            )
            return str(run.info.run_id)

    def _describe(self, run_id: str, model_id: str, plan: RunPlan) -> None:
        """Give the MLflow run its parameters, and version and dataset as inputs."""
        from mlflow.entities import LoggedModelInput, Param

        source = Dataset(plan.dataset.name, plan.cases)
        with self._attributed("start a run in"):
            registered = register_dataset(
                source,
                tracking_uri=self._store.tracking_uri,
                experiment_id=self._store.experiment_id,
                digest=plan.dataset.digest,
            )
            params = [Param(name, value) for name, value in version_card(plan).params.items()]
            self._client.log_batch(run_id, params=params)
            model = LoggedModelInput(model_id=model_id)
            self._client.log_inputs(run_id, models=[model], datasets=[registered])

    def _attributed(self, doing: str) -> AbstractContextManager[None]:
        return store_errors(doing, self._store.tracking_uri)


def id_in_store(plan: RunPlan, store: MlflowStore) -> str:
    """Return the id of the MLflow run of a plan: its own, unless it began without the store.

    Raises:
        StoreError: the store did not answer.
    """
    if plan.model_id is not None:
        return plan.run_id
    return RunRegister(store).entered(plan) or plan.run_id


def version_card(plan: RunPlan) -> VersionCard:
    """Return what a store shows of the version that a plan is about."""
    commit = plan.commit
    shown = Redactor.current().value(_params(plan))
    return VersionCard(
        agent=plan.agent,
        label=plan.version,
        fingerprint=plan.fingerprint,
        params={name: value[:_PARAM_LIMIT] for name, value in shown.items()},
        commit=Commit(commit.sha, commit.dirty) if commit else None,
    )


def _params(plan: RunPlan) -> dict[str, str]:
    params = {"agent": plan.agent, "version": plan.version}
    if plan.imported is not None:
        params["imported"] = plan.imported.file
    params |= {f"prompt.{name}": prompt.version for name, prompt in plan.prompts.items()}
    for role, model in plan.models.items():
        params[f"model.{role}"] = model.model
        params[f"temperature.{role}"] = f"{model.temperature:g}"
    tools = plan.composition.get("tools")
    if isinstance(tools, list) and tools:
        params["tools"] = ", ".join(map(str, tools))
    return params


def _linked(numbers: Mapping[str, int]) -> str:
    linked = [{"name": name, "version": str(number)} for name, number in numbers.items()]
    return orjson.dumps(linked).decode()


def _run_tags(plan: RunPlan) -> dict[str, str]:
    tags = {
        "mlflow.runType": "genai_evaluate",
        "linenotes.agent": plan.agent,
        "linenotes.version": plan.version,
        "linenotes.fingerprint": plan.fingerprint,
        "linenotes.group": plan.group,
    }
    if plan.commit is not None:
        tags["mlflow.source.git.commit"] = plan.commit.sha
    return tags
