from __future__ import annotations

import math
from collections.abc import Callable
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


def _refuse(*_: object, **__: object) -> object:
    raise RuntimeError("no")


@pytest.mark.parametrize(
    "make",
    [
        type("Hostile", (BaseModel,), {"model_dump": _refuse}),
        type("Hostile", (dict,), {"items": _refuse}),
        type("Hostile", (list,), {"__iter__": _refuse}),
        type("Hostile", (int,), {"__lt__": _refuse, "__le__": _refuse, "__ge__": _refuse}),
        type("Hostile", (), {"dtype": 1, "tolist": _refuse}),
        type("Hostile", (), {"__class__": property(_refuse)}),
    ],
)
def test_a_value_that_refuses_to_be_read_costs_nothing_but_itself(
    make: Callable[[], object],
) -> None:
    found = json_value({"before": [1], "it": make(), "after": "x"})
    assert isinstance(found, dict)
    assert isinstance(found.pop("it"), str)
    assert found == {"before": [1], "after": "x"}


def test_of_many_bytes_the_first_are_written() -> None:
    text = json_value(bytearray(10_000_000))
    assert isinstance(text, str)
    assert len(text) < 1_000_000
    assert text.endswith("… (cut off: 10,000,000 bytes)")
    assert json_value(b"ab\xff") == "b'ab\\xff'"


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
