from __future__ import annotations

from collections.abc import Callable

import pytest
from mlflow.genai.judges import make_judge
from mlflow.genai.scorers import ResponseLength
from mlflow.genai.scorers import scorer as mlflow_scorer

from linenotes.agents import AgentVersion
from linenotes.datasets import Dataset
from linenotes.evals import Arm, Evaluation, RunStore, Sample, find_scorers
from linenotes.evals.scorers._declaring import scorer
from linenotes.evals.scorers._deepeval_metrics import keep_deepeval_in
from linenotes.evals.scorers._scorer_adapters import adapted
from linenotes.project import Project


def judge_of(found: object) -> str | None:
    made = adapted(found)
    assert made is not None
    return made.judge


def polite_judge(model: str, instructions: str) -> str | None:
    return judge_of(make_judge(name="polite", instructions=instructions, model=model))


def test_a_judge_of_mlflow_is_its_model_and_all_it_is_asked_with() -> None:
    first = polite_judge("openai:/gpt-x", "Is {{ outputs }} polite?")
    assert first is not None
    assert first.startswith("openai:/gpt-x ")
    assert polite_judge("openai:/gpt-x", "Is {{ outputs }} polite?") == first
    assert polite_judge("openai:/gpt-y", "Is {{ outputs }} polite?") != first
    assert polite_judge("openai:/gpt-x", "Is {{ outputs }} very polite?") != first


def test_code_is_no_judge() -> None:
    @mlflow_scorer
    def short(outputs: object) -> bool:
        return len(str(outputs)) < 9

    def fine(sample: Sample) -> bool:
        return sample.output is not None

    assert judge_of(short) is None
    assert judge_of(ResponseLength(max_length=9)) is None
    assert judge_of(fine) is None


def test_a_metric_of_deepeval_is_judged_by_the_model_of_a_role(
    make_project: Callable[..., Project],
) -> None:
    settings = '[tool.linenotes.models.judge]\nmodel = "gpt-x"\n'
    project = make_project({"pyproject.toml": settings})
    keep_deepeval_in(project)
    spec = 'deepeval("AnswerRelevancyMetric", judge="judge", threshold={})'
    wanted = [spec.format(0.5), 'deepeval("ExactMatchMetric")']
    judged, exact = find_scorers(wanted, project)
    assert judged.judge is not None
    assert judged.judge.startswith("gpt-x at temperature")
    assert exact.judge is None
    (again,) = find_scorers([spec.format(0.5)], project)
    (stricter,) = find_scorers([spec.format(0.9)], project)
    assert again.judge == judged.judge != stricter.judge


def test_a_function_declares_its_judge_and_the_run_knows_it(
    one_node: Callable[..., AgentVersion], numbers: Callable[..., Dataset]
) -> None:
    @scorer(judge="gpt-x-2026-01-01", prompt="Is it polite?")
    def polite(sample: Sample) -> bool:
        return sample.output is not None

    assert polite.judge is not None
    version = one_node()
    project = version.agent.project
    evaluation = Evaluation(project)
    (result,) = evaluation.run([Arm(version, 1)], numbers(1), find_scorers([polite], project))
    plan = RunStore.of(project).read(result.record.plan.run_id).plan
    assert plan.judge_of("polite") == polite.judge
    assert "polite" in plan.judges
    again = evaluation.score(plan.run_id, find_scorers(["matches_expectations"], project), add=True)
    assert again.record.plan.judges == {"polite": polite.judge}
    assert again.record.plan.judge_of("matches_expectations") == "matches_expectations"


@pytest.mark.parametrize("prompt", ["Is it polite?", "Is it kind?"])
def test_another_prompt_is_another_judge(prompt: str) -> None:
    def polite(sample: Sample) -> bool:
        return sample.output is not None

    declared = scorer(judge="gpt-x", prompt=prompt)(polite)
    assert (declared.judge == scorer(judge="gpt-x", prompt="Is it kind?")(polite).judge) == (
        prompt == "Is it kind?"
    )
