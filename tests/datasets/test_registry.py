from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from linenotes.datasets import Case, Dataset, load_dataset, register_dataset
from linenotes.project import Project

pytestmark = pytest.mark.filterwarnings(
    # MLflow's own use of SQLAlchemy, said once when its store is imported.
    r"ignore:The ``noload`` loader strategy is deprecated:DeprecationWarning"
)

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import DatasetInput


@pytest.fixture(scope="module")
def client(tracking_uri: str) -> MlflowClient:
    from mlflow import MlflowClient

    return MlflowClient(tracking_uri=tracking_uri)


@pytest.fixture(scope="module")
def experiment_id(client: MlflowClient) -> str:
    return str(client.create_experiment("registry"))


def dataset(answer: str, *, name: str = "desk") -> Dataset:
    case = Case(
        id="refund-01",
        inputs={"messages": [{"role": "user", "content": "Can I return it?"}]},
        expectations={"answer": answer},
        tags={"domain": "orders"},
        split="test",
        cluster="refund",
    )
    return Dataset(name, (case, Case(id="hello", inputs={"messages": []})))


def records(client: MlflowClient, registered: DatasetInput) -> list[dict[str, Any]]:
    """The records that the run's dataset links to, read as MLflow's own clients read them."""
    dataset_id = json.loads(registered.dataset.source)["dataset_id"]
    store = client._tracking_client.store  # noqa: SLF001  the public way needs a global store
    rows, _ = store._load_dataset_records(dataset_id, max_results=None)  # noqa: SLF001  the same
    return [row.to_dict() for row in rows]


def answers(client: MlflowClient, registered: DatasetInput) -> list[str]:
    rows = (row["expectations"] for row in records(client, registered))
    return [expectations["answer"] for expectations in rows if expectations]


def test_a_case_becomes_a_record(
    client: MlflowClient, tracking_uri: str, experiment_id: str
) -> None:
    desk = dataset("yes")
    registered = register_dataset(desk, tracking_uri=tracking_uri, experiment_id=experiment_id)
    by_case = {row["tags"]["linenotes.case"]: row for row in records(client, registered)}
    refund = by_case["refund-01"]
    assert refund["inputs"] == desk.cases[0].inputs
    assert refund["expectations"] == {"answer": "yes"}
    assert refund["tags"] == {
        "domain": "orders",
        "linenotes.case": "refund-01",
        "linenotes.split": "test",
        "linenotes.cluster": "refund",
        "linenotes.weight": "1.0",
    }
    assert by_case.keys() == {"refund-01", "hello"}


def test_registering_again_adds_nothing(
    client: MlflowClient, tracking_uri: str, experiment_id: str
) -> None:
    desk = dataset("again")
    first = register_dataset(desk, tracking_uri=tracking_uri, experiment_id=experiment_id)
    before = records(client, first)
    second = register_dataset(desk, tracking_uri=tracking_uri, experiment_id=experiment_id)
    assert second.to_dictionary() == first.to_dictionary()
    assert records(client, second) == before


def test_other_content_is_another_evaluation_dataset(
    client: MlflowClient, tracking_uri: str, experiment_id: str
) -> None:
    old, new = dataset("30 days"), dataset("14 days")
    first, second = (
        register_dataset(desk, tracking_uri=tracking_uri, experiment_id=experiment_id)
        for desk in (old, new)
    )
    assert answers(client, first) == ["30 days"]
    assert answers(client, second) == ["14 days"]
    names = {entry.name for entry in client.search_datasets(experiment_ids=[experiment_id])}
    assert {f"desk@{old.digest[:8]}", f"desk@{new.digest[:8]}"} <= names


def test_another_name_is_another_evaluation_dataset(tracking_uri: str, experiment_id: str) -> None:
    one, other = (
        register_dataset(
            dataset("same", name=name), tracking_uri=tracking_uri, experiment_id=experiment_id
        ).dataset
        for name in ("one", 'the other\'s "own"')
    )
    assert one.source != other.source
    assert one.digest == other.digest


def test_a_second_experiment_shares_the_evaluation_dataset(
    client: MlflowClient, tracking_uri: str, experiment_id: str
) -> None:
    desk = dataset("shared")
    elsewhere = str(client.create_experiment("elsewhere"))
    first = register_dataset(desk, tracking_uri=tracking_uri, experiment_id=experiment_id)
    second = register_dataset(desk, tracking_uri=tracking_uri, experiment_id=elsewhere)
    assert second.to_dictionary() == first.to_dictionary()
    (found,) = client.search_datasets(experiment_ids=[elsewhere])
    assert found.name == f"desk@{desk.digest[:8]}"


def test_a_registration_that_was_cut_off_is_finished(
    client: MlflowClient, tracking_uri: str, experiment_id: str
) -> None:
    desk = dataset("cut off")
    tags = {"linenotes.digest": desk.digest, "linenotes.dataset": desk.name}
    left = client.create_dataset(f"desk@{desk.digest[:8]}", tags=tags)
    registered = register_dataset(desk, tracking_uri=tracking_uri, experiment_id=experiment_id)
    assert json.loads(registered.dataset.source) == {"dataset_id": left.dataset_id}
    assert len(records(client, registered)) == 2


def test_a_run_shows_which_dataset_it_used(
    client: MlflowClient, tracking_uri: str, experiment_id: str, project: Project
) -> None:
    desk = load_dataset("support-desk", project).select("test")
    registered = register_dataset(desk, tracking_uri=tracking_uri, experiment_id=experiment_id)
    run_id = client.create_run(experiment_id).info.run_id
    client.log_inputs(run_id, datasets=[registered])
    inputs = client.get_run(run_id).inputs
    assert inputs is not None
    (shown,) = inputs.dataset_inputs
    assert (shown.dataset.name, shown.dataset.digest) == ("support-desk", desk.digest[:36])
    profile, schema = shown.dataset.profile, shown.dataset.schema
    assert profile is not None
    assert schema is not None
    assert json.loads(profile) == {"num_rows": 242, "digest": desk.digest}
    assert json.loads(schema)["inputs"] == {"messages": "array"}
    assert {tag.key: tag.value for tag in shown.tags} == {
        "mlflow.data.context": "eval",
        "linenotes.digest": desk.digest,
    }
    assert len(records(client, shown)) == 242


def test_the_source_is_what_mlflow_says_of_its_own_evaluation_datasets(
    client: MlflowClient, tracking_uri: str, experiment_id: str
) -> None:
    desk = dataset("source")
    shown = register_dataset(desk, tracking_uri=tracking_uri, experiment_id=experiment_id).dataset
    dataset_id = json.loads(shown.source)["dataset_id"]
    own = client.get_dataset(dataset_id).source
    assert shown.source_type == own._get_source_type()  # noqa: SLF001  it has no public name
    assert shown.source == own.to_json()
