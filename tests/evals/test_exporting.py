"""What an evaluation sends to an OpenTelemetry collector, beside what it stores."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from linenotes.agents import AgentVersion
from linenotes.datasets import Case, Dataset
from linenotes.evals import RunResult, evaluate, find_scorers, run_once, store_execution
from linenotes.tracing import open_store

if TYPE_CHECKING:
    from tests.conftest import Collector

Version = Callable[..., AgentVersion]
Numbers = Callable[[int], Dataset]


@pytest.fixture(params=["http/protobuf", "grpc"])
def collector(
    request: pytest.FixtureRequest,
    collectors: Callable[[str], Collector],
    monkeypatch: pytest.MonkeyPatch,
) -> Collector:
    """A collector that the environment names, as any other program would find it."""
    started = collectors(request.param)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", started.address)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", request.param)
    return started


def test_each_sample_is_in_mlflow_and_once_at_the_collector_with_one_id_and_its_scores(
    collector: Collector, one_node: Version, numbers: Numbers
) -> None:
    version = one_node()
    result = evaluate(version, numbers(3), samples=2)
    stored = _ids(result)
    assert (result.traces.expected, result.traces.stored) == (6, 6)
    with open_store(version.agent.project) as store:
        assert {header.trace_id for header in store.find_traces(run=_run_id(result))} == stored
        assert all(store.read_trace(trace_id).spans for trace_id in stored)
    assert set(collector.trace_ids) == stored
    roots = [span for span in collector.spans if not span.parent_span_id]
    assert len(roots) == 6
    for root in roots:
        (event,) = root.events
        said = {one.key: one.value for one in event.attributes}
        assert event.name == "gen_ai.evaluation.result"
        assert said["gen_ai.evaluation.name"].string_value == "matches_expectations"
        assert said["gen_ai.evaluation.score.label"].string_value == "pass"


@pytest.mark.parametrize("verb", ["run", "eval"])
def test_what_scorers_say_is_redacted_on_its_way_to_the_collector(
    collector: Collector, one_node: Version, verb: str
) -> None:
    key = "sk-proj-" + "a1B2" * 8
    scorers = f"""
from linenotes.evals import Score

def judged(sample):
    return Score("judged", value="{key}", rationale="because of {key}")

def broken(sample):
    raise ValueError("no {key}")
"""
    version = one_node(files={"scorers.py": scorers})
    case = Case(id="c", inputs={"question": 1})
    specs = ["scorers.py:judged", "scorers.py:broken"]
    if verb == "run":
        execution = run_once(
            version, case, scorers=find_scorers(specs, version.agent.project), durable=True
        )
        assert key not in str(execution)
        store_execution(execution, version, version.agent.project)
    else:
        evaluate(version, Dataset("one", (case,)), specs, samples=1)
    sent = str(collector.requests)
    assert "judged" in sent
    assert "[secret:openai-key:" in sent
    assert key not in sent


def test_a_run_that_is_resumed_sends_nothing_again(
    collector: Collector, one_node: Version, numbers: Numbers
) -> None:
    from linenotes.evals import Evaluation

    version = one_node()
    result = evaluate(version, numbers(2), samples=1)
    Evaluation(version.agent.project).resume(_run_id(result))
    assert len([span for span in collector.spans if not span.parent_span_id]) == 2


def test_what_the_infrastructure_failed_is_sent_when_it_has_been_executed_again(
    collector: Collector, one_node: Version, numbers: Numbers, tmp_path: Path
) -> None:
    from linenotes.evals import Evaluation

    node = f"""
from pathlib import Path

def answer(state):
    if state["question"] == 1 and not Path({str(tmp_path / "up")!r}).exists():
        raise ConnectionError("the network is down")
    return {{"answer": state["question"]}}
"""
    version = one_node(node)
    result = evaluate(version, numbers(3), samples=1)
    assert len(collector.trace_ids) == 2
    (tmp_path / "up").touch()
    Evaluation(version.agent.project).resume(_run_id(result), retry_errors=True)
    assert set(collector.trace_ids) == _ids(result)
    roots = [span.trace_id for span in collector.spans if not span.parent_span_id]
    assert len(roots) == len(set(roots)) == 3


@pytest.mark.parametrize("collector", ["grpc"], indirect=True)
def test_a_run_ends_before_its_collector_answers_and_loses_nothing_here(
    collector: Collector, one_node: Version, numbers: Numbers, caplog: pytest.LogCaptureFixture
) -> None:
    collector.answers.clear()
    result = evaluate(one_node(), numbers(3), samples=2)
    assert not collector.answers.is_set()
    assert (result.traces.expected, result.traces.stored) == (6, 6)
    warning = _warning(caplog)
    assert "did not get 6 of 6 traces: it does not answer." in warning
    assert f"`linenotes trace export --run {_run_id(result)}`." in warning


def test_a_collector_that_refuses_costs_one_warning_and_no_trace_here(
    collector: Collector,
    one_node: Version,
    numbers: Numbers,
    caplog: pytest.LogCaptureFixture,
    request: pytest.FixtureRequest,
) -> None:
    import grpc  # type: ignore[import-untyped]

    by_grpc = "grpc" in request.node.name
    collector.refusal = grpc.StatusCode.INVALID_ARGUMENT if by_grpc else 400
    result = evaluate(one_node(), numbers(3), samples=2)
    assert (result.traces.expected, result.traces.stored) == (6, 6)
    warning = _warning(caplog)
    assert "did not get 6 of 6 traces: " in warning
    assert collector.address in warning


def test_a_collector_that_is_down_costs_one_warning_and_no_trace_here(
    one_node: Version,
    numbers: Numbers,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
    result = evaluate(one_node(), numbers(3), samples=2)
    assert (result.traces.expected, result.traces.stored) == (6, 6)
    warning = _warning(caplog)
    assert "http://127.0.0.1:1/v1/traces did not get 6 of 6 traces: " in warning


def test_without_a_collector_no_thread_is_started(one_node: Version, numbers: Numbers) -> None:
    before = set(threading.enumerate())
    evaluate(one_node(), numbers(2), samples=1)
    assert "otlp" not in {thread.name for thread in set(threading.enumerate()) - before}


def _warning(caplog: pytest.LogCaptureFixture) -> str:
    (told,) = [
        record.getMessage()
        for record in caplog.records
        if record.levelno >= logging.WARNING
        and record.name.startswith(("linenotes", "opentelemetry", "urllib3", "grpc"))
    ]
    return told


def _ids(result: RunResult) -> set[str]:
    return {sample.trace.trace_id for sample in result.record.samples.values()}


def _run_id(result: RunResult) -> str:
    return result.record.plan.run_id
