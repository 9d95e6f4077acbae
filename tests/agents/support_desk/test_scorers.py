from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from pydantic import JsonValue

from linenotes.agents.support_desk import intent_correct, team_correct
from linenotes.project import ScorerError


@dataclass
class Sample:
    output: JsonValue
    expectations: dict[str, JsonValue] = field(
        default_factory=lambda: {"team": "banking", "intent": "balance"}
    )


def test_right_team_with_a_wrong_intent_is_half_the_work() -> None:
    sample = Sample({"team": "banking", "intent": "transfer", "messages": []})

    assert team_correct(sample) is True
    assert intent_correct(sample) is False


def test_wrong_team_is_told() -> None:
    assert team_correct(Sample({"team": "travel", "intent": "balance"})) is False


@pytest.mark.parametrize("output", [{"answer": "42"}, {}, None, "banking"])
def test_output_without_the_decision_cannot_be_scored(output: JsonValue) -> None:
    with pytest.raises(ScorerError, match="output has no 'team'"):
        team_correct(Sample(output))


def test_case_without_the_expectation_cannot_be_scored() -> None:
    with pytest.raises(ScorerError, match="expects no 'intent'"):
        intent_correct(Sample({"intent": "balance"}, expectations={"team": "banking"}))
