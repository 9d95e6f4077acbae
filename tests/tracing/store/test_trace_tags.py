from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from linenotes.tracing import (
    FiledTrace,
    Message,
    MlflowStore,
    Span,
    Trace,
    TraceHeader,
    TraceState,
)

MakeTrace = Callable[..., Trace]
MakeFiled = Callable[..., FiledTrace]


@pytest.mark.parametrize(
    "wanted",
    [
        {"agent": "specialist"},
        {"agent": "support_desk"},
        {"tool": "find_account"},
        {"handoff": ("triage", "specialist")},
        {"handoff": ("triage", "reviewer")},
        {"case": "found"},
        {"run": "f0" * 16},
        {"run": "f0f0f0"},
        {"version": "triage@2"},
        {"state": "OK"},
        {"agent": "desk", "tool": "find_account", "case": "found", "state": "OK"},
    ],
)
def test_a_trace_is_found_by_what_it_holds(
    store: MlflowStore, desk_filed: MakeFiled, wanted: dict[str, str]
) -> None:
    filed = desk_filed("found", run_id="f0" * 16)
    store.write_traces([filed])
    found = _ids(store.find_traces(**wanted, limit=10_000))  # type: ignore[arg-type]
    assert filed.trace.trace_id in found


@pytest.mark.parametrize(
    "wanted",
    [
        {"agent": "find_account"},
        {"tool": "triage"},
        {"handoff": ("specialist", "triage")},
        {"error": "TimeoutError"},
        {"case": "foun"},
        {"run": "0f0f"},
        {"version": "triage"},
        {"state": "ERROR"},
        {"agent": "desk", "case": "another"},
    ],
)
def test_a_trace_is_not_found_by_what_it_lacks(
    store: MlflowStore, desk_filed: MakeFiled, wanted: dict[str, str]
) -> None:
    filed = desk_filed("found", run_id="f0" * 16)
    store.write_traces([filed])
    found = _ids(store.find_traces(**wanted, limit=10_000))  # type: ignore[arg-type]
    assert filed.trace.trace_id not in found


def test_a_trace_is_found_by_its_error(store: MlflowStore, desk_trace: MakeTrace) -> None:
    failed = desk_trace("failed", run_id="by error", state="ERROR")
    bare = replace(failed, trace_id="tr-" + "e" * 32, spans=(), error="ValueError: no: such")
    store.write_traces([FiledTrace(failed), FiledTrace(bare)])
    assert failed.trace_id in _ids(store.find_traces(error="TimeoutError"))
    (header,) = store.find_traces(error="ValueError")
    assert (header.trace_id, header.error) == (bare.trace_id, "ValueError: no: such")


def test_agents_in_graphs_of_their_own_are_found_by_their_names(
    store: MlflowStore, desk_trace: MakeTrace
) -> None:
    said = Message(
        id="m1", kind="handoff", sender="team/lead", recipients=("team/scribe",), text="Write."
    )
    trace = replace(desk_trace("nested", run_id="nested"), messages=(said,))
    store.write_traces([FiledTrace(trace)])
    assert _ids(store.find_traces(handoff=("lead", "scribe"))) == [trace.trace_id]
    assert _ids(store.find_traces(handoff=("team/lead", "team/scribe"))) == [trace.trace_id]


@pytest.mark.parametrize("name", ["Dr. `O'Brien`", 'the "best" (#1)', "Prüfer/日本", "x" * 400])
def test_names_that_no_tag_can_hold_are_found(
    store: MlflowStore, desk_trace: MakeTrace, name: str
) -> None:
    trace = desk_trace("names", run_id=name)
    root, *others = trace.spans
    tool = Span("99".zfill(16), root.span_id, name, "TOOL", root.start_ns, root.end_ns)
    trace = replace(trace, spans=(root, *others, tool))
    store.write_traces([FiledTrace(trace)])
    assert _ids(store.find_traces(tool=name)) == [trace.trace_id]


@pytest.mark.parametrize("case", ["it's", 'the "best"', 'it\'s "it"', "a; -- b", "50% _"])
def test_cases_with_quotes_are_found(store: MlflowStore, desk_trace: MakeTrace, case: str) -> None:
    trace = desk_trace(case, run_id="quotes")
    store.write_traces([FiledTrace(trace)])
    assert _ids(store.find_traces(case=case)) == [trace.trace_id]


def test_the_newest_come_first_and_no_more_than_asked_for(
    store: MlflowStore, desk_trace: MakeTrace
) -> None:
    trace = desk_trace("order", run_id="order")
    traces = [
        replace(trace, trace_id=f"tr-{'0d' * 15}{n:02x}", start_ns=trace.start_ns + n * 10**9)
        for n in range(5)
    ]
    store.write_traces([FiledTrace(one) for one in traces])
    found = _ids(store.find_traces(case="order", limit=3))
    assert found == [one.trace_id for one in reversed(traces[2:])]


@pytest.mark.parametrize("state", ["OK", "ERROR", "IN_PROGRESS"])
def test_a_header_says_what_its_trace_says(
    store: MlflowStore, desk_filed: MakeFiled, state: TraceState
) -> None:
    filed = desk_filed("header", 2, run_id="fd" * 16, state=state)
    trace = filed.trace
    store.write_traces([filed])
    (header,) = store.find_traces(case="header", state=state)
    assert header == TraceHeader(
        trace_id=trace.trace_id,
        name="support_desk",
        state=state,
        start_ns=trace.start_ns,
        duration=None if state == "IN_PROGRESS" else 0.9,
        case="header",
        sample=2,
        version="triage@2",
        run_id="fd" * 16,
        request=trace.request,
        response=header.response,
        agents=("desk", "reviewer", "specialist", "triage"),
        tokens=trace.ledger.tokens.total,
        cost=None,
        error=trace.error,
    )


def test_a_header_of_a_trace_that_something_else_wrote_says_what_is_known(
    store: MlflowStore,
) -> None:
    from mlflow.entities import TraceInfo, TraceLocation
    from mlflow.entities import TraceState as MlflowState
    from mlflow.tracing.client import TracingClient

    info = TraceInfo(
        trace_id="tr-" + "a1" * 16,
        trace_location=TraceLocation.from_experiment_id(store.experiment_id),
        request_time=1_790_000_000_000,
        state=MlflowState.OK,
        trace_metadata={"mlflow.sourceRun": "a1b2"},
    )
    TracingClient(store.tracking_uri).start_trace(info)
    (header,) = store.find_traces(run="a1b2")
    assert (header.name, header.case, header.agents, header.tokens) == ("", None, (), 0)


def _ids(headers: list[TraceHeader]) -> list[str]:
    return [header.trace_id for header in headers]
