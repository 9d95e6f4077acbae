"""The one place that calls MLflow's trace client, which is importable but not documented.

Where `_bulk_guard` knows all that traces touch, they are written in bulk, and the calls are for
what that leaves. Elsewhere the calls write everything, in a database and on a server alike.

By calls, the info of a finished trace is written first, as in progress, and then the spans of all
traces at once: with the root span MLflow gives the trace its end state. So a writer that is killed
leaves traces in progress and never one that looks finished, in half the time of the opposite
order. A trace whose state does not follow from its root span gets its info last. A server takes
several calls at once, as it works in several processes: it has one call for the info of a trace,
and one for the spans of a few traces.

Only imported when a store is used, since mlflow is slow to import.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING, TypeVar

import mlflow
from mlflow import MlflowClient
from mlflow.entities import TraceState
from mlflow.entities.trace_metrics import AggregationType, MetricAggregation, MetricViewType
from mlflow.exceptions import MlflowException
from mlflow.tracing.constant import TraceMetadataKey, TraceMetricKey, TraceTagKey

from linenotes.project import RunError, StoreError, store_errors
from linenotes.tracing._filed_trace import FiledTrace
from linenotes.tracing.store._bulk_guard import bulk_writer
from linenotes.tracing.store._mlflow_info import (
    DIGEST,
    SCORES,
    is_settled_by_root,
    scores_digest,
    trace_digest,
    trace_info,
    withdrawn_ids,
)
from linenotes.tracing.store._mlflow_spans import mlflow_spans

if TYPE_CHECKING:
    from mlflow.entities import Trace as MlflowTrace
    from mlflow.entities import TraceInfo

    from linenotes.tracing.store._bulk_writing import BulkWriter

try:
    from mlflow.tracing.client import TracingClient
except ImportError:
    raise StoreError(
        f"MLflow {mlflow.__version__} has no trace client that linenotes knows. "
        "Install a version that it was tested with: pip install 'mlflow>=3.17,<4'."
    ) from None

# What it logs it also raises, or it is news of migrations that nobody asked for.
logging.getLogger("mlflow.store.db.utils").setLevel(logging.CRITICAL)

_Item = TypeVar("_Item")
_NOT_FOUND = ("RESOURCE_DOES_NOT_EXIST", "NOT_FOUND")
_INCOMPLETE = "BAD_REQUEST"
"""How MLflow calls a trace without spans."""
_PAGE = 500
"""The most traces that a server returns at once."""
_CALLS_AT_ONCE = 8
"""Calls that a server gets at once: enough for its default of four processes to be busy."""
_TRACES_A_CALL = 5
"""Traces whose spans a server gets in one call: a batch keeps several of its processes busy."""
_RELAXED = "PRAGMA synchronous = NORMAL"


class TraceClient:
    """Writes, counts and reads traces of one experiment."""

    def __init__(self, tracking_uri: str) -> None:
        self.runs = MlflowClient(tracking_uri)
        self._traces = TracingClient(tracking_uri)
        self._uri = tracking_uri
        self._is_server = tracking_uri.startswith(("http://", "https://"))
        if tracking_uri.startswith("sqlite:"):
            self._relax_sync()

    @property
    def writes_in_bulk(self) -> bool:
        """Whether traces go straight into the tables, since all that they touch is known."""
        with store_errors("open", self._uri):
            return self._bulk is not None

    def close(self) -> None:
        """Close the connections to a database."""
        if engine := getattr(self._traces.store, "engine", None):
            engine.dispose()

    def write(self, batch: Sequence[FiledTrace], experiment_id: str) -> None:
        """Write up to a hundred traces; one that is there already is replaced."""
        with store_errors("write traces to", self._uri):
            if self._bulk is not None:
                batch = self._bulk.write(batch, experiment_id)
            if batch:
                self._write_by_calls(batch, experiment_id)

    def count(self, run_id: str | None, experiment_id: str) -> int:
        """Return how many traces of a run, or in all, are stored."""
        of_run = f"trace.metadata.`{TraceMetadataKey.SOURCE_RUN}` = '{run_id}'"
        with store_errors("count the traces in", self._uri):
            counted = self._traces.store.query_trace_metrics(
                experiment_ids=[experiment_id],
                view_type=MetricViewType.TRACES,
                metric_name=TraceMetricKey.TRACE_COUNT,
                aggregations=[MetricAggregation(AggregationType.COUNT)],
                filters=None if run_id is None else [of_run],
            )
            return int(sum(point.values["COUNT"] for point in counted))

    def runs_of(self, trace_ids: Sequence[str]) -> dict[str, str | None]:
        """Return the traces that are there, each with the run that made it."""
        with store_errors("look for traces in", self._uri):
            return {
                info.trace_id: info.trace_metadata.get(TraceMetadataKey.SOURCE_RUN)
                for info in self._traces.store.batch_get_trace_infos(list(trace_ids))
            }

    def read(self, trace_id: str) -> MlflowTrace | None:
        """Return a trace, or None when it is not there.

        Raises:
            RunError: it is there without its spans.
            StoreError: the store did not answer.
        """
        with store_errors("read a trace from", self._uri):
            try:
                return self._traces.get_trace(trace_id)
            except MlflowException as error:
                if error.error_code in _NOT_FOUND:
                    return None
                if error.error_code == _INCOMPLETE:
                    raise RunError(
                        f"Trace {trace_id!r} is not stored whole: its writer ended early, or is "
                        "at it. `linenotes eval --resume latest` writes what an evaluation lacks, "
                        "`linenotes trace doctor` what a killed recording lacks."
                    ) from None
                raise

    def find(self, filter_string: str, experiment_id: str, *, limit: int) -> list[TraceInfo]:
        """Return up to `limit` traces that fit the filter, newest first, without their spans."""
        found: list[TraceInfo] = []
        token = None
        with store_errors("search for traces in", self._uri):
            while len(found) < limit:
                page, token = self._traces.store.search_traces(
                    locations=[experiment_id],
                    filter_string=filter_string,
                    order_by=["timestamp_ms DESC"],
                    max_results=min(limit - len(found), _PAGE),
                    page_token=token,
                )
                found += page
                if not token:
                    break
        return found

    @cached_property
    def _bulk(self) -> BulkWriter | None:
        return bulk_writer(self._traces.store)

    def _write_by_calls(self, batch: Sequence[FiledTrace], experiment_id: str) -> None:
        stored = self._stored_metadata(batch)
        new = [f for f in batch if not _holds(stored, f, DIGEST, trace_digest(f.trace))]
        if stale := [f.trace.trace_id for f in new if f.trace.trace_id in stored]:
            # Written over, the spans of an interrupted writing or another execution stay.
            self._traces.delete_traces(experiment_id, trace_ids=stale)
        settled = {f.trace.trace_id: f for f in new if is_settled_by_root(f.trace)}
        infos = [trace_info(filed, experiment_id) for filed in settled.values()]
        self._start([replace(info, state=TraceState.IN_PROGRESS) for info in infos])
        self._write_spans(batch, new, stored, experiment_id)
        for filed in batch:
            for assessment_id in withdrawn_ids(filed):
                self._traces.delete_assessment(filed.trace.trace_id, assessment_id)
        others = [filed for filed in batch if filed.trace.trace_id not in settled]
        self._start([trace_info(filed, experiment_id) for filed in others])

    def _start(self, infos: Sequence[TraceInfo]) -> None:
        self._for_each(infos, self._traces.start_trace)

    def _write_spans(
        self,
        batch: Sequence[FiledTrace],
        new: Sequence[FiledTrace],
        stored: Mapping[str, Mapping[str, str]],
        experiment_id: str,
    ) -> None:
        # Scores stand in the spans; writing the same spans again replaces them.
        rescored = [f for f in batch if not _holds(stored, f, SCORES, scores_digest(f))]
        changed = {f.trace.trace_id: f for f in (*new, *rescored)}
        spans = [mlflow_spans(filed) for filed in changed.values()]
        size = _TRACES_A_CALL if self._is_server else max(len(spans), 1)
        calls = [list(chain(*spans[at : at + size])) for at in range(0, len(spans), size)]
        self._for_each(calls, lambda some: self._traces.log_spans(experiment_id, some))

    def _for_each(self, items: Sequence[_Item], call: Callable[[_Item], object]) -> None:
        """Make a call for each item, several at once to a server, and raise what one raised."""
        if not self._is_server:
            for item in items:
                call(item)
            return
        with ThreadPoolExecutor(_CALLS_AT_ONCE) as pool:
            for _ in pool.map(call, items):
                pass

    def _relax_sync(self) -> None:
        """Skip the flush to disk after each transaction: with WAL, a crash cannot corrupt."""
        from sqlalchemy import event

        engine = self._traces.store.engine

        @event.listens_for(engine, "connect")
        def relax(connection: object, _record: object) -> None:
            connection.execute(_RELAXED)  # type: ignore[attr-defined]

        engine.dispose()

    def _stored_metadata(self, batch: Sequence[FiledTrace]) -> dict[str, dict[str, str]]:
        """Return the ids of the traces that are there, with the metadata of those with spans."""
        ids = [filed.trace.trace_id for filed in batch]
        return {
            info.trace_id: info.trace_metadata if TraceTagKey.SPANS_LOCATION in info.tags else {}
            for info in self._traces.store.batch_get_trace_infos(ids)
        }


def _holds(
    stored: Mapping[str, Mapping[str, str]], filed: FiledTrace, name: str, digest: str
) -> bool:
    return stored.get(filed.trace.trace_id, {}).get(name) == digest
