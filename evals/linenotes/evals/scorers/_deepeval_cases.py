"""What DeepEval's metrics take, made of a sample: its output, tool calls, turns and trace.

Importing this imports DeepEval. `expected_tools` in a case's expectations names the tools that are
expected, as names or as objects with `name`, `input_parameters` and `output`; the rest of the
expectations is the expected output.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import orjson
from deepeval.metrics import BaseConversationalMetric
from deepeval.test_case import ConversationalTestCase, LLMTestCase, ToolCall, Turn

from linenotes.evals.journal._samples import Sample
from linenotes.evals.scorers._tool_calls import tool_uses
from linenotes.tracing import Span, output_text

if TYPE_CHECKING:
    from pydantic import JsonValue

_EXPECTED_TOOLS = "expected_tools"
_TYPES = {"AGENT": "agent", "CHAT_MODEL": "llm", "TOOL": "tool", "RETRIEVER": "retriever"}


def test_case_for(metric: object, sample: Sample) -> LLMTestCase | ConversationalTestCase:
    """Return the kind of test case that the metric takes.

    Raises:
        TypeError: `expected_tools` of the case is no list of tools.
    """
    if isinstance(metric, BaseConversationalMetric):
        return _conversation(sample)
    case = LLMTestCase(
        input=sample.trace.request,
        actual_output=output_text(sample.output),
        expected_output=_expected_text(sample),
        retrieval_context=list(_retrieved(sample)) or None,
        tools_called=_called(sample),
        expected_tools=_expected_tools(sample),
        completion_time=sample.seconds,
        token_cost=sample.ledger.cost,
    )
    if getattr(metric, "requires_trace", False):
        case._trace_dict = _span_tree(sample)  # noqa: SLF001  what DeepEval's own runner sets
    return case


def _conversation(sample: Sample) -> ConversationalTestCase:
    """Return what user and agents said to each other: one turn of each."""
    answer = Turn(
        role="assistant", content=output_text(sample.output), tools_called=_called(sample)
    )
    return ConversationalTestCase(
        turns=[Turn(role="user", content=sample.trace.request), answer],
        expected_outcome=_expected_text(sample),
    )


def _expected_text(sample: Sample) -> str:
    expected = {k: v for k, v in sample.expectations.items() if k != _EXPECTED_TOOLS}
    values = list(expected.values())
    if len(values) == 1 and isinstance(values[0], str):
        return values[0]
    return orjson.dumps(expected, option=orjson.OPT_SORT_KEYS).decode()


def _called(sample: Sample) -> list[ToolCall]:
    return [
        ToolCall(name=use.tool, input_parameters=dict(use.arguments), output=use.result)
        for use in tool_uses(sample.ledger)
    ]


def _expected_tools(sample: Sample) -> list[ToolCall] | None:
    tools = sample.expectations.get(_EXPECTED_TOOLS)
    if tools is None:
        return None
    if not isinstance(tools, list):
        raise TypeError(f"the case's {_EXPECTED_TOOLS!r} is {tools!r}, not a list of tools")
    return [
        ToolCall.model_validate({"name": tool} if isinstance(tool, str) else tool) for tool in tools
    ]


def _retrieved(sample: Sample) -> Iterator[str]:
    """Yield the texts that retrievers found."""
    for span in sample.trace.spans:
        if span.type == "RETRIEVER" and isinstance(span.outputs, list):
            for found in span.outputs:
                text = found.get("page_content") if isinstance(found, Mapping) else found
                yield output_text(text)


def _span_tree(sample: Sample) -> dict[str, JsonValue]:
    """Return the spans nested, as DeepEval's own tracing leaves them."""
    trace = sample.trace
    nodes = {span.span_id: _node(span) for span in trace.spans}
    root: dict[str, JsonValue] = {
        "name": trace.name,
        "type": "agent",
        "input": trace.request,
        "output": output_text(sample.output),
    }
    for span in trace.spans:
        above = root if span.parent_id is None else nodes.get(span.parent_id, root)
        _children(above).append(nodes[span.span_id])
    return root


def _node(span: Span) -> dict[str, JsonValue]:
    return {
        "name": span.name,
        "type": _TYPES.get(span.type, "base"),
        "input": span.inputs,
        "output": span.outputs,
        "children": [],
    }


def _children(node: dict[str, JsonValue]) -> list[JsonValue]:
    found = node.setdefault("children", [])
    assert isinstance(found, list)
    return found
