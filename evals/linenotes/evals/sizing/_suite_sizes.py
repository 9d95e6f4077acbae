"""What is asked of a suite, and what is answered: cases, samples, power, cost and time."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from linenotes.evals.journal._plans import RunPlan

if TYPE_CHECKING:
    from linenotes.evals.statistics import Pilot, Target

DEPTHS = (1, 2, 3, 5, 10)
"""The samples a case that are shown."""
DEFAULT_CHANGE = 0.05
DEFAULT_POWER = 0.8
DEFAULT_CORRELATION = 0.5
ALPHA = 0.05
MOST_SAMPLES = 20
"""Samples a case beyond which exactly these cases are too few, rather than their samples."""


@dataclass(frozen=True)
class Wish:
    """What a suite is to be able to see."""

    changes: tuple[float, ...] = (DEFAULT_CHANGE,)
    """In the metric's own unit; of a rate .05 is 5 points."""
    power: float = DEFAULT_POWER
    correlation: float = DEFAULT_CORRELATION
    """Of the true rates of two versions over cases; assumed where there is one run only."""
    sample_cost: float | None = None
    """US dollars of one sample; None stands for what the pilot's cost."""
    case_cost: float | None = None
    """US dollars of one more case, such as writing and checking it."""
    target: Target = "population"
    """Whether the change is one over cases like these, or over exactly these."""


@dataclass(frozen=True)
class Need:
    """What one change needs at one K."""

    change: float
    cases: int
    """Those of the pilot where it is about exactly these."""
    power: float
    """The chance that the pilot's cases show the change."""
    samples: int
    """Of both versions together."""
    cost: float | None
    """US dollars of the samples, and of the new cases where it is known what one costs."""
    seconds: float | None
    """Of agents' work, one sample after another."""


@dataclass(frozen=True)
class Depth:
    """What K samples a case come to."""

    samples: int
    detectable: float
    """The change that the pilot's cases detect, in each version with so many samples."""
    needs: tuple[Need, ...]
    """One a wanted change."""


@dataclass(frozen=True)
class Answer:
    """How many samples a case show a change over exactly these cases."""

    change: float
    samples: int
    """At most `MOST_SAMPLES`."""
    cases: int
    """Those of the pilot, or how many such cases it takes where so many samples are not enough."""


@dataclass(frozen=True)
class SuiteSize:
    """How large a suite must be for what is wished."""

    metric: str
    is_rate: bool
    runs: tuple[RunPlan, ...]
    """The pilot: one run, or two."""
    pilot: Pilot
    wish: Wish
    depths: tuple[Depth, ...]
    floor: float
    """What the pilot's cases detect with endless samples."""
    samples_help: bool
    """Whether more samples than the pilot had would narrow the interval noticeably."""
    best_samples: float | None
    """K*: the samples a case that see most for the money; None where a cost is not known."""
    answers: tuple[Answer, ...] = ()
    """One a wanted change, where it is about exactly these cases."""
    otherwise: dict[float, int] = field(default_factory=dict)
    """Another correlation to the cases that the first change then needs at the pilot's K."""

    @property
    def correlation_is_assumed(self) -> bool:
        """Whether it matters how two versions correlate over cases, and no run shows it."""
        return len(self.runs) == 1 and self.wish.target == "population"
