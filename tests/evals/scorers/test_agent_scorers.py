from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from linenotes.evals import Sample, Score, find_scorers, score_sample
from linenotes.evals.scorers import cost_below, of_agent, scorer
from linenotes.project import Project, ScorerError

TALK = (
    "input user → writer: write a poem",
    "writer → critic: roses are red",
    "critic → writer: too short",
    "writer → user: roses are red, violets are blue",
)


def test_a_scorer_sees_what_one_agent_heard_and_said(
    conversation: Callable[..., Sample], judged: Callable[..., Score]
) -> None:
    def looks(sample: Sample) -> bool:
        assert sample.output == "roses are red, violets are blue"
        assert sample.trace.request == "too short"
        assert [message.sender for message in sample.ledger] == ["writer", "writer"]
        return True

    score = judged(of_agent("writer", looks), conversation(*TALK))
    assert (score.name, score.value) == ("looks.writer", True)


def test_other_scorers_and_several_values_can_be_of_one_agent(
    conversation: Callable[..., Sample],
) -> None:
    @scorer(values=["words", "letters"])
    def length(sample: Sample) -> dict[str, float]:
        text = str(sample.output)
        return {"letters": len(text), "words": len(text.split())}

    both = [of_agent("critic", length), of_agent("critic", cost_below(1.0))]
    scores = asyncio.run(score_sample(conversation(*TALK), both))
    assert [(score.name, score.value) for score in scores] == [
        ("length.critic.words", 2.0),
        ("length.critic.letters", 9.0),
        ("cost_below.critic", True),
    ]


def test_an_agent_that_said_nothing_is_an_error(
    conversation: Callable[..., Sample], judged: Callable[..., Score]
) -> None:
    score = judged(of_agent("editor", cost_below(1.0)), conversation(*TALK))
    assert str(score.error) == "ValueError: editor said nothing"


def test_a_spec_names_the_scorer_of_an_agent(
    make_project: Callable[..., Project], conversation: Callable[..., Sample]
) -> None:
    project = make_project({"own.py": "def long(sample):\n    return len(sample.output) > 12\n"})
    spec = 'of_agent("writer", "own.py:long")'
    (found,) = find_scorers([spec], project)
    assert (found.name, found.spec) == ("long.writer", spec)
    (score,) = asyncio.run(score_sample(conversation(*TALK), [found]))
    assert score.value is True


def test_what_is_no_scorer_is_refused() -> None:
    with pytest.raises(ScorerError, match=r"of_agent was given 3. Give it a scorer"):
        of_agent("writer", 3)  # type: ignore[arg-type]
