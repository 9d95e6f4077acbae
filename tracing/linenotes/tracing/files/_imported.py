"""One conversation that a file holds: its trace, what was asked, and how it was rewarded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from linenotes.tracing._trace import Trace

if TYPE_CHECKING:
    from pydantic import JsonValue


@dataclass(frozen=True, slots=True)
class ImportedConversation:
    """A conversation that was held elsewhere."""

    trace: Trace
    case: str
    """The task: trials of one task share it."""
    sample: int
    """Which trial of the task it is."""
    place: str
    """Where in the file it stands, for a message to a person."""
    inputs: Mapping[str, JsonValue]
    """What the task asks for, as far as the file says; never empty."""
    expectations: Mapping[str, JsonValue] = field(default_factory=dict)
    """What the task calls right, as far as the file says."""
    scores: Mapping[str, bool | float] = field(default_factory=dict)
    """Metric to value."""
    timed: bool = False
    """True where the file tells when things were said."""
