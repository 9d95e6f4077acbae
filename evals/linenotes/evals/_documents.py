"""The JSON contract: what the commands print with `--json`, one model a document.

The schemas in `schemas/` are generated from these models, so what is documented is what is
printed. A key keeps its meaning within a `schema_version`; keys may be added.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib import resources
from importlib.resources.abc import Traversable
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, TypeAdapter

from linenotes.tracing import Focus, MessageKind, TraceState, shares, span_tree

if TYPE_CHECKING:
    from linenotes.evals._comparison import RunComparison
    from linenotes.evals._once import Execution
    from linenotes.evals._results import RunResult
    from linenotes.tracing import (
        Branch,
        LiveTrace,
        Message,
        OtlpTarget,
        Resent,
        Share,
        Tokens,
        Trace,
        TraceHeader,
    )

Speaks = Literal["population", "dataset"]
Document = dict[str, JsonValue]


class _Part(BaseModel):
    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        use_attribute_docstrings=True,
        json_schema_serialization_defaults_required=True,
    )

    def dump(self) -> Document:
        """Return the document as plain JSON values."""
        return self.model_dump(mode="json")


class DatasetDocument(_Part):
    """The cases that were selected."""

    name: str
    digest: str
    """The sha256 of the selected cases: their version."""


class ErrorsDocument(_Part):
    """Samples that failed, by whose failure it was."""

    infrastructure: int
    """Not scored: timeouts, lost connections, rate limits that outlived the retries."""
    agent: int
    """The agent's own exceptions; failures where the metric is a pass or a failure."""
    scorer: int
    """Executed, and without a score."""


class IntervalDocument(_Part):
    """A mean over cases with its 95% interval; null where it cannot be measured."""

    mean: float | None
    low: float | None
    high: float | None
    target: Speaks
    """What the interval speaks of: cases like these, or exactly these cases."""


class MetricDocument(IntervalDocument):
    """One metric of a run."""

    pass_hat: dict[str, IntervalDocument] | None
    """`pass^1`, `pass^2`, …: the chance that all of k samples of a case pass, for k up to the
    fewest that a case has. Null where the metric is no rate, or there is one sample a case."""
    pass_at: dict[str, IntervalDocument] | None
    """`pass@1`, `pass@2`, …: the chance that at least one of k samples of a case passes."""


class TracesDocument(_Part):
    """Traces that should be in the store, and that are."""

    expected: int
    stored: int


class RunDocument(_Part):
    """One version of an agent against one dataset."""

    schema_version: Literal[1] = 1
    run_id: str
    agent: str
    version: str
    fingerprint: str
    """Equal for versions that behave alike."""
    dataset: DatasetDocument
    n: int
    """Cases."""
    samples: int
    """K: executions of each case."""
    scored: int
    """Samples with a value of the first metric."""
    errors: ErrorsDocument
    metrics: dict[str, MetricDocument]
    """By name, the primary metric first."""
    calls: int
    """Model calls."""
    tokens: int
    cost: float | None
    """US dollars of the calls with a known price; null where none has one."""
    unpriced_calls: int
    """Model calls without a known price, which are not in `cost`."""
    wall_seconds: float
    traces: TracesDocument


class ComparisonDocument(_Part):
    """Two runs on one metric, paired by case."""

    schema_version: Literal[1] = 1
    metric: str
    base: str
    """The id of the run."""
    candidate: str
    base_version: str
    candidate_version: str
    n: int
    """Cases that both runs have."""
    delta: float | None
    """Candidate less base; null without a common case."""
    low: float | None
    high: float | None
    target: Speaks
    margin: float
    """The drop that a pass rules out."""
    verdict: Literal["pass", "fail", "inconclusive", "cannot measure"]
    detectable_change: float | None
    """What the suite detects with 80% power."""
    improved: int
    """Cases whose mean rose."""
    worsened: int
    unchanged: int
    only_in_base: list[str]
    """Cases that are left out."""
    only_in_candidate: list[str]
    method: str
    differences: list[str]
    """What sets the versions apart."""


class EvaluationDocument(RunDocument):
    """`eval --json` for one version."""

    baseline: RunDocument | None
    """The agent's baseline, where it has one."""
    comparisons: list[ComparisonDocument]


class VersionsDocument(_Part):
    """`eval --json` for several versions."""

    schema_version: Literal[1] = 1
    runs: list[RunDocument]
    comparisons: list[ComparisonDocument]


class ImportDocument(RunDocument):
    """`trace import --json`."""

    cases: int
    """Tasks of the file."""
    conversations: int
    """Trials of all tasks together."""
    file: str
    again: bool
    """True when the same file had been imported before, so that nothing was added."""


class TokensDocument(_Part):
    """Tokens of one model call."""

    input: int
    output: int
    cached: int
    """The part of `input` that the provider had in its cache."""
    reasoning: int
    """The part of `output` that was thought and not said."""


