"""Datasets in MLflow: one evaluation dataset for each name and digest.

MLflow knows no versions of a dataset: it merges records that have equal inputs, and overwrites
their expectations in place. So every digest gets an evaluation dataset of its own, which is
written once and then only found: `support-desk@1a2b3c4d`, with the whole digest as a tag. A run
shows the dataset under its plain name, with its digest, and links to the evaluation dataset.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from linenotes.datasets._cases import Case, Dataset
from linenotes.project import Redactor, keep_offline

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import DatasetInput, EvaluationDataset
    from pydantic import JsonValue

_DIGEST = "linenotes.digest"
_DATASET = "linenotes.dataset"
_LONGEST_INPUT_DIGEST = 36
"""What MLflow allows for the digest of a run's dataset."""
_SOURCE_TYPE = "mlflow_evaluation_dataset"
"""MLflow's own name of a source that is an evaluation dataset."""


def register_dataset(
    dataset: Dataset, *, tracking_uri: str, experiment_id: str, digest: str | None = None
) -> DatasetInput:
    """Put `dataset` into the MLflow store, unless it is there; return it as a run's input.

    The evaluation dataset belongs to the experiment `experiment_id`, and to every other one
    that it was registered for. Log what is returned to each run that uses the dataset:
    `client.log_inputs(run_id, datasets=[...])`.

    Of cases that were redacted since, `digest` is the digest that they had.

    Registering again adds nothing. A process that dies on the way leaves no records or all.
    """
    keep_offline()
    from mlflow import MlflowClient

    client = MlflowClient(tracking_uri=tracking_uri)
    digest = digest or dataset.digest
    registered = _find(client, dataset.name, digest) or _create(client, dataset.name, digest)
    client.add_dataset_to_experiments(registered.dataset_id, [experiment_id])
    if registered.profile is None:
        records = Redactor.current().value([_record(case) for case in dataset.cases])
        # Not EvaluationDataset.merge_records: it writes to the store that the process has
        # set as its default, whichever store this client is for.
        store = client._tracking_client.store  # noqa: SLF001  MLflow has no other door to it
        store.upsert_dataset_records(registered.dataset_id, records)
        registered = client.get_dataset(registered.dataset_id)
    return _input(dataset, digest, registered)


def _find(client: MlflowClient, name: str, digest: str) -> EvaluationDataset | None:
    # Quotes around the tag's name, which MLflow asks for elsewhere, find nothing here.
    found = client.search_datasets(
        filter_string=f"tags.{_DIGEST} = '{digest}'", order_by=["created_time ASC"]
    )
    named = (entry for entry in found if (entry.tags or {}).get(_DATASET) == name)
    return next(named, None)


def _create(client: MlflowClient, name: str, digest: str) -> EvaluationDataset:
    return client.create_dataset(
        f"{name}@{digest[:8]}",
        tags={_DIGEST: digest, _DATASET: name},
    )


def _record(case: Case) -> dict[str, JsonValue]:
    ours = {"case": case.id, "split": case.split, "cluster": case.cluster}
    tags: dict[str, JsonValue] = {f"linenotes.{k}": v for k, v in ours.items() if v is not None}
    return {
        "inputs": case.inputs,
        "expectations": case.expectations,
        "tags": {**case.tags, **tags, "linenotes.weight": str(case.weight)},
        "source": {"source_type": "HUMAN", "source_data": {}},
    }


def _input(dataset: Dataset, digest: str, registered: EvaluationDataset) -> DatasetInput:
    from mlflow.entities import Dataset as RunDataset
    from mlflow.entities import DatasetInput, InputTag

    run_dataset = RunDataset(
        name=dataset.name,
        digest=digest[:_LONGEST_INPUT_DIGEST],
        source_type=_SOURCE_TYPE,
        source=json.dumps(registered.source.to_dict()),
        schema=registered.schema,
        profile=json.dumps({"num_rows": len(dataset.cases), "digest": digest}),
    )
    tags = [InputTag("mlflow.data.context", "eval"), InputTag(_DIGEST, digest)]
    return DatasetInput(run_dataset, tags)
