from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from linenotes.evals import Sample, Score, find_scorers, score_sample
from linenotes.evals.testing import Reply, ScriptedServer
from linenotes.project import Project

JUDGES = """
import os
from typing import Literal
from mlflow.entities import Feedback
from mlflow.genai.judges import make_judge
from mlflow.genai.scorers import Correctness, Guidelines, ToolCallCorrectness, scorer as theirs
from linenotes.evals.scorers import scorer

ENDPOINT = os.environ["OPENAI_BASE_URL"] + "/chat/completions"

@theirs
def walked(trace):
    root, tool = trace.data.spans
    return (root.name, tool.name, tool.inputs) == ("desk", "search", {"query": "card"})

@theirs
def pair(outputs):
    return [Feedback(name="b", value="no", rationale="too long"), Feedback(name="a", value=0.5)]

both = scorer(values=["a", "b"])(pair)
correct = Correctness(model="openai:/gpt-4o")
brief = Guidelines(guidelines=["Be brief."], model="openai:/gpt-4o")
tools = ToolCallCorrectness(model="openai:/gpt-4o")
tone = make_judge(
    name="tone",
    instructions="What is the tone of {{ outputs }}?",
    feedback_value_type=Literal["polite", "rude"],
    model="openai:/gpt-4o",
    base_url=ENDPOINT,
)
"""


@pytest.fixture
def said(
    make_project: Callable[..., Project], with_tools: Sample
) -> Callable[..., dict[str, Score]]:
    """Score the sample that used a tool with an object of the file, and scripted answers."""

    def run(name: str, answers: Sequence[str] = ()) -> dict[str, Score]:
        expected = {"expected_response": "It is on its way."}
        case = with_tools.case.model_copy(update={"expectations": expected})
        replies = [Reply(answer) for answer in answers]
        with ScriptedServer(replies) as server, server.in_environment():
            found = find_scorers([f"judges.py:{name}"], make_project({"judges.py": JUDGES}))
            scores = asyncio.run(score_sample(replace(with_tools, case=case), found))
            assert len(server.requests) == len(answers)
        return {score.name: score for score in scores}

    return run


@pytest.mark.slow
def test_a_scorer_that_wants_the_trace_gets_it_as_mlflows_own(
    said: Callable[..., dict[str, Score]],
) -> None:
    assert said("walked") == {"walked": Score("walked", value=True)}


@pytest.mark.slow
def test_a_list_of_feedback_is_several_values_once_they_are_declared(
    said: Callable[..., dict[str, Score]],
) -> None:
    assert said("both") == {
        "both.a": Score("both.a", value=0.5),
        "both.b": Score("both.b", value=False, rationale="too long"),
    }
    undeclared = said("pair")["pair"]
    assert "Several values are declared: @scorer(values=['b', 'a'])" in str(undeclared.error)


@pytest.mark.slow
def test_judges_ask_the_model_that_they_are_pointed_at(
    said: Callable[..., dict[str, Score]],
) -> None:
    yes = '{"result": "yes", "rationale": "as expected"}'
    correct = said("correct", [yes])["correct"]
    assert (correct.value, correct.rationale) == (True, "as expected")
    assert said("brief", ['{"result": "no", "rationale": "long"}'])["brief"].value is False
    tone = said("tone", ['{"result": "polite", "rationale": "kind words"}'])["tone"]
    assert (tone.value, tone.rationale) == ("polite", "kind words")


@pytest.mark.slow
def test_a_judge_of_tool_calls_reads_them_in_our_trace(
    said: Callable[..., dict[str, Score]],
) -> None:
    yes = '{"result": "yes", "rationale": "the card was looked up"}'
    assert said("tools", ['{"tools": []}', yes])["tools"].value is True


@pytest.mark.slow
def test_a_judge_that_fails_is_an_error_and_no_score(
    said: Callable[..., dict[str, Score]],
) -> None:
    given = said("correct", ["I would rather not say."])["correct"]
    assert given.value is None
    assert given.error is not None
    assert given.error.kind == "scorer"
