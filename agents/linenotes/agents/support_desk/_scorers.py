"""Whether the desk decided as the golden case expects."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from pydantic import JsonValue

from linenotes.project import ScorerError


class Sample(Protocol):
    """The part of a sample that is scored here."""

    @property
    def output(self) -> JsonValue:
        """The last state of the graph."""

    @property
    def expectations(self) -> Mapping[str, JsonValue]:
        """What the golden case expects of it."""


def team_correct(sample: Sample) -> bool:
    """Tell whether the message reached the right team, or was rightly found out of scope."""
    return _decided(sample.output, "team") == _expected(sample, "team")


def intent_correct(sample: Sample) -> bool:
    """Tell whether the desk understood what the customer wants; its team is right then too."""
    return _decided(sample.output, "intent") == _expected(sample, "intent")


def _decided(output: JsonValue, field: str) -> JsonValue:
    if isinstance(output, dict) and field in output:
        return output[field]
    has = ", ".join(sorted(output)) if isinstance(output, dict) else f"{output!r}"
    raise ScorerError(
        f"The agent's output has no {field!r}, only {has or 'nothing'}. "
        f"Return it in the graph's state, or name another scorer than {field}_correct."
    )


def _expected(sample: Sample, field: str) -> JsonValue:
    if field in sample.expectations:
        return sample.expectations[field]
    raise ScorerError(
        f"The case expects no {field!r}. Add it to the case's expectations in the golden file, "
        f"or name another scorer than {field}_correct."
    )
