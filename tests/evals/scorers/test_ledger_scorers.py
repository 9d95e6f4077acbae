from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from linenotes.evals import Sample, Score
from linenotes.evals.scorers import at_most_handoffs, handoffs, no_loop, no_unread, talked_to
from linenotes.project import ScorerError
from linenotes.tracing import Span

DESK = (
    "input user → triage: my card is gone",
    "handoff triage → specialist: over to you",
    "call specialist → search: search()",
    "result search → specialist: block it",
    "specialist → reviewer: we block it",
    "reviewer → user: it is blocked",
)


def test_talked_to_names_the_messages(
    conversation: Callable[..., Sample], judged: Callable[..., Score]
) -> None:
    sample = conversation(*DESK)
    score = judged(talked_to("triage", "specialist"), sample)
    assert (score.name, score.value) == ("talked_to", True)
    assert score.rationale == "triage talked to specialist: #2 triage → specialist."
    other = judged(talked_to("triage", "reviewer"), sample)
    assert other.value is False
    assert other.rationale == (
        "triage did not talk to reviewer: triage said only #2 triage → specialist."
    )
    nobody = judged(talked_to("billing", "reviewer"), sample)
    assert nobody.rationale == "billing did not talk to reviewer: billing said nothing."


def test_talked_to_counts_those_who_read_a_message_later_and_no_acknowledgements(
    conversation: Callable[..., Sample], judged: Callable[..., Score]
) -> None:
    sample = conversation(*DESK)
    first, *others = sample.trace.messages
    seen = replace(first, seen_by=("reviewer",))
    later = replace(sample, trace=replace(sample.trace, messages=(seen, *others)))
    assert judged(talked_to("user", "reviewer"), later).value is True
    ack = conversation("ack triage → reviewer: done")
    assert judged(talked_to("triage", "reviewer"), ack).value is False


@pytest.mark.parametrize(
    ("order", "agents", "passes"),
    [
        ("strict", ["triage", "specialist", "reviewer"], True),
        ("strict", ["specialist", "triage", "reviewer"], False),
        ("strict", ["triage", "specialist"], False),
        ("strict", ["triage", "specialist", "reviewer", "reviewer"], False),
        ("unordered", ["reviewer", "triage", "specialist"], True),
        ("unordered", ["reviewer", "triage"], False),
        ("subset", ["reviewer", "triage", "specialist", "billing"], True),
        ("subset", ["reviewer", "triage"], False),
        ("superset", ["reviewer", "triage"], True),
        ("superset", ["reviewer", "billing"], False),
    ],
)
def test_handoffs_hold_the_agents_at_work_against_those_expected(
    conversation: Callable[..., Sample],
    judged: Callable[..., Score],
    order: str,
    agents: list[str],
    passes: bool,
) -> None:
    score = judged(handoffs(*agents, order=order), conversation(*DESK))  # type: ignore[arg-type]
    assert score.value is passes
    assert score.rationale == (
        "At work: triage (#2), specialist (#3), reviewer (#6). "
        f"Expected: {', '.join(agents)} ({order})."
    )


def test_agents_side_by_side_come_in_no_order(
    conversation: Callable[..., Sample], judged: Callable[..., Score]
) -> None:
    sample = conversation(
        "input user → lead: plan a trip",
        "send lead → flights: find flights",
        "send lead → hotels: find hotels",
        "hotels → lead: a room",
        "flights → lead: a flight",
        "lead → user: here you are",
        causes={1: [0], 2: [0], 3: [2], 4: [1], 5: [3, 4]},
    )
    assert judged(handoffs("lead", "flights", "hotels", "lead"), sample).value is True
    assert judged(handoffs("lead", "hotels", "flights", "lead"), sample).value is True
    assert judged(handoffs("flights", "hotels", "lead", "lead"), sample).value is False
    assert judged(at_most_handoffs(3), sample).value is True
    assert judged(at_most_handoffs(2), sample).value is False


