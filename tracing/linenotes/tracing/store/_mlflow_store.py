"""The store of traces: one MLflow experiment in a database or on a server.

Traces are written in batches and may be written again: their ids follow from what they are, so
the second writing replaces the first. Nothing is dropped: a batch is stored or it raises. A trace
reads back as it was written.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Self, Unpack

from linenotes.project import Redactor, RunError, keep_offline, without_credentials
from linenotes.tracing._filed_trace import FiledTrace
from linenotes.tracing._trace import Trace, trace_id_prefix
from linenotes.tracing.store._trace_header import TraceHeader, trace_header
from linenotes.tracing.store._trace_tags import TraceQuery, filter_string

if TYPE_CHECKING:
    from linenotes.tracing.store._mlflow_client import TraceClient

LATEST = "latest"
"""Stands for the trace that began last."""

_ID_LENGTH = len("tr-") + 32
_BATCH_TRACES = 100
_BATCH_SPANS = 4_000
"""Bounds the memory of a batch; a trace with more spans is a batch of its own."""


@dataclass(frozen=True)
class MlflowStore:
    """Writes, counts and reads the traces of one experiment."""

    tracking_uri: str
    experiment_id: str
    _client: TraceClient
    _redactor: Redactor = field(default_factory=Redactor.current)

    @classmethod
    def open(
        cls,
        tracking_uri: str,
        experiment: str,
        *,
        artifacts: Path,
        on_create: Callable[[], None] = lambda: None,
        redactor: Redactor | None = None,
    ) -> Self:
        """Open the store, and create database and experiment when they are not there.

        Args:
            tracking_uri: `sqlite:///PATH`, another database, or `http(s)://HOST` of a server.
            experiment: the name of the experiment.
            artifacts: the folder for the files of a new experiment. A server has its own.
            on_create: called before a database is created, which takes some seconds.
            redactor: what must not be stored; None stands for the one in force.

        Raises:
            StoreError: the store cannot be reached, read or written, or belongs to another
                version of MLflow.
        """
        keep_offline()
        if tracking_uri.startswith("http"):
            # By default MLflow tries for minutes to reach a server that is gone.
            os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "3")
        from linenotes.tracing.store._mlflow_opening import open_experiment

        client, experiment_id = open_experiment(
            tracking_uri, experiment, artifacts=artifacts, on_create=on_create
        )
        return cls(tracking_uri, experiment_id, client, redactor or Redactor.current())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections to a database. The store may be used again."""
        self._client.close()

    def write_traces(self, filed: Sequence[FiledTrace]) -> None:
        """Write traces, redacted; one that was written before is replaced.

        Raises:
            StoreError: the store did not take them. Those of earlier batches are stored.
        """
        for batch in _batches(filed):
            self._client.write(self._redactor.value(batch), self.experiment_id)

    @property
    def writes_in_bulk(self) -> bool:
        """Whether traces go straight into the tables of the database, which is many times faster.

        They do when the database and MLflow are inside as this version of linenotes knows them.
        Else MLflow's own calls write them, and the same is stored.

        Raises:
            StoreError: the store did not answer.
        """
        return self._client.writes_in_bulk

    def count_traces(self, run_id: str | None = None) -> int:
        """Return how many traces are stored, of the MLflow run `run_id` or in all.

        Raises:
            StoreError: the store did not answer.
        """
        return self._client.count(run_id, self.experiment_id)

    def runs_of(self, trace_ids: Sequence[str]) -> dict[str, str | None]:
        """Return the traces among these that are stored, each with its MLflow run if it has one.

        Raises:
            StoreError: the store did not answer.
        """
        found: dict[str, str | None] = {}
        for start in range(0, len(trace_ids), _BATCH_TRACES):
            found |= self._client.runs_of(trace_ids[start : start + _BATCH_TRACES])
        return found

    def read_trace(self, name: str) -> Trace:
        """Return the trace whose id is `name` or starts with it, or the newest for `latest`.

        The messages of a trace that MLflow's autolog recorded are rebuilt from its spans.

        Raises:
            RunError: no trace or several are meant.
            StoreError: the store did not answer.
        """
        return self.read_filed_trace(name).trace

    def read_filed_trace(self, name: str) -> FiledTrace:
        """Return the trace that `name` means with its run, version and scores.

        Raises:
            RunError: no trace or several are meant.
            StoreError: the store did not answer.
        """
        from linenotes.tracing.store._mlflow_filing import filed_from_mlflow

        stored = self._client.read(self._resolve(name))
        if stored is None:
            raise RunError(self._not_found(name))
        return filed_from_mlflow(stored)

    def find_traces(self, *, limit: int = 50, **wanted: Unpack[TraceQuery]) -> list[TraceHeader]:
        """Return the newest traces of which all that is given holds, `limit` at most.

        `wanted` are the fields of `TraceQuery`: agent, tool, handoff, error, case, run, state,
        version and thread.

        Raises:
            StoreError: the store did not answer.
        """
        infos = self._client.find(filter_string(wanted), self.experiment_id, limit=limit)
        return [trace_header(info) for info in infos]

    def _resolve(self, name: str) -> str:
        """Return the id of the one trace that `name` means."""
        if name == LATEST:
            found = [header.trace_id for header in self.find_traces(limit=1)]
        else:
            found = self._ids_from(trace_id_prefix(name))
        if len(found) > 1:
            raise RunError(
                f"{name!r} is the start of several traces, {found[0]!r} and {found[1]!r} "
                "among them. Give more digits."
            )
        if not found:
            raise RunError(self._not_found(name))
        return found[0]

    def _ids_from(self, start: str) -> list[str]:
        """Return ids that begin with `start`: two are enough to know that it is not unique."""
        if len(start) == _ID_LENGTH:
            return [start]
        wanted = f"trace.request_id LIKE '{start}%'"
        return [info.trace_id for info in self._client.find(wanted, self.experiment_id, limit=2)]

    def _not_found(self, name: str) -> str:
        return (
            f"No trace {name!r} in the store {without_credentials(self.tracking_uri)!r}. "
            "`linenotes trace list` shows those that are there."
        )


def _batches(filed: Sequence[FiledTrace]) -> Iterator[list[FiledTrace]]:
    batch: list[FiledTrace] = []
    spans = 0
    for one in filed:
        if batch and (len(batch) == _BATCH_TRACES or spans + len(one.trace.spans) > _BATCH_SPANS):
            yield batch
            batch, spans = [], 0
        batch.append(one)
        spans += len(one.trace.spans)
    if batch:
        yield batch
