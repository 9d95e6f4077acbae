from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from linenotes.project import Project, RunError, Settings
from linenotes.tracing import (
    FiledTrace,
    Ledger,
    Trace,
    TraceScore,
    file_trace,
    read_filed_trace,
    read_trace,
    record,
    store_trace,
)

MakeTrace = Callable[..., Trace]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.delenv("LINENOTES_STATE", raising=False)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    (tmp_path / "pyproject.toml").touch()
    monkeypatch.chdir(tmp_path)
    return Project(root=tmp_path, settings=Settings())


def test_the_latest_trace_is_stored_or_still_running(
    project: Project, desk_trace: MakeTrace
) -> None:
    with pytest.raises(RunError, match="latest"):
        read_trace("latest", project)
    stored = replace(desk_trace(), start_ns=10**18, end_ns=10**18 + 10**9)  # long ago
    store_trace(stored, project)
    assert read_trace("latest", project) == stored
    with record(durable=True, trace_id="tr-" + "a" * 32):
        pass  # it has ended, and nobody has kept it
    assert read_trace("latest", project).trace_id == "tr-" + "a" * 32


def test_a_trace_is_read_with_its_scores(project: Project, desk_trace: MakeTrace) -> None:
    filed = FiledTrace(desk_trace(), scores=(TraceScore("right", value=True),))
    file_trace(filed, project)
    assert read_filed_trace("latest", project).scores == filed.scores
    assert read_filed_trace(filed.trace.trace_id, project).scores == filed.scores


def test_a_ledger_is_read_where_traces_are_stored(project: Project, desk_trace: MakeTrace) -> None:
    trace = desk_trace()
    store_trace(trace, project)
    assert Ledger.from_trace(trace.trace_id[:10]) == Ledger.from_trace("latest") == trace.ledger
    assert not (project.root / "mlflow.db").exists()
