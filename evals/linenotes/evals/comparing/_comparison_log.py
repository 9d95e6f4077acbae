"""A comparison in MLflow: on the runs that it is about, where a person looks for it.

Both runs get a tag that says the verdict, and the page. The candidate also gets the changes as
metrics, under the start of the base's id. Logging it again adds nothing; a comparison with other
options takes the place of the earlier one. Runs that the store does not have are left alone, and
so is a store that does not exist yet.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from linenotes.evals.comparing._candidate_reports import CandidateReport
from linenotes.evals.comparing._comparison_page import comparison_page
from linenotes.evals.comparing._comparison_report import headline
from linenotes.evals.comparing._reports import ComparisonReport
from linenotes.evals.comparing._rows import change_rows
from linenotes.evals.publishing._registering import RunRegister
from linenotes.evals.publishing._run_metrics import plain_name
from linenotes.project import Project, Redactor, StoreError, store_errors
from linenotes.tracing import MlflowStore, open_store

if TYPE_CHECKING:
    from mlflow import MlflowClient

FOLDER = "comparisons"
"""Where the pages are among the artifacts of a run."""
_SHORT = 12
"""Letters of a run's id that tell it apart."""
_LONGEST_TAG = 500


class _NoStoreError(StoreError):
    """There is no store to log to, and a comparison is no reason to make one."""


def log_comparison(report: ComparisonReport, project: Project) -> tuple[str, ...]:
    """Log a comparison to the runs that it is about, and return the MLflow ids of those.

    Raises:
        StoreError: the store does not take it.
    """
    try:
        with open_store(project, on_create=_refuse) as store:
            return _log(report, store)
    except _NoStoreError:
        return ()


def _refuse() -> None:
    raise _NoStoreError("There is no store yet.")


def _log(report: ComparisonReport, store: MlflowStore) -> tuple[str, ...]:
    from mlflow import MlflowClient

    client, register = MlflowClient(tracking_uri=store.tracking_uri), RunRegister(store)
    base_id = register.find(report.base.plan)
    logged: list[str] = [base_id] if base_id else []
    with store_errors("log a comparison to", store.tracking_uri):
        for one in report.candidates:
            alone = replace(report, candidates=(one,))
            page = Redactor.current().text(comparison_page(alone))
            candidate_id = register.find(one.record.plan)
            if candidate_id:
                _log_metrics(client, candidate_id, report, one)
                logged.append(candidate_id)
            for run_id, role in ((base_id, "candidate"), (candidate_id, "base")):
                if run_id:
                    _log_page(client, run_id, role, (report, one), page)
    return tuple(dict.fromkeys(logged))


def _log_page(
    client: MlflowClient,
    run_id: str,
    role: str,
    found: tuple[ComparisonReport, CandidateReport],
    page: str,
) -> None:
    """Keep the page, and a tag named by the other run that says what came of it."""
    report, one = found
    base, candidate = (run.plan.run_id[:_SHORT] for run in (report.base, one.record))
    other = candidate if role == "candidate" else base
    client.log_text(run_id, page, f"{FOLDER}/{candidate}-against-{base}.html")
    said = Redactor.current().text(f"{one.verdict}: {headline(one)}")
    client.set_tag(run_id, f"linenotes.compared.{role}.{other}", said[:_LONGEST_TAG])


def _log_metrics(
    client: MlflowClient, run_id: str, report: ComparisonReport, one: CandidateReport
) -> None:
    """Log the changes that are not what the run shows already: MLflow keeps every one it gets."""
    from mlflow.entities import Metric

    shown = client.get_run(run_id).data.metrics
    values = _changes(report.base.plan.run_id, one)
    now = time.time_ns() // 1_000_000
    fresh = [Metric(n, v, timestamp=now, step=0) for n, v in values.items() if shown.get(n) != v]
    if fresh:
        client.log_batch(run_id, metrics=fresh)


def _changes(base: str, one: CandidateReport) -> dict[str, float]:
    values: dict[str, float] = {}
    for row in change_rows(one):
        if (found := row.figures) is None:
            continue
        name = f"against {base[:_SHORT]}/{plain_name(row.name)}"
        bounds = {name: found.change, f"{name}/low": found.low, f"{name}/high": found.high}
        values |= {key: value for key, value in bounds.items() if value is not None}
    return values
