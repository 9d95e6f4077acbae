from __future__ import annotations

from dataclasses import replace

from linenotes.tracing import (
    Focus,
    Incident,
    Message,
    Span,
    SpanEvent,
    Trace,
    as_told,
    incidents,
)


def boom(at: int) -> SpanEvent:
    return SpanEvent("exception", at, {"exception.type": "E", "exception.message": "boom"})


def nested(*events: tuple[SpanEvent, ...]) -> Trace:
    """A graph, an agent in it, and a tool that the agent called, with an event or none each."""
    root, agent, tool = (
        Span("1", None, "graph", "WORKFLOW", 0, 9, "ERROR", events=events[0]),
        Span("2", "1", "lead", "AGENT", 0, 9, attributes={"gen_ai.agent.name": "team/lead"},
             events=events[1]),
        Span("3", "2", "search", "TOOL", 0, 9, events=events[2]),
    )  # fmt: skip
    messages = tuple(
        Message(id=str(end), kind="reply", sender="team/lead", text=str(end), end_ns=end)
        for end in (2, 4, 6)
    )
    return Trace("tr-1", "graph", "ERROR", 0, 9, "", "", (root, agent, tool), messages)


def test_an_error_belongs_to_the_tool_or_agent_where_it_happened() -> None:
    assert [i.actor for i in incidents(nested((), (boom(5),), ()))] == ["team/lead"]
    assert [i.actor for i in incidents(nested((), (), (boom(5),)))] == ["search"]
    assert [i.actor for i in incidents(nested((boom(5),), (), ()))] == [None]


def test_an_exception_that_every_span_above_repeats_is_one_error() -> None:
    found = incidents(nested((boom(7),), (boom(6),), (boom(5),)))
    assert [(i.actor, i.text, i.time_ns) for i in found] == [("search", "E: boom", 5)]


def test_an_error_that_no_span_tells_of_is_told_at_the_end() -> None:
    trace = replace(nested((), (), ()), error="KeyError: 'x'")
    assert as_told(trace)[-1] == Incident("error", None, "KeyError: 'x'", 9)


def test_an_error_stands_after_what_was_said_before_it() -> None:
    told = as_told(nested((), (), (boom(5),)))
    assert [item.text for item in told] == ["2", "4", "E: boom", "6"]


def test_an_error_inside_an_actor_is_that_actors_at_a_depth() -> None:
    trace = nested((), (boom(5),), ())
    (error,) = (i for i in as_told(trace, Focus(depth=1)) if isinstance(i, Incident))
    assert error.actor == "team"


def test_errors_of_others_are_out_of_focus() -> None:
    told = as_told(nested((), (), (boom(5),)), Focus(actor="lead"))
    assert not any(isinstance(item, Incident) for item in told)


def test_a_question_to_a_person_is_no_error() -> None:
    ask = SpanEvent("interrupt", 5, {"linenotes.interrupt.value": "May I?"})
    (incident,) = incidents(nested((), (ask,), ()))
    assert (incident.kind, incident.text) == ("interrupt", "May I?")
