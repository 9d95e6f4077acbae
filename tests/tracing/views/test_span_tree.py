from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from linenotes.tracing import Branch, Focus, Span, SpanEvent, Trace, span_tree

MakeTrace = Callable[..., Trace]


def drawn(branches: tuple[Branch, ...]) -> list[str]:
    return ["  " * branch.level + branch.span.name for branch in branches]


def test_spans_stand_under_their_parents_in_the_order_in_which_they_began(
    desk_trace: MakeTrace,
) -> None:
    assert drawn(span_tree(desk_trace())) == [
        "support_desk",
        "  triage",
        "    chat smollm2-135m",
        "    triage → specialist",
        "  specialist",
        "    chat smollm2-135m",
        "    find_account",
        "  reviewer",
        "    chat smollm2-135m",
        "  desk",
    ]


def test_a_branch_knows_whether_another_follows(desk_trace: MakeTrace) -> None:
    tree = span_tree(desk_trace())
    assert tree[-1].last == (True, True)
    assert tree[2].last == (True, False, False)
    assert tree[3].last == (True, False, True)


def test_an_error_stands_where_it_happened(desk_trace: MakeTrace) -> None:
    failed = [b for b in span_tree(desk_trace(state="ERROR")) if b.span.name == "desk"]
    assert failed[0].errors == ("TimeoutError: no answer in 60 s",)


def test_only_the_unfinished_runs(desk_trace: MakeTrace) -> None:
    tree = span_tree(desk_trace(state="IN_PROGRESS"))
    running = [(b.span.name, b.seconds) for b in tree if b.running]
    assert running == [("support_desk", None), ("desk", None)]


def test_an_agent_below_the_depth_goes_with_all_that_is_under_it(desk_trace: MakeTrace) -> None:
    trace = desk_trace()
    deep = [
        replace(s, attributes={**s.attributes, "gen_ai.agent.name": "team/specialist"})
        if s.name == "specialist"
        else s
        for s in trace.spans
    ]
    names = drawn(span_tree(replace(trace, spans=tuple(deep)), Focus(depth=1)))
    assert "  specialist" not in names
    assert "    find_account" not in names
    assert len(span_tree(trace, Focus(depth=1))) == len(trace.spans)


def test_of_one_actor_its_own_spans_and_the_way_to_them_stay(desk_trace: MakeTrace) -> None:
    assert drawn(span_tree(desk_trace(), Focus(actor="find_account"))) == [
        "support_desk",
        "  specialist",
        "    find_account",
    ]


def test_a_span_whose_parent_is_not_there_stands_at_the_top() -> None:
    spans = (Span("2", "1", "lost", "TOOL", 5, 6), Span("3", "2", "child", "TOOL", 5, 6))
    trace = Trace("tr-1", "x", "OK", 0, 9, "", "", spans, ())
    assert drawn(span_tree(trace)) == ["lost", "  child"]


def test_a_question_is_no_error() -> None:
    asked = SpanEvent("interrupt", 5, {"linenotes.interrupt.value": "May I?"})
    span = Span("2", None, "a", "AGENT", 1, 6, events=(asked,))
    (branch,) = span_tree(Trace("tr-1", "x", "IN_PROGRESS", 0, 9, "", "", (span,), ()))
    assert (branch.errors, branch.questions) == ((), ("May I?",))
