"""From the journal to MLflow: one MLflow run an evaluation of one version.

The journal is the truth; what is published can be published again and stays the same. The
publisher ends by counting the traces that the store holds against those that were to be stored.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, replace
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING

import orjson

from linenotes.evals._repeats import Repeats
from linenotes.evals.engine._progress import Progress
from linenotes.evals.journal._plans import RunPlan
from linenotes.evals.journal._records import RunRecord
from linenotes.evals.journal._samples import Sample, SampleKey
from linenotes.evals.publishing._conversations import noteworthy, page_path
from linenotes.evals.publishing._filed_traces import filed_trace
from linenotes.evals.publishing._registering import RunRegister
from linenotes.evals.publishing._run_metrics import run_metrics
from linenotes.project import StoreError, store_errors
from linenotes.tracing import MlflowStore, conversation_page, output_text

if TYPE_CHECKING:
    from mlflow import MlflowClient

    from linenotes.evals.statistics import Estimate

SampleRow = dict[str, object]
"""One row of a run's samples table: column to value."""
BATCH_TRACES = 100
"""Traces that are written in one transaction: more hold more memory and are hardly faster."""
_TABLE = "samples.json"
NOTHING_WRITTEN: Mapping[SampleKey, SampleRow] = MappingProxyType({})


@dataclass(frozen=True)
class Stored:
    """How many traces a run should have in the store, and how many it has."""

    expected: int
    stored: int


class Publisher:
    """Writes runs into one MLflow store."""

    def __init__(self, store: MlflowStore) -> None:
        self._store = store
        self._register = RunRegister(store)
        self._plans: dict[str, RunPlan] = {}
        """Run to its plan with the ids that it has in this store."""

    @cached_property
    def _client(self) -> MlflowClient:
        from mlflow import MlflowClient

        return MlflowClient(tracking_uri=self._store.tracking_uri)

    def begin(self, plan: RunPlan) -> RunPlan:
        """Start the MLflow run of a plan, and return the plan with the ids that MLflow gave.

        Raises:
            StoreError: the store does not take it; so for all that follows.
        """
        begun = self._register.begin(plan)
        self._plans[begun.run_id] = begun
        return begun

    def publish(
        self,
        record: RunRecord,
        estimates: Mapping[str, Estimate],
        repeated: Mapping[str, Repeats],
        *,
        note: str,
        written: Mapping[SampleKey, SampleRow] = NOTHING_WRITTEN,
        progress: Progress,
    ) -> Stored:
        """Write traces, metrics and the samples table of a run, and count what is stored.

        `written` are the table rows of samples whose traces the store has already.
        """
        record = self._as_stored(record)
        run_id = record.plan.run_id
        with self._attributed("publish the results to"):
            rows = {**written}
            for batch in _batches([key for key in record.outcomes if key not in written]):
                if record.plan.has_conversations:
                    rows |= self._write_traces(record, batch)
                else:
                    rows |= {key: _row(record, record.samples[key]) for key in batch}
                for _ in batch:
                    progress.advance()
            self._log_metrics(record, estimates, repeated)
            self._log_samples(run_id, [rows[key] for key in sorted(record.outcomes)])
            note += self._log_conversations(record)
            self._client.set_tag(run_id, "mlflow.note.content", note)
            status = "FINISHED" if record.is_whole else "KILLED"
            self._client.set_terminated(run_id, status, end_time=_end_ms(record))
        return self._counted(record)

    def _counted(self, record: RunRecord) -> Stored:
        """Count what the store holds of a run, which is all of it or an error."""
        if not record.plan.has_conversations:
            return Stored(0, 0)
        stored = self._store.count_traces(record.plan.run_id)
        if stored < len(record.outcomes):
            raise StoreError(
                f"The store holds {stored} of the {len(record.outcomes)} traces of run "
                f"{record.plan.run_id[:12]!r}, although it took all of them."
            )
        return Stored(len(record.outcomes), stored)

    def mark_stopped(self, plan: RunPlan) -> None:
        """Show in MLflow that the run was stopped before its end, if MLflow knows it."""
        plan = self._plans.get(plan.run_id, plan)
        if plan.model_id is None:
            return
        # The reason for stopping may be the store itself, and must not be hidden by this.
        with suppress(StoreError), self._attributed("stop a run in"):
            self._client.set_terminated(plan.run_id, "KILLED")

    def write_traces(
        self, record: RunRecord, keys: Sequence[SampleKey]
    ) -> dict[SampleKey, SampleRow]:
        """Write the traces of some samples, and return their rows of the samples table.

        Raises:
            StoreError: the store does not take them.
        """
        return self._write_traces(self._as_stored(record), keys)

    def _write_traces(
        self, record: RunRecord, keys: Sequence[SampleKey]
    ) -> dict[SampleKey, SampleRow]:
        samples = {key: record.samples[key] for key in keys}
        filed = [filed_trace(record.plan, s, record.scores.get(k, ())) for k, s in samples.items()]
        withdrawn = tuple(sorted(record.withdrawn))
        self._store.write_traces([replace(one, withdrawn=withdrawn) for one in filed])
        return {key: _row(record, sample) for key, sample in samples.items()}

    def _as_stored(self, record: RunRecord) -> RunRecord:
        """Return the record with the ids that its run has in this store, entered if need be."""
        plan = record.plan
        stored = self._plans.get(plan.run_id) or self._register.find_or_enter(plan)
        self._plans[plan.run_id] = stored
        ids = {name: getattr(stored, name) for name in ("run_id", "model_id", "prompts")}
        return replace(record, plan=plan.model_copy(update=ids))

    def _attributed(self, doing: str) -> AbstractContextManager[None]:
        return store_errors(doing, self._store.tracking_uri)

    def _log_metrics(
        self,
        record: RunRecord,
        estimates: Mapping[str, Estimate],
        repeated: Mapping[str, Repeats],
    ) -> None:
        from mlflow.entities import Metric

        values = run_metrics(record, estimates, repeated)
        plan, ended = record.plan, _end_ms(record)
        if record.revision:
            # MLflow keeps every metric that it ever got: a number that no longer holds has none.
            before = self._client.get_run(plan.run_id).data.metrics
            values |= dict.fromkeys(before.keys() - values.keys(), math.nan)
        metrics = [
            Metric(
                name,
                value,
                timestamp=ended,
                step=record.revision,  # of equal times MLflow shows the largest value
                model_id=plan.model_id,
                dataset_name=plan.dataset.name,
                dataset_digest=plan.dataset.digest[:36],
                run_id=plan.run_id,
            )
            for name, value in values.items()
        ]
        self._client.log_batch(plan.run_id, metrics)

    def _log_samples(self, run_id: str, rows: Sequence[SampleRow]) -> None:
        """Log the samples as MLflow keeps tables."""
        # Not `log_table`: that appends to the table of an earlier publishing.
        columns = list(rows[0]) if rows else []
        table = {"columns": columns, "data": [list(row.values()) for row in rows]}
        self._client.log_text(run_id, orjson.dumps(table).decode(), _TABLE)
        logged = orjson.dumps([{"path": _TABLE, "type": "table"}]).decode()
        self._client.set_tag(run_id, "mlflow.loggedArtifacts", logged)

    def _log_conversations(self, record: RunRecord) -> str:
        """Keep the conversations that say most as pages, and return their links for the note."""
        links = []
        for key in noteworthy(record) if record.plan.has_conversations else ():
            path, sample = page_path(key), record.samples[key]
            self._client.log_text(record.plan.run_id, conversation_page(sample.trace), path)
            place = f"#/experiments/{self._store.experiment_id}/runs/{record.plan.run_id}/artifacts"
            links.append(f"- [{_caption(key)}]({place}/{path}){_outcome(record, key)}")
        return "\n".join(["\n\n**Conversations**\n", *links]) if links else ""


