from __future__ import annotations

import pytest

from linenotes.tracing.files._otlp_json import OtlpSpan
from linenotes.tracing.files._otlp_tree import rooted


def span(name: str, parent: str | None = None, *, start: int = 1, failed: bool = False) -> OtlpSpan:
    return OtlpSpan(
        trace_id="a" * 32,
        span_id=name,
        parent_id=parent,
        name=name,
        service=None,
        start_ns=start,
        end_ns=start + 10,
        failed=failed,
        status_message="",
        place="file",
    )


def test_parents_come_before_children_and_siblings_as_they_began() -> None:
    spans = [
        span("late", "top", start=3),
        span("inner", "early"),
        span("early", "top"),
        span("top"),
    ]
    assert [one.name for one in rooted(spans)] == ["top", "early", "inner", "late"]


@pytest.mark.parametrize(
    "spans",
    [
        [span("a"), span("b", start=5)],
        [span("a", "gone"), span("b", "gone", start=5)],
        [span("a"), span("b", "gone", start=5)],
    ],
)
def test_spans_without_a_common_root_get_one_around_them(spans: list[OtlpSpan]) -> None:
    root, first, second = rooted(spans)
    assert (root.parent_id, first.parent_id, second.parent_id) == (None, root.span_id, root.span_id)
    assert (root.start_ns, root.end_ns) == (1, 15)


def test_a_parent_that_the_file_lacks_is_kept_as_an_attribute() -> None:
    _, only = rooted([span("a", "gone")])
    assert only.attributes == {"linenotes.source.parent": "gone"}


def test_a_root_that_was_made_failed_if_a_span_right_under_it_did() -> None:
    assert rooted([span("a", failed=True), span("b")])[0].failed
    assert not rooted([span("a"), span("b"), span("c", "a", failed=True)])[0].failed


def test_spans_that_are_their_own_ancestors_are_no_endless_tree() -> None:
    assert len(rooted([span("a", "b"), span("b", "a")])) == 1
