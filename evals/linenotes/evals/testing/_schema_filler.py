"""From a JSON schema to a random value that fits it.

Understood are `$ref`, `allOf`, `anyOf`, `oneOf`, `const`, `enum`, `type`, `properties`, `required`,
`additionalProperties`, `items`, `prefixItems`, `format` and the bounds of numbers, texts and
arrays: all that OpenAI's strict schemas and pydantic models are made of. Not understood are
conditions (`not`, `if`); a `pattern` is met where one of a few usual texts meets it. Schemas may
refer to themselves: from five levels down, whatever can be left out is.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from pydantic import JsonValue

from linenotes.evals.testing._schema_texts import schema_text
from linenotes.evals.testing._words import reads_as_an_end, word

Schema = Mapping[str, Any]
_SHALLOW = 5
"""Levels; below them, optional fields, items and nested alternatives are left out."""
_DEEPEST = 100
"""Levels; JSON of more than a few hundred cannot be read."""
_MOST_VALUES = 20_000
"""Values made, and references followed."""
_SPAN = 9
"""From the lowest to the highest number where the schema bounds one side or none."""


def fill_schema(
    schema: Mapping[str, JsonValue],
    draw: Random,
    *,
    closing: bool = False,
    optional: bool = True,
) -> JsonValue:
    """Return a value that fits `schema`.

    Args:
        schema: a JSON schema; references point into it.
        draw: the source of random numbers; one with the same seed gives the same value.
        closing: choose what reads as an end, such as FINISH, where the schema offers it.
        optional: give an object one in three of the fields that it may have and need not.

    Raises:
        ValueError: it is no schema, refers to itself without an end, or asks for too much.
    """
    try:
        return _Filler(schema, draw, closing=closing, optional=optional).value(schema, 0)
    except (LookupError, TypeError, AttributeError) as error:
        raise ValueError(f"The schema cannot be read: {type(error).__name__}: {error}.") from error


@dataclass(frozen=True)
class _Filler:
    root: Schema
    draw: Random
    closing: bool
    optional: bool
    budget: Iterator[int] = field(default_factory=lambda: iter(range(_MOST_VALUES)))

    def value(self, schema: object, depth: int) -> JsonValue:
        self._spend(depth)
        whole = self._resolved(schema)
        if "const" in whole:
            return whole["const"]  # type: ignore[no-any-return]  # a schema is JSON
        if values := whole.get("enum"):
            return self._chosen(values)
        if options := whole.get("anyOf") or whole.get("oneOf"):
            rest = {key: value for key, value in whole.items() if key not in {"anyOf", "oneOf"}}
            return self.value({**rest, **self._option(options, depth)}, depth + 1)
        return self._typed(self._type(whole), whole, depth)

    def _spend(self, depth: int = 0) -> None:
        if depth > _DEEPEST or next(self.budget, None) is None:
            raise ValueError(
                f"The schema has no end: it asks for more than {_MOST_VALUES:,} values or "
                f"{_DEEPEST} levels, or refers to itself where it must not be left out."
            )

    def _resolved(self, schema: object) -> Schema:
        """Return a schema with what it refers to and what all of its parts say."""
        whole: dict[str, Any] = dict(schema) if isinstance(schema, Mapping) else {}
        while "$ref" in whole or "allOf" in whole:
            self._spend()
            parts = [*whole.pop("allOf", ())]
            if reference := whole.pop("$ref", None):
                parts.append(self._pointed(reference))
            for part in parts:
                whole = _merged(part, whole)
        return whole

    def _pointed(self, reference: str) -> Schema:
        found: Any = self.root
        for step in reference.removeprefix("#").strip("/").split("/"):
            if step:
                found = found[step.replace("~1", "/").replace("~0", "~")]
        return found  # type: ignore[no-any-return]  # a schema is JSON

    def _chosen(self, values: Sequence[Any]) -> JsonValue:
        ends = [value for value in values if reads_as_an_end(value)]
        chosen: JsonValue = self.draw.choice(ends if self.closing and ends else values)
        return chosen

    def _option(self, options: Sequence[Any], depth: int) -> Schema:
        resolved = [self._resolved(option) for option in options]
        flat = [option for option in resolved if not _nests(option)]
        return self.draw.choice(flat if depth >= _SHALLOW and flat else resolved)

    def _type(self, schema: Schema) -> str:
        named = schema.get("type")
        if isinstance(named, list):
            return str(self.draw.choice(named))
        if named is None:
            return "object" if "properties" in schema else "string"
        return str(named)

    def _typed(self, kind: str, schema: Schema, depth: int) -> JsonValue:
        makers: dict[str, Callable[[], JsonValue]] = {
            "object": lambda: self._object(schema, depth),
            "array": lambda: self._array(schema, depth),
            "integer": lambda: self._integer(schema),
            "number": lambda: self._number(schema),
            "boolean": lambda: self.draw.choice((True, False)),
            "null": lambda: None,
        }
        make = makers.get(kind)
        return make() if make else schema_text(schema, self.draw)

    def _object(self, schema: Schema, depth: int) -> JsonValue:
        required = set(schema.get("required", ()))
        filled = {
            name: self.value(part, depth + 1)
            for name, part in schema.get("properties", {}).items()
            if name in required or self._gives_more(depth)
        }
        others = schema.get("additionalProperties", "properties" not in schema)
        missing = max(schema.get("minProperties", 0), int(depth < _SHALLOW and not filled))
        while others and len(filled) < missing:
            filled[word(self.draw)] = self.value(others, depth + 1)
        return filled

    def _gives_more(self, depth: int) -> bool:
        return self.optional and depth < _SHALLOW and self.draw.random() < 1 / 3

    def _array(self, schema: Schema, depth: int) -> JsonValue:
        least = schema.get("minItems", 0)
        most = schema.get("maxItems", max(least, 3))
        first = [self.value(part, depth + 1) for part in schema.get("prefixItems", ())]
        if (items := schema.get("items", not first)) is False:
            return first
        length = least if depth >= _SHALLOW else self.draw.randint(max(least, min(1, most)), most)
        more: list[JsonValue] = [self.value(items, depth + 1) for _ in range(len(first), length)]
        return _distinct(first + more) if schema.get("uniqueItems") else first + more

    def _integer(self, schema: Schema) -> int:
        step = schema.get("multipleOf", 1)
        low, high = self._bounds(schema)
        first, last = math.ceil(low / step), math.floor(high / step)
        first += schema.get("exclusiveMinimum") == first * step
        last -= schema.get("exclusiveMaximum") == last * step
        return int(self.draw.randint(first, max(first, last)) * step)

    def _number(self, schema: Schema) -> float:
        if "multipleOf" in schema:
            return self._integer(schema)
        low, high = self._bounds(schema)
        return float(low + (high - low) * self.draw.randint(1, 7) / 8)

    @staticmethod
    def _bounds(schema: Schema) -> tuple[float, float]:
        low = schema.get("minimum", schema.get("exclusiveMinimum"))
        high = schema.get("maximum", schema.get("exclusiveMaximum"))
        span = _SPAN * schema.get("multipleOf", 1)
        if low is None:
            low = 0 if high is None or high > 0 else high - span
        return low, low + span if high is None else high


def _merged(part: Schema, whole: Schema) -> dict[str, Any]:
    """Return both as one; where both speak, `whole` is the narrower and has the say."""
    merged = {**part, **whole}
    if "properties" in part and "properties" in whole:
        merged["properties"] = {**part["properties"], **whole["properties"]}
    if "required" in part and "required" in whole:
        merged["required"] = [*part["required"], *whole["required"]]
    return merged


def _nests(schema: Schema) -> bool:
    return not {"properties", "items", "anyOf", "oneOf"}.isdisjoint(schema)


def _distinct(items: Sequence[JsonValue]) -> list[JsonValue]:
    return [item for number, item in enumerate(items) if item not in items[:number]]
