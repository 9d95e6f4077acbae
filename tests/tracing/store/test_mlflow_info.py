"""What MLflow's lists know of a trace."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from linenotes.tracing import FiledTrace, Trace
from linenotes.tracing.store._mlflow_info import trace_info


@pytest.mark.parametrize(
    ("case", "thread", "session"),
    [("c1", None, "c1"), ("c1", "t1", "c1"), (None, "t1", "t1"), (None, None, None)],
)
def test_a_session_is_the_case_or_else_the_thread(
    case: str | None, thread: str | None, session: str | None, desk_trace: Callable[..., Trace]
) -> None:
    trace = replace(desk_trace(), case=case, thread=thread)
    info = trace_info(FiledTrace(trace), "1")
    assert info.trace_metadata.get("mlflow.trace.session") == session
