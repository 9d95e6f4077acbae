"""Values that a graph passed on are one object again, and what they were."""

from __future__ import annotations

from dataclasses import dataclass

from linenotes.tracing.sources._stored_values import SharedValues


@dataclass
class Order:
    item: int


def test_equal_values_are_one_object() -> None:
    shared = SharedValues()
    first, second = shared.fields({"plan": [1, 2]}), shared.fields({"plan": [1, 2]})
    assert isinstance(first, dict)
    assert isinstance(second, dict)
    assert first["plan"] is second["plan"]


def test_values_with_the_same_json_keep_their_types() -> None:
    shared = SharedValues()
    for value in ([1, 2], (1, 2), {"item": 1}, Order(1), [[1]], [(1,)], True, 1):
        kept = shared.fields({"plan": value})
        assert isinstance(kept, dict)
        assert repr(kept["plan"]) == repr(value)
