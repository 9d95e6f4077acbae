"""The store of a project, and the short ways to keep a trace there and to read one."""

from __future__ import annotations

from collections.abc import Callable

from linenotes.project import Project, RunError
from linenotes.tracing._filed_trace import FiledTrace
from linenotes.tracing._story import joined
from linenotes.tracing._trace import Trace
from linenotes.tracing.export._otlp_exporter import exporting
from linenotes.tracing.live._live_traces import discard_live, find_live, live_traces
from linenotes.tracing.store._mlflow_store import LATEST, MlflowStore

_LONGEST_THREAD = 500
"""Traces; of a longer thread the last ones are read."""


def open_store(
    project: Project | None = None, *, on_create: Callable[[], None] = lambda: None
) -> MlflowStore:
    """Open the MLflow store of `project`, by default of the one of the working directory.

    `on_create` is called before a database is created, which takes some seconds.

    Raises:
        StoreError: the store cannot be reached, read or written.
    """
    project = project or Project.find()
    project.make_state()
    return MlflowStore.open(
        project.tracking_uri,
        project.experiment,
        artifacts=project.state / "artifacts",
        on_create=on_create,
        redactor=project.redactor.refreshed(),
    )


def store_trace(trace: Trace, project: Project | None = None) -> str:
    """Keep `trace`, such as `ledger.trace` after a `record()` block, and return its id.

    It goes to the project's OpenTelemetry collector as well, if there is one.

    Raises:
        StoreError: the store does not take it.
    """
    project = project or Project.find()
    file_trace(FiledTrace(trace), project)
    return trace.trace_id


def file_trace(filed: FiledTrace, project: Project) -> None:
    """Keep a trace in the project's store and send it to its collector, if there is one.

    Raises:
        StoreError: the store does not take it.
    """
    with exporting(project) as export:
        export(filed)
        with open_store(project) as store:
            store.write_traces([filed])
    discard_live(project, filed.trace.trace_id)


def read_trace(name: str, project: Project | None = None) -> Trace:
    """Return the trace whose id is `name` or starts with it, or the newest for `latest`.

    A recording that is under way counts as well.

    What runs, or was running when its process was killed, is in state IN_PROGRESS, and
    `Trace.running` names its agents.

    Raises:
        RunError: no trace or several are meant.
        StoreError: the store did not answer.
    """
    return read_filed_trace(name, project).trace


def read_filed_trace(name: str, project: Project | None = None) -> FiledTrace:
    """Return the trace that `name` means to `read_trace`, with its run, version and scores.

    Raises:
        RunError: no trace or several are meant.
        StoreError: the store did not answer.
    """
    project = project or Project.find()
    if name == LATEST:
        return _latest(project)
    live = find_live(project, name)
    if live is not None and live.alive:
        return FiledTrace(live.trace)
    with open_store(project) as store:
        try:
            return store.read_filed_trace(name)
        except RunError:
            if live is None:
                raise
            return FiledTrace(live.trace)


def read_thread(thread: str, project: Project | None = None) -> Trace:
    """Return the stored traces of a LangGraph thread as one, told as one story.

    Raises:
        RunError: no stored trace belongs to the thread.
        StoreError: the store did not answer.
    """
    project = project or Project.find()
    with open_store(project) as store:
        found = store.find_traces(thread=thread, limit=_LONGEST_THREAD)
        if not found:
            raise RunError(
                f"No trace of a thread {thread!r} is stored. "
                "`linenotes trace list` shows what is; `store_trace` stores a recording."
            )
        return joined([store.read_trace(header.trace_id) for header in reversed(found)])


def _latest(project: Project) -> FiledTrace:
    """Return the trace that began last, stored or not yet."""
    unfinished = [live.trace for live in live_traces(project)][-1:]
    with open_store(project) as store:
        stored = store.find_traces(limit=1)
        if unfinished and (not stored or unfinished[0].start_ns > stored[0].start_ns):
            return FiledTrace(unfinished[0])
        return store.read_filed_trace(LATEST)