def _caption(key: SampleKey) -> str:
    case = "".join(c if c.isalnum() or c in " .,_-#" else " " for c in key[0])
    return f"{case}, sample {key[1]}"


def _outcome(record: RunRecord, key: SampleKey) -> str:
    """Say why a conversation is worth reading: its failure, or its primary score."""
    if error := record.outcomes[key].error:
        return f": failed with {error.type}"
    primary = record.plan.metrics[0]
    values = (s.value for s in record.scores.get(key, ()) if s.name == primary)
    return next((f": {primary} {value}" for value in values), "")


def _batches(keys: Sequence[SampleKey]) -> Iterator[Sequence[SampleKey]]:
    for start in range(0, len(keys), BATCH_TRACES):
        yield keys[start : start + BATCH_TRACES]


def _end_ms(record: RunRecord) -> int:
    """Return when the last sample ended: what is published again keeps its time."""
    ends = (outcome.end_ns for outcome in record.outcomes.values())
    return max(ends, default=0) // 1_000_000


def _row(record: RunRecord, sample: Sample) -> SampleRow:
    """Return the row of a sample in the samples table: identity, outcome, scores, cost."""
    key, imported = (sample.case.id, sample.index), record.plan.imported
    outcome = record.outcomes[key]
    scores = {score.name: score.value for score in record.scores.get(key, ())}
    return {
        "case": key[0],
        "sample": key[1],
        "request": sample.trace.request,
        "response": output_text(sample.output),
        **{f"score/{name}": scores.get(name) for name in record.plan.metrics},
        "error": str(outcome.error) if outcome.error else None,
        "seconds": round(outcome.seconds, 3) if imported is None or imported.timed else None,
        "calls": outcome.calls,
        "tokens": outcome.tokens or (None if imported else 0),
        "cost": outcome.cost,
        "trace_id": outcome.trace_id if record.plan.has_conversations else None,
    }