class MessageDocument(_Part):
    """Who said what to whom, and why."""

    id: str
    kind: MessageKind
    sender: str
    recipients: list[str]
    seen_by: list[str]
    """Who read it later."""
    cause: list[str]
    """Ids of the messages that this one answers."""
    text: str
    content: JsonValue = Field(description="What the text does not say: blocks, arguments, payload")
    tool_call_id: str | None
    sampled: bool
    """True when a model said it, false when code wrote it."""
    model: str | None
    tokens: TokensDocument
    cost: float | None
    """US dollars; null where the price is not known."""
    start_ns: int
    """Nanoseconds since the epoch; 0 where nobody knows."""
    end_ns: int
    step: int | None
    """The superstep of the graph."""
    activation: str | None
    """Tells two instances of one actor apart."""


class ActorDocument(_Part):
    """What one actor did and cost."""

    actor: str
    role: Literal["user", "agent", "tool"]
    sent: int
    received: int
    calls: int
    """Model calls."""
    tokens: TokensDocument
    cost: float | None
    seconds: float


class SpanDocument(_Part):
    """One unit of work."""

    id: str
    parent: str | None
    name: str
    type: str
    status: str
    running: bool
    start_ns: int
    seconds: float | None
    errors: list[str]
    """What went wrong right here."""


class TraceDocument(_Part):
    """`trace show --json`."""

    schema_version: Literal[1] = 1
    trace_id: str
    agent: str
    state: TraceState
    case: str | None
    sample: int | None
    request: str
    response: str
    error: str | None
    start_ns: int
    seconds: float | None
    """Null while it runs."""
    tokens: TokensDocument
    cost: float | None
    messages: list[MessageDocument]
    """As chosen with --depth and --actor; plumbing is among them."""
    actors: list[ActorDocument]
    spans: list[SpanDocument]
    """Parents before children."""


class TraceHeaderDocument(_Part):
    """One trace in a list."""

    trace_id: str
    agent: str
    state: TraceState
    case: str | None
    sample: int | None
    version: str | None
    run_id: str | None
    start_ns: int
    seconds: float | None
    """Null while it runs."""
    tokens: int
    cost: float | None
    agents: list[str]
    """The agents inside."""
    request: str
    """The start of what the user asked."""
    response: str
    error: str | None


class TraceListDocument(_Part):
    """`trace list --json`."""

    schema_version: Literal[1] = 1
    traces: list[TraceHeaderDocument]
    """Newest first."""


class LiveTraceDocument(_Part):
    """A recording that was not stored, as far as it had come."""

    trace_id: str
    agent: str
    case: str | None
    sample: int | None
    messages: int
    """How many had been said."""
    running: list[str]
    """The agents that had not ended."""
    last_heard: str
    """When, as ISO 8601 in UTC."""


class DoctorDocument(_Part):
    """`trace doctor --json`."""

    schema_version: Literal[1] = 1
    abandoned: list[LiveTraceDocument]
    """Those whose process has ended."""
    closed: bool
    """Whether they are in the store now; false with `--dry-run`."""
    alive: list[LiveTraceDocument]
    """Those that go on, and are left alone."""


class ExecutionDocument(_Part):
    """`run --json`."""

    schema_version: Literal[1] = 1
    trace_id: str
    output: JsonValue = Field(description="The graph's last state; null when it did not finish.")
    error: str | None
    cost: float | None
    """US dollars of the calls with a known price; null where none has one."""
    messages: list[MessageDocument]


class TraceExportDocument(_Part):
    """Which stored traces a collector took."""

    schema_version: Literal[1] = 1
    endpoint: str
    """The collector's address, without a password."""
    protocol: Literal["grpc", "http/protobuf"]
    sent: list[str]
    """Ids of traces."""
    not_sent: list[str]
    reason: str | None
    """Why the last of those that were not sent did not arrive."""


_PRINTED = {
    "eval": TypeAdapter[BaseModel](EvaluationDocument | VersionsDocument),
    "compare": TypeAdapter[BaseModel](ComparisonDocument),
    "trace-import": TypeAdapter[BaseModel](ImportDocument),
    "trace-show": TypeAdapter[BaseModel](TraceDocument),
    "trace-list": TypeAdapter[BaseModel](TraceListDocument),
    "trace-doctor": TypeAdapter[BaseModel](DoctorDocument),
    "trace-export": TypeAdapter[BaseModel](TraceExportDocument),
    "run": TypeAdapter[BaseModel](ExecutionDocument),
}
DOCUMENTS = tuple(_PRINTED)
"""The names of the documents: the commands that print them."""


def json_schema(command: str) -> str:
    """Return the JSON schema of what `command` prints, such as `eval` or `trace-show`."""
    schema = _PRINTED[command].json_schema(mode="serialization")
    dialect = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    return json.dumps({**dialect, **schema}, indent=2) + "\n"


def json_schema_file(command: str) -> Traversable:
    """Return the file that is shipped, such as `schemas/eval.schema.json`."""
    return resources.files("linenotes.evals").joinpath("schemas", f"{command}.schema.json")