def test_an_agent_is_meant_by_its_last_name_and_a_graph_by_all_inside_of_it(
    conversation: Callable[..., Sample], judged: Callable[..., Score]
) -> None:
    sample = conversation(
        "input user → team/search: who won",
        "team/search → team/write: Blue",
        "team/write → user: Blue won",
    )
    assert judged(handoffs("search", "write"), sample).value is True
    assert judged(handoffs("team"), sample).value is True


@pytest.mark.parametrize(("agents", "order"), [((), "strict"), (("triage",), "sorted")])
def test_handoffs_that_mean_nothing_are_refused(agents: tuple[str, ...], order: str) -> None:
    with pytest.raises(ScorerError, match=r"takes agents and an order of 'strict'.*Write handoffs"):
        handoffs(*agents, order=order)  # type: ignore[arg-type]


def test_handoffs_are_counted(
    conversation: Callable[..., Sample], judged: Callable[..., Score]
) -> None:
    sample = conversation(*DESK)
    assert judged(at_most_handoffs(2), sample).value is True
    score = judged(at_most_handoffs(1), sample)
    assert score.value is False
    assert score.rationale == ("2 handoffs, at most 1 wanted; to specialist (#3), reviewer (#6).")


def test_a_cycle_of_agents_is_a_loop_from_one_round_more_than_allowed(
    conversation: Callable[..., Sample], judged: Callable[..., Score]
) -> None:
    rounds = ["writer → critic: draft", "critic → writer: again"] * 3
    sample = conversation("input user → writer: write", *rounds, "writer → user: done")
    assert judged(no_loop(3), sample).value is True
    score = judged(no_loop(2), sample)
    assert score.value is False
    assert score.rationale == (
        "writer, critic went round 3 times, beginning with writer (#2), critic (#3)."
    )


def test_workers_side_by_side_are_no_loop(
    conversation: Callable[..., Sample], judged: Callable[..., Score]
) -> None:
    answers = [f"worker → lead: part {number}" for number in range(6)]
    causes = {place: [0] for place in range(1, 7)}
    sample = conversation("lead → worker: all parts", *answers, causes=causes)
    workers = tuple(
        replace(message, activation=f"task-{place}") if place else message
        for place, message in enumerate(sample.trace.messages)
    )
    sample = replace(sample, trace=replace(sample.trace, messages=workers))
    assert judged(no_loop(1), sample).value is True
    assert judged(handoffs("lead", *["worker"] * 6), sample).value is True


def test_no_loop_of_no_rounds_is_refused() -> None:
    with pytest.raises(ScorerError, match=r"takes 1 or more rounds, not 0"):
        no_loop(0)


def test_a_message_is_unread_when_nobody_was_at_work_after_it(
    conversation: Callable[..., Sample], judged: Callable[..., Score]
) -> None:
    assert judged(no_unread(), conversation(*DESK)).value is True
    lost = conversation(
        "input user → triage: help",
        "handoff triage → specialist: over to you",
        "triage → : is anybody there",
    )
    score = judged(no_unread(), lost)
    assert score.value is False
    assert score.rationale == "Nobody has read #2 triage → specialist, #3 triage."


def test_who_says_nothing_has_read_what_its_span_came_after(
    conversation: Callable[..., Sample], judged: Callable[..., Score]
) -> None:
    sample = conversation("input user → triage: help", "handoff triage → archive: keep this")
    late = sample.trace.messages[-1].end_ns
    span = Span("0" * 16, None, "archive", "AGENT", start_ns=late, end_ns=late + 1)
    ran = replace(sample, trace=replace(sample.trace, spans=(span,)))
    assert judged(no_unread(), ran).value is True
    early = replace(span, start_ns=0, end_ns=1)
    before = replace(sample, trace=replace(sample.trace, spans=(early,)))
    assert judged(no_unread(), before).value is False
