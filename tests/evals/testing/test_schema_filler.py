from __future__ import annotations

import datetime as dt
import re
from enum import Enum
from random import Random
from typing import Annotated, Any, Literal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import AnyUrl, BaseModel, ConfigDict, Field, TypeAdapter

from linenotes.evals.testing import fill_schema


class Colour(Enum):
    RED = "red"
    GREEN = "green"


class Tree(BaseModel):
    name: str
    children: list[Tree]
    parent: Tree | None = None


class Step(BaseModel):
    kind: Literal["step"]
    minutes: Annotated[int, Field(ge=5, le=10, multiple_of=5)]


class Pause(BaseModel):
    kind: Literal["pause"]
    reason: str | None


class Plan(BaseModel):
    model_config = ConfigDict(extra="forbid")

    title: Annotated[str, Field(min_length=30, max_length=40)]
    code: Annotated[str, Field(pattern=r"^[A-Z]{3}-\d{3}$")]
    colour: Colour
    steps: Annotated[
        list[Annotated[Step | Pause, Field(discriminator="kind")]], Field(min_length=2)
    ]
    pair: tuple[int, str]
    labels: dict[str, float]
    share: Annotated[float, Field(gt=0, lt=1)]
    below: Annotated[int, Field(lt=0)]
    tree: Tree
    day: dt.date
    moment: dt.datetime
    hour: dt.time
    length: dt.timedelta
    id: UUID
    link: AnyUrl
    tags: Annotated[set[Literal["a", "b", "c"]], Field(min_length=1)]
    anything: Any
    flag: bool
    nothing: None


def dice(seed: int) -> Random:
    return Random(seed)  # noqa: S311  dice that can be cast again


@given(seed=st.integers(0, 2**32))
def test_every_fill_of_a_model_is_one(seed: int) -> None:
    Plan.model_validate(fill_schema(Plan.model_json_schema(), dice(seed)))


def test_the_same_dice_fill_the_same() -> None:
    schema = Plan.model_json_schema()
    assert fill_schema(schema, dice(1)) == fill_schema(schema, dice(1))
    assert fill_schema(schema, dice(1)) != fill_schema(schema, dice(2))


def test_optional_fields_are_filled_at_times() -> None:
    schema: dict[str, Any] = {"properties": {"a": {"type": "string"}, "b": {"type": "integer"}}}
    filled = [fill_schema(schema, dice(seed)) for seed in range(40)]
    keys = {tuple(value) for value in filled if isinstance(value, dict)}
    assert keys == {(), ("a",), ("b",), ("a", "b")}


def test_what_closes_chooses_the_end() -> None:
    schema = TypeAdapter(Literal["writer", "critic", "FINISH"]).json_schema()
    chosen = {fill_schema(schema, dice(seed), closing=True) for seed in range(20)}
    assert chosen == {"FINISH"}
    assert len({fill_schema(schema, dice(seed)) for seed in range(20)}) == 3


@pytest.mark.parametrize(
    ("schema", "pattern"),
    [
        ({"type": "string", "format": "email"}, r"^\w+@example\.com$"),
        ({"type": "string", "format": "ipv4"}, r"^192\.0\.2\.\d+$"),
        ({"type": "string", "pattern": r"^\d{5}$"}, r"^\d{5}$"),
        ({"type": "string", "pattern": r"^/"}, r"^/\w+$"),
        ({"type": ["string", "string"]}, r"^\w+ \w+$"),
        ({"allOf": [{"type": "string"}, {"format": "uri"}]}, r"^https://example\.com/"),
        ({"const": "fixed"}, r"^fixed$"),
        ({"$ref": "#/$defs/a~1b", "$defs": {"a/b": {"enum": ["x"]}}}, r"^x$"),
    ],
)
def test_a_text_fits(schema: dict[str, Any], pattern: str) -> None:
    text = fill_schema(schema, dice(3))
    assert isinstance(text, str)
    assert re.search(pattern, text)


@pytest.mark.parametrize(
    ("schema", "reason"),
    [
        ({"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/a"}}}, "has no end"),
        ({"type": "object", "properties": {"a": {"$ref": "#"}}, "required": ["a"]}, "has no end"),
        ({"type": "array", "minItems": 10**8, "items": {"type": "string"}}, "has no end"),
        ({"type": "string", "minLength": 10**9}, "more than 100,000 characters"),
        ({"$ref": "elsewhere#/a"}, "cannot be read"),
        ({"type": "object", "required": 5}, "cannot be read"),
    ],
)
def test_what_cannot_be_filled_is_refused(schema: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        fill_schema(schema, Random(0))  # noqa: S311  dice that can be cast again