def evaluation_document(
    results: Sequence[RunResult], comparisons: Sequence[RunComparison]
) -> Document:
    """Return what `eval` prints: one version flat with its baseline, several as a list of runs."""
    compared: list[JsonValue] = [comparison.document() for comparison in comparisons]
    versions = [result for result in results if not result.record.plan.baseline]
    if len(versions) > 1:
        runs: list[JsonValue] = [result.document() for result in results]
        return {"schema_version": 1, "runs": runs, "comparisons": compared}
    baseline = next((r.document() for r in results if r.record.plan.baseline), None)
    return {**versions[0].document(), "baseline": baseline, "comparisons": compared}


def trace_document(trace: Trace, focus: Focus | None = None) -> Document:
    """Return what `trace show` prints of `trace`, as far as it is in `focus`.

    Raises:
        RunError: `focus` names an actor that takes no part.
    """
    focus = focus or Focus(plumbing=True)
    actors = shares(trace.ledger, depth=focus.depth)
    return TraceDocument(
        trace_id=trace.trace_id,
        agent=trace.name,
        state=trace.state,
        case=trace.case,
        sample=trace.sample,
        request=trace.request,
        response=trace.response,
        error=trace.error,
        start_ns=trace.start_ns,
        seconds=None if trace.end_ns is None else (trace.end_ns - trace.start_ns) / 1e9,
        tokens=_tokens(trace.ledger.tokens),
        cost=trace.ledger.cost,
        messages=_messages(focus.apply(trace.ledger).messages),
        actors=[_actor(share) for share in actors if focus.shows(share.actor)],
        spans=[_span(branch) for branch in span_tree(trace, focus)],
    ).dump()


def trace_list_document(traces: Sequence[TraceHeader]) -> Document:
    """Return what `trace list` prints."""
    return TraceListDocument(traces=[_header(trace) for trace in traces]).dump()


def doctor_document(
    abandoned: Sequence[LiveTrace], alive: Sequence[LiveTrace], *, closed: bool
) -> Document:
    """Return what `trace doctor` prints."""
    return DoctorDocument(
        abandoned=[_live(one) for one in abandoned],
        closed=closed,
        alive=[_live(one) for one in alive],
    ).dump()


def _live(live: LiveTrace) -> LiveTraceDocument:
    trace = live.trace
    return LiveTraceDocument(
        trace_id=trace.trace_id,
        agent=trace.name,
        case=trace.case,
        sample=trace.sample,
        messages=len(trace.messages),
        running=list(trace.running),
        last_heard=datetime.fromtimestamp(live.heard_ns / 1e9, UTC).isoformat(),
    )


def trace_export_document(target: OtlpTarget, resent: Resent) -> Document:
    """Return what `trace export` prints."""
    return TraceExportDocument(
        endpoint=target.shown,
        protocol=target.protocol,
        sent=list(resent.sent),
        not_sent=list(resent.not_sent),
        reason=resent.reason,
    ).dump()


def execution_document(execution: Execution) -> Document:
    """Return what `run` prints."""
    sample = execution.sample
    return ExecutionDocument(
        trace_id=sample.trace.trace_id,
        output=sample.output,
        error=str(sample.error) if sample.error else None,
        cost=sample.ledger.cost,
        messages=_messages(sample.ledger.messages),
    ).dump()


def _messages(messages: Sequence[Message]) -> list[MessageDocument]:
    return [
        MessageDocument(
            id=message.id,
            kind=message.kind,
            sender=message.sender,
            recipients=list(message.recipients),
            seen_by=list(message.seen_by),
            cause=list(message.cause),
            text=message.text,
            content=message.content,
            tool_call_id=message.tool_call_id,
            sampled=message.sampled,
            model=message.model,
            tokens=_tokens(message.tokens),
            cost=message.cost,
            start_ns=message.start_ns,
            end_ns=message.end_ns,
            step=message.step,
            activation=message.activation,
        )
        for message in messages
    ]


def _tokens(tokens: Tokens) -> TokensDocument:
    return TokensDocument(
        input=tokens.input,
        output=tokens.output,
        cached=tokens.cached,
        reasoning=tokens.reasoning,
    )


def _actor(share: Share) -> ActorDocument:
    return ActorDocument(
        actor=share.actor,
        role=share.role,
        sent=share.sent,
        received=share.received,
        calls=share.calls,
        tokens=_tokens(share.tokens),
        cost=share.cost,
        seconds=round(share.seconds, 6),
    )


def _span(branch: Branch) -> SpanDocument:
    return SpanDocument(
        id=branch.span.span_id,
        parent=branch.span.parent_id,
        name=branch.span.name,
        type=branch.span.type,
        status=branch.span.status,
        running=branch.running,
        start_ns=branch.span.start_ns,
        seconds=branch.seconds,
        errors=list(branch.errors),
    )


def _header(trace: TraceHeader) -> TraceHeaderDocument:
    return TraceHeaderDocument(
        trace_id=trace.trace_id,
        agent=trace.name,
        state=trace.state,
        case=trace.case,
        sample=trace.sample,
        version=trace.version,
        run_id=trace.run_id,
        start_ns=trace.start_ns,
        seconds=trace.duration,
        tokens=trace.tokens,
        cost=trace.cost,
        agents=list(trace.agents),
        request=trace.request,
        response=trace.response,
        error=trace.error,
    )
