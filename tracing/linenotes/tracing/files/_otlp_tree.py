"""The spans of one OTLP trace as a tree: under one root, parents before children."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace

from linenotes.tracing.files._otlp_attributes import agent_name
from linenotes.tracing.files._otlp_json import OtlpSpan

_ORIGINAL_PARENT = "linenotes.source.parent"
"""The parent of a span, where the file does not hold it."""


def rooted(spans: Sequence[OtlpSpan]) -> list[OtlpSpan]:
    """Return the spans under one root, parents before children.

    A file may lack the root, or hold parts of several exports: then a root is made around them.
    """
    ids = {span.span_id for span in spans}
    tops = [span for span in spans if span.parent_id not in ids]
    if len(tops) == 1 and tops[0].parent_id is None:
        return _in_order(tops[0], spans)
    loose = {span.span_id for span in tops}
    first = min(tops, key=lambda span: span.start_ns, default=spans[0])
    root = OtlpSpan(
        trace_id=first.trace_id,
        span_id=hashlib.sha256(f"{first.trace_id} root".encode()).hexdigest()[:16],
        parent_id=None,
        name=agent_name(first),
        service=first.service,
        start_ns=min(span.start_ns for span in spans),
        end_ns=max(span.end_ns for span in spans),
        failed=any(span.failed for span in tops),
        status_message="",
        place=first.place,
    )
    return _in_order(root, [root, *(_under(root, s) if s.span_id in loose else s for s in spans)])


def _under(root: OtlpSpan, span: OtlpSpan) -> OtlpSpan:
    kept = {_ORIGINAL_PARENT: span.parent_id} if span.parent_id else {}
    return replace(span, parent_id=root.span_id, attributes={**span.attributes, **kept})


def _in_order(root: OtlpSpan, spans: Sequence[OtlpSpan]) -> list[OtlpSpan]:
    children: dict[str | None, list[OtlpSpan]] = {}
    for span in sorted(spans, key=lambda span: span.start_ns):
        children.setdefault(span.parent_id, []).append(span)
    ordered, waiting = [], [root]
    while waiting:
        span = waiting.pop()
        ordered.append(span)
        waiting += reversed(children.get(span.span_id, []))
    return ordered
