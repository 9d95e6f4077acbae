from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from linenotes.evals import Sample, Score, find_scorers, score_sample
from linenotes.evals.testing import Reply, ScriptedServer
from linenotes.project import Project, ScorerError

JUDGE = {"pyproject.toml": "[tool.linenotes.models.judge]\nmodel = 'gpt-4o'\n"}


@pytest.fixture
def said(make_project: Callable[..., Project], with_tools: Sample) -> Callable[..., Score]:
    """Score the sample that used a tool with a metric; a judge gives scripted answers."""

    def run(spec: str, answers: Sequence[str] = (), **changes: object) -> Score:
        sample = replace(with_tools, **changes)  # type: ignore[arg-type]
        replies = [Reply(answer) for answer in answers]
        with ScriptedServer(replies) as server, server.in_environment():
            found = find_scorers([spec], make_project(JUDGE))
            (score,) = asyncio.run(score_sample(sample, found))
            assert [request.model for request in server.requests] == ["gpt-4o"] * len(answers)
        return score

    return run


@pytest.mark.slow
@pytest.mark.parametrize(
    ("spec", "value"),
    [
        ('deepeval("ToolCorrectnessMetric", judge="judge")', 1.0),
        ('deepeval("ToolPermissionMetric", allowed_tools=["search"])', 1.0),
        ('deepeval("ToolPermissionMetric", allowed_tools=["book"])', 0.0),
        ('deepeval("AgentLoopDetectionMetric")', 1.0),
    ],
)
def test_metrics_that_need_no_model_see_tools_and_spans(
    said: Callable[..., Score], tmp_path: Path, spec: str, value: float
) -> None:
    assert said(spec).value == value
    assert not (tmp_path / ".deepeval").exists()


@pytest.mark.slow
def test_expected_tools_stand_in_the_case_with_or_without_parameters(
    said: Callable[..., Score], with_tools: Sample
) -> None:
    spec = 'deepeval("ToolCorrectnessMetric", judge="judge")'

    def expecting(tools: object) -> Score:
        expectations = {"answer": "on its way", "expected_tools": tools}
        case = with_tools.case.model_copy(update={"expectations": expectations})
        return said(spec, case=case)

    assert expecting(["book"]).value == 0.0
    assert expecting(["search", "book"]).value == 0.5
    assert expecting([{"name": "search", "input_parameters": {"query": "x"}}]).value == 1.0
    assert "'expected_tools' is 'search', not a list of tools" in str(expecting("search").error)


@pytest.mark.slow
def test_a_tool_that_is_called_again_and_again_is_a_loop_in_our_spans(
    said: Callable[..., Score], with_tools: Sample
) -> None:
    desk, search = with_tools.trace.spans
    again = [replace(search, span_id=f"{number:016x}") for number in range(8)]
    trace = replace(with_tools.trace, spans=(desk, *again))
    score = said('deepeval("AgentLoopDetectionMetric")', trace=trace)
    assert score.value is not None
    assert float(score.value) < 1
    assert "Tool 'search' called 8 times with identical arguments" in str(score.rationale)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("spec", "answers", "value"),
    [
        (
            'deepeval("TaskCompletionMetric", judge="judge")',
            ['{"task": "find the card", "outcome": "found"}', '{"verdict": 0.75, "reason": "so"}'],
            0.75,
        ),
        (
            'deepeval("StepEfficiencyMetric", judge="judge")',
            ['{"task": "find the card"}', '{"score": 0.5, "reason": "a detour"}'],
            0.5,
        ),
        (
            'deepeval("ArgumentCorrectnessMetric", judge="judge")',
            ['{"verdicts": [{"verdict": "no", "reason": "wrong"}]}', '{"reason": "wrong"}'],
            0.0,
        ),
        (
            'deepeval("ConversationCompletenessMetric", judge="judge")',
            ['{"intentions": ["find"]}', '{"verdict": "yes"}', '{"reason": "all of it"}'],
            1.0,
        ),
    ],
)
def test_judged_metrics_ask_the_model_of_the_role(
    said: Callable[..., Score], spec: str, answers: list[str], value: float
) -> None:
    score = said(spec, answers)
    assert score.error is None
    assert score.value == value


@pytest.mark.slow
def test_a_judge_that_does_not_answer_with_json_is_an_error(said: Callable[..., Score]) -> None:
    score = said('deepeval("TaskCompletionMetric", judge="judge")', ["I do not know."])
    assert score.value is None
    assert score.error is not None
    assert score.error.kind == "scorer"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("spec", "told"),
    [
        ('deepeval("ExactMatchMetri")', "has no metric 'ExactMatchMetri'. Did you mean 'ExactMat"),
        ('deepeval("ExactMatchMetric", wrong=1)', "ExactMatchMetric cannot be made: .*'wrong'"),
    ],
)
def test_a_metric_that_cannot_be_had_is_told(
    make_project: Callable[..., Project], spec: str, told: str
) -> None:
    with pytest.raises(ScorerError, match=told):
        find_scorers([spec], make_project())


@pytest.mark.slow
def test_a_metric_of_ones_own_file_takes_our_judge(
    make_project: Callable[..., Project], with_tools: Sample
) -> None:
    source = (
        "from deepeval.metrics import GEval\n"
        "from deepeval.test_case import SingleTurnParams as Params\n"
        "from linenotes.evals.scorers import deepeval_judge\n"
        "tone = GEval(name='Tone', model=deepeval_judge('judge'), criteria='Is it polite?',\n"
        "             evaluation_params=[Params.ACTUAL_OUTPUT], evaluation_steps=['Read it.'])\n"
    )
    replies = [Reply('{"score": 8, "reason": "kind"}')]
    with ScriptedServer(replies) as server, server.in_environment():
        found = find_scorers(["own.py:tone"], make_project({**JUDGE, "own.py": source}))
        (score,) = asyncio.run(score_sample(with_tools, found))
    assert (score.name, score.value, score.rationale) == ("tone", 0.8, "kind")
