"""An agent version as an MLflow LoggedModel: one for each fingerprint of an experiment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from linenotes.project import Redactor

if TYPE_CHECKING:
    from mlflow import MlflowClient

    from linenotes.agents._code import Commit

_FINGERPRINT = "linenotes.fingerprint"


@dataclass(frozen=True)
class VersionCard:
    """What a store shows of a version, whether it runs here or was run elsewhere."""

    agent: str
    label: str
    fingerprint: str
    params: Mapping[str, str]
    """What makes it up, as flat text, for a model or a run."""
    commit: Commit | None = None


def log_version(version: VersionCard, client: MlflowClient, experiment_id: str) -> str:
    """Return the id of the LoggedModel of `version`, creating it when it is new."""
    found = client.search_logged_models(
        experiment_ids=[experiment_id],
        filter_string=f"tags.`{_FINGERPRINT}` = '{version.fingerprint}'",
        max_results=1,
    )
    if found:
        return str(found[0].model_id)
    model = client.create_logged_model(
        experiment_id=experiment_id,
        name=_name(version),
        model_type="agent",
        params=dict(version.params),
        tags=_tags(version),
    )
    client.finalize_logged_model(model.model_id, "READY")
    return str(model.model_id)


def _name(version: VersionCard) -> str:
    """MLflow refuses some characters in a model's name."""
    text = Redactor.current().text(f"{version.agent}-{version.label}")
    return "".join(c if c.isalnum() or c in "-_" else "-" for c in text)[:200]


def _tags(version: VersionCard) -> dict[str, str]:
    # Without a folder of MLflow's own: the version lives in this project's code and prompts.
    tags = {"mlflow.model.isExternal": "true", _FINGERPRINT: version.fingerprint}
    if version.commit is not None:
        tags["mlflow.source.git.commit"] = version.commit.sha
        tags["mlflow.source.git.dirty"] = str(version.commit.dirty).lower()
    return tags
