"""The store of a project, and the short way to keep a trace there."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from linenotes.project import Project, Redactor
from linenotes.tracing._trace import Trace
from linenotes.tracing.store._filed_trace import FiledTrace
from linenotes.tracing.store._mlflow_store import MlflowStore


def open_store(
    project: Project | None = None, *, on_create: Callable[[], None] = lambda: None
) -> MlflowStore:
    """Open the MLflow store of `project`, by default of the one of the working directory.

    `on_create` is called before a database is created, which takes some seconds.

    Raises:
        StoreError: the store cannot be reached, read or written.
    """
    project = project or Project.find()
    _keep_out_of_git(project.state)
    return MlflowStore.open(
        project.tracking_uri,
        project.experiment,
        artifacts=project.state / "artifacts",
        on_create=on_create,
        redactor=Redactor.of(project),
    )


def store_trace(trace: Trace, project: Project | None = None) -> str:
    """Keep `trace`, such as `ledger.trace` after a `record()` block, and return its id.

    Raises:
        StoreError: the store does not take it.
    """
    with open_store(project) as store:
        store.write_traces([FiledTrace(trace)])
    return trace.trace_id


def _keep_out_of_git(state: Path) -> None:
    """Runs and stores are no source code. A folder that cannot be written is told later."""
    with suppress(OSError):
        state.mkdir(parents=True, exist_ok=True)
        (state / ".gitignore").write_text("*\n", encoding="utf-8")
