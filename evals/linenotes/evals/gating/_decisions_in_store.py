"""What a gate leaves in MLflow: its decision on the candidate's run, and on a pass the alias.

An alias such as `champion` is moved in the Prompt Registry to each prompt of the candidate, to its
LoggedModel as a tag (MLflow has no aliases of those), and to the version of the registered model
that is named after the agent, where somebody has registered one. Wherever it is moved to, tags say
which decision moved it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from functools import cached_property
from typing import TYPE_CHECKING

from linenotes.agents import PromptRegistry
from linenotes.evals.documents._part import Document
from linenotes.evals.gating._gate_report import headline
from linenotes.evals.gating._gate_result import GateResult
from linenotes.evals.gating._kept_gates import GATE_FILE
from linenotes.evals.gating._run_order import RunOrder
from linenotes.evals.journal._plans import RunPlan
from linenotes.evals.publishing._registering import RunRegister
from linenotes.project import Project, Redactor, RunError, StoreError, store_errors
from linenotes.tracing import MlflowStore, open_store

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion

_TAG = "linenotes.gate"
_ALIAS_TAG = "linenotes.alias."


def log_decision(project: Project, result: GateResult, document: Document) -> None:
    """Write the decision on the candidate's MLflow run: as tags, and whole as `gate.json`.

    A run that was there before may be one that no store has; then nothing is written.

    Raises:
        StoreError: the store does not take it.
    """
    if isinstance(result.order, RunOrder) and not _is_stored(project, _candidate(result)):
        return
    with project.redactor.in_force(), open_store(project) as store:
        _Decided(store, result).log(document)


def promote(project: Project, result: GateResult, alias: str) -> list[str]:
    """Move an alias to the candidate of a gate that passed; return what it means now.

    Raises:
        RunError: the gate did not pass, or the run was imported.
        StoreError: the store does not take it.
    """
    if result.decision.verdict != "pass":
        raise RunError(f"The gate did not pass, so {alias!r} stays where it is.")
    if _candidate(result).imported is not None:
        raise RunError(
            f"Run {_candidate(result).run_id[:12]} was imported: no version here can be "
            f"{alias!r}. Gate without --promote."
        )
    with project.redactor.in_force(), open_store(project) as store:
        return _Decided(store, result).promote(alias)


class _NoStoreError(StoreError):
    """There is no store to log to, and a decision on a run that it lacks is no reason for one."""


def _refuse() -> None:
    raise _NoStoreError("There is no store yet.")


def _is_stored(project: Project, plan: RunPlan) -> bool:
    try:
        with open_store(project, on_create=_refuse) as store:
            return RunRegister(store).find(plan) is not None
    except _NoStoreError:
        return False


def _candidate(result: GateResult) -> RunPlan:
    assert result.candidate is not None
    return result.candidate.plan


class _Decided:
    """A decision on its way into one store."""

    def __init__(self, store: MlflowStore, result: GateResult) -> None:
        plan = _candidate(result)
        self._store = store
        self._result = result
        self._agent = plan.agent
        self._plan: RunPlan = RunRegister(store).find_or_enter(plan)

    @cached_property
    def _client(self) -> MlflowClient:
        from mlflow import MlflowClient

        uri = self._store.tracking_uri
        return MlflowClient(tracking_uri=uri, registry_uri=uri)

    def log(self, document: Document) -> None:
        with self._attributed("write the decision to"):
            for name, value in self._why.items():
                self._client.set_tag(self._plan.run_id, name, value)
            shown = Redactor.current().value(document)
            self._client.log_dict(self._plan.run_id, shown, GATE_FILE)

    def promote(self, alias: str) -> list[str]:
        registry = PromptRegistry(self._store.tracking_uri)
        moved = []
        for name, prompt in self._plan.prompts.items():
            if prompt.registry_version is not None:
                registry.move_alias(name, alias, prompt.registry_version, self._why)
                moved.append(f"prompt {name} {prompt.version} (registry:{prompt.registry_version})")
        with self._attributed(f"move the alias {alias!r} in"):
            return [*moved, *self._promote_model(alias), *self._promote_registered(alias)]

    def _promote_model(self, alias: str) -> list[str]:
        """Tag the version's LoggedModel, and no other of the agent."""
        tag, model_id = f"{_ALIAS_TAG}{alias}", self._plan.model_id
        assert model_id is not None
        holding = self._client.search_logged_models(
            experiment_ids=[self._store.experiment_id],
            filter_string=f"tags.`{tag}` = '{self._agent}'",
        )
        for model in holding:
            if model.model_id != model_id:
                self._client.delete_logged_model_tag(model.model_id, tag)
        self._client.set_logged_model_tags(model_id, {tag: self._agent, **self._why})
        return [f"version {self._plan.version} ({model_id})"]

    def _promote_registered(self, alias: str) -> list[str]:
        # Databases keep where a version comes from, and not `model_id`.
        source = f"models:/{self._plan.model_id}"
        own = [one for one in self._registered() if one.source == source]
        for one in own[:1]:
            self._client.set_registered_model_alias(one.name, alias, one.version)
            for name, value in self._why.items():
                self._client.set_model_version_tag(one.name, one.version, name, value)
        return [f"registered model {one.name} {one.version}" for one in own[:1]]

    def _registered(self) -> Sequence[ModelVersion]:
        if not self._agent.isidentifier():
            return []
        return self._client.search_model_versions(f"name = '{self._agent}'")

    @cached_property
    def _why(self) -> Mapping[str, str]:
        order = self._result.order
        return Redactor.current().value(
            {
                _TAG: self._result.decision.verdict,
                f"{_TAG}.reason": headline(self._result)[:500],
                f"{_TAG}.baseline": f"{order.base.name} ({order.base.label})",
                f"{_TAG}.run": self._plan.run_id,
            }
        )

    def _attributed(self, doing: str) -> AbstractContextManager[None]:
        return store_errors(doing, self._store.tracking_uri)
