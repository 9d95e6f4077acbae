from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from linenotes.tracing import FiledTrace, Trace, TraceScore
from linenotes.tracing._score_events import score_events


@pytest.mark.parametrize(
    ("score", "said"),
    [
        (TraceScore("s", value=True), {"score.value": 1.0, "score.label": "pass"}),
        (TraceScore("s", value=False), {"score.value": 0.0, "score.label": "fail"}),
        (TraceScore("s", value=0.5), {"score.value": 0.5}),
        (TraceScore("s", value=2), {"score.value": 2.0}),
        (TraceScore("s", value="kind"), {"score.label": "kind"}),
        (TraceScore("s", value=float("inf")), {"score.label": "inf"}),
        (
            TraceScore("s", value=1.0, rationale="Because."),
            {"score.value": 1.0, "explanation": "Because."},
        ),
    ],
)
def test_a_score_is_a_result_in_the_words_of_the_conventions(
    desk_trace: Callable[..., Trace], score: TraceScore, said: dict[str, object]
) -> None:
    trace = desk_trace()
    ((span_id, (event,)),) = score_events(FiledTrace(trace, scores=(score,))).items()
    assert (span_id, event.name) == (trace.spans[0].span_id, "gen_ai.evaluation.result")
    wanted = {f"gen_ai.evaluation.{key}": value for key, value in said.items()}
    assert event.attributes == {"gen_ai.evaluation.name": "s", **wanted}
    assert event.time_ns == trace.spans[0].end_ns


def test_a_scorer_that_failed_says_why(desk_trace: Callable[..., Trace]) -> None:
    failed = TraceScore("tone", value=None, error="TimeoutError: no answer")
    ((_, (event,)),) = score_events(FiledTrace(desk_trace(), scores=(failed,))).items()
    assert event.attributes == {
        "gen_ai.evaluation.name": "tone",
        "error.type": "TimeoutError",
        "gen_ai.evaluation.explanation": "TimeoutError: no answer",
    }


def test_a_score_that_says_nothing_is_no_event(desk_trace: Callable[..., Trace]) -> None:
    assert score_events(FiledTrace(desk_trace(), scores=(TraceScore("s", value=None),))) == {}


def test_a_score_of_a_span_that_is_not_there_judges_the_whole(
    desk_trace: Callable[..., Trace],
) -> None:
    trace = desk_trace()
    score = TraceScore("s", value=1.0, span_id="f" * 16)
    assert list(score_events(FiledTrace(trace, scores=(score,)))) == [trace.spans[0].span_id]
    assert score_events(FiledTrace(replace(trace, spans=()), scores=(score,))) == {}
