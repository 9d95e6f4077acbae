"""A trace with what an evaluation knows about it: the unit that a store keeps.

A `Trace` says what happened; the filing says to which run, version and prompts it belongs, how
it was scored and what was expected.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pydantic import JsonValue

from linenotes.tracing._trace import Trace


@dataclass(frozen=True, slots=True)
class TraceScore:
    """What one scorer said about one trace."""

    name: str
    value: bool | float | str | None
    """None when the scorer does not apply to this trace, or when it failed."""
    rationale: str | None = None
    error: str | None = None
    """`ExceptionType: message` when the scorer failed."""
    span_id: str | None = None
    """The span that was judged. None: the trace as a whole."""

    @property
    def said(self) -> str:
        """What it says, in a few words; empty where it says nothing."""
        if self.error is not None:
            return self.error
        if isinstance(self.value, bool):
            return "pass" if self.value else "fail"
        if isinstance(self.value, float):
            return f"{self.value:.4g}"
        return "" if self.value is None else str(self.value)


@dataclass(frozen=True, slots=True)
class FiledTrace:
    """A trace and where it belongs. Everything but the trace may be missing."""

    trace: Trace
    run_id: str | None = None
    """The MLflow run that made it."""
    model_id: str | None = None
    """The MLflow LoggedModel that was executed."""
    version: str | None = None
    """The name of the agent's version, as a person writes it."""
    prompts: tuple[tuple[str, int], ...] = ()
    """Name and registry version of every prompt in force."""
    scores: tuple[TraceScore, ...] = ()
    expectations: Mapping[str, JsonValue] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    """Tags on top of those that are derived from the trace."""
    withdrawn: tuple[str, ...] = ()
    """Names of scores with which it was filed before, and which no longer hold."""
