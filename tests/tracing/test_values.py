from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pytest
from langchain_core.messages import AIMessage, HumanMessage
from pydantic import BaseModel, JsonValue

from linenotes.tracing import json_value, output_text


class Model(BaseModel):
    name: str


@dataclass
class Data:
    parts: tuple[int, ...]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({1: {"a": (1, 2)}}, {"1": {"a": [1, 2]}}),
        (Model(name="x"), {"name": "x"}),
        (Data((1, 2)), {"parts": [1, 2]}),
        ({"b", "c", "a"}, ["a", "b", "c"]),
        (np.int64(3), 3),
        (np.bool_(True), True),
        (np.array([[1.5]]), [[1.5]]),
        (math.nan, "nan"),
        (10**30, str(10**30)),
        ("half an emoji: \ud83d", "half an emoji: \\ud83d"),
        (HumanMessage("hi"), {"role": "user", "content": "hi"}),
        (AIMessage("yo", name="a"), {"role": "assistant", "content": "yo", "name": "a"}),
    ],
)
def test_a_value_becomes_json_that_every_store_takes(value: object, expected: JsonValue) -> None:
    found = json_value(value)
    assert found == expected
    assert type(found) is type(expected)


def test_a_value_that_contains_itself_ends() -> None:
    value: list[object] = []
    value.append(value)
    assert "too deep" in str(json_value(value))


def test_a_value_that_shares_its_parts_is_not_written_out_without_end() -> None:
    value: list[object] = []
    for _ in range(40):
        value = [value, value]
    assert "too large" in str(json_value(value))


def test_a_value_without_a_text_is_named_by_its_class() -> None:
    class Shy:
        def __str__(self) -> str:
            raise RuntimeError("no")

    assert json_value({"it": Shy()}) == {"it": "<Shy>"}


@pytest.mark.parametrize(
    ("output", "text"),
    [
        ("plain", "plain"),
        ({"messages": [{"role": "user", "content": "q"}, {"content": "a"}]}, "a"),
        ({"answer": 3}, '{"answer":3}'),
        (None, "null"),
    ],
)
def test_an_output_is_read_as_its_last_message_or_its_json(output: JsonValue, text: str) -> None:
    assert output_text(output) == text
