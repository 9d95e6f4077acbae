"""Traces of every kind that a store has to keep."""

from __future__ import annotations

import operator
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypedDict

import pytest
from pydantic import JsonValue

from linenotes.tracing import (
    FiledTrace,
    MlflowStore,
    Span,
    SpanEvent,
    SpanLink,
    SpanType,
    Tokens,
    Trace,
    TraceScore,
    TraceState,
    record,
    trace_id_for,
)

if TYPE_CHECKING:
    from langgraph.graph.state import CompiledStateGraph

MakeFiled = Callable[..., FiledTrace]
OpenCopy = Callable[[str], MlflowStore]
_START = 1_790_000_000_000_000_000
_SECOND = 1_000_000_000
_STATES: tuple[TraceState, ...] = ("OK", "ERROR", "IN_PROGRESS")
_TEXTS = ('{"a": 1}', '"quoted"', "[1]", "[NaN]", "1", "null", "", "{broken", "ünï 🙏\n\x00\u2028")
_ODD = 'O\'Brien "&" <b>/agent.x%_`\\ 小 \N{RIGHT-TO-LEFT OVERRIDE}'


@pytest.fixture(scope="session")
def varied(desk_filed: MakeFiled) -> list[FiledTrace]:
    """Traces of every kind, each under an id of its own."""
    return [
        *(desk_filed(state, 1, state=state) for state in _STATES),
        *_shapes(desk_filed),
        *(FiledTrace(_of_spans(n, *spans)) for n, spans in enumerate(_spans())),
        *(FiledTrace(replace(_of_spans(f"end {n}", *spans), end_ns=None, state="IN_PROGRESS"))
          for n, spans in enumerate(_spans())),
        *_filings(desk_filed),
        FiledTrace(_recorded(), run_id="5" * 32),
    ]  # fmt: skip


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("empty")
    with MlflowStore.open(f"sqlite:///{folder}/mlflow.db", "desk", artifacts=folder):
        return folder / "mlflow.db"


@pytest.fixture
def open_copy(empty_database: Path, tmp_path: Path) -> Iterator[OpenCopy]:
    opened = []

    def open_(name: str) -> MlflowStore:
        path = tmp_path / f"{name}.db"
        shutil.copy(empty_database, path)
        store = MlflowStore.open(f"sqlite:///{path}", "desk", artifacts=tmp_path)
        opened.append(store)
        return store

    yield open_
    for store in opened:
        store.close()


def _shapes(desk_filed: MakeFiled) -> Iterator[FiledTrace]:
    for state in _STATES:
        bare = desk_filed("no spans", 1, run_id=state, state=state)
        yield replace(bare, trace=replace(bare.trace, spans=(), messages=()))
        unlike = desk_filed("unlike its root", run_id=state)
        yield replace(unlike, trace=replace(unlike.trace, state=state))
        free = desk_filed("neither tokens nor spans' time", run_id=state, state=state)
        silent = tuple(replace(m, tokens=Tokens(), cost=None) for m in free.trace.messages)
        begun = free.trace.start_ns + 30_000_000
        spans = tuple(replace(span, attributes={}) for span in free.trace.spans)
        short = replace(free.trace, messages=silent, spans=spans, start_ns=begun)
        yield replace(free, trace=replace(short, end_ns=None if state == "IN_PROGRESS" else begun))
    for text in (*_TEXTS, "long " * 60_000):
        said = desk_filed("text", run_id=text[:99])
        root, *others = said.trace.spans
        root = replace(root, name=text, inputs=text, outputs={"a": text}, attributes={"b": text})
        trace = replace(said.trace, spans=(root, *others), request=text, response=text)
        yield replace(said, trace=replace(trace, name=text[:4_000], case=text, sample=None))
    thread = desk_filed("thread").trace
    yield FiledTrace(replace(thread, trace_id="tr-" + "e" * 32, case=None, thread="thread-" * 50))


