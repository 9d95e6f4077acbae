from __future__ import annotations

import json
import socket
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from linenotes.project import StoreError
from linenotes.tracing import (
    FiledTrace,
    MlflowStore,
    TraceState,
    UiServer,
    experiment_url,
    start_ui,
)

pytestmark = pytest.mark.slow
MakeFiled = Callable[..., FiledTrace]


@pytest.fixture(scope="module")
def ui(store: MlflowStore, store_folder: Path) -> Iterator[UiServer]:
    with start_ui(
        store.tracking_uri, artifacts=store_folder / "artifacts", log=store_folder / "ui.log"
    ) as server:
        yield server


@pytest.fixture(scope="module")
def remote(ui: UiServer) -> Iterator[MlflowStore]:
    with MlflowStore.open(ui.url, "remote", artifacts=Path("unused")) as opened:
        yield opened


def test_the_pages_answer_at_the_address(ui: UiServer) -> None:
    assert ui.url.startswith("http://127.0.0.1:")
    assert experiment_url(ui.url, "7") == f"{ui.url}/#/experiments/7/evaluation-runs"
    status, page = _get(ui.url)
    assert status == 200
    assert b"<title>MLflow</title>" in page


def test_the_server_answers_to_its_own_name_only(ui: UiServer) -> None:
    status, _ = _get(f"{ui.url}/ajax-api/2.0/mlflow/experiments/get?experiment_id=0")
    assert status == 200
    status, _ = _get(
        f"{ui.url}/ajax-api/2.0/mlflow/experiments/get?experiment_id=0", Host="evil.example"
    )
    assert status == 403


def test_pages_of_others_may_not_write(ui: UiServer) -> None:
    status, _ = _get(
        f"{ui.url}/api/2.0/mlflow/experiments/create",
        body={"name": "planted"},
        Origin="http://evil.example",
    )
    assert status == 403


def test_the_gateway_to_models_is_closed(ui: UiServer) -> None:
    status, _ = _get(f"{ui.url}/gateway/mlflow/v1/chat/completions", body={"model": "x"})
    assert status == 501


@pytest.mark.parametrize("state", ["OK", "ERROR", "IN_PROGRESS"])
def test_a_trace_reads_back_through_a_server(
    remote: MlflowStore, desk_filed: MakeFiled, state: TraceState
) -> None:
    filed = desk_filed("remote", run_id=f"remote {state}", state=state)
    for _ in range(2):
        remote.write_traces([filed])
        assert remote.read_trace(filed.trace.trace_id[:20]) == filed.trace
        assert remote.count_traces(f"remote {state}") == 1


@pytest.mark.parametrize("text", ['{"a": 1}', '"quoted"', "1", "", "ünï 🙏"])
def test_text_that_looks_like_json_stays_text_through_a_server(
    remote: MlflowStore, desk_filed: MakeFiled, text: str
) -> None:
    filed = desk_filed("json", run_id=f"text {text}")
    root = replace(filed.trace.spans[0], inputs=text, outputs=[1, 2.0, None, {"a": []}])
    trace = replace(filed.trace, spans=(root, *filed.trace.spans[1:]))
    remote.write_traces([replace(filed, trace=trace)])
    assert remote.read_trace(trace.trace_id) == trace


def test_many_traces_are_stored_through_a_server(
    remote: MlflowStore, desk_filed: MakeFiled
) -> None:
    remote.write_traces([desk_filed(f"case-{i}", run_id="many") for i in range(120)])
    assert remote.count_traces("many") == 120


def test_a_port_that_is_taken_is_named(store: MlflowStore, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(StoreError, match=f"Port {port} cannot be used: Address already in use"):
            start_ui(store.tracking_uri, artifacts=tmp_path, log=tmp_path / "log", port=port)


def test_a_server_that_does_not_start_says_why(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"(?s)ended at once.*nonsense"):
        start_ui("nonsense://x", artifacts=tmp_path, log=tmp_path / "log")


def test_a_store_that_is_a_server_has_its_own_pages(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="open http://there"):
        start_ui("http://me:secret@there", artifacts=tmp_path, log=tmp_path / "log")


def _get(url: str, *, body: object = None, **headers: str) -> tuple[int, bytes]:
    data = None if body is None else json.dumps(body).encode()
    headers["Content-Type"] = "application/json"
    request = urllib.request.Request(url, data, headers)  # noqa: S310  our own server
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310  our own server
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()