def _spans() -> Iterator[tuple[Span, ...]]:
    """What others than the recorder may have recorded."""
    usage: dict[str, JsonValue] = {"input_tokens": 7, "output_tokens": 5, "total_tokens": 12}
    cached: dict[str, JsonValue] = {**usage, "cache_creation_input_tokens": 3}
    said: JsonValue = [{"role": "user", "parts": [{"type": "text", "content": "Hi"}]}]
    yield (
        _span(1, "root", attributes={"mlflow.chat.tokenUsage": cached}),
        _span(2, "leaf", 1, attributes={"mlflow.chat.tokenUsage": usage, "mlflow.llm.cost": {}}),
        _span(3, "priced", 1, attributes={"mlflow.llm.cost": {"total_cost": 0.5, "input_cost": 1}}),
    )
    yield (
        _span(1, "root"),
        _span(2, "known price", 1, "CHAT_MODEL", {
            "gen_ai.usage.input_tokens": 1_000,
            "gen_ai.usage.output_tokens": 100,
            "gen_ai.usage.cache_read.input_tokens": 10,
            "gen_ai.request.model": "gpt-4o-mini",
            "gen_ai.provider.name": "openai",
            "gen_ai.input.messages": said,
            "gen_ai.output.messages": '[{"role": "assistant"}]',
            "gen_ai.tool.definitions": '[{"name": "look_up"}]',
        }),
        _span(3, "named inside", 1, inputs={"model": "m-1"}, outputs={"model": 5}),
        _span(4, "odd", 1, attributes={"mlflow.llm.model": 7, "": None}),
    )  # fmt: skip
    said_by_events = (
        SpanEvent("gen_ai.user.message", _START, {"content": "Hi", "gen_ai.prompt": "Hi"}),
        SpanEvent("gen_ai.content.prompt", _START, {"gen_ai.prompt": "Hi"}),
        SpanEvent("gen_ai.choice", _START, {"content": "Ho", "n": [1.5, True, None, "ü"]}),
    )
    yield (
        replace(_span(1, "spring", attributes={"gen_ai.system": "x"}), events=said_by_events),
        replace(_span(2, "lk", 1, attributes={"lk.input_text": "Hi"}), events=said_by_events),
        _span(
            3, "traceloop", 1, attributes={"traceloop.entity.input": "{}", "llm.model_name": "q"}
        ),
        _span(4, "vercel", 1, attributes={"ai.prompt": "Hi", "ai.response.text": "Ho"}),
        _span(5, "inference", 1, attributes={"input.value": "Hi", "llm.token_count.prompt": 3}),
    )
    links = (SpanLink("0" * 15 + "2", {"relation": "handoff"}), SpanLink("f" * 16))
    yield (
        replace(_span(1, "linked"), links=links, status="ERROR", end_ns=None),
        _span(2, "second root"),
        replace(_span(3, "fell", 2), status="ERROR", end_ns=_START + 9 * _SECOND),
    )
    yield (_span(2, "an orphan", 1), _span(3, "its child", 2))
    yield (_span(1, "root", attributes={"user.id": "u-1", "mlflow.traceTag.team": "banking"}),)
    yield (_span(1, "root", attributes={"session.id": "s-1"}),)
    yield tuple(_span(n, f"one of many {n}", n // 2 or None) for n in range(1, 3_001))


def _filings(desk_filed: MakeFiled) -> Iterator[FiledTrace]:
    values: tuple[bool | float | str | None, ...] = (
        True, False, 1, 0.5, float("nan"), float("inf"), "yes", " No ", "ünï", "", None
    )  # fmt: skip
    scored = desk_filed("scores")
    judged = scored.trace.spans[1].span_id
    scores = (
        *(TraceScore(f"s{n}", value, rationale=_ODD) for n, value in enumerate(values)),
        TraceScore("of a span", value=0.25, span_id=judged),
        TraceScore("failed", value=None, error="ValueError: " + "no " * 900),
        TraceScore("both", value=1.0, error="Warning: a little", rationale=""),
    )
    expected: dict[str, JsonValue] = {
        "dict": {"a": [1, None]}, "list": ["ü"], "none": None, "text": "", "number": 1.5,
    }  # fmt: skip
    yield replace(scored, scores=scores, expectations=expected)
    odd = desk_filed(_ODD)
    spans = tuple(replace(span, name=f"{span.name} {_ODD}") for span in odd.trace.spans)
    named = replace(odd.trace, name=_ODD, spans=spans, case=_ODD * 30, sample=-1)
    yield replace(odd, trace=named, tags={_ODD: _ODD, "empty": "", "long" * 99: "v" * 9_000})
    yield replace(desk_filed("nothing"), prompts=(), run_id=None, model_id=None, version=None)
    paid = desk_filed("paid")
    first, *others = paid.trace.messages
    said = replace(others[0], cost=0.0025)
    yield replace(paid, trace=replace(paid.trace, messages=(first, said, *others[1:])))


def _of_spans(identity: int | str, *spans: Span) -> Trace:
    return Trace(
        trace_id=trace_id_for("of spans", identity),
        name="theirs",
        state="ERROR" if spans[0].status == "ERROR" else "OK",
        start_ns=_START,
        end_ns=_START + _SECOND,
        request="Hi",
        response="Ho",
        spans=spans,
        messages=(),
    )


def _span(
    number: int,
    name: str,
    parent: int | None = None,
    type_: SpanType = "WORKFLOW",
    attributes: dict[str, JsonValue] | None = None,
    *,
    inputs: JsonValue = None,
    outputs: JsonValue = None,
) -> Span:
    return Span(
        span_id=f"{number:016x}",
        parent_id=None if parent is None else f"{parent:016x}",
        name=name,
        type=type_,
        start_ns=_START - number,
        end_ns=_START + 2 * _SECOND,
        inputs=inputs,
        outputs=outputs,
        attributes=attributes or {},
    )


class _Said(TypedDict):
    said: Annotated[list[str], operator.add]


def _recorded() -> Trace:
    with record() as ledger, pytest.raises(TimeoutError):
        _graph().invoke({"said": ["Hi"]})
    return ledger.trace


def _graph() -> CompiledStateGraph[Any, Any, Any, Any]:
    from langchain_core.language_models import FakeListChatModel
    from langgraph.graph import START, StateGraph

    model = FakeListChatModel(responses=["It is blocked.", '{"json": "ü"}'])

    def speak(state: _Said) -> _Said:
        return {"said": [str(model.invoke(state["said"][-1]).content)]}

    def fail(state: _Said) -> _Said:
        raise TimeoutError(f"no answer to {state['said'][-1]}")

    graph = StateGraph(_Said)
    graph.add_node("triage", speak)
    graph.add_node("writer", speak)
    graph.add_node("reviewer", fail)
    for before, after in pairwise((START, "triage", "writer", "reviewer")):
        graph.add_edge(before, after)
    return graph.compile(name="desk")
